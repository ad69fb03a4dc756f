// Comforts of the login only: it works without any of this.

const POLL_SECONDS = 5;
const TYPING_SECONDS = 3;

// Times arrive in UTC; show them in the reader's zone.
function localTimes() {
  for (const time of document.querySelectorAll(".login time")) {
    const instant = new Date(time.dateTime);
    time.title = time.textContent;
    time.textContent = instant.toLocaleString(document.documentElement.lang, {
      dateStyle: "long",
      timeStyle: "short",
    });
  }
}

// The server keeps the cooldown; this only shows it.
function countDown() {
  for (const hint of document.querySelectorAll(".hint")) {
    const button = hint.parentElement.querySelector("button");
    const shown = hint.querySelector("[data-countdown]");
    const until = Date.now() + Number(button.dataset.wait) * 1000;
    hint.querySelector("[data-without-script]").hidden = true;
    hint.querySelector("[data-with-script]").hidden = false;
    const step = () => {
      const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      const seconds = String(left % 60).padStart(2, "0");
      shown.textContent = `${Math.floor(left / 60)}:${seconds}`;
      button.disabled = left > 0;
      button.classList.toggle("waiting", left > 0);
      hint.hidden = left === 0;
      if (left > 0) setTimeout(step, 250);
    };
    step();
  }
}

// A second click must not ask for a second SMS.
function submitOnce() {
  const forms = document.querySelectorAll("form[method=post]");
  for (const form of forms) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  // Going back brings the page as it was left, flags and all.
  addEventListener("pageshow", () => {
    for (const form of forms) delete form.dataset.sent;
  });
}

let lastKey = -Infinity;
addEventListener("input", () => (lastKey = performance.now()));

// What would be lost by loading the page anew: something typed, a dialog, a selection
// that is about to be copied. The rest is in the address.
function isBusy() {
  const fields = document.querySelectorAll(".login input:not([type=hidden])");
  const isTyped = [...fields].some((field) => field.value !== field.defaultValue);
  const isTyping = performance.now() - lastKey < TYPING_SECONDS * 1000;
  const isOpen = document.querySelector("dialog[open]") !== null;
  return isTyped || isTyping || isOpen || !getSelection().isCollapsed;
}

// Resolves to null if the proxy is stopped, hangs, or something in between answers.
async function readStatus() {
  try {
    const signal = AbortSignal.timeout(POLL_SECONDS * 900);
    const answer = await fetch("/api/status", { signal });
    // The session has ended: the page asks for the password anew.
    if (answer.status === 401) location.reload();
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

// While the proxy does not answer, "Logged in" may not be true any more.
function showOffline(isOffline) {
  document.querySelector("#offline").hidden = !isOffline;
  document.querySelector(".badge").hidden = isOffline;
}

let isLooking = false;
let isStale = false;

// Somebody may log in from a terminal, and a refresh may happen: then show it.
async function follow() {
  // One look at a time: an older answer that comes after a newer failure would pass
  // for the proxy's return, and reload the page into the browser's own error.
  if (document.hidden || isLooking) return;
  isLooking = true;
  const status = await readStatus();
  isLooking = false;
  // After a restart the forms of this page are refused, so it needs new ones.
  if (status === null) isStale = true;
  showOffline(status === null);
  if (status === null || isBusy()) return;
  const { state, expires } = document.body.dataset;
  const same = status.state === state && (status.expires_at ?? "") === expires;
  if (same && !isStale) return;
  // Looking again would begin to load anew, and so on.
  isLooking = true;
  location.reload();
}

localTimes();
countDown();
submitOnce();
setInterval(follow, POLL_SECONDS * 1000);
addEventListener("visibilitychange", follow);
