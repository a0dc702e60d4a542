// When the session was lost, the answer brings a fresh mark: every form of the page takes it, so that nothing typed is lost.
export function renew(mark) {
  for (const input of document.querySelectorAll("input[name=csrf_token]")) input.value = mark;
  document.body.setAttribute("hx-headers:inherited", JSON.stringify({ "X-CSRFToken": mark }));
}

export function startMarks() {
  new MutationObserver((changes) => {
    for (const added of changes.flatMap((change) => [...change.addedNodes])) {
      if (added.dataset?.renewed) renew(added.dataset.renewed);
    }
  }).observe(document.getElementById("notices"), { childList: true });
}
