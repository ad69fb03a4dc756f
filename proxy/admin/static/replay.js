// An exchange once more: as it was, or edited first. What costs money is asked about.

import { address, call } from "./api.js";
import { ask, openDialog } from "./dialog.js";
import { find, say, sayError } from "./element.js";
import { t } from "./format.js";

const MASK = "***";

export class Replay {
  // `detail` shows what is sent again, `arrived` is called with the new exchange.
  constructor(detail, arrived) {
    this.detail = detail;
    this.arrived = arrived;
    this.isSending = false;
    find("#send-again").addEventListener("click", () => this.again());
    find("#edit-send").addEventListener("click", () => this.edit());
    find("#edit-cancel").addEventListener("click", () => find("#edit-dialog").close());
    find("#edit-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.sendEdited();
    });
  }

  async again() {
    const refused = (error) => this.detail.fail(error);
    const made = await this.send(this.detail.exchange, {}, refused);
    if (made) this.arrived(made);
  }

  // Returns the new exchange, or null. `refused` is called with what is against it.
  async send(exchange, changes, refused) {
    if (this.isSending) return null;
    this.isSending = true;
    try {
      return await this.post(exchange, changes);
    } catch (error) {
      refused(explained(error));
      return null;
    } finally {
      this.isSending = false;
    }
  }

  // Returns the new exchange, or null if somebody would rather not pay.
  async post(exchange, changes) {
    if (exchange.paid) return paying(exchange, changes);
    try {
      return await replayed(exchange, changes);
    } catch (error) {
      // Edited, it may have become one that costs money.
      if (error.value !== "paid") throw error;
      return paying(exchange, changes);
    }
  }

  edit() {
    const { exchange, isUnmasked } = this.detail;
    const form = openDialog("#edit-dialog").querySelector("form");
    this.shown = {
      method: exchange.method,
      target: exchange.target,
      fields: exchange.request.fields.map((pair) => pair.join(": ")).join("\n"),
      content: exchange.request.content?.text ?? "",
    };
    this.edited = exchange;
    for (const [name, value] of Object.entries(this.shown)) {
      form.elements[name].value = value;
      // A text area may write line ends its own way: compare with what it gives.
      this.shown[name] = form.elements[name].value;
    }
    say(find("#edit-note"), contentNote(exchange.request.content, isUnmasked));
    say(find("#edit-error"), null);
  }

  async sendEdited() {
    const form = find("#edit-form");
    const changes = {};
    for (const name of ["method", "target", "content"]) {
      const { value } = form.elements[name];
      if (value !== this.shown[name]) changes[name] = value;
    }
    if (form.elements.fields.value !== this.shown.fields) {
      const fields = readFields(form.elements.fields.value);
      if (typeof fields === "number") {
        say(find("#edit-error"), t("field_wrong", { line: fields }));
        form.elements.fields.focus();
        return;
      }
      changes.fields = fields;
    }
    const refused = (error) => sayError(find("#edit-error"), error);
    const made = await this.send(this.edited, changes, refused);
    if (!made) return;
    // A dialog that closes gives the focus back, and only then may it go elsewhere.
    find("#edit-dialog").close();
    this.arrived(made);
  }
}

async function paying(exchange, changes) {
  const question = {
    title: t("paid_title"),
    text: t("paid_text"),
    yes: t("paid_yes"),
  };
  if (!(await ask(question))) return null;
  return replayed(exchange, { ...changes, confirm: true });
}

async function replayed(exchange, changes) {
  const buttons = [find("#send-again"), find("#edit-yes")];
  const labels = buttons.map((button) => button.textContent);
  for (const button of buttons) button.textContent = t("sending");
  try {
    return await call("POST", address(exchange.id, "/replay"), changes);
  } finally {
    buttons.forEach((button, index) => (button.textContent = labels[index]));
  }
}

// The pairs of name and value in `text`, or the number of the line that is none.
function readFields(text) {
  const pairs = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (!line.trim()) continue;
    const colon = line.indexOf(":");
    if (colon < 1) return index + 1;
    pairs.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return pairs;
}

function contentNote(content, isUnmasked) {
  if (content === null || content.kept < content.size) return t("content_missing");
  if (content.size === 0) return null;
  if (content.text === null) return t("content_as_was");
  return !isUnmasked && content.text.includes(MASK) ? t("content_masked") : null;
}

// What to do about content that is not there is better said in the page's words.
function explained(error) {
  if (error.value !== "content") return error;
  return { sentence: t("type_content"), language: null };
}
