// What expressions can name: the data that the panel lists under Data, and the filters and tests of the language.

import { panel, root } from "./page.js";

const MOST = 60;
const LAST_PART = /^(.*?)(\.\w+|\[\d+\]|\["(?:[^"\\]|\\.)*"\])$/su;

let language = null;
let members = null; // by path: what is inside
let source = null; // the first of the values that they were read from
let count = 0; // how many these were

export function optionsAt({ kind, word, of }) {
  if (kind === "filter") return matching(words().filters, word);
  if (kind === "test") return matching(words().tests, word);
  return matching(kind === "root" ? membersOf("") : membersOf(of), word);
}

function words() {
  language ??= readLanguage(JSON.parse(root.dataset.language));
  return language;
}

function readLanguage({ filters, tests }) {
  return {
    filters: filters.map(([label, usage, help]) => ({
      label,
      detail: usage.slice(label.length),
      help,
      hasArguments: usage !== label,
    })),
    tests: tests.map((label) => ({ label })),
  };
}

// What begins with the word comes first. Nothing is offered to whoever has written it out.
function matching(options, word) {
  const wanted = word.toLowerCase();
  const starts = options.filter(({ label }) => label.toLowerCase().startsWith(wanted));
  const others = options.filter((each) => !starts.includes(each) && each.label.toLowerCase().includes(wanted));
  const found = [...starts, ...others].slice(0, MOST);
  return found.length === 1 && found[0].label === word ? [] : found;
}

// The members of one entry of a list stand for those of the others.
function membersOf(path) {
  const values = panel.querySelectorAll("#step-data [data-pick]");
  if (source !== values[0] || count !== values.length) {
    members = readTree(values);
    source = values[0];
    count = values.length;
  }
  return members.get(path) ?? members.get(path.replaceAll(/\[\d+\]/gu, "[0]")) ?? [];
}

function readTree(values) {
  const found = new Map();
  for (const button of values) add(found, button.dataset.pick, detailOf(button));
  return found;
}

function add(found, path, detail) {
  const [, parent = "", part = path] = LAST_PART.exec(path) ?? [];
  if (parent && !found.has(parent)) addHolder(found, parent);
  const siblings = found.get(parent) ?? [];
  if (siblings.some((each) => each.part === part)) return;
  siblings.push({ label: labelOf(part), part, detail });
  found.set(parent, siblings);
}

function addHolder(found, path) {
  add(found, path, "");
  if (!found.has(path)) found.set(path, []);
}

const labelOf = (part) => (part.startsWith("[") ? String(JSON.parse(part)[0]) : part.replace(/^\./u, ""));

const detailOf = (button) => button.closest("li").querySelector(".value")?.textContent ?? "";
