// Follows the journal: server-sent events, which the browser resumes by itself.

import { withQuery } from "./api.js";

const AGAIN_MS = 3000;

export class Stream {
  // `on` has the functions opened, lost, exchange, content, cleared and skipped.
  constructor(on) {
    this.on = on;
    this.filter = "";
    this.source = null;
    this.timer = 0;
    // A page nobody looks at needs no events, and a browser has few connections.
    addEventListener("visibilitychange", () => {
      if (document.hidden) this.stop();
      else if (!this.source) this.follow(this.filter);
    });
  }

  follow(filter) {
    this.stop();
    this.filter = filter;
    if (document.hidden) return;
    const source = new EventSource(withQuery("/api/exchanges/stream", { filter }));
    source.addEventListener("open", () => this.on.opened());
    source.addEventListener("error", () => this.failed(source));
    for (const kind of ["exchange", "content", "cleared", "skipped"]) {
      source.addEventListener(kind, (event) => this.on[kind](JSON.parse(event.data)));
    }
    this.source = source;
  }

  stop() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  failed(source) {
    if (source !== this.source) return;
    this.on.lost();
    // A refusal ends the source for good, and only then is there something to do.
    if (source.readyState !== EventSource.CLOSED) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.follow(this.filter), AGAIN_MS);
  }
}
