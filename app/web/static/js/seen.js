// A form with data-seen tells how many seconds its page was visible, in its field "seconds".
for (const form of document.querySelectorAll("form[data-seen]")) {
  const before = Number.parseFloat(form.elements.seconds.value) || 0;
  let seen = 0;
  let since = document.visibilityState === "visible" ? performance.now() : null;
  const count = () => {
    if (since !== null) seen += (performance.now() - since) / 1000;
    since = document.visibilityState === "visible" ? performance.now() : null;
  };
  document.addEventListener("visibilitychange", count);
  form.addEventListener("submit", () => {
    count();
    form.elements.seconds.value = (before + seen).toFixed(1);
  });
}
