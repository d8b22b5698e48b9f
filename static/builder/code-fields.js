// Makes text areas of code into editors, which are loaded when the first one is shown. What is typed goes into the text
// area, which the form sends.

import { panel } from "./page.js";

export async function offerEditors() {
  const areas = panel.querySelectorAll("textarea[data-code]:not([hidden])");
  if (!areas.length) return;
  const { openEditor } = await import("./code-editor.js");
  for (const area of areas) {
    if (area.isConnected && !area.hidden) replace(area, openEditor);
  }
}

function replace(area, openEditor) {
  const place = document.createElement("div");
  place.className = "code-editor";
  area.after(place);
  const editor = openEditor(place, {
    text: area.value,
    label: area.labels[0]?.textContent.trim() ?? "",
    language: languageOf(area),
    names: () => ({ input: inputsOf(area), filters: area.dataset.filters.split(" ") }),
    onChange: (text) => type(area, text),
  });
  area.hidden = true;
  area.labels[0]?.addEventListener("click", () => editor.focus());
  area.form.addEventListener("change", () => editor.setLanguage(languageOf(area)));
  watchProblem(area, editor);
}

function type(area, text) {
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

const fieldBeside = (area, name) => {
  const path = area.closest("[data-field]").dataset.field.replace(/[^/]*$/, name);
  return area.form.querySelector(`[data-field="${CSS.escape(path)}"]`);
};

const languageOf = (area) => fieldBeside(area, area.dataset.code)?.querySelector("select")?.value || "javascript";

// The names under which the code finds data.
function inputsOf(area) {
  const pairs = fieldBeside(area, "input")?.querySelectorAll(".pair") ?? [];
  return [...pairs].map((pair) => pair.querySelector("input").value).filter(Boolean);
}

// The text beside a field says in which line its problem is.
function watchProblem(area, editor) {
  const note = document.getElementById(area.getAttribute("aria-describedby"));
  const show = () => editor.showProblem(note.textContent.trim());
  new MutationObserver(show).observe(note, { childList: true, characterData: true, subtree: true });
  show();
}

offerEditors();
