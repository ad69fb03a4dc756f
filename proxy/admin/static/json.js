// JSON as a tree that folds. Branches are built when they are opened.

import { button, make } from "./element.js";
import { number, t } from "./format.js";

const OPEN_DEPTH = 3;
const OPEN_MOST = 20;
const CHUNK = 100;
const LONG = 1000;

// A number as it was written: 12345678901234567890 would be rounded.
class Written {
  constructor(source) {
    this.source = source;
  }
}

function asWritten(key, value, context) {
  const isNumber = typeof value === "number" && context?.source;
  return isNumber ? new Written(context.source) : value;
}

// Returns the tree of `text`, or null if it is not JSON.
export function jsonTree(text) {
  try {
    const value = JSON.parse(text, asWritten);
    return make("div", { class: "json" }, node(null, value, 0));
  } catch {
    return null;
  }
}

function node(name, value, depth) {
  const isBranch = typeof value === "object" && value !== null;
  if (isBranch && !(value instanceof Written)) return branch(name, value, depth);
  return make("div", { class: "leaf" }, ...label(name), leaf(value));
}

function label(name) {
  return name === null ? [] : [make("span", { class: "key" }, name), ": "];
}

function leaf(value) {
  if (value instanceof Written) return make("span", { class: "plain" }, value.source);
  if (typeof value !== "string") {
    return make("span", { class: "plain" }, String(value));
  }
  const shown = make("span", { class: "string" }, JSON.stringify(value));
  return value.length > LONG ? bounded(shown) : shown;
}

// A long string shows its beginning first.
function bounded(shown) {
  const whole = shown.textContent;
  shown.textContent = `${whole.slice(0, LONG)}…`;
  const more = button(t("show_rest"), () => {
    shown.textContent = whole;
    more.remove();
  });
  return make("span", {}, shown, " ", more);
}

function branch(name, value, depth) {
  const isList = Array.isArray(value);
  const entries = isList
    ? value.map((item) => [null, item])
    : Object.entries(value).map(([key, item]) => [JSON.stringify(key), item]);
  const [from, to] = isList ? "[]" : "{}";
  if (entries.length === 0) {
    return make("div", { class: "leaf" }, ...label(name), `${from}${to}`);
  }
  const count = make("span", { class: "soft" }, ` ${number(entries.length)} `);
  const summary = make("summary", {}, ...label(name), from, count, to);
  const inside = make("div", { class: "inside" });
  const details = make("details", {}, summary, inside);
  const build = () => {
    if (!inside.hasChildNodes()) grow(inside, entries, 0, depth + 1);
  };
  details.addEventListener("toggle", () => details.open && build());
  if (depth === 0 || (depth < OPEN_DEPTH && entries.length <= OPEN_MOST)) {
    details.open = true;
    build();
  }
  return details;
}

// Adds the next entries to `inside`, and a button for those after them.
function grow(inside, entries, start, depth) {
  const end = Math.min(start + CHUNK, entries.length);
  for (const [name, item] of entries.slice(start, end)) {
    inside.append(node(name, item, depth));
  }
  if (end === entries.length) return;
  const count = number(Math.min(CHUNK, entries.length - end));
  const more = button(t("show_more", { count }), () => {
    more.remove();
    grow(inside, entries, end, depth);
  });
  inside.append(more);
}
