// An editor of code, made of CodeMirror. It stands in a shadow tree: there its styles need no inline style element, which
// the Content-Security-Policy forbids.

import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "../vendor/codemirror/autocomplete.js";
import { defaultKeymap, history, historyKeymap } from "../vendor/codemirror/commands.js";
import { javascript } from "../vendor/codemirror/lang-javascript.js";
import { python } from "../vendor/codemirror/lang-python.js";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "../vendor/codemirror/language.js";
import { tags } from "../vendor/codemirror/lezer-highlight.js";
import { lintGutter, lintKeymap, setDiagnostics } from "../vendor/codemirror/lint.js";
import { Compartment, EditorState } from "../vendor/codemirror/state.js";
import { drawSelection, EditorView, keymap, lineNumbers } from "../vendor/codemirror/view.js";

const LANGUAGES = { javascript, python };
const NAME = /^[A-Za-z_$][\w$]*$/;

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--accent)" },
  { tag: [tags.string, tags.regexp, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--busy)" },
  { tag: tags.comment, color: "var(--faint)", fontStyle: "italic" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

const THEME = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--card)", fontSize: "var(--small)" },
  "&.cm-focused": { outline: "2.5px solid var(--accent)" },
  ".cm-scroller": { fontFamily: "var(--mono)", minHeight: "10rem", maxHeight: "60vh", overflow: "auto" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { color: "var(--faint)", backgroundColor: "var(--sunk)", border: "none" },
  ".cm-tooltip": { color: "var(--text)", backgroundColor: "var(--card)", border: "1px solid var(--line)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--accent-ground)",
  },
});

export function openEditor(place, { text, label, language, names, onChange }) {
  const root = place.attachShadow({ mode: "open" });
  const languages = new Compartment();
  let current = language;
  const data = [{ autocomplete: (context) => completeMember(context, names(), current) }];
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion(),
        syntaxHighlighting(COLOURS),
        THEME,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label }),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
        languages.of(LANGUAGES[language]()),
        EditorState.languageData.of(() => data),
        EditorView.updateListener.of((update) => update.docChanged && onChange(update.state.doc.toString())),
      ],
    }),
  });
  return {
    focus: () => view.focus(),
    setLanguage: (chosen) => {
      if (chosen === current || !LANGUAGES[chosen]) return;
      current = chosen;
      view.dispatch({ effects: languages.reconfigure(LANGUAGES[chosen]()) });
    },
    showProblem: (problem) => view.dispatch(setDiagnostics(view.state, diagnosticsOf(view.state.doc, problem))),
  };
}

// Offers the names of the data behind `input`, and of the functions behind `filters`.
function completeMember(context, names, language) {
  const found = context.matchBefore(/\b(input|filters)[.[][\w$"']*/);
  if (!found) return null;
  const root = /^\w+/.exec(found.text)[0];
  const options = names[root].map((name) => ({ label: root + member(root, name, language), type: "variable" }));
  return { from: found.from, options };
}

function member(root, name, language) {
  const isAttribute = NAME.test(name) && (root === "filters" || language === "javascript");
  return isAttribute ? `.${name}` : `["${name}"]`;
}

function diagnosticsOf(doc, problem) {
  const number = /\bline (\d+): /.exec(problem)?.[1];
  if (!number || number > doc.lines) return [];
  const { from, to } = doc.line(Number(number));
  return [{ from, to, severity: "error", message: problem }];
}
