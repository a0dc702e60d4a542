// Cost or tokens over time: one climbing area for each role, on top of each other.
import { axisOf, drawAll, fade } from "./livechart.js";

const LIVE = ["run-progress", "run-tick", "run-end"];
const COLOURS = { primary: "accent", optimizer: "spark", judge: "sim" };
const PAUSE_MS = 2000;

function rolesOf(figures) {
  const all = Object.keys(figures.points.at(-1)?.roles ?? {});
  return all.sort((a, b) => (b === "primary") - (a === "primary") || a.localeCompare(b));
}

function datasets(figures, c, figure) {
  const field = figure.dataset.measure === "tokens" ? "tokens" : "known_usd";
  return rolesOf(figures).map((role, at) => {
    const colour = c[COLOURS[role] ?? "ink-3"];
    const data = figures.points.map((point) => ({ x: point.seconds, y: point.roles[role][field] }));
    return { label: role[0].toUpperCase() + role.slice(1), data, stack: "all", fill: at ? "-1" : "origin", stepped: false, borderColor: colour, backgroundColor: fade(colour, 0.18), borderWidth: 2, pointRadius: 0, pointHitRadius: 8 };
  });
}

function span(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60 ? `${seconds % 60} s` : ""}`.trim();
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

function told(value, measure) {
  return measure === "tokens" ? Math.round(value).toLocaleString("en") : `$${value.toFixed(value && value < 0.01 ? 6 : 4)}`;
}

function options(figures, c, figure) {
  const axis = axisOf(c);
  const measure = figure.dataset.measure;
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    scales: {
      x: { type: "linear", min: 0, max: Math.max(1, figures.points.at(-1)?.seconds ?? 1), ...axis, ticks: { ...axis.ticks, maxTicksLimit: 7, maxRotation: 0, includeBounds: false, callback: (value) => span(value) }, title: { display: true, text: "Since the first call", color: c["ink-3"] } },
      y: { min: 0, stacked: true, ...axis, ticks: { ...axis.ticks, maxTicksLimit: 6, callback: (value) => (measure === "tokens" ? value.toLocaleString("en") : `$${Number(value.toPrecision(3))}`) } },
    },
    plugins: {
      legend: { display: false },
      tooltip: {
        callbacks: {
          title: (items) => (items.length ? `After ${span(items[0].parsed.x)}` : ""),
          label: (item) => `${item.dataset.label}: ${told(item.parsed.y, measure)}`,
          footer: (items) => (items.length > 1 ? `Together: ${told(items.reduce((sum, item) => sum + item.parsed.y, 0), measure)}` : ""),
        },
      },
    },
  };
}

function keys(sets) {
  return sets.map((set) => {
    const item = document.createElement("li");
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.borderTopColor = set.borderColor;
    item.append(swatch, set.label);
    return item;
  });
}

drawAll("timeline", { datasets, options, keys }, LIVE, PAUSE_MS);
