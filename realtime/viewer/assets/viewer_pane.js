// One session on the page: its recording with what was measured drawn over it, figures, and curves.
import { askJson, Session } from "./viewer_data.js";
import { Drawing } from "./viewer_drawing.js";
import { PictureFilm, RowsFilm, VideoFilm } from "./viewer_film.js";
import { Labels } from "./viewer_labels.js";
import { clock, Timeline } from "./viewer_curves.js";
import { nameOf } from "./units.js";

const HELD_S = 0.2;
const WORDS = ["", "measured", "held", "dropped"];
const FIRST_TRACKS = 3;

export class Pane {
  // page: { onFrame(pane), onSeek(pane, frame), say(sentence, wrong), onLabels() }.
  static async open(number, page) {
    const made = new Pane();
    made.page = page;
    made.session = await Session.open(number);
    made.build();
    return made;
  }

  build() {
    const { session, page } = this;
    this.element = document.getElementById("pane").content.firstElementChild.cloneNode(true);
    document.getElementById("panes").append(this.element);
    this.find = (selector) => this.element.querySelector(selector);
    this.find(".name").textContent = session.known.name;
    this.frame = 0;
    this.film = null;
    this.overlay = false;
    this.drawing = new Drawing(this.find(".drawing"));
    this.labels = new Labels(session, { say: (...words) => page.onSaid(this, ...words), onChange: () => { this.timeline?.refresh(); page.onLabels(this); } });
    this.timeline = new Timeline(session, this.find(".curves"), {
      onSeek: (frame) => page.onSeek(this, frame),
      onView: () => page.onView(this),
      spans: () => this.labels.spans(this.frame),
      markers: () => this.markers(),
    });
    this.notices = [...session.known.notices];
    this.tell();
    this.addTracks();
    this.addFilms();
    this.built = true;
    new ResizeObserver(() => this.draw()).observe(this.find(".stage"));
    this.element.addEventListener("pointerdown", () => page.onChoose(this));
  }

  // Reading every file through keeps the disk and a core busy for a moment, so it waits until the page is at rest.
  async verify() {
    await askJson(`${this.session.base}/verify`).then(({ notices }) => this.add(notices), (error) => this.add([error.message]));
  }

  add(sentences) {
    this.notices.push(...sentences.filter((one) => !this.notices.includes(one)));
    this.tell();
  }

