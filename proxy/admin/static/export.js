// Exchanges to take along: as code, as HAR, as a bug report. Masked unless ticked.

import { address, file, text, withQuery } from "./api.js";
import { openDialog } from "./dialog.js";
import { find, make, say, sayError } from "./element.js";
import { t } from "./format.js";
import { place } from "./place.js";

export function setUpExport(detail) {
  find("#export").addEventListener("click", () => openExport(""));
  find("#export-one").addEventListener("click", () => openExport(detail.id));
  find("#export-form").addEventListener("change", forgive);
  find("#download").addEventListener("click", download);
  find("#copy-as").addEventListener("click", () => openCopy(detail.id));
  find("#copy-form").addEventListener("change", showCommand);
  find("#copy-button").addEventListener("click", copy);
}

// -- files -----------------------------------------------------------------------------

// `id` is that of the exchange to begin with, if one is looked at.
function openExport(id) {
  const form = openDialog("#export-dialog").querySelector("form");
  form.dataset.id = id;
  const { filter } = place();
  for (const choice of form.elements.which) {
    const isThere = choice.value === "one" ? id : choice.value === "all" || filter;
    choice.closest("label").hidden = !isThere;
  }
  form.elements.which.value = id ? "one" : filter ? "filtered" : "all";
  forgive();
}

function chosenPath() {
  const form = find("#export-form");
  const { which, as, unmasked } = form.elements;
  const chosen = { unmasked: unmasked.checked };
  if (which.value === "filtered") chosen.filter = place().filter;
  if (which.value === "one") chosen.id = form.dataset.id;
  const path = as.value === "har" ? "/api/exchanges.har" : "/api/report.zip";
  return withQuery(path, chosen);
}

function forgive() {
  say(find("#export-error"), null);
}

let isDownloading = false;

// A link could not say why it was refused.
async function download() {
  if (isDownloading) return;
  isDownloading = true;
  forgive();
  try {
    const { name, content } = await file(chosenPath());
    save(name, content);
    find("#export-dialog").close();
  } catch (error) {
    sayError(find("#export-error"), error);
  } finally {
    isDownloading = false;
  }
}

function save(name, content) {
  const url = URL.createObjectURL(content);
  make("a", { href: url, download: name }).click();
  // Not at once: some browsers begin to read it only after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// -- code ------------------------------------------------------------------------------

function openCopy(id) {
  openDialog("#copy-dialog").querySelector("form").dataset.id = id;
  showCommand();
}

async function showCommand() {
  const form = find("#copy-form");
  const query = {
    as: form.elements.as.value,
    unmasked: form.elements.unmasked.checked,
  };
  const path = address(form.dataset.id, "/command", query);
  form.dataset.path = path;
  // What is not chosen any more is not there to be copied.
  find("#copy-text").textContent = "";
  say(find("#copy-told"), null);
  say(find("#copy-error"), null);
  try {
    const command = await text(path);
    // A later choice may have been answered first.
    if (form.dataset.path === path) find("#copy-text").textContent = command;
  } catch (error) {
    sayError(find("#copy-error"), error);
  }
}

async function copy() {
  const shown = find("#copy-text");
  try {
    // Only pages at https and on this machine may write to the clipboard.
    await navigator.clipboard.writeText(shown.textContent);
    say(find("#copy-told"), t("copied"));
  } catch {
    getSelection().selectAllChildren(shown);
    shown.focus();
    say(find("#copy-told"), t("copy_by_hand"));
  }
}
