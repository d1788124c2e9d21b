// A recording in the stage. Pictures that stand are made by the program, each exactly the one asked for, quicker than a browser's
// seek; while it plays, the browser plays the recording itself, where it can.
import { lastAtMost } from "./viewer_data.js";

class Film {
  // stage: { video, image }. onPicture(number): a picture is on the screen while it plays.
  constructor(session, known, stage, onPicture) {
    const arrays = session.index.arrays;
    this.session = session;
    this.known = known;
    this.kind = known.kind;
    this.stage = stage;
    this.onPicture = onPicture;
    this.clock = arrays[`${known.kind}_film`] ?? session.times; // of each picture, on the served file's clock
    this.times = arrays[`${known.kind}_times`] ?? session.times; // seconds from the session's first row
    this.rows = arrays[`${known.kind}_rows`] ?? session.times.map((_, frame) => frame);
    this.shown = -1;
    this.wanted = null;
    this.playing = false;
    this.byRow = new Map();
    for (let number = this.rows.length - 1; number >= 0; number -= 1) if (this.rows[number] >= 0) this.byRow.set(this.rows[number], number);
  }

  get count() {
    return this.clock.length;
  }

  // The picture that was on the screen at this frame: its own, or the newest before it. null: there was none yet.
  pictureOf(frame) {
    const own = this.byRow.get(frame);
    if (own !== undefined) return { number: own, own: true };
    const number = lastAtMost(this.times, this.session.times[frame] + 1e-6);
    return number < 0 ? null : { number, own: false };
  }

  frameOf(number) {
    return this.rows[number] >= 0 ? this.rows[number] : this.session.frameAt(this.times[number]);
  }

  // Show a picture. While one is on its way, only the newest wish is kept. Resolves when that one is on the screen.
  show(number) {
    if (number === this.shown && this.wanted === null) return Promise.resolve();
    if (this.wanted !== null) {
      this.wanted.number = number;
      return this.wanted.done;
    }
    const wish = { number };
    wish.done = this.fulfil(wish).finally(() => (this.wanted = null));
    this.wanted = wish;
    return wish.done;
  }

  async fulfil(wish) {
    let number;
    do {
      number = wish.number;
      await this.bring(number);
      this.shown = number;
    } while (wish.number !== number);
  }
}

export class PictureFilm extends Film {
  constructor(...parts) {
    super(...parts);
    this.stage.image.hidden = false;
    this.stage.video.hidden = true;
  }

  get image() {
    return this.stage.image;
  }

  async bring(number) {
    const width = Math.ceil(this.image.parentElement.clientWidth * (window.devicePixelRatio || 1));
    const next = new Image();
    next.src = `${this.session.base}/picture/${this.kind}/${number}?width=${width}`;
    try {
      await next.decode();
    } catch {
      throw new Error(await this.reason(next.src));
    }
    next.hidden = this.hides;
    this.image.replaceWith(next);
    this.stage.image = next;
  }

  // Whether something else shows the recording now.
  get hides() {
    return false;
  }

  async reason(address) {
    const answer = await fetch(address).catch(() => null);
    if (answer === null) return "The program does not answer; is it still running?";
    return answer.ok ? "The picture cannot be shown." : ((await answer.json().catch(() => ({}))).error ?? "The picture cannot be shown.");
  }

  // From a picture on, at so many times the recording's own speed.
  play(rate, number) {
    this.playing = true;
    this.rate = rate;
    this.jump(number);
    this.go();
  }

  // Go on from another picture while it plays.
  jump(number) {
    this.began = performance.now();
    this.from = this.times[number];
  }

  async go() {
    while (this.playing && !this.ended) {
      const number = Math.max(0, lastAtMost(this.times, this.moment));
      if (number !== this.shown) {
        await this.show(number).catch(() => this.pause());
        if (this.playing) this.onPicture(this.shown);
      }
      await new Promise(requestAnimationFrame);
    }
  }

  get moment() {
    return this.from + ((performance.now() - this.began) / 1000) * this.rate;
  }

  get ended() {
    return this.shown >= this.count - 1;
  }

  pause() {
    this.playing = false;
  }

  close() {
    this.pause();
    this.image.hidden = true;
  }
}

export class VideoFilm extends PictureFilm {
  // onFault(): this browser does not play the recording.
  constructor(session, known, stage, onPicture, onFault) {
    super(session, known, stage, onPicture);
    this.video = stage.video;
    this.video.onerror = () => this.video.getAttribute("src") && onFault();
  }

  // The file is opened behind the first picture, which need not wait for it.
  async bring(number) {
    await super.bring(number);
    if (this.video.hidden) {
      this.video.src = `${this.session.base}/film/${this.kind}`;
      this.video.hidden = false;
    }
  }

  get hides() {
    return this.playing;
  }

  // The middle of the time for which the picture stands: no rounding on the way can lead to its neighbours.
  middleOf(number) {
    const begin = this.clock[number];
    return number + 1 < this.count ? (begin + this.clock[number + 1]) / 2 : begin + 0.004;
  }

  play(rate, number) {
    this.playing = true;
    this.video.playbackRate = rate;
    this.jump(number);
    this.video.play().catch(() => undefined); // it was paused meanwhile, or `onerror` tells
    this.turn = (this.turn ?? 0) + 1;
    this.watch(this.turn);
  }

  jump(number) {
    this.video.currentTime = this.middleOf(number);
  }

  watch(turn) {
    this.video.requestVideoFrameCallback((_now, { mediaTime }) => {
      if (!this.playing || turn !== this.turn) return;
      this.image.hidden = true;
      this.shown = Math.max(0, lastAtMost(this.clock, mediaTime + 5e-4));
      this.onPicture(this.shown);
      this.watch(turn);
    });
  }

  get ended() {
    return this.playing && this.video.ended ? true : this.shown >= this.count - 1;
  }

  // The picture at which it stops is made anew, exactly, by the `show` that follows.
  pause() {
    super.pause();
    this.video.pause();
    this.shown = -1;
  }

  close() {
    super.close();
    this.video.removeAttribute("src");
    this.video.load();
    this.video.hidden = true;
  }
}

// A session without a recording: its rows alone, which play as a recording does.
export class RowsFilm extends PictureFilm {
  constructor(session, stage, onPicture) {
    super(session, { kind: "none" }, stage, onPicture);
    stage.image.hidden = true;
  }

  async bring() {}
}
