// `?` shows the keys of the page.

import { openDialog } from "../dialogs.js";
import { gettext } from "../texts.js";
import { bindKey, boundKeys, capsOf } from "./keys.js";

export const showKeys = () => openDialog(gettext("Keyboard shortcuts"), [...boundKeys()].map(drawGroup));

function drawGroup([group, keys]) {
  const section = document.createElement("section");
  const heading = document.createElement("h3");
  heading.textContent = group;
  const list = document.createElement("dl");
  list.className = "key-list";
  list.append(...[...Map.groupBy(keys, (one) => one.text)].flatMap(drawKeys));
  section.append(heading, list);
  return section;
}

function drawKeys([text, alternatives]) {
  const term = document.createElement("dt");
  term.textContent = text;
  const caps = document.createElement("dd");
  for (const { keys } of alternatives)
    caps.append(caps.hasChildNodes() ? ` ${gettext("or")} ` : "", ...capsOf(keys).map(drawCap));
  return [term, caps];
}

function drawCap(name) {
  const cap = document.createElement("kbd");
  cap.textContent = name;
  return cap;
}

bindKey("?", { text: gettext("Show keyboard shortcuts"), act: showKeys });
