// The requests' half of the page: joins the list, the stream, the filter, the detail.

import { call, withQuery } from "./api.js";
import { Detail } from "./detail.js";
import { ask } from "./dialog.js";
import { find, say, sayError, tell } from "./element.js";
import { setUpExport } from "./export.js";
import { Groups } from "./groups.js";
import { counted, number, t } from "./format.js";
import { Keep } from "./keep.js";
import { setUpKeys } from "./keys.js";
import { List, MOST } from "./list.js";
import { go, onPlace, place } from "./place.js";
import { Replay } from "./replay.js";
import { Stream } from "./stream.js";

const TYPING_MS = 250;
const CATCH_UP_MS = 1500;

const list = new List(find("#rows"), showState);
const detail = new Detail();
const groups = new Groups(list);
const keep = new Keep();
const stream = new Stream({
  opened: () => {
    if (!find("#connection").hidden) tell(t("back"));
    say(find("#connection"), null);
    read(place().filter, performance.now());
  },
  lost: () => say(find("#connection"), t("lost")),
  exchange: (summary) => {
    list.put(summary);
    detail.take(summary);
  },
  content: (state) => keep.take(state),
  cleared: () => list.clear(),
  skipped: ({ count }) => catchUp(count),
});

// -- the list --------------------------------------------------------------------------

let asked = 0;

// Fills the list; rows that came after `since` stay. Returns whether the API takes the
// filter, and no other has been asked for meanwhile.
async function read(filter, since = Infinity) {
  const turn = ++asked;
  const path = withQuery("/api/exchanges", { filter, limit: MOST });
  try {
    const answer = await call("GET", path);
    if (turn !== asked) return false;
    showFilterError(null);
    keep.take(answer.content);
    if (list.paused && since < Infinity) list.fill(answer.exchanges);
    else list.replace(answer.exchanges, since);
    return true;
  } catch (error) {
    if (turn !== asked) return false;
    if (error.status === 400) showFilterError(error);
    else sayError(find("#connection"), error);
    return error.status !== 400;
  }
}

let catchingUp = 0;
let missed = 0;

// In a burst something is missed five times a second: reads the list when it slows down.
function catchUp(count) {
  missed += count;
  if (catchingUp) return;
  catchingUp = setTimeout(() => {
    tell(t("skipped", { count: number(missed) }));
    catchingUp = missed = 0;
    read(place().filter, performance.now());
  }, CATCH_UP_MS);
}

function showFilterError(error) {
  sayError(find("#filter-error"), error);
  find("#filter").setAttribute("aria-invalid", String(error !== null));
}

function showState() {
  const { filter } = place();
  find("#count").textContent = list.paused
    ? t(list.held ? "paused_new" : "paused", { count: number(list.held) })
    : counted("count", list.count);
  say(find("#empty"), list.count ? null : t(filter ? "empty_filter" : "empty"));
  find("#list table").hidden = list.count === 0;
  if (detail.id) list.select(detail.id);
  groups.show();
}

async function clear() {
  const question = {
    title: t("clear_title"),
    text: t("clear_text"),
    yes: t("clear_yes"),
  };
  say(find("#clear-error"), null);
  const isEmpty = list.count === 0 && list.held === 0 && !place().filter;
  if (!isEmpty && !(await ask(question))) return;
  try {
    await call("DELETE", "/api/exchanges");
    list.clear();
    if (detail.id) go({ exchange: "" });
    tell(t("cleared"));
  } catch (error) {
    sayError(find("#clear-error"), error);
  }
}

function pause() {
  list.pause(!list.paused);
  find("#pause").textContent = t(list.paused ? "continue" : "pause");
  tell(t(list.paused ? "paused" : "going_on"));
}

// -- the filter ------------------------------------------------------------------------

let typing = 0;
let followed = null;

async function filterBy(filter) {
  followed = filter;
  if (!(await read(filter)) || followed !== filter) return;
  stream.follow(filter);
  if (filter) tell(counted("count", list.count));
}

find("#filter").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    go({ filter: find("#filter").value.trim() }, { replaced: true });
  }, TYPING_MS);
});

// -- what is looked at -----------------------------------------------------------------

function follow() {
  const { exchange, filter } = place();
  if (filter !== followed) {
    if (find("#filter") !== document.activeElement) find("#filter").value = filter;
    filterBy(filter);
  }
  if (exchange === detail.id) return;
  const before = detail.id;
  list.select(exchange);
  if (exchange) {
    detail.open(exchange);
    list.link(exchange)?.scrollIntoView({ block: "nearest" });
  } else {
    detail.close();
    (list.link(before) ?? find("#requests-title")).focus();
  }
}

// Opens an exchange; its heading gets the focus, unless it is to stay in the list.
function open(id, { focused = true, replaced = false } = {}) {
  go({ exchange: id }, { replaced });
  if (!focused) return;
  const title = find("#detail-title");
  title.focus({ preventScroll: true });
  const { top } = title.getBoundingClientRect();
  if (top < 0 || top > innerHeight * 0.7) find("#requests").scrollIntoView();
}

function opened(exchange) {
  open(exchange.id);
  tell(t("sent_again"));
}

// The whole row is there to be clicked; its link is there for everything else.
find("#requests").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest("tbody tr, a[data-exchange]");
  if (!link || !getSelection().isCollapsed) return;
  event.preventDefault();
  open((link.querySelector("a[data-exchange]") ?? link).dataset.exchange);
});

find("#pause").addEventListener("click", pause);
find("#clear").addEventListener("click", clear);
find("#detail-close").addEventListener("click", () => go({ exchange: "" }));
new Replay(detail, opened);
setUpExport(detail);
setUpKeys(list, detail, open);
onPlace(follow);

find("#live").hidden = false;
find("#filter").value = place().filter;
follow();
