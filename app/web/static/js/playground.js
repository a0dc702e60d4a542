// Shows what the models of a try are saying while they say it. Answers are put in as text, never as HTML.
function listen(answers) {
  const source = new EventSource(answers.dataset.stream);
  const here = answers.dataset.here;
  const lost = answers.querySelector("[data-lost]");
  // One after the other: of two requests at once htmx drops one.
  let last = Promise.resolve();
  const show = (path, target) => {
    last = last.then(() => answers.isConnected && globalThis.htmx.ajax("GET", `${here}/${path}`, { target, swap: "outerHTML" })).catch(() => { lost.hidden = false; });
  };
  let cards = 0;
  const close = () => { if (!answers.isConnected) source.close(); return !answers.isConnected; };
  source.addEventListener("open", () => { lost.hidden = true; });
  source.addEventListener("error", () => { if (!close()) lost.hidden = false; });
  source.addEventListener("say", (event) => {
    if (close()) return;
    const { number, text } = JSON.parse(event.data);
    const place = answers.querySelector(`[data-say="${number}"]`);
    if (!place) return;
    const atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 24;
    place.textContent = text;
    if (atEnd) place.scrollTop = place.scrollHeight;
  });
  source.addEventListener("card", (event) => {
    if (close()) return;
    const card = answers.querySelectorAll(".answer-card")[Number(event.data)];
    if (!card) return;
    cards += 1;
    answers.querySelector("[data-count]").textContent = `${cards} of ${answers.querySelectorAll(".answer-card").length} answered`;
    show(`cards/${Number(event.data)}`, `#${card.id}`);
  });
  source.addEventListener("end", () => {
    source.close();
    show("answers", "#answers");
  });
}

globalThis.htmx.onLoad((part) => {
  const found = part.matches?.("[data-stream]") ? [part] : part.querySelectorAll("[data-stream]");
  for (const answers of found) listen(answers);
});
