// A drawn face whose zones light up, the patient's left and right apart. A zone shows the strongest of its Action Units;
// one of which nothing was measured is hatched.
import { FULL, nameOf } from "./units.js";

const SVG = "http://www.w3.org/2000/svg";
// Of the half on the picture's left (x below 100); the other half is its mirror image.
const ZONES = [
  { name: "inner brow", units: [1, 4], path: "M70 72 Q82 62 97 66 L97 78 Q84 72 72 80 Z" },
  { name: "outer brow", units: [2], path: "M36 82 Q50 64 69 71 L71 80 Q54 74 42 90 Z" },
  { name: "eye", units: [5, 7, 45], path: "M42 100 Q60 84 80 100 Q60 114 42 100 Z" },
  { name: "cheek", units: [6], path: "M34 112 Q58 126 78 114 L74 138 Q52 148 36 134 Z" },
  { name: "nose", units: [9], path: "M84 96 L97 90 L97 136 L84 132 Z" },
  { name: "upper lip", units: [10], path: "M78 138 L98 140 L98 158 Q86 156 76 162 Z" },
  { name: "mouth corner", units: [12, 14, 15, 20], path: "M48 152 Q60 146 72 160 Q70 172 72 182 Q56 184 48 172 Z" },
  { name: "lips", units: [18, 23, 25], path: "M76 168 Q88 160 98 164 L98 182 Q86 182 76 168 Z" },
  { name: "chin", units: [17, 26], path: "M74 190 Q86 186 98 188 L98 216 Q82 214 70 204 Z" },
];

function draw(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

export class FaceDiagram {
  // units: those to show; sides: which halves, in the order of the picture.
  constructor(parent, units, sides) {
    this.zones = [];
    const svg = draw("svg", { viewBox: "0 0 200 240", role: "img", "aria-label": "Action Units on a drawn face" }, parent);
    const hatch = draw("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, draw("defs", {}, svg));
    draw("rect", { width: 2, height: 6, class: "hatching" }, hatch);
    draw("path", { class: "outline", d: "M100 16 C152 16 178 60 172 124 C168 176 134 228 100 228 C66 228 32 176 28 124 C22 60 48 16 100 16 Z" }, svg);
    draw("path", { class: "outline midline", d: "M100 24 V220" }, svg);
    sides.forEach((side, index) => {
      const onRight = sides.length === 2 ? index === 1 : side === "left";
      const group = draw("g", { class: side, transform: onRight ? "translate(200 0) scale(-1 1)" : "" }, svg);
      for (const { name, units: own, path } of ZONES) {
        const shown = own.filter((unit) => units.includes(unit));
        if (shown.length === 0) continue;
        const zone = draw("path", { class: "zone", d: path }, group);
        draw("title", {}, zone).textContent = `patient’s ${side}, ${name}: ${shown.map((unit) => `AU${unit} ${nameOf(unit)}`).join(", ")}`;
        this.zones.push({ side, units: shown, zone });
      }
    });
  }

  show(measured, left, right) {
    for (const { side, units, zone } of this.zones) {
      const values = side === "left" ? left : right;
      const known = units.map((unit) => values[measured.indexOf(unit)]).filter((value) => value !== null && value !== undefined);
      this.light(zone, known.length ? Math.max(...known) : null);
    }
  }

  light(zone, value) {
    zone.classList.toggle("unmeasured", value === null);
    zone.style.fillOpacity = value === null ? "" : String(Math.min(Math.max(value / FULL, 0), 1));
  }

  clear() {
    for (const { zone } of this.zones) this.light(zone, null);
  }
}
