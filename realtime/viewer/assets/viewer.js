// The viewer's page: one session or two side by side, moved together, and the labels of the one that was chosen.
import { askJson } from "./viewer_data.js";
import { clock } from "./viewer_curves.js";
import { LabelList } from "./viewer_label_list.js";
import { Pane } from "./viewer_pane.js";

const $ = (id) => document.getElementById(id);
const DRIFT_S = 0.08;
const JUMP_MS = 700; // a jump takes a moment to take effect
const VERIFY_MS = 1500;
const KEYS = [
  ["Space", "play or pause"], ["← →", "one frame"], ["Shift ← →", "one second"], ["Home End", "first, last frame"], ["+ −", "zoom the curves"],
  ["1 … 9", "begin or end a label of that code"], ["X", "begin or end an exclude range"], ["M", "set a marker"], ["Esc", "drop the span that has begun"],
  ["N P", "next, previous annotation"], ["Del", "delete the one that is selected"], ["U", "undo"], ["O", "overlay"], ["S F", "slower, faster"],
  ["W", "label the other session"], ["[ ]", "second session one frame earlier, later"],
];

const list = new LabelList((one) => select(one));
const panes = [];
let active = null;
let playing = false;
let offset = 0;
let jumped = 0;

function say(sentence, wrong = false) {
  $("said").textContent = sentence;
  $("said").classList.toggle("wrong", wrong);
}

const page = {
  say: (sentence, wrong) => {
    $("saved").textContent = sentence;
    $("saved").classList.toggle("wrong", wrong === true);
  },
  // The sentence stands beside one session's labels; what went wrong with the other's is told all the same.
  onSaid: (pane, sentence, wrong) => (wrong || pane === active) && page.say(sentence, wrong),
  onFrame: (pane) => pane === panes[0] && moved(),
  onSeek: (pane, frame) => {
    pause();
    if (pane === panes[0]) seek(frame);
    else seek(panes[0].session.frameNear(pane.session.times[frame] - offset));
  },
  onView: (pane) => {
    const other = panes.find((one) => one !== pane);
    if (!other || page.linking) return;
    page.linking = true;
    const shift = pane === panes[0] ? offset : -offset;
    other.timeline.look(pane.timeline.view[0] + shift, pane.timeline.view[1] - pane.timeline.view[0]);
    page.linking = false;
  },
  onLabels: (pane) => pane === active && list.show(active),
  onChoose: (pane) => choose(pane),
  onStop: () => pause(),
};

function moved() {
  const { session, frame } = panes[0];
  if (document.activeElement !== $("go")) $("go").value = frame + 1;
  $("moment").textContent = `${clock(session.times[frame] ?? 0)} of ${clock(session.times[session.frames - 1] ?? 0)}`;
  if (playing && panes[0].film.ended) pause();
  follow();
}

// While it plays, the second recording plays by itself and is put right where it drifts.
function follow() {
  const [first, second] = panes;
  if (!second || !playing) return;
  const wanted = first.session.times[first.frame] + offset;
  const frame = second.session.frameNear(wanted), now = performance.now();
  if (Math.abs(second.session.times[frame] - second.session.times[second.frame]) <= DRIFT_S) return;
  if (!second.film?.playing) second.go(frame);
  else if (now - jumped > JUMP_MS) {
    jumped = now;
    second.film.jump(second.film.pictureOf(frame)?.number ?? 0);
  }
}

// Every part shows exactly this frame of the first session, and the second one what was at that moment.
async function seek(frame) {
  const [first, second] = panes;
  const all = [first.go(frame)];
  if (second) all.push(second.go(second.session.frameNear(first.session.times[first.frame] + offset)));
  await Promise.all(all);
  document.body.dataset.shown = first.frame;
}

async function play() {
  if (panes[0].film === null) return;
  if (panes[0].film.ended) {
    await seek(0);
    if (playing) return;
  }
  playing = true;
  $("play").textContent = "Pause";
  for (const { film, frame } of panes) film?.play(Number($("rate").value), film.pictureOf(frame)?.number ?? 0);
}

