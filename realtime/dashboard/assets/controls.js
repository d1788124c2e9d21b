// Buttons and choices. What cannot be done is disabled and says why.

const $ = (id) => document.getElementById(id);
const CHOICES = ["view", "side", "camera", "model"];

export class Controls {
  // moment(): { capture_time, sequence } of the frame on the screen, or {}.
  constructor(moment) {
    this.known = {};
    this.moment = moment;
    $("calibrate").onclick = () => this.order("calibrate", {}, "Calibrating: please keep the face at rest.");
    $("record").onclick = () => this.order("record", { value: !this.known.record?.active });
    $("marker-form").onsubmit = (event) => {
      event.preventDefault();
      this.marker();
    };
    for (const name of CHOICES) $(name).onchange = () => this.order(name, { value: $(name).value });
    document.addEventListener("keydown", (event) => this.key(event));
  }

  async marker() {
    const text = $("marker-text").value;
    if (await this.order("marker", { text, ...this.moment() }, `Marker set${text ? `: ${text}` : ""}.`)) {
      $("marker-text").value = "";
      $("marker-text").blur();
    }
  }

  async order(name, words, done = "") {
    let answer, said;
    try {
      answer = await fetch(`/api/${name}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(words),
      });
      said = await answer.json();
    } catch {
      this.say("The program does not answer.", true);
      return false;
    }
    this.say(answer.ok ? done : said.error, !answer.ok);
    this.show(answer.ok ? { ...this.known, [name]: said } : this.known);
    return answer.ok;
  }

  say(sentence, wrong = false) {
    $("said").textContent = sentence;
    $("said").classList.toggle("wrong", wrong);
  }

  show(controls) {
    this.known = controls;
    for (const [name, state] of Object.entries(controls)) {
      const group = document.querySelector(`[data-command=${name}]`);
      if (group === null) continue;
      for (const field of group.querySelectorAll("button, input, select")) field.disabled = state.reason !== null;
      group.querySelector(".why").textContent = state.reason ?? this.note(name, state);
      if (CHOICES.includes(name)) this.fill($(name), state);
    }
    const recording = controls.record?.active === true;
    $("record").setAttribute("aria-pressed", String(recording));
    for (const tag of document.querySelectorAll(".affected")) tag.hidden = controls.side?.value !== tag.dataset.side;
  }

  note(name, state) {
    if (name === "calibrate" && state.phase !== "idle")
      return state.phase === "running" ? `${Math.round(state.share * 100)} % – ${state.sentence}` : state.sentence;
    return name === "record" && state.active ? "recording" : "";
  }

  fill(select, state) {
    const options = state.options ?? [];
    if ([...select.options].map((o) => o.value).join("\n") !== options.join("\n"))
      select.replaceChildren(...options.map((value) => new Option(value, value)));
    if (document.activeElement !== select || select.value === "") select.value = state.value ?? "";
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") document.activeElement.blur();
    if (["INPUT", "SELECT"].includes(event.target.tagName)) return;
    const act = {
      c: () => $("calibrate").click(),
      r: () => $("record").click(),
      m: () => $("marker-text").focus(),
      v: () => this.next("view"),
      s: () => this.next("side"),
    }[event.key.toLowerCase()];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  next(name) {
    const state = this.known[name];
    if (!state || state.reason !== null) return;
    this.order(name, { value: state.options[(state.options.indexOf(state.value) + 1) % state.options.length] });
  }
}
