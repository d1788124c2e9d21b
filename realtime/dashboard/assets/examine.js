// The guided examination: the mirror picture, one instruction with a drawn example beside it, and the buttons.

import { COLOURS, FOLDS, LABELS, LEAST_FOLD, PROTOCOLS, SHAPES } from "/assets/guide.js";
import { Live, hideToken } from "/assets/live.js";

const $ = (id) => document.getElementById(id);
const RUN_SECONDS = 2.6; // one run of the drawing: there, held, back, at rest
const SIDES = ["left", "right", "both", "none"];
// Notes as [Hz, seconds]; the window of the program plays the same.
const CUES = {
  instruction: [[523.25, 0.12], [659.25, 0.16]],
  tick: [[440, 0.07]],
  go: [[880, 0.3]],
  relax: [[659.25, 0.12], [440, 0.22]],
  counted: [[1046.5, 0.08]],
  rejected: [[220, 0.14], [196, 0.22]],
  ended: [[523.25, 0.14], [659.25, 0.14], [783.99, 0.3]],
};

let obstacle = ""; // why no examination can begin
let known = { guides: false, phase: "waiting", language: "en", cue_number: 0 };
let drawn = { movement: null, since: 0 };
let loudspeaker = null;

function ease(share) {
  return share * share * (3 - 2 * share);
}

function amount(seconds) {
  const phase = seconds % RUN_SECONDS;
  return ease(Math.min(Math.min(1, Math.max(0, (phase - 0.4) / 0.5)), Math.min(1, Math.max(0, (2.2 - phase) / 0.4))));
}

function drawFace() {
  requestAnimationFrame(drawFace);
  const canvas = $("diagram");
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  const shapes = SHAPES[known.movement ?? "rest"];
  if (shapes === undefined) return;
  const seconds = performance.now() / 1000 - drawn.since;
  const share = known.phase === "instruction" ? amount(seconds) : ["go", "hold"].includes(known.phase) ? 1 : 0;
  const unit = canvas.height / 2.7;
  const fills = { head: COLOURS.skin, lips: COLOURS.lips, between: COLOURS.white, eye: COLOURS.white, pupil: COLOURS.ink };
  for (const [name, [rest, peak]] of Object.entries(shapes)) {
    const points = rest.map(([x, y], i) => [x + share * (peak[i][0] - x), y + share * (peak[i][1] - y)]);
    const part = name.split("_")[0];
    const reach = Math.max(...[0, 1].map((k) => Math.max(...points.map((p) => p[k])) - Math.min(...points.map((p) => p[k]))));
    if (reach < (FOLDS.includes(part) ? LEAST_FOLD : 0.01)) continue;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(canvas.width / 2 + x * unit, canvas.height / 2 + y * unit);
    if (fills[part] !== undefined) {
      context.closePath();
      context.fillStyle = fills[part];
      context.fill();
    }
    if (part === "head" || part === "lips") continue;
    context.strokeStyle = COLOURS.ink;
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = part === "brow" ? 12 : 6;
    context.stroke();
  }
}

// A browser lets a page sound only after the person has touched it.
function sound(cue) {
  if (!$("sounding").checked || CUES[cue] === undefined || loudspeaker?.state !== "running") return;
  let start = loudspeaker.currentTime;
  for (const [pitch, seconds] of CUES[cue]) {
    const tone = new OscillatorNode(loudspeaker, { frequency: pitch });
    const volume = new GainNode(loudspeaker, { gain: 0 });
    volume.gain.setTargetAtTime(0.2, start, 0.004);
    volume.gain.setTargetAtTime(0, start + seconds - 0.03, 0.01);
    tone.connect(volume).connect(loudspeaker.destination);
    tone.start(start);
    tone.stop(start + seconds + 0.1);
    start += seconds;
  }
}

function speak(state) {
  const words = state.cue === "rejected" ? state.remark : ["instruction", "go", "relax", "ended"].includes(state.cue) ? state.sentence : "";
  if (!$("sounding").checked || words === "" || !("speechSynthesis" in window) || loudspeaker === null) return;
  const said = new SpeechSynthesisUtterance(words);
  said.lang = state.language;
  speechSynthesis.cancel();
  speechSynthesis.speak(said);
}

function wake() {
  loudspeaker ??= new AudioContext();
  loudspeaker.resume();
}

function labels() {
  return LABELS[known.language] ?? LABELS.en;
}

