// What was measured on a frame, drawn over its picture: points where the rows have them, else the box and bars.
import { FULL } from "./units.js";

// WFLW curves (facts of the data set): first and last point, closed, whose side, of which part of the face.
const CURVES = [
  [0, 16, false, "right", ""], [16, 32, false, "left", ""], [33, 41, true, "right", "right_brow"], [42, 50, true, "left", "left_brow"],
  [51, 54, false, "", ""], [55, 57, false, "right", ""], [57, 59, false, "left", ""], [60, 67, true, "right", "right_eye"],
  [68, 75, true, "left", "left_eye"],
].map(([first, last, closed, side, part]) => ({ points: Array.from({ length: last - first + 1 }, (_, k) => first + k), closed, side, part }));
const LIPS = [
  [[76, 77, 78, 79], "right"], [[79, 80, 81, 82], "left"], [[82, 83, 84, 85], "left"], [[85, 86, 87, 76], "right"],
  [[88, 89, 90], "right"], [[90, 91, 92], "left"], [[92, 93, 94], "left"], [[94, 95, 88], "right"],
].map(([points, side]) => ({ points, closed: false, side, part: "mouth" }));
const PUPILS = [[96, "right", "right_eye"], [97, "left", "left_eye"]];

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export class Drawing {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.colours = { left: colour("left"), right: colour("right"), "": colour("text"), box: colour("good"), hidden: colour("dim") };
  }

  clear() {
    const scale = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.canvas;
    if (this.canvas.width !== Math.round(clientWidth * scale)) this.canvas.width = Math.round(clientWidth * scale);
    if (this.canvas.height !== Math.round(clientHeight * scale)) this.canvas.height = Math.round(clientHeight * scale);
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    return { scale, width: this.canvas.width, height: this.canvas.height };
  }

  // size: of the recorded picture; flipped: it is shown like a mirror; held: the rows are of an earlier frame; named: each face has
  // its number below it.
  draw(rows, size, { flipped = false, held = false, named = false, bars = [] } = {}) {
    const { scale, width, height } = this.clear();
    const { context } = this;
    const zoom = Math.min(width / size.width, height / size.height);
    const left = (width - zoom * size.width) / 2, top = (height - zoom * size.height) / 2;
    const place = (x, y) => [left + zoom * ((flipped ? size.width - 1 - x : x) + 0.5), top + zoom * (y + 0.5)];
    context.globalAlpha = held ? 0.45 : 1;
    rows.forEach((row, number) => {
      context.lineWidth = (number === 0 ? 1.5 : 0.8) * scale;
      if (row.points !== null && Number.isFinite(row.points[0])) this.points(row.points, place, row.hidden);
      else this.box(row, place);
      if (named) this.number(row, place, scale);
    });
    context.globalAlpha = 1;
    if (rows.length && (rows[0].points === null || !Number.isFinite(rows[0].points[0]))) this.bars(rows[0], bars, scale, flipped);
  }

  // What is hidden is only guessed: its lines are grey.
  points(cells, place, hidden) {
    const { context } = this;
    const shade = (side, part) => this.colours[hidden.includes(part) ? "hidden" : side];
    const at = (index) => place(cells[index], cells[98 + index]);
    for (const { points, closed, side, part } of [...CURVES, ...LIPS]) {
      context.strokeStyle = shade(side, part);
      context.beginPath();
      points.forEach((index, order) => (order ? context.lineTo(...at(index)) : context.moveTo(...at(index))));
      if (closed) context.closePath();
      context.stroke();
    }
    for (const [index, side, part] of PUPILS) {
      context.fillStyle = shade(side, part);
      context.beginPath();
      context.arc(...at(index), 1.6 * context.lineWidth, 0, 2 * Math.PI);
      context.fill();
    }
  }

  number(row, place, scale) {
    const { context } = this;
    const x = row.get("box_x1") + row.get("box_x2"), [middle, below] = place(x / 2, row.get("box_y2"));
    if (!row.texts.face_id || !Number.isFinite(middle + below)) return;
    context.font = `600 ${12 * scale}px system-ui`;
    context.textAlign = "center";
    context.textBaseline = "top";
    const words = `face ${row.texts.face_id}${row.texts.person === "patient" ? " · patient" : ""}`;
    context.lineWidth = 3 * scale;
    context.strokeStyle = "#000";
    context.strokeText(words, middle, below + 3 * scale);
    context.fillStyle = "#fff";
    context.fillText(words, middle, below + 3 * scale);
  }

  box(row, place) {
    const [x1, y1] = place(row.get("box_x1"), row.get("box_y1"));
    const [x2, y2] = place(row.get("box_x2"), row.get("box_y2"));
    if (!Number.isFinite(x1 + x2)) return;
    this.context.strokeStyle = this.colours.box;
    this.context.strokeRect(Math.min(x1, x2), y1, Math.abs(x2 - x1), y2 - y1);
  }

  // The patient's right stands on the picture's left, unless it is flipped.
  bars(row, units, scale, flipped) {
    if (!units.some(({ left, right }) => Number.isFinite(row.get(left)) || Number.isFinite(row.get(right)))) return;
    const { context, canvas } = this;
    const step = 16 * scale, reach = 60 * scale;
    const x = canvas.width - reach - 30 * scale;
    context.font = `600 ${11 * scale}px system-ui`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    units.forEach(({ unit, left, right }, number) => {
      const y = step * (number + 1);
      if (y > canvas.height - step) return;
      for (const [side, name] of [["left", left], ["right", right]]) {
        const value = Math.min(Math.max(row.get(name), 0), FULL);
        if (!Number.isFinite(value)) continue;
        const towards = (side === "left") === flipped ? -1 : 1;
        context.fillStyle = this.colours[side];
        context.fillRect(x + towards * 13 * scale, y - 4 * scale, (towards * reach * 0.75 * value) / FULL, 8 * scale);
      }
      context.fillStyle = this.colours[""];
      context.fillText(String(unit), x, y);
    });
  }
}
