// The Liquid editor: highlighting, completion and squiggles over plain text fields, which stay what is sent.
// Without this file, or with "plain fields" chosen, the fields themselves are used.
(() => {
const PLAIN = "hl-plain-fields";
const WAIT = 600; // ms after the last key until a text is looked through
const HEIGHTS = { short: [2, 6], long: [10, 30], row: [1, 12] };
const editors = new Map(); // text field -> editor
let offered = null; // names, filters and tags, once they are asked for
let lastUsed = null; // the field that a variable goes into

const dialog = () => document.getElementById("hl-names-dialog");
const isPlain = () => localStorage.getItem(PLAIN) === "1";
const theme = () => (document.documentElement.classList.contains("dark") ? "github_dark" : "github_light_default");



window.hlEditors = { mount, unmount, insert, names, mountAll, isPlain, PLAIN };

async function names(of = "") {
  const answer = await fetch(`${dialog().dataset.namesUrl}?as_id=${encodeURIComponent(of)}`);
  if (answer.redirected) return { inserts: [], standard: [], custom: [], filters: [], tags: [] }; // signed out meanwhile
  offered = await answer.json();
  return offered;
}

// --- one editor

function labelsOf(field) {
  return field.id ? [...document.querySelectorAll(`label[for="${CSS.escape(field.id)}"]`)] : [];
}

function labelOf(field) {
  return field.getAttribute("aria-label") || labelsOf(field)[0]?.textContent.trim() || field.name;
}

function mount(field) {
  if (!window.ace || editors.has(field) || field.name.includes("__prefix__") || isPlain()) return;
  const box = document.createElement("div");
  box.className = "hl-editor";
  field.after(box);
  field.classList.add("hl-under");
  field.tabIndex = -1;
  field.setAttribute("aria-hidden", "true");
  const [minLines, maxLines] = HEIGHTS[field.dataset.liquid];
  const editor = window.ace.edit(box, {
    mode: "ace/mode/liquid",
    theme: `ace/theme/${theme()}`,
    value: field.value,
    useWorker: false,
    showPrintMargin: false,
    showFoldWidgets: false,
    highlightActiveLine: false,
    highlightGutterLine: false,
    showGutter: field.dataset.liquid === "long",
    wrap: true,
    fontSize: 13,
    minLines,
    maxLines,
    readOnly: field.readOnly || field.disabled,
    enableBasicAutocompletion: [completer],
    enableLiveAutocompletion: [completer],
    liveAutocompletionDelay: 80,
    behavioursEnabled: false, // what it would close by itself is not what Liquid needs
    placeholder: field.placeholder || "",
  });
  editor.renderer.setScrollMargin(5, 5);
  editor.renderer.setPadding(8);
  editor.session.setOption("indentedSoftWrap", false);
  editor.commands.bindKey("Tab", null); // the keyboard leaves the field, as everywhere
  editor.commands.bindKey("Shift-Tab", null);
  const input = editor.textInput.getElement();
  input.setAttribute("aria-label", labelOf(field));
  input.setAttribute("role", "textbox");
  input.setAttribute("aria-multiline", "true");
  editors.set(field, editor);
  follow(field, editor);
  findSoon(field);
}

// What is typed in one is in the other at once.
function follow(field, editor) {
  let isOurs = false;
  editor.session.on("change", () => {
    if (isOurs) return;
    isOurs = true;
    field.value = editor.getValue();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    isOurs = false;
    findSoon(field);
  });
  field.addEventListener("input", () => {
    if (isOurs || field.value === editor.getValue()) return;
    isOurs = true;
    editor.setValue(field.value, 1);
    isOurs = false;
    findSoon(field);
  });
  labelsOf(field).forEach((label) => label.addEventListener("click", () => editor.focus()));
  editor.on("focus", () => (lastUsed = field));
  editor.on("blur", () => field.dispatchEvent(new Event("change", { bubbles: true })));
}

function unmount(field) {
  const editor = editors.get(field);
  if (!editor) return;
  editor.destroy();
  editor.container.remove();
  editors.delete(field);
  field.classList.remove("hl-under");
  field.removeAttribute("tabindex");
  field.removeAttribute("aria-hidden");
  field.parentElement.querySelector(":scope > .hl-findings")?.remove();
}

function mountAll(root) {
  root.querySelectorAll("textarea[data-liquid]").forEach(mount);
}

function insert(text) {
  const field = lastUsed && lastUsed.isConnected ? lastUsed : document.querySelector("textarea[data-liquid]");
  const editor = editors.get(field);
  if (editor) {
    editor.insert(text);
    editor.focus();
    return;
  }
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

// --- completion

function wanted(before) {
  if (/\|\s*\w*$/.test(before) && isInside(before)) return { words: offered.filters, meta: "filter" };
  if (/custom_attribute\.\$\{[^}]*$/.test(before)) return { words: offered.custom, meta: "custom attribute" };
  if (/\$\{[^}]*$/.test(before)) return { words: offered.standard, meta: "attribute" };
  if (/\{%-?\s*\w*$/.test(before)) return { words: offered.tags, meta: "tag" };
  return null;
}

function isInside(before) {
  const opened = Math.max(before.lastIndexOf("{{"), before.lastIndexOf("{%"));
  return opened > Math.max(before.lastIndexOf("}}"), before.lastIndexOf("%}"));
}

const completer = {
  triggerCharacters: ["{", "|", "%"],
  identifierRegexps: [/\w/],
  async getCompletions(editor, session, position, prefix, done) {
    if (!offered) offered = await names();
    const before = session.getLine(position.row).slice(0, position.column);
    const found = wanted(before);
    if (found) done(null, found.words.map((word) => ({ caption: word, value: word, meta: found.meta, score: 10, completer })));
    else done(null, /\{\{[\w.]*$/.test(before) ? offered.inserts.map(asInsert) : []);
  },
  insertMatch(editor, match) {
    const { row, column } = editor.getCursorPosition();
    const line = editor.session.getLine(row);
    const [before, after] = [line.slice(0, column), line.slice(column)];
    const begun = before.match(match.insertsWhole ? /\{{0,2}[\w.]*$/ : /\w*$/)[0];
    const start = { row, column: column - begun.length };
    const closed = closing(before, after, match);
    const end = editor.session.replace({ start, end: { row, column } }, match.value + closed);
    editor.moveCursorTo(end.row, end.column - Math.max(0, closed.length - 1)); // where a filter would follow
  },
};

// A name in ${ is closed with it, and so is the output it stands in.
function closing(before, after, match) {
  if (match.insertsWhole || !/\$\{[^}]*$/.test(before) || after.startsWith("}")) return "";
  return /\{\{[^}]*\$\{[^}]*$/.test(before) ? "}}}" : "}";
}

function asInsert(name) {
  const meta = name.sample ? `${name.group}: ${name.sample}` : name.group;
  return { caption: name.label, value: name.insert, meta, score: 5, insertsWhole: true, completer };
}

// --- squiggles

const due = new Set();
let timer = null;

function findSoon(field) {
  due.add(field);
  clearTimeout(timer);
  timer = setTimeout(find, WAIT);
}

async function find() {
  const fields = [...due].filter((field) => editors.has(field));
  due.clear();
  const sent = fields.map((field) => field.value);
  if (!sent.length || !dialog()) return;
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const answer = await fetch(dialog().dataset.findingsUrl, {
    method: "POST",
    headers: { "X-CSRFToken": token, "Content-Type": "application/json" },
    body: JSON.stringify(sent),
  });
  if (!answer.ok || answer.redirected) return; // signed out meanwhile
  const { findings } = await answer.json();
  fields.forEach((field, number) => {
    if (field.value === sent[number] && editors.has(field)) mark(field, findings[number] || []);
  });
}

function mark(field, findings) {
  const editor = editors.get(field);
  const { Range } = window.ace.require("ace/range");
  (editor.hlMarks || []).forEach((id) => editor.session.removeMarker(id));
  editor.hlMarks = findings.map(({ line, column, length, level }) => {
    const end = Math.max(column - 1 + length, column);
    const range = new Range(line - 1, column - 1, line - 1, end);
    return editor.session.addMarker(range, `hl-squiggle hl-squiggle-${level}`, "text");
  });
  const rows = findings.map(({ line, column, text, level: type }) => ({ row: line - 1, column: column - 1, text, type }));
  editor.session.setAnnotations(rows);
  say(field, findings);
}

// The same in words below the field, for who does not see the squiggle.
function say(field, findings) {
  const old = field.parentElement.querySelector(":scope > .hl-findings");
  if (old) old.remove();
  if (!findings.length) return;
  const list = document.createElement("ul");
  list.className = "hl-findings";
  list.setAttribute("role", "status");
  findings.forEach(({ where, text, level }) => {
    const item = document.createElement("li");
    item.className = `hl-finding-${level}`;
    item.textContent = `${where}: ${text}`;
    list.append(item);
  });
  editors.get(field).container.after(list);
}

// --- the page

document.addEventListener("focusin", (event) => {
  if (event.target.matches?.("textarea[data-liquid]")) lastUsed = event.target;
});
document.addEventListener("DOMContentLoaded", () => {
  if (!dialog()) return;
  mountAll(document);
  new MutationObserver(() => editors.forEach((editor) => editor.setTheme(`ace/theme/${theme()}`))).observe(
    document.documentElement,
    { attributes: true, attributeFilter: ["class"] },
  );
});
document.addEventListener("formset:added", (event) => mountAll(event.target));
document.addEventListener("hl:added", (event) => mountAll(event.target));
})();
