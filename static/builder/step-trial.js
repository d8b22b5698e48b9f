// Runs the opened step alone and shows what it gave.

import { gettext } from "../texts.js";
import { showLastView } from "../value.js";
import { saveNow } from "./autosave.js";
import { panel } from "./page.js";
import { requestFragment } from "./server.js";
import { showTab } from "./tabs.js";

export async function tryStep(form, submitter) {
  const shown = panel.querySelector("#tried");
  const data = new FormData(form, submitter);
  showTab("output");
  shown.textContent = gettext("Testing …");
  await saveNow();
  const nodes = await requestFragment(form.action, data);
  if (!shown.isConnected) return;
  shown.replaceChildren(...(nodes ?? [gettext("The server does not answer.")]));
  showLastView(shown);
  shown.scrollIntoView({ block: "nearest" });
}
