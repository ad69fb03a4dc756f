// One exchange in full. Personal data is shown when asked for, and only until one leaves.

import { address, call } from "./api.js";
import { messageParts } from "./content.js";
import { factRows } from "./facts.js";
import { find, make, say, sayError } from "./element.js";
import { t } from "./format.js";
import { reasonParts } from "./reason.js";
import { statusMark } from "./row.js";
import { timingParts } from "./timing.js";

export class Detail {
  constructor() {
    this.id = "";
    this.exchange = null;
    this.isUnmasked = false;
    const button = find("#personal");
    this.labels = [button.textContent, button.dataset.hide];
    button.addEventListener("click", () => this.load(!this.isUnmasked));
    // The page may be kept as it was left, for the way back.
    addEventListener("pagehide", () => this.isUnmasked && this.empty());
  }

  // Shows the exchange called `id`, with personal data masked.
  async open(id) {
    this.id = id;
    this.exchange = null;
    this.empty();
    find("#detail").hidden = false;
    find("#requests").classList.add("has-detail");
    await this.load(false);
  }

  close() {
    this.id = "";
    this.exchange = null;
    this.empty();
    find("#detail").hidden = true;
    find("#requests").classList.remove("has-detail");
  }

  async load(unmasked) {
    const { id } = this;
    try {
      const exchange = await call("GET", address(id, "", { unmasked }));
      // Meanwhile another one may have been opened.
      if (id === this.id) this.show(exchange, unmasked);
    } catch (error) {
      if (id === this.id) sayError(find("#detail-error"), error);
    }
  }

  // Takes a summary of the stream: one that was running has more to show when it ends,
  // or when its answer begins.
  take(summary) {
    if (summary.id !== this.id || !this.exchange?.running) return;
    const isSame = summary.running && summary.status === this.exchange.status;
    if (!isSame) this.load(this.isUnmasked);
  }

  fail(error) {
    sayError(find("#detail-error"), error);
  }

  show(exchange, unmasked) {
    this.exchange = exchange;
    this.mark(unmasked);
    say(find("#detail-error"), null);
    find("#detail-title").replaceChildren(...title(exchange));
    find("#detail-why").replaceChildren(...reasonParts(exchange));
    find("#detail-why").hidden = !exchange.why;
    find("#request-shown").replaceChildren(
      ...messageParts(exchange.id, "request", exchange.request, unmasked),
    );
    find("#response-shown").replaceChildren(...responseParts(exchange, unmasked));
    find("#timing").replaceChildren(...timingParts(exchange));
    find("#about").replaceChildren(...factRows(exchange));
    find("#detail-body").hidden = false;
    find("#detail-tools").hidden = false;
  }

  empty() {
    this.mark(false);
    say(find("#detail-error"), null);
    find("#detail-body").hidden = true;
    find("#detail-tools").hidden = true;
    find("#detail-title").replaceChildren("…");
    for (const part of ["#request-shown", "#response-shown", "#timing", "#about"]) {
      find(part).replaceChildren();
    }
  }

  mark(unmasked) {
    this.isUnmasked = unmasked;
    find("#personal-shown").hidden = !unmasked;
    find("#personal").textContent = this.labels[Number(unmasked)];
  }
}

function title(exchange) {
  const line = `${exchange.method} ${exchange.target}`;
  return [make("span", {}, line), " ", statusMark(exchange)];
}

function responseParts(exchange, unmasked) {
  const { response } = exchange;
  if (response === null) {
    const key = exchange.running ? "no_response_yet" : "no_response";
    return [make("p", { class: "soft note" }, t(key))];
  }
  // What a client speaks may be 1.0; the proxy answers in 1.1 all the same.
  const line = `HTTP/1.1 ${response.status} ${response.reason}`;
  return [
    make("p", { class: "start-line" }, line),
    ...messageParts(exchange.id, "response", response, unmasked),
  ];
}
