// Calls of the journal's API. Whatever goes wrong becomes a Refused with one sentence.

import { t } from "./format.js";

class Refused extends Error {
  constructor(status, value, sentence, language) {
    super(sentence);
    this.status = status;
    this.value = value;
    this.sentence = sentence;
    this.language = language;
  }
}

async function send(method, path, members) {
  const content = members === undefined ? {} : { body: JSON.stringify(members) };
  const headers = method === "GET" ? {} : { "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(path, { method, headers, ...content });
  } catch {
    throw new Refused(0, "offline", t("offline"), null);
  }
  // The session has ended: the page asks for the password anew.
  if (answer.status === 401) location.reload();
  if (answer.ok) return answer;
  const error = await answer.json().catch(() => ({}));
  if (answer.status === 404) throw new Refused(404, error.value, t("gone"), null);
  const sentence = error.description ?? `${answer.status} ${answer.statusText}`;
  throw new Refused(answer.status, error.value, sentence, "en");
}

export async function call(method, path, members) {
  const answer = await send(method, path, members);
  return answer.json().catch(() => {
    throw new Refused(answer.status, "offline", t("offline"), null);
  });
}

export async function text(path) {
  return (await send("GET", path)).text();
}

// What is to be saved, and the name that the API gives it.
export async function file(path) {
  const answer = await send("GET", path);
  const told = answer.headers.get("Content-Disposition") ?? "";
  const name = told.match(/filename="([^"]+)"/)?.[1] ?? "";
  try {
    return { name, content: await answer.blob() };
  } catch {
    throw new Refused(answer.status, "offline", t("offline"), null);
  }
}

// `address("9f-1", "/command", { as: "curl", unmasked: false })`; what is false or
// empty is left out.
export function address(id, rest = "", query = {}) {
  return withQuery(`/api/exchanges/${encodeURIComponent(id)}${rest}`, query);
}

export function withQuery(path, query) {
  const kept = Object.entries(query).filter(([, value]) => value);
  return kept.length ? `${path}?${new URLSearchParams(kept)}` : path;
}