function pause() {
  if (!playing) return;
  playing = false;
  $("play").textContent = "Play";
  for (const { film } of panes) film?.pause();
  seek(panes[0].frame);
}

const step = (count) => { pause(); seek(panes[0].frame + count); };

function stepSeconds(seconds) {
  pause();
  const { session, frame } = panes[0];
  seek(session.frameNear(session.times[frame] + seconds));
}

function faster(by) {
  const select = $("rate");
  select.selectedIndex = Math.min(select.options.length - 1, Math.max(0, select.selectedIndex + by));
  if (!playing) return;
  pause();
  play();
}

function shift(seconds) {
  offset = seconds;
  $("offset").value = Number(seconds.toFixed(3));
  page.onView(panes[0]);
  seek(panes[0].frame);
}

function choose(pane) {
  if (active === pane) return;
  active = pane;
  for (const one of panes) one.element.classList.toggle("active", panes.length > 1 && one === pane);
  $("labels-of").textContent = panes.length > 1 ? `of ${pane.session.known.name}` : "";
  $("coder").value = pane.labels.coder;
  page.say(...pane.labels.said);
  list.show(active);
}

function overlay(on) {
  for (const pane of panes) {
    pane.overlay = on;
    pane.draw();
    if (on && pane.known && !pane.known.overlay) page.say("The overlay cannot be drawn: this recording does not show the camera’s picture at its place.", true);
  }
  $("overlay").checked = on;
}

function select(one) {
  active.labels.selected = one.entry;
  const { session } = active;
  const frame = session.frameFrom(one.start);
  list.show(active);
  pause();
  seek(active === panes[0] ? frame : panes[0].session.frameNear(session.times[frame] - offset));
}

function jump(direction) {
  const { labels, session, frame } = active;
  const now = session.beginOf(frame);
  const found = direction > 0 ? labels.all().find((one) => one.start > now) : labels.all().findLast((one) => one.start < now);
  if (found) select(found);
}

function keys(show = $("keys").hidden) {
  $("keys").hidden = !show;
  $("keys-button").setAttribute("aria-expanded", String(show));
}

const ACTS = {
  " ": () => (playing ? pause() : play()),
  arrowleft: (event) => (event.shiftKey ? stepSeconds(-1) : step(-1)),
  arrowright: (event) => (event.shiftKey ? stepSeconds(1) : step(1)),
  home: () => step(-Infinity),
  end: () => step(Infinity),
  "+": () => panes[0].timeline.zoom(1 / 2),
  "=": () => panes[0].timeline.zoom(1 / 2),
  "-": () => panes[0].timeline.zoom(2),
  x: () => active.labels.toggle("exclude", "", active.frame),
  m: () => $("point").focus(),
  n: () => jump(1),
  p: () => jump(-1),
  u: () => active.labels.undo(),
  o: () => overlay(!$("overlay").checked),
  s: () => faster(-1),
  f: () => faster(1),
  w: () => choose(panes[(panes.indexOf(active) + 1) % panes.length]),
  "[": () => panes[1] && shift(offset - frameSeconds()),
  "]": () => panes[1] && shift(offset + frameSeconds()),
  "?": () => keys(),
  delete: () => active.labels.selected && active.labels.remove(active.labels.selected),
};

function frameSeconds() {
  const { session } = panes[1];
  return session.frames > 1 ? (session.times[session.frames - 1] - session.times[0]) / (session.frames - 1) : 0.04;
}

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || !panes.length) return;
  if (event.key === "Escape") {
    if (document.activeElement.tagName === "INPUT") document.activeElement.blur();
    else active.labels.cancel();
    return;
  }
  if (event.target.tagName === "INPUT" && event.target.type !== "checkbox") return;
  if (event.target.tagName === "SELECT" && event.key.startsWith("Arrow")) return;
  if (event.target.tagName === "BUTTON" && [" ", "Enter"].includes(event.key)) return;
  const code = /^[1-9]$/.test(event.key) ? active.labels.content.codes[Number(event.key) - 1] : undefined;
  const act = code ? () => active.labels.toggle("label", code.name, active.frame) : ACTS[event.key.toLowerCase()];
  if (act === undefined) return;
  event.preventDefault();
  act(event);
}

