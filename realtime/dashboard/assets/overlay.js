// ?au=12,6 which Action Units (all), ?side=left|right|both, ?style=bars|curves
import { Bars } from "./bars.js";
import { Curves } from "./curves.js";
import { Live, hideToken } from "./live.js";

const asked = new URLSearchParams(location.search);
const style = asked.get("style") === "curves" ? "curves" : "bars";
const side = asked.get("side");
const STALE_MS = 1000;

let units = [];
let bars = null;
let curves = new Map();
let heardAt = 0;

document.body.classList.add(style);

function hello(message) {
  units = message.units;
  const wanted = (asked.get("au") ?? "").split(",").map((word) => parseInt(word.replace(/\D/g, ""), 10));
  // A unit that was asked for and is not measured stands there with a dash.
  const chosen = asked.has("au") ? [...new Set(wanted)].filter((unit) => unit >= 1 && unit < 100) : units;
  const both = message.selfie ? ["left", "right"] : ["right", "left"];
  const sides = side === "left" || side === "right" ? [side] : both;
  document.body.replaceChildren();
  curves.forEach((curve) => curve.destroy());
  curves = new Map();
  if (style === "bars") {
    document.body.append(heading(sides));
    const parent = panel("bars");
    bars = new Bars(parent, chosen, sides);
  } else {
    document.body.append(heading(sides));
    for (const unit of chosen) {
      const parent = panel("curve");
      const label = document.createElement("span");
      label.className = "unit";
      label.textContent = `AU${unit}`;
      parent.append(label);
      curves.set(unit, new Curves(parent, sides, { axes: false }));
    }
  }
}

function panel(className) {
  const made = document.createElement("div");
  made.className = className;
  document.body.append(made);
  return made;
}

function heading(sides) {
  const made = document.createElement("div");
  made.className = `heading ${sides.length === 1 ? "single" : ""}`;
  for (const name of sides) {
    const word = document.createElement("span");
    word.className = `key ${name}`;
    word.textContent = `patient’s ${name}`;
    made.append(word);
  }
  return made;
}

function state(message) {
  heardAt = performance.now();
  document.body.classList.remove("stale");
  document.body.classList.toggle("held", message.status === "held");
  bars?.show(units, message.left, message.right);
  for (const [unit, curve] of curves) {
    const at = units.indexOf(unit);
    curve.add(message.capture_time, { left: message.left[at] ?? null, right: message.right[at] ?? null });
  }
}

setInterval(() => {
  if (performance.now() - heardAt > STALE_MS) {
    document.body.classList.add("stale");
    bars?.clear();
  }
}, 500);

hideToken();
new Live({ hello, state, link: (up) => document.body.classList.toggle("lost", !up) }, { picture: false });
