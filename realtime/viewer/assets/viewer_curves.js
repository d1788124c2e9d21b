// Curves over time with labels, exclude ranges, markers and the cursor. What was not measured is a gap.
import { colour } from "./viewer_drawing.js";

const TRACK = 58, AXIS = 18, LANE = 15, GAP_S = 0.5, LEFT = 34;
const LEAST_WINDOW_S = 0.2;

export class Timeline {
  // session, canvas, onSeek(frame), spans(): [{ start, end, lane, words, kind, selected }] in milliseconds, markers(): [{ at, text, own }].
  constructor(session, canvas, { onSeek, onView, spans, markers }) {
    Object.assign(this, { session, canvas, onSeek, onView, spans, markers });
    this.screen = canvas.getContext("2d");
    // The curves are drawn once for a view; a step of the cursor copies them.
    this.drawn = document.createElement("canvas");
    this.context = this.drawn.getContext("2d");
    this.end = Math.max(LEAST_WINDOW_S, session.times[session.frames - 1] ?? 0);
    this.view = [0, this.end];
    this.tracks = [];
    this.data = {};
    this.frame = 0;
    this.colours = Object.fromEntries(["left", "right", "text", "dim", "grid", "warning", "good"].map((name) => [name, colour(name)]));
    this.listen();
    new ResizeObserver(() => this.refresh()).observe(canvas);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.onSeek(this.session.frameAt(this.secondsAt(event.offsetX)));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.dragging) this.onSeek(this.session.frameAt(this.secondsAt(event.offsetX)));
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (this.dragging = false));
    canvas.addEventListener("wheel", (event) => {
      if (event.ctrlKey) return;
      event.preventDefault();
      const across = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
      if (across) this.pan(((event.deltaX || event.deltaY) / this.width) * (this.view[1] - this.view[0]));
      else this.zoom(Math.exp(event.deltaY / 400), this.secondsAt(event.offsetX));
    }, { passive: false });
  }

  get width() {
    return Math.max(50, this.canvas.clientWidth - LEFT);
  }

  secondsAt(x) {
    return Math.min(this.end, Math.max(0, this.view[0] + ((x - LEFT) / this.width) * (this.view[1] - this.view[0])));
  }

  // Seconds between two values beyond which a curve is interrupted.
  get gap() {
    return Math.max(GAP_S, (2.5 * (this.view[1] - this.view[0])) / this.width);
  }

  xOf(seconds) {
    return LEFT + ((seconds - this.view[0]) / (this.view[1] - this.view[0])) * this.width;
  }

  zoom(factor, about = this.session.times[this.frame]) {
    const length = Math.min(this.end, Math.max(LEAST_WINDOW_S, (this.view[1] - this.view[0]) * factor));
    const share = (about - this.view[0]) / (this.view[1] - this.view[0]);
    this.look(about - share * length, length);
  }

  pan(seconds) {
    this.look(this.view[0] + seconds, this.view[1] - this.view[0]);
  }

  look(first, length) {
    const begin = Math.min(Math.max(0, first), Math.max(0, this.end - length));
    this.view = [begin, begin + length];
    this.onView?.();
    this.refresh();
  }

  // tracks: of the session's description. Each has its own strip.
  show(tracks) {
    this.tracks = tracks;
    this.refresh();
  }

  // Move the cursor; the view follows where it would leave it.
  at(frame) {
    this.frame = frame;
    const now = this.session.times[frame];
    const length = this.view[1] - this.view[0];
    if (now < this.view[0] || now > this.view[1]) this.look(now - 0.1 * length, length);
    else if (this.growing()) this.draw();
    else this.cursor();
  }

  // A span that has begun ends at the cursor.
  growing() {
    return this.spans().some((span) => span.open);
  }

  async refresh() {
    this.lanes = Math.max(1, ...this.spans().map((span) => span.lane + 1));
    this.canvas.style.height = `${this.tracks.length * TRACK + AXIS + this.lanes * LANE + 4}px`;
    this.draw();
    if (this.loading) {
      this.stale = true;
      return;
    }
    this.loading = true;
    do {
      this.stale = false;
      await this.load().catch(() => undefined);
      this.draw();
    } while (this.stale);
    this.loading = false;
  }

  async load() {
    const names = this.tracks.flatMap(({ left, right, both }) => [left, right, both].filter(Boolean));
    if (!names.length || !this.session.known.rows) return;
    this.data = await this.session.curves(names, this.view[0], this.view[1], Math.round(this.width));
    this.loaded = true;
  }

  draw() {
    const scale = window.devicePixelRatio || 1;
    const { canvas, context, drawn } = this;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    if (drawn.width !== canvas.width) drawn.width = canvas.width;
    if (drawn.height !== canvas.height) drawn.height = canvas.height;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = "11px system-ui";
    const bottom = this.tracks.length * TRACK;
    this.axis(bottom, width);
    this.ranges(bottom);
    this.tracks.forEach((track, number) => this.track(track, number * TRACK));
    this.marks(bottom);
    this.cursor();
  }

  axis(bottom, width) {
    const { context, colours } = this;
    const length = this.view[1] - this.view[0];
    const step = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600].find((one) => (one / length) * this.width > 64) ?? 7200;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (let at = Math.ceil(this.view[0] / step) * step; at <= this.view[1]; at += step) {
      const x = this.xOf(at);
      context.strokeStyle = colours.grid;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, bottom);
      context.stroke();
      context.fillStyle = colours.dim;
      if (x > LEFT + 10 && x < width - 20) context.fillText(clock(at, step < 1 ? 2 : 0), x, bottom + 4);
    }
  }

  // Exclude ranges cover the curves; labels stand in lanes below.
  ranges(bottom) {
    const { context, colours } = this;
    context.textAlign = "left";
    context.textBaseline = "middle";
    for (const span of this.spans()) {
      const x1 = Math.max(LEFT, this.xOf(span.start / 1000)), x2 = Math.min(LEFT + this.width, this.xOf(span.end / 1000));
      if (x2 < LEFT || x1 > LEFT + this.width) continue;
      const wide = Math.max(2, x2 - x1);
      if (span.kind === "exclude") {
        context.fillStyle = "rgb(255 255 255 / 0.16)";
        context.fillRect(x1, 0, wide, bottom);
      }
      const y = bottom + AXIS + span.lane * LANE;
      context.fillStyle = span.kind === "exclude" ? "#777" : "#3d6a52";
      context.fillRect(x1, y, wide, LANE - 2);
      if (span.selected) {
        context.strokeStyle = colours.text;
        context.lineWidth = 2;
        context.strokeRect(x1, y, wide, LANE - 2);
      }
      if (wide > 24) {
        context.save();
        context.beginPath();
        context.rect(x1, y, wide, LANE);
        context.clip();
        context.fillStyle = colours.text;
        context.fillText(span.words, x1 + 4, y + LANE / 2 - 1);
        context.restore();
      }
    }
  }

  track(track, top) {
    const { context, colours } = this;
    const curves = [["left", track.left], ["right", track.right], ["text", track.both]].filter(([, name]) => name && this.data[`${name}:t`]);
    const [least, most] = this.scaleOf(track, curves);
    const y = (value) => top + TRACK - 6 - ((value - least) / (most - least)) * (TRACK - 14);
    context.fillStyle = colours.dim;
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillText(short(most), LEFT - 4, y(most));
    context.fillText(short(least), LEFT - 4, y(least));
    context.strokeStyle = colours.grid;
    context.lineWidth = 1;
    context.strokeRect(LEFT, top + 2, this.width, TRACK - 4);
    context.save();
    context.beginPath();
    context.rect(LEFT, top, this.width, TRACK);
    context.clip();
    for (const [side, name] of curves) this.missing(name, colours[side], top);
    for (const [side, name] of curves) this.curve(name, colours[side], side === "right", y);
    context.fillStyle = colours.text;
    context.textAlign = "left";
    context.textBaseline = "top";
    context.fillText(track.words, LEFT + 5, top + 4);
    context.restore();
  }

  scaleOf(track, curves) {
    if (track.kind === "unit") return [0, 5];
    if (track.kind === "quality") return [0, 1];
    let least = Infinity, most = -Infinity;
    for (const [, name] of curves) {
      for (const value of this.data[`${name}:low`]) if (value < least) least = value;
      for (const value of this.data[`${name}:high`]) if (value > most) most = value;
    }
    if (!(least < most)) return [Number.isFinite(least) ? least - 1 : 0, Number.isFinite(most) ? most + 1 : 1];
    return [least, most];
  }

  // Tinted: a face was seen, but not this part of it.
  missing(name, fill, top) {
    const { context } = this;
    const t = this.data[`${name}:t`], low = this.data[`${name}:low`];
    context.fillStyle = fill;
    context.globalAlpha = 0.16;
    for (let k = 0; k < t.length; k += 1) {
      if (Number.isFinite(low[k])) continue;
      const from = this.xOf(t[k]);
      let to = from + 1;
      for (; k + 1 < t.length && t[k + 1] - t[k] <= this.gap; k += 1) {
        to = this.xOf(t[k + 1]);
        if (Number.isFinite(low[k + 1])) break;
      }
      context.fillRect(from, top + 2, Math.max(1, to - from), TRACK - 4);
    }
    context.globalAlpha = 1;
  }

  // Not by colour alone: the right side is dashed.
  curve(name, stroke, dashed, y) {
    const { context } = this;
    const t = this.data[`${name}:t`], low = this.data[`${name}:low`], high = this.data[`${name}:high`];
    context.strokeStyle = stroke;
    context.fillStyle = stroke;
    context.lineWidth = 1.5;
    context.setLineDash(dashed ? [5, 3] : []);
    context.beginPath();
    let before = -Infinity, up = false;
    for (let k = 0; k < t.length; k += 1) {
      const x = this.xOf(t[k]);
      if (!Number.isFinite(low[k])) {
        before = -Infinity; // the face was seen, but not this part of it
        continue;
      }
      const first = up ? high[k] : low[k], second = up ? low[k] : high[k];
      if (t[k] - before > this.gap) context.moveTo(x, y(first));
      else context.lineTo(x, y(first));
      if (first !== second) context.lineTo(x, y(second));
      before = t[k];
      up = !up;
    }
    context.stroke();
    context.setLineDash([]);
  }

  marks(bottom) {
    const { context, colours } = this;
    context.textBaseline = "top";
    context.textAlign = "left";
    let free = -Infinity;
    for (const { at, text, own } of this.markers()) {
      const x = this.xOf(at);
      if (x < LEFT || x > LEFT + this.width) continue;
      context.strokeStyle = own ? colours.good : colours.warning;
      context.lineWidth = 1;
      context.setLineDash(own ? [] : [2, 2]);
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, bottom);
      context.stroke();
      context.setLineDash([]);
      if (!text || x < free || !this.tracks.length) continue;
      context.fillStyle = own ? colours.good : colours.warning;
      context.fillText(text, x + 3, bottom - 16);
      free = x + context.measureText(text).width + 8;
    }
  }

  cursor() {
    const { screen, canvas } = this;
    const scale = window.devicePixelRatio || 1, x = this.xOf(this.session.times[this.frame] ?? 0) * scale;
    screen.clearRect(0, 0, canvas.width, canvas.height);
    if (!this.drawn.width || !this.drawn.height) return;
    screen.drawImage(this.drawn, 0, 0);
    screen.strokeStyle = this.colours.text;
    screen.lineWidth = 1.5 * scale;
    screen.beginPath();
    screen.moveTo(x, 0);
    screen.lineTo(x, canvas.height);
    screen.stroke();
  }
}

const short = (value) => (Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1));

export function clock(seconds, decimals = 3) {
  const whole = Math.floor(seconds + 1e-9);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60].map((one) => String(one).padStart(2, "0"));
  const rest = decimals ? (seconds - whole).toFixed(decimals).slice(1) : "";
  return (parts[0] === "00" ? parts.slice(1) : parts).join(":") + rest.replace(/^\.?(?=\d)/, ".");
}
