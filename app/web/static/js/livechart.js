// What every chart shares: it reads its figures from its source, draws them in the colours of the theme, and reads again on news.
const NAMES = ["ink", "ink-2", "ink-3", "line", "sheet", "accent", "spark", "good", "bad", "sim"];

function colours(element) {
  const probe = document.createElement("i");
  element.append(probe);
  const read = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found = Object.fromEntries(NAMES.map((name) => [name, read(`--${name}`)]));
  probe.remove();
  return found;
}

export function fade(colour, share) {
  return colour.replace(/^rgba?\(([^)]+)\)$/, (_, parts) => `rgba(${parts.split(",").slice(0, 3).join(",")}, ${share})`);
}

export function axisOf(c) {
  return { grid: { color: c.line, drawTicks: false }, border: { color: c.line }, ticks: { color: c["ink-3"], padding: 6 } };
}

// figure: the frame. plan: {datasets(figures, colours, figure), options(figures, colours, figure), keys(sets), plugins}.
class LiveChart {
  constructor(figure, plan, wait) {
    Object.assign(this, { figure, plan, wait, busy: false, again: false, timer: 0 });
  }

  soon() {
    this.timer ||= setTimeout(() => { this.timer = 0; this.refresh(); }, this.wait);
  }

  async refresh() {
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    const answer = await fetch(this.figure.dataset.source, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) {
      this.figures = await answer.json();
      this.draw();
    }
    this.busy = false;
    if (this.again) { this.again = false; this.refresh(); }
  }

  draw() {
    if (!this.figures || !this.figure.isConnected) return;
    const c = colours(this.figure);
    const sets = this.plan.datasets(this.figures, c, this.figure);
    const options = this.plan.options(this.figures, c, this.figure);
    globalThis.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    if (this.chart) {
      this.chart.data.datasets = sets;
      this.chart.options = options;
      this.chart.update("none");
    } else {
      this.chart = new globalThis.Chart(this.figure.querySelector("canvas"), { type: "line", data: { datasets: sets }, options, plugins: this.plan.plugins ?? [] });
    }
    this.figure.querySelector(".keys").replaceChildren(...this.plan.keys(sets));
  }
}

// Draws every frame of a kind, those that come later too. events: after which news it reads again, at most once in wait ms.
export function drawAll(kind, plan, events, wait = 200) {
  globalThis.htmx.onLoad((part) => {
    for (const figure of part.querySelectorAll(`[data-chart="${kind}"]`)) {
      if (figure.dataset.drawn) continue;
      figure.dataset.drawn = "1";
      const chart = new LiveChart(figure, plan, wait);
      chart.refresh();
      document.addEventListener("theme", () => chart.draw());
      for (const name of events) document.getElementById("live")?.addEventListener(name, () => { if (figure.isConnected) chart.soon(); });
    }
  });
}
