// The transparent page for OBS. Nothing but the page's width and its address decides the layout; values only fill it.
import { Bars } from "./bars.js";
import { Curves } from "./curves.js";
import { FaceDiagram } from "./face_diagram.js";
import { Live, hideToken } from "./live.js";
import { overlayOptions } from "./overlay_options.js";
import { nameOf } from "./units.js";

const options = overlayOptions(location.search);
const STALE_MS = 1000;

let units = [];
let looks = []; // everything with show(units, left, right, moment) and clear()
let heardAt = 0;

document.body.classList.add(options.style, `theme-${options.theme}`, `names-${options.names}`);
document.body.style.setProperty("--safe", `${options.safe}vw`);
document.body.style.setProperty("--scale", options.scale);
document.body.classList.toggle("keyed", options.background !== null);
if (options.background !== null) document.documentElement.style.backgroundColor = options.background;

function hello(message) {
  units = message.units;
  const chosen = options.units ?? units;
  const both = message.selfie ? ["left", "right"] : ["right", "left"];
  const sides = options.side === "both" ? both : [options.side];
  looks.forEach((look) => look.destroy?.());
  document.body.replaceChildren(heading(sides));
  if (options.style === "bars") looks = [new Bars(panel("bars"), chosen, sides)];
  else if (options.style === "face") looks = [new FaceDiagram(panel("diagram"), chosen, sides)];
  else looks = chosen.map((unit) => curve(unit, sides));
}

function panel(className) {
  const made = document.createElement("div");
  made.className = className;
  document.body.append(made);
  return made;
}

function curve(unit, sides) {
  const parent = panel("curve");
  const label = document.createElement("span");
  label.className = "unit";
  label.textContent = { both: `${unit} ${nameOf(unit)}`, numbers: `AU${unit}`, names: nameOf(unit) }[options.names];
  parent.append(label);
  const plot = new Curves(parent, sides, { axes: false });
  return {
    show(measured, left, right, moment) {
      const at = measured.indexOf(unit);
      plot.add(moment, { left: left[at] ?? null, right: right[at] ?? null });
    },
    clear() {},
    destroy: () => plot.destroy(),
  };
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
  for (const look of looks) look.show(units, message.left, message.right, message.capture_time);
}

setInterval(() => {
  if (performance.now() - heardAt > STALE_MS) {
    document.body.classList.add("stale");
    for (const look of looks) look.clear();
  }
}, 500);

hideToken();
new Live({ hello, state, link: (up) => document.body.classList.toggle("lost", !up) }, { picture: false });