function show(state) {
  const cued = state.cue_number > known.cue_number;
  if (state.movement !== drawn.movement || (cued && state.cue === "instruction"))
    drawn = { movement: state.movement, since: performance.now() / 1000 };
  known = state;
  document.documentElement.lang = state.language;
  $("title").textContent = state.title || "\u00a0";
  $("sentence").textContent = state.sentence;
  $("remark").textContent = state.remark;
  $("count").hidden = !state.count;
  $("count").textContent = state.count || "";
  $("bar").hidden = state.phase !== "hold";
  $("fill").style.transform = `scaleX(${state.share})`;
  const minutes = `${Math.floor(state.seconds_left / 60)}:${String(state.seconds_left % 60).padStart(2, "0")}`;
  $("progress").textContent = state.guides
    ? [state.of ? `${state.number} / ${state.of}` : "", `${labels().done} ${state.done} / ${state.total}`, minutes].filter(Boolean).join("  ·  ")
    : "";
  showButtons();
  if (cued) {
    sound(state.cue);
    speak(state);
  }
}

function showButtons() {
  const words = labels();
  const over = ["finished", "stopped"].includes(known.phase);
  const waits = known.phase === "waiting";
  $("toggle").querySelector("span").textContent = words[waits || over ? "start" : known.phase === "paused" ? "continue" : "pause"];
  for (const name of ["skip", "redo", "stop"]) {
    $(name).querySelector("span").textContent = words[name];
    $(name).disabled = !known.guides || over || (waits && name !== "stop");
  }
  $("toggle").disabled = over;
  $("sound").querySelector("span").textContent = words.sound;
  $("setup").hidden = known.guides;
  for (const name of ["person", "protocol", "affected", "language"]) $(name).parentNode.firstChild.textContent = `${words[name]} `;
  for (const option of $("affected").options) option.textContent = words[option.value];
  $("person").disabled = Boolean(known.person);
  if (known.person) $("person").value = known.person;
}

/* Before the examination begins: what to do, or what stands in its way. */
function invite() {
  if (!known.guides && known.phase === "waiting") $("sentence").textContent = obstacle || labels().ready;
}

async function ask(value) {
  wake();
  const payload = { value };
  if (value === "start" && !known.guides)
    for (const name of ["person", "protocol", "affected", "language"]) payload[name] = $(name).value;
  let answer, state;
  try {
    answer = await fetch("/api/examination", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(payload),
    });
    state = await answer.json();
  } catch {
    state = { error: "The program does not answer." };
  }
  $("said").textContent = state.error ?? "";
}

$("toggle").onclick = () => ask({ waiting: "start", paused: "continue" }[known.phase] ?? "pause");
for (const name of ["skip", "redo", "stop"]) $(name).onclick = () => ask(name);
$("sounding").onchange = wake;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || ["INPUT", "SELECT"].includes(event.target.tagName)) return;
  const button = { " ": "toggle", s: "skip", a: "redo", x: "stop" }[event.key.toLowerCase()];
  if (button === undefined) return;
  event.preventDefault();
  if (!$(button).disabled) $(button).click();
});
$("protocol").append(...PROTOCOLS.map((name) => new Option(name, name)));
$("affected").append(...SIDES.map((side) => new Option(side, side, side === "none", side === "none")));
$("language").append(...Object.keys(LABELS).map((code) => new Option(code, code)));
$("language").onchange = () => {
  if (!known.guides) known = { ...known, language: $("language").value };
  showButtons();
  invite();
};

new Live(
  {
    hello: (message) => {
      $("picture").classList.toggle("turned", !message.selfie);
      known = { ...known, person: message.person ?? "" };
      showButtons();
    },
    examination: show,
    controls: (message) => {
      obstacle = message.controls.examination?.reason ?? "";
      invite();
      $("toggle").disabled = Boolean(obstacle) || ["finished", "stopped"].includes(known.phase);
    },
    async picture(_moment, jpeg, shown) {
      const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
      const canvas = $("picture");
      if (canvas.width !== bitmap.width || canvas.height !== bitmap.height)
        [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      bitmap.close();
      shown();
    },
    link: (up, sentence) => {
      document.body.classList.toggle("lost", !up);
      const over = ["finished", "stopped"].includes(known.phase);
      $("said").textContent = up || over ? "" : sentence;
    },
  },
  { picture: true },
);
hideToken();
drawFace();
showButtons();
