// Left and right bars, one row an Action Unit. What was not measured is an empty bar and a dash.
import { FULL, inWords, muscleOf, nameOf } from "./units.js";

function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent.append(made);
  return made;
}

export class Bars {
  // sides: which columns, in the order of the picture. onPick(unit): a row was chosen; without it rows cannot be.
  constructor(parent, units, sides, onPick = null) {
    this.rows = new Map();
    parent.replaceChildren();
    for (const unit of units) {
      const row = element("div", "row", parent);
      const cells = {};
      sides.forEach((side, index) => {
        if (index === sides.length - 1) cells.label = this.label(row, unit, onPick);
        const towards = index === 0 && sides.length === 2 ? "leftwards" : "rightwards";
        cells[side] = this.bar(row, side, towards, unit);
      });
      this.rows.set(unit, cells);
    }
  }

  label(row, unit, onPick) {
    const label = element(onPick ? "button" : "span", "unit", row);
    element("b", "", label).textContent = unit;
    element("small", "", label).textContent = nameOf(unit);
    label.title = `AU${unit} ${nameOf(unit)} (${muscleOf(unit)})`;
    label.setAttribute("aria-label", label.title);
    if (onPick) label.onclick = () => onPick(unit);
    return label;
  }

  bar(row, side, towards, unit) {
    const cell = element("div", `cell ${side} ${towards}`, row);
    const number = element("output", "number", cell);
    const track = element("div", "track", cell);
    const fill = element("div", "fill", track);
    number.textContent = "–";
    number.setAttribute("aria-label", `AU${unit}, patient’s ${side}`);
    return { number, fill, cell };
  }

  show(units, left, right) {
    units.forEach((unit, index) => {
      const cells = this.rows.get(unit);
      if (cells === undefined) return;
      this.set(cells.left, left[index]);
      this.set(cells.right, right[index]);
    });
  }

  set(bar, value) {
    if (bar === undefined) return;
    const known = value !== null && value !== undefined;
    bar.number.textContent = inWords(value);
    bar.cell.classList.toggle("unmeasured", !known);
    bar.fill.style.transform = `scaleX(${known ? Math.min(Math.max(value / FULL, 0), 1) : 0})`;
  }

  clear() {
    for (const cells of this.rows.values()) [cells.left, cells.right].forEach((bar) => this.set(bar, null));
  }

  mark(unit) {
    for (const [number, cells] of this.rows) cells.label.setAttribute("aria-pressed", String(number === unit));
  }
}
