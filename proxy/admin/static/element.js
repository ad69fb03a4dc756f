// Makes and fills elements; what comes from outside only ever becomes text.

export function find(selector) {
  return document.querySelector(selector);
}

// `make("p", { class: "soft", lang: "en" }, "text", child)`; null children are left out.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

// A button that is no form's; `act` runs when it is pressed.
export function button(text, act, kind = "quiet small") {
  const made = make("button", { type: "button", class: kind }, text);
  made.addEventListener("click", act);
  return made;
}

// Shows `text` in `element`, or hides it where there is none. What the API says is
// English, whatever the page's language.
export function say(element, text, language = null) {
  element.textContent = text ?? "";
  element.hidden = !text;
  if (language) element.lang = language;
  else element.removeAttribute("lang");
}

export function sayError(element, error) {
  say(element, error?.sentence, error?.language);
}

// Tells people who cannot see the page; only what matters, never each request.
export function tell(text) {
  find("#told").textContent = text;
}
