// What a web page can try. Each attack sends a request that names it, and returns what
// the page could read, or null. None needs the person to click.

const PATIENCE = 2500;
const JSON_TYPE = "application/json";
const PHONE = JSON.stringify({ phone: "+7 916 000-00-00" });

const within = (promise) =>
  Promise.race([
    Promise.resolve(promise).catch(() => null),
    new Promise((done) => setTimeout(done, PATIENCE, null)),
  ]);

const text = (url, options) =>
  fetch(url, { credentials: "include", ...options }).then((answer) => answer.text());

const opaque = (url, options) => text(url, { mode: "no-cors", ...options });

// Puts an element into the page; returns what `read` sees once it has loaded.
function load(name, attributes, read, parent = document.documentElement) {
  return new Promise((done) => {
    const element = document.createElement(name);
    element.onload = element.onloadeddata = () => done(read(element));
    element.onerror = () => done(null);
    for (const [key, value] of Object.entries(attributes)) {
      element.setAttribute(key, value);
    }
    parent.append(element);
  });
}

const inside = (frame) => frame.contentDocument?.documentElement.innerText || null;

// A frame of an origin that is none; it tells what it read by a message.
function lawless(attributes) {
  return new Promise((done) => {
    addEventListener("message", (event) => done(event.data), { once: true });
    // Where the page's own policy keeps its script from running, nothing is told.
    load("iframe", attributes, () => setTimeout(done, PATIENCE / 4, null));
  });
}

const asking = (url) =>
  `<script>fetch(${JSON.stringify(url)}, {credentials: "include"})` +
  `.then((answer) => answer.text()).catch(() => null)` +
  `.then((read) => parent.postMessage(read, "*"))</script>`;

async function submit(url, method, enctype) {
  const frame = document.createElement("iframe");
  frame.name = `frame-${Math.random()}`;
  document.documentElement.append(frame);
  const form = document.createElement("form");
  Object.assign(form, { action: url, method, enctype, target: frame.name });
  for (const [name, value] of new URL(url).searchParams) {
    form.append(Object.assign(document.createElement("input"), { name, value }));
  }
  const field = Object.assign(document.createElement("input"), { name: "phone" });
  field.value = "+7 916 000-00-00";
  form.append(field);
  document.documentElement.append(form);
  const loaded = new Promise((done) => (frame.onload = done));
  form.submit();
  await loaded;
  return inside(frame);
}

const socket = (url) =>
  new Promise((done) => {
    const opened = new WebSocket(url.replace("http", "ws"));
    opened.onmessage = (event) => done(event.data);
    opened.onerror = () => done(null);
  });

const events = (url) =>
  new Promise((done) => {
    const source = new EventSource(url, { withCredentials: true });
    const end = (read) => (source.close(), done(read));
    source.onmessage = (event) => end(event.data);
    source.onerror = () => end(null);
  });

const xhr = (url) =>
  new Promise((done) => {
    const request = new XMLHttpRequest();
    request.withCredentials = true;
    request.onload = () => done(request.responseText);
    request.onerror = () => done(null);
    request.open("GET", url);
    request.send();
  });

const worker = (url) =>
  new Promise((done) => {
    const code = `fetch(${JSON.stringify(url)}, {credentials: "include"})
      .then((answer) => answer.text()).catch(() => null).then(postMessage)`;
    const started = new Worker(URL.createObjectURL(new Blob([code])));
    started.onmessage = (event) => done(event.data);
    started.onerror = () => done(null);
  });

const beacon = (url, type) => {
  navigator.sendBeacon(url, new Blob([PHONE], { type }));
  return null;
};

async function style(url) {
  const shown = () => getComputedStyle(document.documentElement).outlineStyle;
  await load("link", { rel: "stylesheet", href: url }, () => null);
  return shown() === "dotted" ? "dotted" : null;
}

async function script(url) {
  delete globalThis.stolen;
  await load("script", { src: url }, () => null);
  return globalThis.stolen ?? null;
}

