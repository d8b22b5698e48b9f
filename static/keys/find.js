// `/` goes to the field by which the page is searched.

import { gettext } from "../texts.js";
import { bindKey } from "./keys.js";

// One that is marked as `data-find` appears when it is wanted.
const findField = () =>
  document.querySelector("main [data-find]") ??
  [...document.querySelectorAll("main input[type=search]")].find((field) => field.checkVisibility());

function focusFind() {
  const field = findField();
  field.closest("[hidden]")?.removeAttribute("hidden");
  field.focus();
  field.select();
}

bindKey("/", { text: gettext("Find on this page"), act: focusFind, when: findField });
