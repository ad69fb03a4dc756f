// A message as it is shown: its fields, and its content by its kind.

import { address } from "./api.js";
import { button, make } from "./element.js";
import { size, t } from "./format.js";
import { jsonTree } from "./json.js";

const TEXT_MOST = 20_000;

// `side` is "request" or "response", `shown` what the API tells of it.
export function messageParts(id, side, shown, unmasked) {
  return [fieldList(shown.fields), contentPart(id, side, shown.content, unmasked)];
}

function fieldList(fields) {
  if (fields.length === 0) return make("p", { class: "soft" }, t("no_fields"));
  return pairs(fields);
}

function pairs(list) {
  const rows = list.map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value)),
  );
  return make("dl", { class: "fields" }, ...rows);
}

function contentPart(id, side, content, unmasked) {
  if (content === null) return note("content_not_kept");
  if (content.size === 0) return note("no_content");
  const part = make("div", { class: "content" }, facts(content));
  if (content.kept < content.size) {
    const [kept, whole] = [size(content.kept), size(content.size)];
    part.append(make("p", {}, t("content_cut", { kept, size: whole })));
  }
  part.append(...body(id, side, content, unmasked));
  if (content.sha256) {
    part.append(make("p", { class: "hash soft" }, `SHA-256 ${content.sha256}`));
  }
  return part;
}

function note(key) {
  return make("p", { class: "soft note" }, t(key));
}

function facts(content) {
  const parts = [content.media_type, size(content.size)].filter(Boolean);
  return make("p", { class: "soft" }, parts.join(" · "));
}

function body(id, side, content, unmasked) {
  if (content.hidden && !unmasked) return [hiddenNote(content.kind)];
  const source = address(id, `/${side}/content`, { unmasked: true });
  if (content.kind === "image") return [image(source), ...saving(source, unmasked)];
  if (content.text === null) return saving(source, unmasked);
  return [readable(content), ...saving(source, unmasked)];
}

function hiddenNote(kind) {
  if (kind === "image") return note("image_hidden");
  return note(kind === "binary" ? "binary_hidden" : "text_hidden");
}

// Only an <img> element ever loads it, so whatever it is, it runs nothing.
function image(source) {
  return make("img", { src: source, alt: t("image_alt"), class: "picture" });
}

// Of the bytes only secrets are masked, so they can be saved only with personal data.
function saving(source, unmasked) {
  if (!unmasked) return [];
  const link = make("a", { href: source, download: true }, t("save_content"));
  return [make("p", {}, link)];
}

function readable(content) {
  if (content.kind === "json") {
    const tree = jsonTree(content.text);
    if (tree) return make("div", {}, tree, asItCame(content.text));
  }
  // A form in parts is shown as it came: their heads say more than pairs could.
  if (content.kind === "form" && !content.media_type.startsWith("multipart/")) {
    return pairs([...new URLSearchParams(content.text)]);
  }
  return textBlock(content.text);
}

function asItCame(text) {
  const details = make("details", {}, make("summary", {}, t("as_it_came")));
  const build = () => details.append(textBlock(text));
  details.addEventListener("toggle", build, { once: true });
  return details;
}

function textBlock(text) {
  const shown = make("pre", { tabindex: "0" }, text.slice(0, TEXT_MOST));
  if (text.length <= TEXT_MOST) return shown;
  const rest = button(t("show_rest"), () => {
    shown.textContent = text;
    rest.remove();
  });
  return make("div", {}, shown, rest);
}
