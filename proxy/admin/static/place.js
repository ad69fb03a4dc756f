// What is looked at lives in the address's fragment, which outlives a reload:
// #exchange=ID&filter=EXPR

const listeners = [];

export function place() {
  const found = new URLSearchParams(location.hash.slice(1));
  return {
    exchange: found.get("exchange") ?? "",
    filter: found.get("filter") ?? "",
  };
}

export function fragment(changes) {
  const kept = Object.entries({ ...place(), ...changes }).filter(([, v]) => v);
  return `#${new URLSearchParams(kept)}`;
}

// Goes to another place; the browser's way back leads here, unless it is `replaced`.
export function go(changes, { replaced = false } = {}) {
  const address = fragment(changes);
  // A lone "#" would be left in the address.
  const url = address === "#" ? location.pathname + location.search : address;
  if (replaced) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  for (const listener of listeners) listener();
}

export function onPlace(listener) {
  listeners.push(listener);
}

addEventListener("popstate", () => {
  for (const listener of listeners) listener();
});
