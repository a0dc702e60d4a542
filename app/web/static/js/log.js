// Follow: keeps the newest line of a log in view while the box is ticked; scrolling up by hand unticks it.
function follow(log) {
  const box = document.getElementById(log.dataset.follow);
  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  const toEnd = () => { if (box.checked) log.scrollTop = log.scrollHeight; };
  new MutationObserver(toEnd).observe(log, { childList: true });
  box.addEventListener("change", toEnd);
  log.addEventListener("wheel", () => requestAnimationFrame(() => { box.checked = atEnd(); }), { passive: true });
  toEnd();
}

globalThis.htmx.onLoad((part) => {
  const logs = part.matches?.("[data-follow]") ? [part] : part.querySelectorAll("[data-follow]");
  for (const log of logs) follow(log);
});
