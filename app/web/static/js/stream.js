// Honest about the event stream: says when it is lost, shared by too many, or back again, and then has every part looked at anew.
const AGAIN_MS = 3000;
const BACK_MS = 8000;
const LOST = "The connection to the server is lost; this page may be out of date. Trying again…";
const BUSY = "Too many pages follow runs at the same time; this one is not live and looks again every few seconds.";

const live = document.getElementById("live");
const note = document.getElementById("stream-lost");
let lostAt = 0;
let timer = 0;

function say(text, tone = "warn") {
  clearTimeout(timer);
  note.textContent = text;
  note.hidden = !text;
  note.className = `note ${tone} gap-below`;
}

function lost() {
  lostAt ||= Date.now();
  say(LOST);
}

function connected() {
  if (!lostAt) { say(""); return; }
  const seconds = Math.max(1, Math.round((Date.now() - lostAt) / 1000));
  lostAt = 0;
  say(`The connection is back after ${seconds} s. What happened meanwhile is on the page now.`, "good");
  timer = setTimeout(() => say(""), BACK_MS);
  globalThis.htmx.trigger(live, "run-tick", { data: "back" });
}

if (live) {
  live.addEventListener("htmx:sse:error", lost);
  live.addEventListener("htmx:sse:after:connection", connected);
  live.addEventListener("run-tick", (event) => { if (event.detail?.data === "busy") say(BUSY); });
  // The very first request is not repeated by the extension.
  live.addEventListener("htmx:error", () => {
    if (live._htmx?.sse) return;
    lost();
    setTimeout(() => globalThis.htmx.ajax("GET", live.getAttribute("hx-sse:connect"), { source: live }), AGAIN_MS);
  });
}
