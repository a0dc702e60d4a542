// The learning curves: best so far with its interval, train batches, the fate of each proposal, baseline and sealed test.
import { axisOf, drawAll, fade } from "./livechart.js";

const LIVE = ["run-baseline", "run-epoch_end", "run-proposal", "run-test", "run-tick", "run-end"];

function interval(found) {
  return found ? ` (${found[0].toFixed(3)} to ${found[1].toFixed(3)}, n ${found[2]})` : "";
}

// The 95 % interval of each point that stands alone, as a thin upright line behind it.
const whiskers = {
  id: "whiskers",
  beforeDatasetsDraw(chart) {
    const { ctx, scales: { x, y } } = chart;
    for (const set of chart.data.datasets.filter((one) => one.whiskers)) {
      ctx.save();
      ctx.strokeStyle = fade(set.backgroundColor, 0.55);
      ctx.lineWidth = 1.5;
      for (const point of set.data.filter((one) => one.interval)) {
        ctx.beginPath();
        ctx.moveTo(x.getPixelForValue(point.x), y.getPixelForValue(point.interval[0]));
        ctx.lineTo(x.getPixelForValue(point.x), y.getPixelForValue(point.interval[1]));
        ctx.stroke();
      }
      ctx.restore();
    }
  },
};

function line(label, data, colour, extra = {}) {
  return { label, data, borderColor: colour, backgroundColor: colour, borderWidth: 2, pointRadius: 2.5, spanGaps: true, clip: 8, ...extra };
}

function datasets(figures, c) {
  const at = (values, intervals) => figures.epochs.map((epoch, i) => ({ x: epoch, y: values[i], interval: intervals?.[i] })).filter((p) => p.y !== null);
  const best = figures.epochs.map((_, i) => (figures.low[i] === null ? null : [figures.low[i], figures.high[i], figures.best_n[i]]));
  const last = Math.max(figures.planned ?? 0, figures.epochs.at(-1) ?? 0);
  const hidden = { pointRadius: 0, borderWidth: 0, hidden: false, key: false };
  const sets = [
    line("low", at(figures.low), c.accent, { ...hidden, fill: false }),
    line("95 % interval", at(figures.high), c.accent, { ...hidden, fill: "-1", backgroundColor: fade(c.accent, 0.14) }),
    line("Best on validation", at(figures.best, best), c.accent, { stepped: "before", pointRadius: 0, borderWidth: 2.5 }),
    line("Train batch", at(figures.train, figures.train_interval), c["ink-3"], { borderDash: [4, 3], borderWidth: 1.5 }),
    line("Validation of the epoch's proposal", figures.proposals.filter((p) => p.validation !== null).map((p) => ({ x: p.epoch, y: p.validation, fate: p.fate, number: p.number, interval: p.interval })), c.good, {
      whiskers: true,
      showLine: false,
      pointRadius: 5,
      order: -1,
      pointStyle: (ctx) => (ctx.raw?.fate === "accepted" ? "circle" : "crossRot"),
      pointBorderWidth: 2,
      borderColor: (ctx) => (ctx.raw?.fate === "accepted" ? c.good : c.bad),
      backgroundColor: c.good,
    }),
  ];
  if (figures.baseline !== null) sets.push(line("Baseline", [{ x: 0, y: figures.baseline }, { x: last, y: figures.baseline }], c["ink-2"], { borderDash: [1, 4], pointRadius: 0, borderWidth: 1.5 }));
  if (figures.test) sets.push(line("Sealed test", [{ x: last, y: figures.test.final, interval: figures.test.final_interval }], c.spark, { whiskers: true, showLine: false, pointStyle: "rectRot", pointRadius: 6 }));
  return sets;
}

function keys(sets) {
  return sets.filter((s) => s.label !== "low").map((s) => {
    const item = document.createElement("li");
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.borderTopColor = typeof s.borderColor === "string" ? s.borderColor : s.backgroundColor;
    if (s.label === "95 % interval") Object.assign(swatch.style, { borderTopWidth: "8px", borderTopColor: s.backgroundColor, verticalAlign: "0" });
    else if (s.showLine === false) Object.assign(swatch.style, { width: "8px", height: "8px", border: "0", borderRadius: s.pointStyle === "rectRot" ? "0" : "50%", background: s.backgroundColor, verticalAlign: "0", transform: s.pointStyle === "rectRot" ? "rotate(45deg)" : "" });
    else if (s.borderDash) swatch.style.borderTopStyle = s.borderDash[0] === 1 ? "dotted" : "dashed";
    item.append(swatch, s.label);
    return item;
  });
}

function options(figures, c) {
  const last = Math.max(figures.planned ?? 1, figures.epochs.at(-1) ?? 1);
  const axis = axisOf(c);
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "nearest", intersect: false },
    scales: {
      x: { type: "linear", min: 0, max: last, ...axis, ticks: { ...axis.ticks, precision: 0 }, title: { display: true, text: "Epoch", color: c["ink-3"] } },
      y: { min: 0, max: 1, ...axis, ticks: { ...axis.ticks, stepSize: 0.2 } },
    },
    plugins: {
      legend: { display: false },
      tooltip: {
        filter: (item) => item.dataset.label !== "low" && item.dataset.label !== "95 % interval",
        callbacks: {
          title: (items) => (items.length ? `Epoch ${items[0].parsed.x}` : ""),
          label: (item) => `${item.raw.number ? `Proposal ${item.raw.number}, ${item.raw.fate}` : item.dataset.label}: ${item.parsed.y.toFixed(3)}${interval(item.raw.interval)}`,
        },
      },
    },
  };
}

drawAll("curves", { datasets, options, keys, plugins: [whiskers] }, LIVE);
