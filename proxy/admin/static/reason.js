// Why a request failed: in the page's language where it can be said, and in the API's
// own words, which are English and say more.

import { make } from "./element.js";

const reasons = JSON.parse(document.querySelector("#reasons").content.textContent);

export function reasonParts({ why, reason, unsure }) {
  if (!why) return [];
  const known = reasons[reason];
  const own = known && make("p", {}, known, unsure ? ` ${reasons.unsure}` : null);
  return [own, make("p", { lang: "en", class: known ? "said" : null }, why)].filter(
    Boolean,
  );
}
