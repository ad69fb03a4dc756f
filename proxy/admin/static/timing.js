// Where an exchange's time went: a bar, and the same as a list.

import { make } from "./element.js";
import { duration, t } from "./format.js";

export function timingParts(detail) {
  const stages = detail.timing;
  if (stages.length === 0) {
    return [make("p", { class: "soft note" }, t("no_timing"))];
  }
  const bar = make("div", { class: "bar", "aria-hidden": "true" });
  for (const { stage, seconds } of stages) {
    const part = make("span", { class: `stage-${stage}` });
    // Shares that add up to less than one would leave a part of the bar empty.
    part.style.flexGrow = String(seconds * 1e6);
    bar.append(part);
  }
  const list = make("ul", { class: "legend" });
  for (const { stage, seconds } of stages) {
    list.append(line(`swatch stage-${stage}`, t(`stage_${stage}`), seconds));
  }
  if (!detail.running) list.append(line("swatch", t("total"), detail.seconds));
  return [bar, list];
}

function line(kind, name, seconds) {
  return make(
    "li",
    {},
    make("span", { class: kind, "aria-hidden": "true" }),
    make("span", {}, name),
    make("span", { class: "amount" }, duration(seconds)),
  );
}
