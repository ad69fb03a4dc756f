// Whether content is kept, and for how long: a notice, a countdown, a button.

import { call } from "./api.js";
import { find, say, sayError, tell } from "./element.js";
import { left, t } from "./format.js";

const MINUTES = 10;

export class Keep {
  constructor() {
    this.state = null;
    this.until = 0;
    this.timer = 0;
    find("#keep-button").addEventListener("click", () => this.press());
  }

  // Takes the state that the API told; what has not changed is not told again.
  take(state) {
    const before = this.state;
    this.state = state;
    this.until = performance.now() + (state.seconds_left ?? 0) * 1000;
    if (before && before.kept !== state.kept) {
      tell(t(state.kept ? "keeping" : "kept_no_more"));
    }
    this.show();
  }

  show() {
    clearTimeout(this.timer);
    const { kept, seconds_left: seconds } = this.state;
    const button = find("#keep-button");
    const isLimited = kept && seconds !== null;
    const rest = (this.until - performance.now()) / 1000;
    if (isLimited && rest <= 0) {
      this.take({ ...this.state, kept: false, until: null, seconds_left: null });
      return;
    }
    find("#keep").classList.toggle("keep-on", kept);
    find("#keep-text").textContent = this.sentence(isLimited, rest);
    button.textContent = kept ? t("forget") : t("keep", { minutes: MINUTES });
    // What the configuration says is not for the page to undo.
    button.hidden = kept && !isLimited;
    if (isLimited) this.timer = setTimeout(() => this.show(), 250);
  }

  sentence(isLimited, rest) {
    if (isLimited) return t("kept_until", { left: left(rest) });
    return t(this.state.kept ? "kept_always" : "not_kept");
  }

  async press() {
    const seconds = this.state.kept ? 0 : MINUTES * 60;
    say(find("#keep-error"), null);
    try {
      this.take(await call("POST", "/api/exchanges/content", { seconds }));
    } catch (error) {
      sayError(find("#keep-error"), error);
    }
  }
}
