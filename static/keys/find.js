// `/` goes to the field by which the page is searched.

import { gettext } from "../texts.js";
import { bindKey } from "./keys.js";

const findField = () =>
  [...document.querySelectorAll("main [data-find], main input[type=search]")].find((field) => field.checkVisibility());

function focusFind() {
  const field = findField();
  field.focus();
  field.select();
}

bindKey("/", { text: gettext("Find on this page"), act: focusFind, when: findField });