function listen() {
  document.addEventListener("keydown", onKey);
  $("play").onclick = () => (playing ? pause() : play());
  $("back").onclick = () => step(-1);
  $("forth").onclick = () => step(1);
  $("rate").onchange = () => { faster(0); $("rate").blur(); };
  $("overlay").onchange = () => overlay($("overlay").checked);
  $("go").onchange = () => { pause(); seek(Math.round(Number($("go").value) || 1) - 1); };
  $("offset").onchange = () => shift(Number($("offset").value.replace(",", ".")) || 0);
  $("coder").onchange = () => active.labels.read($("coder").value);
  $("exclude").onclick = () => active.labels.toggle("exclude", "", active.frame);
  $("undo").onclick = () => active.labels.undo();
  $("again").onclick = () => active.labels.read();
  $("code-form").onsubmit = (event) => { event.preventDefault(); if (active.labels.addCode($("code").value)) $("code").value = ""; };
  $("point-form").onsubmit = (event) => {
    event.preventDefault();
    if (!active.labels.mark($("point").value, active.frame)) return;
    $("point").value = "";
    $("point").blur();
  };
  $("keys-button").onclick = () => keys();
  const terms = document.createElement("dl");
  for (const [key, words] of KEYS) {
    const group = document.createElement("div");
    group.append(Object.assign(document.createElement("dt"), { textContent: key }), Object.assign(document.createElement("dd"), { textContent: words }));
    terms.append(group);
  }
  $("keys").append(terms);
}

async function open(numbers) {
  $("main").hidden = false;
  for (const number of numbers.slice(0, 2)) panes.push(await Pane.open(number, page));
  $("panes").classList.toggle("two", panes.length === 2);
  $("offset-label").hidden = panes.length < 2;
  const names = panes.map((pane) => pane.session.known.name);
  document.title = `${names.join(", ")} · facemirror-live`;
  $("overlay").checked = panes.some((pane) => pane.overlay);
  if (!panes[0].session.frames) return say("Nothing of this session can be shown.", true);
  choose(panes[0]);
  for (const pane of panes) pane.labels.read();
  say("");
  await seek(0);
  document.body.dataset.ready = Math.round(performance.now());
  setTimeout(async () => {
    for (const pane of panes) await pane.verify();
    document.body.dataset.verified = "yes";
  }, VERIFY_MS);
}

function offer(sessions) {
  $("choose").hidden = false;
  say(sessions.length ? "" : "There is no session yet.");
  $("choose-list").append(...sessions.map((name, number) => {
    const item = document.createElement("li"), label = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox";
    box.value = number;
    label.append(box, " ", name);
    item.append(label);
    return item;
  }));
  $("choose-form").onsubmit = (event) => {
    event.preventDefault();
    const chosen = [...$("choose-list").querySelectorAll(":checked")].map((box) => box.value);
    if (chosen.length < 1 || chosen.length > 2) return say("Choose one session, or two.", true);
    location.search = `?open=${chosen.join(",")}`;
  };
}

async function begin() {
  const url = new URL(location.href);
  url.searchParams.delete("token"); // it is a cookie now, and need not stay in the address bar
  history.replaceState(null, "", url);
  listen();
  const { sessions, begin: first } = await askJson("/viewer/api/sessions");
  const asked = (url.searchParams.get("open") ?? "").split(",").filter((word) => /^\d+$/.test(word)).map(Number);
  const numbers = asked.length ? asked : first;
  if (numbers.length) await open(numbers);
  else offer(sessions);
}

begin().catch((error) => say(error.message, true));
