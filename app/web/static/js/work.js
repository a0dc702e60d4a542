// Long work on a file: how much of it is sent, then how far the server has read it. Without this script it only takes its time.
import { renew } from "./marks.js";

const LOOK_MS = 400;
const MB = 1024 * 1024;

function show(work, words, done, whole) {
  work.hidden = false;
  const bar = work.querySelector("progress");
  if (whole) {
    bar.value = Math.min(1, done / whole);
    work.querySelector("p").textContent = `${words} ${Math.round(Math.min(1, done / whole) * 100)} %`;
  } else {
    bar.removeAttribute("value");
    work.querySelector("p").textContent = words;
  }
}

// Asks how far the work is until the page goes.
function watch(work, address, words) {
  show(work, words);
  const timer = setInterval(async () => {
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) return;
    const told = await answer.json();
    if (told.whole) show(work, words, told.done, told.whole);
  }, LOOK_MS);
  addEventListener("pageshow", () => { clearInterval(timer); work.hidden = true; }, { once: true });
}

// A page that came as the answer, shown in place of this one: what is wrong stands beside the field.
function showAnswer(page) {
  const main = page.querySelector("main");
  document.querySelector("main").replaceWith(main);
  globalThis.htmx.process(main);
  (main.querySelector("[role=alert]") ?? main).focus();
}

function send(form) {
  const work = form.querySelector(".work");
  const request = new XMLHttpRequest();
  const failed = (words) => {
    show(work, words, 0, 0);
    work.querySelector("progress").hidden = true;
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  };
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) show(work, `Sending ${(event.total / MB).toFixed(1)} MB:`, event.loaded, event.total);
  });
  request.addEventListener("load", () => {
    if (request.status === 200) {
      const told = JSON.parse(request.responseText);
      watch(work, told.progress, "Reading every row:");
      location.assign(told.next);
      return;
    }
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const mark = page.querySelector("[data-renewed]")?.dataset.renewed;
    if (mark) {
      renew(mark);
      failed("The form was out of date. It is fresh again: press the button once more.");
    } else showAnswer(page);
  });
  request.addEventListener("error", () => failed("The connection broke off. The file is still chosen; send it again."));
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  work.querySelector("progress").hidden = false;
  show(work, "Sending…");
  request.send(new FormData(form));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.matches("[data-uploads]")) {
    event.preventDefault();
    send(form);
  } else if (form.matches("[data-watches]") && event.submitter?.value === "import") {
    watch(form.querySelector(".work"), form.dataset.watches, "Importing:");
  }
});
