// What else there is to know of an exchange, one line each.

import { make } from "./element.js";
import { fullMoment, number, t } from "./format.js";
import { fragment } from "./place.js";

export function factRows(detail) {
  return facts(detail)
    .filter(([, value]) => value)
    .map(([key, value]) =>
      make("div", {}, make("dt", {}, t(`about_${key}`)), make("dd", {}, value)),
    );
}

function facts(detail) {
  const { received, sent } = detail;
  return [
    ["started", fullMoment(detail.started)],
    ["answered", detail.status && t(byWhom(detail))],
    ["error", detail.error && make("code", {}, detail.error)],
    ["endpoint", detail.endpoint && make("code", {}, detail.endpoint)],
    ["connection", detail.warm !== null && t(detail.warm ? "warm" : "cold")],
    ["sent_twice", twice(detail)],
    ["paid", detail.paid && t("paid_long")],
    ["repeat", detail.replay_of && earlier(detail.replay_of)],
    ["caller", detail.caller],
    ["agent", detail.agent],
    ["sizes", t("sizes", { received: number(received), sent: number(sent) })],
    ["version", detail.http_version && `HTTP/${detail.http_version}`],
    ["request_id", make("code", {}, detail.request_id)],
  ];
}

function byWhom(detail) {
  return detail.answered_by === "proxy" ? "by_us" : "by_upstream";
}

function twice(detail) {
  const reasons = ["replayed", "resent"].filter((key) => detail[key]);
  return reasons.map((key) => t(key)).join("; ");
}

function earlier(id) {
  const link = make("a", { href: fragment({ exchange: id }) }, t("earlier"));
  link.dataset.exchange = id;
  return link;
}
