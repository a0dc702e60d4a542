// Keeps "3 min ago" true while the page stays open.
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"]];

function ago(moment) {
  const seconds = Math.max(0, (Date.now() - Date.parse(moment)) / 1000);
  const unit = UNITS.find(([size]) => seconds >= size);
  return unit ? `${Math.floor(seconds / unit[0])}\u202f${unit[1]} ago` : "just now";
}

export function startTimes() {
  setInterval(() => {
    for (const time of document.querySelectorAll("time[data-ago]")) time.textContent = ago(time.dateTime);
  }, 20000);
}
