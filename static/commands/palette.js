// The command palette: pages, workflows, executions and actions, found by typing (ARIA's combobox with a listbox).

import { closeByBackdrop } from "../dialogs.js";
import { bindKey, capsOf } from "../keys/keys.js";
import { gettext, ngettext } from "../texts.js";
import { localGroups } from "./local.js";

const TYPING_MS = 90;
const TIMEOUT_MS = 10_000;
const MOST_OF_PAGE = 8;

const dialog = document.getElementById("commands");
const input = dialog.querySelector("[role=combobox]");
const list = dialog.querySelector("[role=listbox]");
const status = dialog.querySelector("[role=status]");
const template = dialog.querySelector("template");
const options = () => [...list.querySelectorAll("[role=option]")];
const active = () => list.querySelector("[aria-selected=true]");

let elements = new Map(); // option -> the element of the page that it stands for
let found = []; // the groups that the server found last

function open() {
  input.value = "";
  found = [];
  dialog.showModal();
  search();
}

async function search() {
  const typed = input.value;
  draw();
  await new Promise((resolve) => setTimeout(resolve, typed ? TYPING_MS : 0));
  if (typed !== input.value) return;
  const answer = await ask(typed);
  if (typed !== input.value || !dialog.open) return;
  found = answer ?? [];
  draw();
  status.textContent = answer ? countInWords(options().length) : gettext("The server does not respond.");
}

const countInWords = (number) =>
  number ? ngettext("%(count)s result", "%(count)s results", number) : gettext("No results");

async function ask(typed) {
  const url = `${dialog.dataset.source}?${new URLSearchParams({ q: typed })}`;
  const answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
  if (!answer?.ok) return null;
  return [...new DOMParser().parseFromString(await answer.text(), "text/html").body.children];
}

function draw() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  elements = new Map();
  list.replaceChildren(...localGroups(words).map(drawGroup), ...found);
  for (const [number, option] of options().entries()) option.id = `command-${number}`;
  activate(bestMatch());
}

function drawGroup({ title, commands }) {
  const group = template.content.querySelector("[role=group]").cloneNode(false);
  group.ariaLabel = title;
  const heading = template.content.querySelector("p").cloneNode(false);
  heading.textContent = title;
  group.append(heading, ...commands.slice(0, MOST_OF_PAGE).map(drawOption));
  return group;
}

function drawOption({ element, title, about }) {
  const option = template.content.querySelector("[role=option]").cloneNode(true);
  option.querySelector("strong").textContent = title;
  option.querySelector(".faint").textContent = about;
  const icon = element.querySelector(".icon");
  if (icon) option.querySelector(".icon").replaceWith(icon.cloneNode(true));
  elements.set(option, element);
  return option;
}

// A title that begins with what was typed, else one that has it, else the first.
function bestMatch() {
  const all = options();
  const typed = input.value.trim().toLowerCase();
  const title = (option) => option.querySelector("strong").textContent.toLowerCase();
  return all.find((one) => title(one).startsWith(typed)) ?? all.find((one) => title(one).includes(typed)) ?? all[0];
}

function activate(option) {
  active()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", option?.id ?? "");
}

function move(by) {
  const all = options();
  activate(all.at((all.indexOf(active()) + by) % all.length));
}

function run(option, inNewTab) {
  if (!option) return;
  dialog.close();
  const { href, action } = option.dataset;
  const element = elements.get(option);
  if (element) return runOnPage(element);
  if (action) return post(action);
  if (inNewTab) window.open(href, "_blank", "noopener");
  else location.assign(href);
}

function runOnPage(element) {
  element.focus();
  element.click();
}

function post(action) {
  const form = dialog.querySelector("form");
  form.action = action;
  form.submit();
}

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Home: () => activate(options()[0]),
  End: () => activate(options().at(-1)),
  Enter: (event) => run(active(), event.ctrlKey || event.metaKey),
};

input.addEventListener("keydown", (event) => {
  const isClosing = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
  const act = isClosing ? () => dialog.close() : KEYS[event.key];
  if (!act || event.isComposing) return;
  event.preventDefault();
  act(event);
});
input.addEventListener("input", search);
list.addEventListener("click", (event) => run(event.target.closest("[role=option]"), event.ctrlKey || event.metaKey));
closeByBackdrop(dialog);
dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
for (const button of document.querySelectorAll("[data-open-commands]")) {
  button.querySelector("kbd").textContent = capsOf("Mod+K").join(" ");
  button.addEventListener("click", open);
}
bindKey("Mod+K", { text: gettext("Open the command palette"), act: open, inFields: true });
