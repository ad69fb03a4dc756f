// Keys that are a comfort: everything can be reached without them, too.

import { find } from "./element.js";
import { go } from "./place.js";

export function setUpKeys(list, detail, open) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const isTyping = event.target.closest("input, textarea, select");
    if (event.key === "/" && !isTyping) {
      event.preventDefault();
      find("#filter").focus();
    } else if (event.key === "Escape" && !isTyping && detail.id) {
      go({ exchange: "" });
    }
  });

  find("#rows").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const link = step && list.neighbour(step);
    if (!link) return;
    event.preventDefault();
    link.focus();
    // With one open, the arrows leaf through; focus stays in the list.
    if (detail.id) open(link.dataset.exchange, { focused: false, replaced: true });
  });

  find("#filter").addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    const first = list.neighbour(0);
    if (first) event.preventDefault();
    first?.focus();
  });
}
