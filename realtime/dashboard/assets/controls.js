// Buttons, and a list for every choice that the program offers. What cannot be done is disabled and says why.

const $ = (id) => document.getElementById(id);

export class Controls {
  // moment(): { capture_time, sequence } of the frame on the screen, or {}.
  constructor(moment) {
    this.known = {};
    this.moment = moment;
    $("calibrate").onclick = () => this.send("calibrate", {}, "Calibrating: please keep the face at rest.");
    $("record").onclick = () => this.send("record", { value: !this.known.record?.active });
    $("marker-form").onsubmit = (event) => {
      event.preventDefault();
      this.marker();
    };
    document.addEventListener("keydown", (event) => this.key(event));
  }

  async marker() {
    const text = $("marker-text").value;
    if (await this.send("marker", { text, ...this.moment() }, `Marker set${text ? `: ${text}` : ""}.`)) {
      $("marker-text").value = "";
      $("marker-text").blur();
    }
  }

  async send(name, payload, done = "") {
    let answer, state;
    try {
      answer = await fetch(`/api/${name}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(payload),
      });
      state = await answer.json();
    } catch {
      this.say("The program does not answer.", true);
      return false;
    }
    this.say(answer.ok ? done : state.error, !answer.ok);
    this.show(answer.ok ? { ...this.known, [name]: state } : this.known);
    return answer.ok;
  }

  say(sentence, wrong = false) {
    $("said").textContent = sentence;
    $("said").classList.toggle("wrong", wrong);
  }

  show(controls) {
    this.known = controls;
    for (const [name, state] of Object.entries(controls)) {
      const group = document.querySelector(`[data-command=${name}]`) ?? this.add(name, state);
      if (group === null) continue;
      for (const field of group.querySelectorAll("button, input, select")) field.disabled = state.reason !== null;
      group.querySelector(".why").textContent = state.reason ?? this.note(name, state);
      if (state.label) this.fill($(name), state);
    }
    const several = controls.patient?.reason === null;
    $("picture")?.classList.toggle("clickable", several);
    if ($("picture")) $("picture").title = several ? controls.patient.hint : "";
    const recording = controls.record?.active === true;
    $("record").setAttribute("aria-pressed", String(recording));
    for (const tag of document.querySelectorAll(".affected")) tag.hidden = controls.side?.value !== tag.dataset.side;
  }

  note(name, state) {
    if (name === "calibrate" && state.phase !== "idle")
      return state.phase === "running" ? `${Math.round(state.share * 100)} % – ${state.sentence}` : state.sentence;
    return state.note ?? (name === "record" && state.active ? "recording" : "");
  }

  add(name, state) {
    return state.label ? this.addChoice(name, state) : state.button ? this.addButton(name, state) : null;
  }

  addButton(name, state) {
    const group = document.createElement("div");
    group.dataset.command = name;
    const button = document.createElement("button");
    button.id = name;
    button.textContent = state.button;
    button.onclick = () => this.send(name, {});
    const why = document.createElement("small");
    why.className = "why";
    group.append(button, why);
    $("warnings").before(group);
    return group;
  }

  addChoice(name, state) {
    const group = document.createElement("div");
    group.dataset.command = name;
    const label = document.createElement("label");
    label.htmlFor = name;
    label.append(state.label);
    const select = document.createElement("select");
    select.id = name;
    select.onchange = () => this.send(name, { value: select.value });
    const why = document.createElement("small");
    why.className = "why";
    if (state.key) {
      const key = document.createElement("kbd");
      key.textContent = state.key.toUpperCase();
      label.append(" ", key);
    }
    group.append(label, select, why);
    $("warnings").before(group);
    return group;
  }

  // What fails now, such as a recording; no sentences: all is well.
  warn(sentences) {
    $("warnings").textContent = sentences.join("\n");
    $("warnings").hidden = sentences.length === 0;
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
    const pressed = event.key.toLowerCase();
    const choice = Object.entries(this.known).find(([, state]) => state.key === pressed)?.[0];
    const act = {
      c: () => $("calibrate").click(),
      r: () => $("record").click(),
      m: () => $("marker-text").focus(),
    }[pressed] ?? (choice === undefined ? undefined : () => this.next(choice));
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  next(name) {
    const state = this.known[name];
    if (!state || state.reason !== null) return;
    this.send(name, { value: state.options[(state.options.indexOf(state.value) + 1) % state.options.length] });
  }
}
