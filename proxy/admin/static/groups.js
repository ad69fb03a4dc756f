// The requests that are listed, counted by the API's documented calls.

import { find, make } from "./element.js";
import { counted, duration, number, t } from "./format.js";
import { fragment } from "./place.js";
import { isFailure } from "./row.js";

export class Groups {
  constructor(list) {
    this.list = list;
    this.panel = find("#groups");
    this.shown = find("#groups ul");
    this.panel.addEventListener("toggle", () => this.show());
  }

  // Counting costs something, so it is done only while somebody looks.
  show() {
    if (!this.panel.open) return;
    const groups = [...grouped(this.list.summaries())];
    groups.sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1));
    this.shown.replaceChildren(...groups.map(([call, those]) => item(call, those)));
  }
}

function grouped(summaries) {
  const groups = new Map();
  for (const summary of summaries) {
    const call = summary.endpoint ?? "";
    if (!groups.has(call)) groups.set(call, []);
    groups.get(call).push(summary);
  }
  return groups;
}

// The median: one slow call among many says little of what is usual.
function usual(summaries) {
  const seconds = summaries.map((one) => one.seconds).sort((a, b) => a - b);
  return seconds[Math.floor((seconds.length - 1) / 2)];
}

function item(call, summaries) {
  const failed = summaries.filter(isFailure).length;
  const facts = [
    counted("count", summaries.length),
    failed && t("group_failed", { count: number(failed) }),
    t("group_usual", { time: duration(usual(summaries)) }),
  ];
  return make(
    "li",
    {},
    call ? link(call) : make("span", {}, t("no_call")),
    " ",
    make("span", { class: "soft" }, facts.filter(Boolean).join(" · ")),
  );
}

function link(call) {
  const filter = `path:${call.replace("{id}", "*")}`;
  return make("a", { href: fragment({ filter }) }, call);
}
