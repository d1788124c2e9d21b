// Scrolling curves of one Action Unit, left and right, over the last seconds. Gaps stay gaps.
/* global uPlot */
import { FULL } from "./units.js";

export const WINDOW_S = 20;
const DRAW_MS = 66;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export class Curves {
  constructor(parent, sides, { axes = true } = {}) {
    this.parent = parent;
    this.data = [[], ...sides.map(() => [])];
    this.sides = sides;
    this.drawn = 0;
    const line = colour("grid");
    const axis = { stroke: colour("text"), grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    this.plot = new uPlot(
      {
        ...this.size(),
        cursor: { show: false },
        legend: { show: false },
        select: { show: false },
        scales: { x: { time: false }, y: { range: [0, FULL] } },
        axes: axes
          ? [
              { ...axis, size: 24, values: (u, at) => at.map((t) => `${Math.round(t - u.scales.x.max)} s`) },
              { ...axis, size: 28, splits: [0, 1, 2, 3, 4, 5] },
            ]
          : [{ show: false }, { show: false }],
        series: [
          {},
          // Not by colour alone: the right side is dashed.
          ...sides.map((side) => ({ stroke: colour(side), width: 2, dash: side === "right" ? [6, 4] : undefined, points: { show: false } })),
        ],
      },
      this.data,
      parent,
    );
    new ResizeObserver(() => this.plot.setSize(this.size())).observe(parent);
  }

  size() {
    return { width: Math.max(40, this.parent.clientWidth), height: Math.max(40, this.parent.clientHeight) };
  }

  // values: { left, right }, null where not measured.
  add(moment, values) {
    const times = this.data[0];
    if (times.length && moment <= times[times.length - 1]) {
      if (moment > times[times.length - 1] - 1) return;
      this.clear(); // the program's clock began anew
    }
    this.data[0].push(moment);
    this.sides.forEach((side, index) => this.data[index + 1].push(values[side] ?? null));
    let old = 0;
    while (times[old] < moment - WINDOW_S) old += 1;
    if (old > 30) this.data.forEach((column) => column.splice(0, old));
    const now = performance.now();
    if (now - this.drawn < DRAW_MS || document.hidden) return;
    this.drawn = now;
    this.plot.batch(() => {
      this.plot.setData(this.data, false);
      this.plot.setScale("x", { min: moment - WINDOW_S, max: moment });
    });
  }

  clear() {
    this.data.forEach((column) => (column.length = 0));
  }

  destroy() {
    this.plot.destroy();
  }
}