// name: [what follows the path of reads, attack]
const READS = {
  "fetch": ["", text],
  "fetch-opaque": ["", opaque],
  "fetch-head": ["", (url) => opaque(url, { method: "HEAD" })],
  "fetch-range": ["", (url) => text(url, { headers: { Range: "bytes=0-9" } })],
  "fetch-preflighted": ["", (url) => text(url, { headers: { "X-Custom": "1" } })],
  "fetch-key": ["", (url) => text(url, { headers: { "X-Proxy-Key": "guess" } })],
  "fetch-authorization": [
    "",
    (url) => text(url, { headers: { Authorization: "Bearer mine" } }),
  ],
  "fetch-no-referrer": ["", (url) => opaque(url, { referrerPolicy: "no-referrer" })],
  "fetch-keepalive": ["", (url) => opaque(url, { keepalive: true })],
  "xhr": ["", xhr],
  "events": ["", events],
  "socket": ["", socket],
  "worker": ["", worker],
  "image": [".gif", (url) => load("img", { src: url }, (img) => `${img.width} wide`)],
  "image-cors": [
    ".gif",
    (url) =>
      load("img", { src: url, crossorigin: "use-credentials" }, (img) => `${img.width} wide`),
  ],
  "script": [".js", script],
  "style": [".css", style],
  "video": [".gif", (url) => load("video", { src: url, preload: "auto" }, () => null)],
  "object": [".html", (url) => load("object", { data: url }, inside)],
  "embed": [".html", (url) => load("embed", { src: url }, () => null)],
  "frame": [".html", (url) => load("iframe", { src: url }, inside)],
  "form-get": [".html", (url) => submit(url, "GET", "text/plain")],
  "sandboxed": [
    "",
    (url) => lawless({ sandbox: "allow-scripts", srcdoc: asking(url) }),
  ],
  "data-url": [
    "",
    (url) => lawless({ src: `data:text/html,${encodeURIComponent(asking(url))}` }),
  ],
};

const WRITES = {
  "post": (url) => opaque(url, { method: "POST" }),
  "post-text": (url) => opaque(url, { method: "POST", body: PHONE }),
  "post-form": (url) =>
    opaque(url, { method: "POST", body: new URLSearchParams({ phone: "+79160000000" }) }),
  "post-readable": (url) => text(url, { method: "POST", body: PHONE }),
  "post-json": (url) =>
    text(url, { method: "POST", body: PHONE, headers: { "Content-Type": JSON_TYPE } }),
  "put": (url) => text(url, { method: "PUT", body: PHONE }),
  "patch": (url) => text(url, { method: "PATCH", body: PHONE }),
  "delete": (url) => text(url, { method: "DELETE" }),
  "form-urlencoded": (url) => submit(url, "POST", "application/x-www-form-urlencoded"),
  "form-multipart": (url) => submit(url, "POST", "multipart/form-data"),
  "form-plain": (url) => submit(url, "POST", "text/plain"),
  "beacon": (url) => beacon(url, "text/plain"),
  "beacon-json": (url) => beacon(url, JSON_TYPE),
};

// Does all of it to the paths of a listener; returns what could be read, by attack.
async function attack(base, reads, writes) {
  const tries = [];
  for (const path of reads) {
    for (const [name, [suffix, act]] of Object.entries(READS)) {
      const end = path.endsWith("/*") ? `${path.slice(0, -1)}x${suffix}` : path;
      tries.push([name, act, `${base}${end}?by=${name}`]);
    }
  }
  for (const path of writes) {
    for (const [name, act] of Object.entries(WRITES)) {
      tries.push([name, act, `${base}${path}?by=${name}`]);
    }
  }
  const read = {};
  await Promise.all(
    tries.map(async ([name, act, url]) => {
      let got = null;
      try {
        got = await within(act(url));
      } catch {
        // Forbidden by the browser, before anything was sent.
      }
      if (got) {
        read[name] = got;
      }
    }),
  );
  return read;
}
