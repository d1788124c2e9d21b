import { Bars } from "./bars.js";
import { Controls } from "./controls.js";
import { Curves } from "./curves.js";
import { Lengths } from "./lengths.js";
import { Live, hideToken } from "./live.js";
import { Shares } from "./shares.js";
import { nameOf } from "./units.js";

const $ = (id) => document.getElementById(id);
const STALE_MS = 500;
const AGES = 450; // half a minute of pictures
const WORDS = { measured: "measured", held: "held", none: "no result", "no face": "no face" };

let units = [];
let picked = null;
let bars = null;
let curves = null;
let shares = null;
let lengths = null;
let sides = ["right", "left"];
let newest = null;
let heardAt = 0;
let drawing = false;
const ages = [];

const controls = new Controls(() => (newest ? { capture_time: newest.capture_time, sequence: newest.sequence } : {}));

function pick(unit) {
  picked = unit;
  bars.mark(unit);
  $("curve-title").replaceChildren();
  $("curve-title").append(`AU${unit} ${nameOf(unit)} `, key("right", "right (dashed)"), " ", key("left", "left"));
  curves?.clear();
}

function key(side, words) {
  const made = document.createElement("span");
  made.className = `key ${side}`;
  made.textContent = words;
  return made;
}

function hello(message) {
  $("sessions").hidden = !message.sessions;
  sides = message.selfie ? ["left", "right"] : ["right", "left"];
  $("sides").classList.toggle("flipped", message.selfie);
  units = message.units;
  if (units.length === 0) {
    if ($("no-units")) $("no-units").textContent = "No Action Units are measured: the model folder holds no network for them.";
    return;
  }
  bars = new Bars($("bars"), units, sides, pick);
  curves ??= new Curves($("curves"), ["left", "right"]);
  pick(units.includes(picked) ? picked : units.includes(12) ? 12 : units[0]);
}

function state(message) {
  newest = message;
  heardAt = performance.now();
  document.body.classList.remove("stale");
  document.body.classList.toggle("held", message.status === "held");
  $("status").textContent = WORDS[message.status] ?? message.status;
  $("result-age").textContent = message.result_age_ms === null ? "–" : `${Math.round(message.result_age_ms)} ms`;
  $("rest").textContent = message.rest === null ? "–" : message.rest_share < 1 ? `${message.rest}, changing` : message.rest;
  bars?.show(units, message.left, message.right);
  const at = units.indexOf(picked);
  if (at >= 0) curves?.add(message.capture_time, { left: message.left[at], right: message.right[at] });
  if (message.openface3 && shares === null) shares = new Shares();
  shares?.show(message.openface3);
  if (message.mm && lengths === null) lengths = new Lengths(sides);
  lengths?.show(message.mm ?? null);
  $("overall").textContent = message.overall === null ? "–" : `${Math.round(message.overall * 100)} %`;
  const turns = [["yaw", "own left", "own right"], ["pitch", "up", "down"], ["roll", "own left", "own right"]];
  turns.forEach(([name, more, less], index) => {
    const angle = message.pose?.[index] ?? null;
    const rounded = angle === null ? null : Math.round(angle);
    $(name).textContent = rounded === null ? "–" : rounded === 0 ? "0°" : `${Math.abs(rounded)}° ${rounded > 0 ? more : less}`;
  });
}

function figures(message) {
  $("fps").textContent = `${message.fps.toFixed(0)} fps`;
  $("dropped").textContent = `${message.dropped} of ${message.captured}`;
  $("dropped").title = Object.entries(message.causes).map(([cause, count]) => `${count} ${cause}`).join(", ") || "none";
}

async function picture(moment, jpeg, shown) {
  if (drawing) return shown();
  drawing = true;
  try {
    const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    const canvas = $("picture");
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    noteAge(live.ageOf(moment));
  } finally {
    drawing = false;
    shown();
  }
}

function noteAge(age) {
  if (age === null) return;
  ages.push(age * 1000);
  if (ages.length > AGES) ages.shift();
  if (ages.length % 5) return;
  const sorted = ages.toSorted((a, b) => a - b);
  const share = (p) => Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)]);
  $("age").textContent = `${Math.round(age * 1000)} ms`;
  $("age").title = `from the camera to this page: median ${share(0.5)}, 99 % below ${share(0.99)} ms`;
  $("age").dataset.p50 = share(0.5);
  $("age").dataset.p99 = share(0.99);
}

function link(up, sentence) {
  document.body.classList.toggle("lost", !up);
  controls.say(sentence, !up);
  heardAt = 0;
  $("status").textContent = up ? "no picture yet" : "not connected";
  if (!up) {
    bars?.clear();
    shares?.show(null);
    lengths?.show(null);
  }
}

setInterval(() => {
  if (document.body.classList.contains("lost") || heardAt === 0) return;
  const quiet = performance.now() - heardAt;
  if (quiet < STALE_MS) return;
  document.body.classList.add("stale");
  $("status").textContent = `no picture for ${(quiet / 1000).toFixed(1)} s`;
  if (quiet < 4 * STALE_MS) return;
  bars?.clear();
  shares?.show(null);
  lengths?.show(null);
}, 250);

// With several people, a click on a face makes its person the patient. The picture may stand between black bars.
$("picture").addEventListener("click", (event) => {
  const patient = controls.known.patient;
  if (!patient || patient.reason !== null) return;
  const canvas = $("picture"), place = canvas.getBoundingClientRect();
  const scale = Math.min(place.width / canvas.width, place.height / canvas.height);
  const x = 0.5 + (event.clientX - place.left - place.width / 2) / (canvas.width * scale);
  const y = 0.5 + (event.clientY - place.top - place.height / 2) / (canvas.height * scale);
  if (x < 0 || x > 1 || y < 0 || y > 1) return;
  controls.send("patient", { x, y }, "This face is the patient's now.");
});

hideToken();
const live = new Live(
  { hello, state, figures, picture, link, controls: (message) => controls.show(message.controls), warnings: (message) => controls.warn(message.warnings) },
  { picture: true },
);
