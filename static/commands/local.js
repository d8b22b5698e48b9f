// Commands of the page that is shown: its controls that are marked as `data-command`, and the cards in what is marked as
// `data-commands`, where the mark is the heading of their group.

import { gettext } from "../texts.js";

const isUsable = (element) => !element.disabled && element.checkVisibility();

export function localGroups(words) {
  const groups = [
    { title: gettext("This page"), commands: actions() },
    ...[...document.querySelectorAll("[data-commands]")].map(cardsOf),
  ];
  return groups
    .map(({ title, commands }) => ({ title, commands: commands.filter((one) => hasAll(one, words)) }))
    .filter(({ commands }) => commands.length);
}

const actions = () =>
  [...document.querySelectorAll("[data-command]")]
    .filter(isUsable)
    .map((element) => ({ element, title: textOf(element), about: "" }));

const cardsOf = (container) => ({
  title: container.dataset.commands,
  commands: [...container.querySelectorAll("a:has(strong)")].map(cardCommand),
});

const cardCommand = (element) => ({
  element,
  title: textOf(element.querySelector("strong")),
  about: textOf(element.querySelector(".summary")),
});

const textOf = (element) => element?.textContent.replace(/\s+/g, " ").trim() ?? "";

function hasAll({ title, about }, words) {
  const text = `${title} ${about}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
