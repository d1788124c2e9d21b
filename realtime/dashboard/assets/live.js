// The connection to the program: it comes back by itself, and knows how old what it brings is.

const RETRY_MS = 500;
const QUIET_MS = 3000; // a connection that says nothing for this long while it answers no ping is given up

export class Live {
  // handlers: { hello, state, figures, controls, warnings, picture(capture_time, jpeg, shown), link(up, sentence) }
  constructor(handlers, { picture }) {
    this.handlers = handlers;
    this.picture = picture;
    this.offset = null; // program clock minus this page's clock, seconds
    this.bestTrip = Infinity;
    this.failures = 0;
    this.heard = 0;
    this.connect();
    setInterval(() => this.check(), 1000);
    document.addEventListener("visibilitychange", () => this.tellPicture());
  }

  connect() {
    const socket = new WebSocket(`ws://${location.host}/live?picture=${this.wantsPicture() ? 1 : 0}`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.heard = performance.now();
    socket.onopen = () => {
      this.failures = 0;
      this.offset = null;
      this.bestTrip = Infinity;
      this.handlers.link(true, "");
      this.ping();
    };
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = () => this.lost(socket);
  }

  lost(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    this.failures += 1;
    this.handlers.link(false, "The program does not answer; trying again.");
    if (this.failures % 4 === 3) this.explain();
    setTimeout(() => this.connect(), RETRY_MS);
  }

  // A WebSocket does not say why it was refused; an ordinary request does.
  async explain() {
    const answer = await fetch("/assets/palette.css").catch(() => null);
    if (answer !== null && answer.status === 401)
      this.handlers.link(false, "The program was started anew with another link; open the one it printed.");
  }

  check() {
    const socket = this.socket;
    if (socket === null || socket.readyState > 1) return;
    if (performance.now() - this.heard > QUIET_MS) {
      socket.onclose = null;
      socket.close();
      this.lost(socket);
    } else if (socket.readyState === 1) this.ping();
  }

  ping() {
    this.send({ type: "ping", t: performance.now() / 1000 });
  }

  send(message) {
    if (this.socket !== null && this.socket.readyState === 1) this.socket.send(JSON.stringify(message));
  }

  wantsPicture() {
    return this.picture && !document.hidden;
  }

  tellPicture() {
    if (this.picture) this.send({ type: "picture", on: this.wantsPicture() });
  }

  take(data) {
    this.heard = performance.now();
    if (data instanceof ArrayBuffer) {
      const head = new DataView(data);
      const moment = head.getFloat64(0, true);
      this.handlers.picture(moment, new Uint8Array(data, 12), () => this.send({ type: "seen" }));
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "pong") this.synchronise(message);
    else this.handlers[message.type]?.(message);
  }

  // The quickest round trip says most exactly what the program's clock shows (Cristian, 1989).
  synchronise(message) {
    const now = performance.now() / 1000;
    const trip = now - message.t;
    this.bestTrip *= 1.1; // clocks drift, so an old measurement counts less
    if (trip > this.bestTrip) return;
    this.bestTrip = trip;
    this.offset = message.now - (message.t + now) / 2;
  }

  // Seconds since a moment on the program's clock, or null before the clocks were compared.
  ageOf(moment) {
    return this.offset === null ? null : performance.now() / 1000 + this.offset - moment;
  }
}

// The token came with the link; it is a cookie now and need not stay in the address bar or in a screenshot of it.
export function hideToken() {
  const url = new URL(location.href);
  url.searchParams.delete("token");
  history.replaceState(null, "", url);
}
