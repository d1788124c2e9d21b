// A coder's annotations of one session: labels, exclude ranges and markers. Every change is saved at once.
import { askJson } from "./viewer_data.js";

const MOST_UNDONE = 100;

export class Labels {
  // onChange(): something is to be drawn anew. say(sentence, wrong).
  constructor(session, { onChange, say }) {
    this.session = session;
    this.onChange = onChange;
    this.said = [""]; // the last sentence about this session's labels
    this.say = (...words) => say(...(this.said = words));
    this.coder = "";
    this.undone = [];
    this.open = null; // { kind, code, frame, face } of a span that has begun
    this.face = 0; // whom new labels are about; 0: nobody in particular
    this.selected = null;
    this.content = { coder: "", codes: [], labels: [], points: [], exclusions: [] };
    this.state = "";
    this.trouble = "";
    this.saving = Promise.resolve();
  }

  // The faces that a label can be about: those of the rows, and those that labels name.
  get faces() {
    const named = this.content.labels.map((label) => label.face ?? 0);
    return [...new Set([...this.session.known.faces, ...named])].filter((face) => face > 0).sort((a, b) => a - b);
  }

  get path() {
    return `${this.session.base}/annotations?${new URLSearchParams({ coder: this.coder })}`;
  }

  async read(coder = this.coder) {
    this.coder = coder.trim();
    this.selected = this.open = null;
    this.undone = [];
    try {
      const found = await askJson(this.path);
      this.content = found.annotations;
      this.content.coder = this.coder;
      this.state = found.state;
      this.file = found.file;
      this.trouble = "";
      this.say(found.state ? `Labels are in ${found.file}.` : `Labels will be in ${found.file}.`);
    } catch (error) {
      this.trouble = error.message;
      this.say(error.message, true);
    }
    this.onChange();
  }

  change(make) {
    if (this.trouble) {
      this.say(this.trouble, true);
      return false;
    }
    const before = structuredClone(this.content);
    make(this.content);
    for (const list of ["labels", "exclusions"]) this.content[list].sort((a, b) => a.start - b.start || a.end - b.end);
    this.content.points.sort((a, b) => a.at - b.at);
    this.undone.push(before);
    if (this.undone.length > MOST_UNDONE) this.undone.shift();
    this.save();
    this.onChange();
    return true;
  }

  undo() {
    const before = this.undone.pop();
    if (before === undefined) return;
    this.content = before;
    this.selected = null;
    this.save();
    this.onChange();
  }

  // One request after the other, each made from the state that the one before it left.
  save() {
    this.saving = this.saving.then(() => this.put());
  }

  async put() {
    if (this.trouble) return;
    try {
      const found = await askJson(this.path, {
        method: "PUT",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ state: this.state, annotations: this.content }),
      });
      this.state = found.state;
      this.say(`Saved in ${found.file}.`);
    } catch (error) {
      this.trouble = error.message;
      this.say(`Not saved: ${error.message}`, true);
    }
    this.onChange();
  }

  addCode(name) {
    const plain = name.trim();
    if (!plain) return false;
    if (this.content.codes.some((code) => code.name.toLowerCase() === plain.toLowerCase())) {
      this.say(`The code ${plain} is in the list already.`, true);
      return false;
    }
    return this.change((content) => content.codes.push({ name: plain, meaning: "" }));
  }

  removeCode(name) {
    if (this.content.labels.some((label) => label.code === name)) {
      this.say(`The code ${name} is used by labels; delete these first.`, true);
      return;
    }
    this.change((content) => (content.codes = content.codes.filter((code) => code.name !== name)));
  }

  // Begin a span at a frame, or end the one that has begun: it then covers both frames.
  toggle(kind, code, frame) {
    const begun = this.open;
    if (begun === null || begun.kind !== kind || begun.code !== code) {
      this.open = { kind, code, frame, face: this.face };
      this.say(kind === "exclude" ? "The exclude range begins here; press X again to end it." : `${code} begins here; press its number again to end it.`);
      this.onChange();
      return;
    }
    const [first, last] = [Math.min(begun.frame, frame), Math.max(begun.frame, frame)];
    const start = this.session.beginOf(first);
    const end = Math.max(start + 1, this.session.beginOf(last + 1));
    this.open = null;
    const about = begun.face ? { face: begun.face } : {};
    if (kind === "exclude") this.change((content) => content.exclusions.push({ start, end, reason: "" }));
    else this.change((content) => content.labels.push({ start, end, code, comment: "", ...about }));
  }

  mark(text, frame) {
    return this.change((content) => content.points.push({ at: this.session.beginOf(frame), text: text.trim(), comment: "" }));
  }

  cancel() {
    if (this.open === null) return;
    this.open = null;
    this.say("The span that had begun is dropped.");
    this.onChange();
  }

  // Everything in the order of time: { kind, start, end, words, comment, entry }.
  all() {
    const { labels, exclusions, points } = this.content;
    return [
      ...labels.map((entry) => ({ kind: "label", start: entry.start, end: entry.end, words: wordsOf(entry.code, entry.face), comment: entry.comment, entry })),
      ...exclusions.map((entry) => ({ kind: "exclude", start: entry.start, end: entry.end, words: "exclude range", comment: entry.reason, entry })),
      ...points.map((entry) => ({ kind: "point", start: entry.at, end: null, words: entry.text || "marker", comment: entry.comment, entry })),
    ].sort((a, b) => a.start - b.start);
  }

  remove(entry) {
    this.selected = null;
    this.change((content) => {
      for (const list of ["labels", "exclusions", "points"]) content[list] = content[list].filter((one) => one !== entry);
    });
  }

  about(one, face) {
    this.change(() => {
      if (face) one.entry.face = face;
      else delete one.entry.face;
    });
  }

  comment(one, words) {
    if (words === one.comment) return;
    this.change(() => (one.entry[one.kind === "exclude" ? "reason" : "comment"] = words));
  }

  // For the timeline; a span that has begun grows with the cursor.
  spans(frame) {
    const lane = new Map(this.content.codes.map((code, number) => [code.name, number + 1]));
    const found = this.all()
      .filter((one) => one.kind !== "point")
      .map((one) => ({ ...one, lane: one.kind === "exclude" ? 0 : lane.get(one.entry.code), selected: one.entry === this.selected }));
    if (this.open !== null) {
      const { kind, code, face } = this.open;
      const [first, last] = [Math.min(this.open.frame, frame), Math.max(this.open.frame, frame)];
      const words = `${kind === "exclude" ? "exclude range" : wordsOf(code, face)} …`;
      found.push({ kind, words, start: this.session.beginOf(first), end: this.session.beginOf(last + 1), lane: kind === "exclude" ? 0 : (lane.get(code) ?? 1), selected: true, open: true });
    }
    return found;
  }
}

function wordsOf(code, face) {
  return face ? `${code} · face ${face}` : code;
}
