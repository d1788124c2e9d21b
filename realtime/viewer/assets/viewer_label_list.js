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
    $("exclude").setAttribute("aria-pressed", String(labels.open?.kind === "exclude"));
    $("undo").disabled = !labels.undone.length || labels.trouble !== "";
    $("again").hidden = labels.trouble === "";
    const all = labels.all();
    $("no-spans").hidden = all.length > 0;
    const typing = document.activeElement?.tagName === "INPUT" && $("spans").contains(document.activeElement);
    if (!typing) $("spans").replaceChildren(...all.map((one) => this.row(labels, one)));
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
    for (const content of [from, one.end === null ? "" : clock(one.end / 1000), one.words, comment, remove]) {
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
