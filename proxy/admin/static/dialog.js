// Dialogs: the browser keeps focus inside, and gives it back when they close.

import { find } from "./element.js";

// Opens a dialog with its form as it is in the page: nothing is ticked from last time.
export function openDialog(selector) {
  const dialog = find(selector);
  dialog.querySelector("form").reset();
  dialog.showModal();
  return dialog;
}

// Resolves to whether the answer is yes; Escape means no.
export function ask({ title, text, yes }) {
  find("#confirm-title").textContent = title;
  find("#confirm-text").textContent = text;
  find("#confirm-yes").textContent = yes;
  const dialog = find("#confirm");
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    const closed = () => resolve(dialog.returnValue === "yes");
    dialog.addEventListener("close", closed, { once: true });
  });
}
