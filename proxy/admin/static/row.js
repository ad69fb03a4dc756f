// One exchange as a row of the list.

import { make } from "./element.js";
import { duration, fullMoment, moment, size, t } from "./format.js";
import { fragment } from "./place.js";

// What the filter `is:error` finds.
export function isFailure(summary) {
  return summary.error !== null || summary.status >= 400 || hasNoAnswer(summary);
}

function hasNoAnswer(summary) {
  return !summary.running && summary.status === 0;
}

// "404", "running" or "no answer", with signs that do not need colours.
export function statusMark(summary) {
  const parts = [];
  if (isFailure(summary)) {
    parts.push(make("span", { "aria-hidden": "true" }, "✕\u00a0"));
    parts.push(make("span", { class: "visually-hidden" }, `${t("failed")} `));
  }
  if (summary.running) parts.push(`◌\u00a0${t("running")}`);
  else parts.push(hasNoAnswer(summary) ? t("no_answer") : String(summary.status));
  return make("span", { class: `mark ${kindOf(summary)}` }, ...parts);
}

function kindOf(summary) {
  if (isFailure(summary)) return "mark-bad";
  return summary.running ? "mark-running" : "mark-good";
}

function marks(summary) {
  const isOurs = summary.answered_by === "proxy";
  const shown = [
    isOurs && make("span", { class: "chip", title: t("by_proxy_long") }, t("by_proxy")),
    summary.paid && make("span", { class: "chip" }, t("paid")),
    (summary.replayed || summary.resent) &&
      make("span", { class: "chip" }, t("twice")),
    summary.replay_of && make("span", { class: "chip" }, t("repeat")),
  ];
  return shown.filter(Boolean);
}

export function cells(summary) {
  const { id, method, target } = summary;
  const link = make("a", { href: fragment({ exchange: id }), title: target }, target);
  link.dataset.exchange = id;
  const time = make(
    "time",
    { datetime: summary.started, title: fullMoment(summary.started) },
    moment(summary.started),
  );
  const who = summary.caller ?? summary.agent ?? "";
  return [
    make("td", { class: "time" }, time),
    make("td", { class: "method" }, method),
    make("td", { class: "path" }, link),
    make("td", { class: "status" }, statusMark(summary), ...marks(summary)),
    make("td", { class: "amount" }, duration(summary.seconds)),
    make("td", { class: "amount" }, size(summary.sent)),
    make("td", { class: "caller", title: who }, who),
  ];
}
