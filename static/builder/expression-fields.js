// Writing expressions: `{{` closes itself, and what can be named is offered while it is typed.

import { optionsAt } from "./expression-data.js";
import { placeOnScreen } from "./expression-marks.js";
import { expressionsIn, placeAt } from "./expression-syntax.js";
import { panel } from "./page.js";
import { chooseSuggestion, hideSuggestions, isSuggesting, moveSuggestion, suggest } from "./suggestions.js";

const EXPRESSIONS = "[data-preview] [data-expression]";
const FIELDS = `${EXPRESSIONS}, [data-path]`;
const isBare = (field) => field.matches("[data-path]");

const KEYS = {
  ArrowDown: () => moveSuggestion(1),
  ArrowUp: () => moveSuggestion(-1),
  Enter: () => chooseSuggestion(),
  Escape: hideSuggestions,
};

panel.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!field.matches(FIELDS)) return;
  const act = isSuggesting(field) && !event.isComposing ? KEYS[event.key] : null;
  if (act ?? isAsking(event)) {
    event.preventDefault();
    event.stopPropagation();
    (act ?? (() => offer(field)))();
  }
});

const isAsking = (event) => event.key === " " && event.ctrlKey;

panel.addEventListener("beforeinput", (event) => {
  const { target, data, inputType } = event;
  const isPlain = inputType === "insertText" && target.selectionEnd === target.selectionStart;
  if (!isPlain || !target.matches(EXPRESSIONS)) return;
  const typed = data === "{" ? closing(target) : data === "}" ? typedOver(target) : null;
  if (!typed) return;
  event.preventDefault();
  replace(target, ...typed);
});

// The second brace brings those that close the expression.
function closing({ value, selectionStart: caret }) {
  const opened = expressionsIn(`${value.slice(0, caret)}{${value.slice(caret)}`);
  const isOpen = opened.some(({ from, isClosed }) => from === caret - 1 && !isClosed);
  return isOpen ? [caret, caret, "{ }}", 1] : null;
}

// Braces that are typed take the place of those that are there.
function typedOver({ value, selectionStart: caret }) {
  const end = caret + /^\s*/u.exec(value.slice(caret))[0].length;
  const isEnd = ({ from, to, isClosed }) => isClosed && from < caret && (end === to - 2 || caret === to - 1);
  return expressionsIn(value).some(isEnd) ? [caret, end + 1, "}", 1] : null;
}

// Replaces characters so that the browser can undo it; puts the caret `offset` characters behind their start.
function replace(field, from, to, text, offset) {
  field.setSelectionRange(from, to);
  document.execCommand("insertText", false, text);
  field.setSelectionRange(from + offset, from + offset);
  offer(field);
}

panel.addEventListener("input", (event) => {
  if (event.isTrusted && event.target.matches(FIELDS)) offer(event.target);
});
panel.addEventListener("focusout", hideSuggestions);
panel.addEventListener("click", hideSuggestions);
panel.addEventListener("scroll", hideSuggestions, { capture: true });

function offer(field) {
  const place = placeAt(field.value, field.selectionStart, isBare(field));
  if (!place) return hideSuggestions();
  suggest(field, optionsAt(place), placeOnScreen(field, place.from), (option) => write(field, place, option));
}

function write(field, { kind, from }, { label, part, hasArguments }) {
  const name = kind === "member" ? part : label;
  const text = (field.value.slice(0, from).endsWith("{{") ? " " : "") + name + (hasArguments ? "()" : "");
  replace(field, from, field.selectionStart, text, text.length - (hasArguments ? 1 : 0));
}
