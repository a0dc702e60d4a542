// On the answer that has the focus, "a" and "u" mark it and the arrows go on to its neighbours.
function typing(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  const answers = [...document.querySelectorAll("[data-answer]")];
  const at = answers.findIndex((one) => one.contains(document.activeElement));
  const button = at >= 0 ? answers[at].querySelector(`[data-mark="${CSS.escape(event.key)}"]`) : null;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (button) button.click();
  else if (step && !event.target.closest(".markdown, pre")) answers[Math.max(0, Math.min(answers.length - 1, at + step))]?.focus();
  else return;
  event.preventDefault();
});

// The answer stays in focus when its mark has come back from the server.
document.addEventListener("click", (event) => {
  const answer = event.target.closest("[data-mark]")?.closest("[data-answer]");
  if (answer) answer.focus({ preventScroll: true });
});
