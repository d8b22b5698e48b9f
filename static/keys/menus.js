// Escape closes the menu that is open.

import { gettext } from "../texts.js";
import { bindKey } from "./keys.js";

const openMenu = () => [...document.querySelectorAll("details:is(.menu, .more)[open]")].at(-1);

function closeMenu() {
  const menu = openMenu();
  menu.open = false;
  menu.querySelector("summary").focus();
}

bindKey("Escape", { text: gettext("Close the menu"), when: openMenu, act: closeMenu, inFields: true });
