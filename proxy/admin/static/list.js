// The list: newest first, bounded, changed at most once a frame.

import { make } from "./element.js";
import { cells } from "./row.js";

export const MOST = 500;
const PAUSE_MS = 80;
const AT_A_TIME = 60;

export class List {
  // `changed` is called after each change that was shown, or held back.
  constructor(body, changed) {
    this.body = body;
    this.changed = changed;
    this.rows = new Map();
    this.waiting = new Map();
    this.paused = false;
    this.scheduled = false;
  }

  get count() {
    return this.rows.size;
  }

  summaries() {
    return [...this.rows.values()].map((row) => row.summary);
  }

  get held() {
    return [...this.waiting.keys()].filter((id) => !this.rows.has(id)).length;
  }

  put(summary) {
    this.waiting.set(summary.id, { summary, at: performance.now() });
    // Nobody would see the older ones of a burst.
    if (this.waiting.size > MOST) {
      this.waiting.delete(this.waiting.keys().next().value);
    }
    this.schedule();
  }

  // Shows these and no others, but for those that came after `since`: a list that was
  // asked for then may not have them yet.
  replace(summaries, since) {
    const kept = new Set(summaries.map((summary) => summary.id));
    for (const [id, row] of this.rows) {
      if (!kept.has(id) && row.at < since) this.drop(id, row);
    }
    for (const [id, { at }] of this.waiting) if (at < since) this.waiting.delete(id);
    this.fill(summaries);
  }

  // Adds what is not there yet: what came meanwhile is newer than the list.
  fill(summaries) {
    for (const summary of summaries) {
      if (!this.waiting.has(summary.id)) this.waiting.set(summary.id, { summary, at: 0 });
    }
    if (this.paused) this.changed();
    else this.show();
  }

  clear() {
    this.waiting.clear();
    this.rows.clear();
    this.body.replaceChildren();
    this.changed();
  }

  pause(paused) {
    this.paused = paused;
    if (!paused) this.show();
    this.changed();
  }

  select(id) {
    for (const [each, row] of this.rows) {
      const link = row.element.querySelector("a");
      if (each === id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  // The link of the exchange called `id`, or null.
  link(id) {
    return this.rows.get(id)?.element.querySelector("a") ?? null;
  }

  // The link that is `step` rows from the one in focus; the first where none is.
  neighbour(step) {
    const links = [...this.body.querySelectorAll("a[data-exchange]")];
    const at = links.indexOf(document.activeElement);
    return at < 0 ? links[0] : links[at + step];
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    setTimeout(() => requestAnimationFrame(() => {
      this.scheduled = false;
      if (this.paused) this.changed();
      else this.show(AT_A_TIME);
    }), PAUSE_MS);
  }

  // Shows the newest of those that wait, at most so many, and the others soon: a burst
  // must not hold up whoever types.
  show(most = Infinity) {
    const waiting = [...this.waiting.values()];
    waiting.sort((a, b) => b.summary.number - a.summary.number);
    const shown = waiting.slice(0, most);
    let next = this.body.firstElementChild;
    for (const { summary, at } of shown) {
      this.waiting.delete(summary.id);
      const known = this.rows.get(summary.id);
      if (known) {
        fillRow(known.element, summary);
        known.summary = summary;
        known.at = Math.max(known.at, at);
        continue;
      }
      while (next && Number(next.dataset.number) > summary.number) {
        next = next.nextElementSibling;
      }
      const element = make("tr", { "data-number": summary.number });
      fillRow(element, summary);
      this.body.insertBefore(element, next);
      this.rows.set(summary.id, { element, summary, at });
    }
    this.trim();
    this.changed();
    if (this.waiting.size) this.schedule();
  }

  trim() {
    while (this.rows.size > MOST) {
      const last = this.body.lastElementChild;
      this.drop(last.querySelector("a").dataset.exchange, { element: last });
    }
    if (this.rows.size < MOST) return;
    const oldest = Number(this.body.lastElementChild.dataset.number);
    for (const [id, { summary }] of this.waiting) {
      if (summary.number < oldest && !this.rows.has(id)) this.waiting.delete(id);
    }
  }

  drop(id, row) {
    row.element.remove();
    this.rows.delete(id);
  }
}

// A row in focus keeps it, and its mark of being the one that is shown.
function fillRow(element, summary) {
  const before = element.querySelector("a");
  const focused = before !== null && before === document.activeElement;
  const current = before?.getAttribute("aria-current");
  element.replaceChildren(...cells(summary));
  const link = element.querySelector("a");
  if (current) link.setAttribute("aria-current", current);
  if (focused) link.focus({ preventScroll: true });
}
