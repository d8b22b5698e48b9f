// The browser's time zone: first in the lists to choose from, and the one of times that get none otherwise.

import { panel } from "./page.js";

const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

// Sent along with every edit of a form.
panel.addEventListener("formdata", (event) => {
  if (own && !event.formData.has("zone")) event.formData.set("zone", own);
});

export function offerOwnZone() {
  for (const list of panel.querySelectorAll("[data-zone]")) {
    const option = [...list.options].find((one) => one.value === own);
    if (option) list.prepend(option);
  }
}

offerOwnZone();
