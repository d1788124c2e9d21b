// OpenFace 3.0's values: 0 to 1 with a threshold, of the whole face. They never share a scale with intensities of 0 to 5.
import { muscleOf, nameOf } from "./units.js";

const $ = (id) => document.getElementById(id);

function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent.append(made);
  return made;
}

export class Shares {
  constructor() {
    this.rows = new Map();
    $("openface3").hidden = false;
    for (const hint of document.querySelectorAll("#bars > .hint")) hint.hidden = true;
  }

  row(unit, present) {
    const row = element("div", "share", $("openface3-bars"));
    const label = element("span", "unit", row);
    element("b", "", label).textContent = unit;
    element("small", "", label).textContent = nameOf(unit);
    label.title = `AU${unit} ${nameOf(unit)} (${muscleOf(unit)})`;
    const track = element("div", "track", row);
    const fill = element("div", "fill", track);
    element("div", "threshold", track).style.left = `${100 * present}%`;
    const number = element("output", "number", row);
    number.setAttribute("aria-label", `AU${unit}, OpenFace 3.0, 0 to 1`);
    return { fill, number };
  }

  // found: what the program tells, or null: nothing was measured, or it is too old.
  show(found) {
    for (const [unit] of found?.units ?? [])
      if (!this.rows.has(unit)) this.rows.set(unit, this.row(unit, found.present));
    const values = new Map(found?.units ?? []);
    for (const [unit, { fill, number }] of this.rows) {
      const value = values.get(unit) ?? null;
      number.textContent = value === null ? "–" : value.toFixed(2);
      fill.style.transform = `scaleX(${value ?? 0})`;
    }
    $("emotion").textContent = found ? `${found.emotion} ${found.probability?.toFixed(2) ?? "–"}` : "–";
    const [yaw, pitch] = found?.gaze ?? [null, null];
    $("gaze").textContent = yaw === null ? "–" : `${Math.round(yaw)}° ${Math.round(pitch)}°`;
    $("openface3-age").textContent = found?.age_ms == null ? "–" : `${Math.round(found.age_ms)} ms`;
  }
}
