// Lengths in millimetres, the patient's left and right, and what they are of the healthy side where one is affected.
const $ = (id) => document.getElementById(id);
const UNITS = { mm: "mm", mm2: "mm²", degrees: "°" };
const STATES = { provisional: "provisional: from few frames yet", measured: "", held: "held from earlier frames" };

function cell(row, tag, words = "") {
  const made = document.createElement(tag);
  made.textContent = words;
  row.append(made);
  return made;
}

export class Lengths {
  constructor(sides) {
    this.rows = new Map();
    this.sides = sides;
    $("lengths").hidden = false;
    const head = $("lengths-head");
    head.replaceChildren();
    cell(head, "th", "length");
    for (const side of sides) cell(head, "th", side).className = `${side}-name`;
    this.share = cell(head, "th");
    $("lengths-rows").replaceChildren();
  }

  row(value) {
    const row = document.createElement("tr");
    $("lengths-rows").append(row);
    const label = cell(row, "th", value.words);
    label.scope = "row";
    const cells = {};
    if ("value" in value) {
      cells.value = cell(row, "td");
      cells.value.colSpan = 2;
    } else for (const side of this.sides) cells[side] = cell(row, "td");
    cells.share = cell(row, "td");
    return cells;
  }

  // found: what the program tells; null: nothing is measured, or it is too old.
  show(found) {
    const affected = document.querySelector(".affected:not([hidden])")?.dataset.side ?? null;
    const healthy = affected === "left" ? "right" : affected === "right" ? "left" : null;
    this.share.textContent = affected ? `${affected} of ${healthy}` : "";
    $("lengths-withheld").hidden = !found?.withheld;
    $("lengths-withheld").textContent = found?.withheld ? `Not measured: ${found.withheld}.` : "";
    const words = found ? [`scale from the ${found.source}`, STATES[found.state]].filter(Boolean) : [];
    $("lengths-scale").textContent = words.join(", ");
    for (const value of found?.values ?? []) if (!this.rows.has(value.name)) this.rows.set(value.name, this.row(value));
    const values = new Map((found?.values ?? []).map((value) => [value.name, value]));
    for (const [name, cells] of this.rows) {
      const value = values.get(name);
      const written = (number) => (number === null || number === undefined ? "–" : `${number.toFixed(1)} ${UNITS[value.unit]}`);
      for (const part of ["left", "right", "value"]) if (cells[part]) cells[part].textContent = written(value?.[part]);
      const [a, h] = [value?.[affected] ?? null, value?.[healthy] ?? null];
      // A share of a place, an angle or a gap that is nearly shut says nothing.
      const told = affected && a !== null && h !== null && value.share && Math.abs(h) >= 0.5;
      cells.share.textContent = told ? `${Math.round((100 * a) / h)} %` : "";
    }
  }
}
