// Comforts only: the page works without any of this.

const POLL_SECONDS = 5;

// Times arrive in UTC; show them in the reader's zone.
function localTimes() {
  for (const time of document.querySelectorAll("time")) {
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
  for (const button of document.querySelectorAll("button[data-wait]")) {
    const hint = button.parentElement.querySelector(".hint");
    const shown = hint.querySelector("[data-countdown]");
    const until = Date.now() + Number(button.dataset.wait) * 1000;
    const step = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      button.disabled = left > 0;
      hint.hidden = left <= 0;
      shown.textContent = String(Math.max(left, 0));
      if (left > 0) setTimeout(step, 250);
    };
    step();
  }
}

// A second click must not ask for a second SMS.
function submitOnce() {
  for (const form of document.forms) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  // Going back brings the page as it was left, flags and all.
  addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
}

function isTyping() {
  const fields = document.querySelectorAll("input:not([type=hidden])");
  return [...fields].some((field) => field.value !== field.defaultValue);
}

// Somebody may log in from a terminal, and a refresh may happen: then show it.
async function follow() {
  const { state, expires } = document.body.dataset;
  if (document.hidden || isTyping()) return;
  const answer = await fetch("/api/status").catch(() => null);
  if (!answer?.ok) return;
  const status = await answer.json();
  const same = status.state === state && (status.expires_at ?? "") === expires;
  if (!same && !isTyping()) location.reload();
}

localTimes();
countDown();
submitOnce();
setInterval(follow, POLL_SECONDS * 1000);
