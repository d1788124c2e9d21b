// The codes, and a row for every annotation, of the session that is being labelled.
import { clock } from "./viewer_curves.js";

const $ = (id) => document.getElementById(id);

export class LabelList {
  // onSelect(one): a row was chosen.
  constructor(onSelect) {
    this.onSelect = onSelect;
  }

  show(pane) {
    const { labels } = pane;
    $("codes").replaceChildren(...labels.content.codes.map((code, number) => codeItem(pane, code, number)));
    this.showFaces(labels);
    $("exclude").setAttribute("aria-pressed", String(labels.open?.kind === "exclude"));
    $("undo").disabled = !labels.undone.length || labels.trouble !== "";
    $("again").hidden = labels.trouble === "";
    const all = labels.all();
    $("no-spans").hidden = all.length > 0;
    const typing = document.activeElement?.tagName === "INPUT" && $("spans").contains(document.activeElement);
    if (!typing) $("spans").replaceChildren(...all.map((one) => this.row(labels, one)));
  }

  // Whom new labels are about; only where there are several people.
  showFaces(labels) {
    $("about-part").hidden = !labels.faces.length;
    const offered = labels.faces.includes(labels.face) ? labels.faces : [...labels.faces, labels.face].filter((face) => face);
    $("about").replaceChildren(...faceOptions(offered, labels.face));
    $("about").onchange = () => (labels.face = Number($("about").value));
  }

  row(labels, one) {
    const row = document.createElement("tr");
    row.setAttribute("aria-selected", String(labels.selected === one.entry));
    const from = document.createElement("button");
    from.textContent = clock(one.start / 1000);
    from.onclick = () => this.onSelect(one);
    const comment = document.createElement("input");
    comment.value = one.comment;
    comment.maxLength = 500;
    comment.setAttribute("aria-label", `Comment on ${one.words} at ${clock(one.start / 1000)}`);
    comment.onchange = () => labels.comment(one, comment.value);
    const remove = document.createElement("button");
    remove.textContent = "×";
    remove.className = "remove";
    remove.setAttribute("aria-label", `Delete ${one.words} at ${clock(one.start / 1000)}`);
    remove.onclick = () => labels.remove(one.entry);
    const what = document.createElement("span");
    what.textContent = one.words;
    if (one.kind === "label" && labels.faces.length) {
      what.textContent = `${one.entry.code} `;
      const about = document.createElement("select");
      about.replaceChildren(...faceOptions(labels.faces, one.entry.face ?? 0));
      about.setAttribute("aria-label", `Whom ${one.entry.code} at ${clock(one.start / 1000)} is about`);
      about.onchange = () => labels.about(one, Number(about.value));
      what.append(about);
    }
    for (const content of [from, one.end === null ? "" : clock(one.end / 1000), what, comment, remove]) {
      const cell = document.createElement("td");
      cell.append(content);
      row.append(cell);
    }
    return row;
  }
}

function codeItem(pane, code, number) {
  const { labels } = pane;
  const item = document.createElement("li");
  const button = document.createElement("button");
  const key = document.createElement("kbd");
  key.textContent = number < 9 ? String(number + 1) : "";
  button.append(key, " ", code.name);
  button.title = code.meaning;
  button.setAttribute("aria-pressed", String(labels.open?.kind === "label" && labels.open.code === code.name));
  button.onclick = () => labels.toggle("label", code.name, pane.frame);
  const remove = document.createElement("button");
  remove.textContent = "×";
  remove.className = "remove";
  remove.setAttribute("aria-label", `Remove the code ${code.name}`);
  remove.onclick = () => labels.removeCode(code.name);
  item.append(button, remove);
  return item;
}

function faceOptions(faces, chosen) {
  return [0, ...faces].map((face) => new Option(face ? `face ${face}` : "anybody", face, face === chosen, face === chosen));
}