  tell() {
    this.find(".notices").replaceChildren(...this.notices.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })));
  }

  markers() {
    const own = this.labels.content.points.map(({ at, text }) => ({ at: at / 1000, text, own: true }));
    return [...this.session.known.markers.map(({ at, text }) => ({ at, text, own: false })), ...own].sort((a, b) => a.at - b.at);
  }

  addTracks() {
    const tracks = this.session.known.curves.map((track) => ({ ...track, words: track.kind === "unit" ? `AU${track.unit} ${nameOf(track.unit)}` : `${track.words}${track.in ? ` (${track.in === "mm2" ? "mm²" : track.in})` : ""}` }));
    const units = tracks.filter(({ kind }) => kind === "unit");
    const favourites = [12, 45, 1, 2].map((number) => units.find(({ unit }) => unit === number)).filter(Boolean);
    const first = [...favourites, ...units].slice(0, FIRST_TRACKS - 1).concat(tracks.filter(({ kind }) => kind === "quality"), tracks.filter(({ kind }) => kind === "length").slice(0, 1));
    this.chosen = new Set(first);
    const group = this.find(".tracks");
    // There are many lengths: they fold away.
    const more = document.createElement("details");
    more.append(Object.assign(document.createElement("summary"), { textContent: "Lengths" }));
    for (const track of tracks) {
      const button = document.createElement("button");
      button.textContent = track.kind === "unit" ? `AU${track.unit}` : track.words;
      button.title = track.words;
      button.setAttribute("aria-pressed", String(this.chosen.has(track)));
      button.onclick = () => {
        if (!this.chosen.delete(track)) this.chosen.add(track);
        button.setAttribute("aria-pressed", String(this.chosen.has(track)));
        this.timeline.show(tracks.filter((one) => this.chosen.has(one)));
        this.draw();
      };
      (track.kind === "length" ? more : group).append(button);
    }
    if (more.children.length > 1) group.append(more);
    this.tracks = tracks;
    this.timeline.show(tracks.filter((one) => this.chosen.has(one)));
    this.find(".curves").setAttribute("aria-label", "Curves: the patient’s right is dashed, the left is not. Click to go there.");
  }

  addFilms() {
    const films = this.session.known.films;
    const choice = this.find(".film");
    choice.append(...films.map(({ kind }) => new Option({ shown: "what was shown", captured: "captured frames", measured: "measured recording" }[kind], kind)));
    choice.hidden = films.length < 2;
    choice.onchange = () => { this.take(films.find(({ kind }) => kind === choice.value)); choice.blur(); };
    if (films.length) this.take(films.find(({ overlay }) => overlay === "clean") ?? films[0]);
    else if (this.session.frames) this.film = new RowsFilm(this.session, { video: this.find("video"), image: this.find("img") }, (number) => this.played(number));
    this.overlay = !films.length || this.known.overlay === "clean";
  }

  take(known) {
    this.film?.close();
    this.known = known;
    this.find(".film").value = known.kind;
    const stage = { video: this.find("video"), image: this.find("img") };
    this.find(".stage").style.aspectRatio = `${known.width} / ${known.height}`;
    const parts = [this.session, known, stage, (number) => this.played(number)];
    this.film = known.plays ? new VideoFilm(...parts, () => this.cannotPlay(parts)) : new PictureFilm(...parts);
    const stored = known.kind === "captured" ? "The captured frames are stored without loss, which browsers do not play" : `Browsers do not play recordings in ${known.codec}`;
    if (!known.plays) this.add([`${stored}: the program makes their pictures one by one.`]);
    if (this.built) this.go(this.frame);
  }

  cannotPlay(parts) {
    this.page.onStop();
    this.film.close();
    this.film = new PictureFilm(...parts);
    this.add(["This browser does not play the recording: the program makes its pictures one by one."]);
    this.go(this.frame);
  }

  // Show a frame exactly. Resolves when its picture and what was measured on it are on the screen.
  async go(frame) {
    this.frame = Math.min(Math.max(0, frame), this.session.frames - 1);
    this.timeline.at(this.frame);
    this.page.onFrame(this);
    const rows = this.session.known.rows ? this.session.rows(this.frame).catch((error) => this.page.say(error.message, true)) : null;
    const picture = this.film?.pictureOf(this.frame) ?? null;
    try {
      if (picture !== null) await this.film.show(picture.number);
    } catch (error) {
      this.page.say(error.message, true);
    }
    await rows;
    this.draw();
  }

  played(number) {
    this.frame = this.film.frameOf(number);
    this.timeline.at(this.frame);
    if (this.session.known.rows) this.session.rows(this.frame + 32).catch(() => undefined); // those to come
    this.draw();
    this.page.onFrame(this);
  }

  // The rows to draw: the frame's own, or the newest measured before it, for a moment.
  rowsToDraw() {
    const own = this.session.rowsNow(this.frame);
    if (own === undefined || own.some((row) => Number.isFinite(row.get("box_x1")))) return { rows: own ?? [], frame: this.frame };
    for (let frame = this.frame - 1; frame >= 0 && this.session.times[this.frame] - this.session.times[frame] < HELD_S; frame -= 1) {
      const rows = this.session.rowsNow(frame);
      if (rows?.some((row) => Number.isFinite(row.get("box_x1")))) return { rows, frame };
      if (this.session.status[frame] === 1) break; // it was looked at, and there was no face
    }
    return { rows: own, frame: this.frame };
  }

  draw() {
    const own = this.session.rowsNow(this.frame) ?? [];
    const { rows, frame } = this.status === 1 ? { rows: own, frame: this.frame } : this.rowsToDraw();
    const size = this.known ? { width: this.known.width, height: this.known.height } : sizeAround(rows);
    const picture = this.film?.pictureOf(this.frame) ?? null;
    const absent = this.find(".absent");
    absent.hidden = this.film === null || picture?.own === true;
    absent.textContent = picture === null ? "No picture was recorded yet." : "This frame was not recorded; the picture is the one before it.";
    if (this.overlay && (this.known === undefined || this.known.overlay)) {
      const bars = this.tracks.filter((track) => track.kind === "unit");
      this.drawing.draw(rows, size, { flipped: this.known?.flipped, held: frame !== this.frame, named: this.session.known.several, bars });
    } else this.drawing.clear();
    this.figures(own[0], frame);
  }

  get status() {
    return this.session.status[this.frame];
  }

  figures(row, drawn) {
    const words = [`frame ${(this.frame + 1).toLocaleString("en")} of ${this.session.frames.toLocaleString("en")}`, clock(this.session.times[this.frame] ?? 0)];
    if (this.status) words.push(WORDS[this.status] + (row?.texts.cause ? ` (${row.texts.cause})` : ""));
    if (drawn !== this.frame) words.push(`drawn: ${Math.round((this.session.times[this.frame] - this.session.times[drawn]) * 1000)} ms older`);
    if (row?.hidden.length) words.push(`hidden: ${row.hidden.join(", ").replaceAll("_", " ")}`);
    for (const track of this.chosen) {
      const value = (name) => (name && row && Number.isFinite(row.get(name)) ? row.get(name).toFixed(track.kind === "quality" ? 2 : 1) : "–");
      const name = track.kind === "unit" ? `AU${track.unit}` : track.words;
      words.push(track.both ? `${name} ${value(track.both)}` : `${name} left ${value(track.left)}, right ${value(track.right)}`);
    }
    this.find(".figures").textContent = words.join(" · ");
  }
}

function sizeAround(rows) {
  const size = { width: 640, height: 360 };
  for (const row of rows) {
    while (row.get("box_x2") > size.width || row.get("box_y2") > size.height) {
      size.width *= 1.5;
      size.height *= 1.5;
    }
  }
  return size;
}
