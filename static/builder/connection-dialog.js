// Makes a connection in a dialog, beside the field that it is for. What is made is chosen there.

import { openDialog } from "../dialogs.js";
import { gettext } from "../texts.js";
import { refuse } from "./messages.js";
import { onClick, openedStep, panel, root } from "./page.js";
import { request } from "./server.js";

const CHOICE = "[data-field='config/connection'] select";
const REFERRING = ["id", "for", "list", "aria-describedby", "aria-labelledby", "aria-controls"];
const WINDOW = "popup,width=720,height=800";

onClick("[data-new-connection]", async (link) => {
  const content = document.createElement("div");
  content.className = "stack";
  content.addEventListener("click", (event) => follow(event, content));
  content.addEventListener("submit", (event) => submit(event, content));
  openDialog(gettext("New connection"), [content]);
  await load(content, link.href);
});

async function load(content, url, options = {}) {
  const answer = await request(url, { ...options, headers: { "X-Part": "yes" } }).catch(() => null);
  if (!answer) return content.replaceChildren(gettext("The server does not answer."));
  const { body } = answer.page;
  nameApart(body);
  content.replaceChildren(...body.childNodes);
  content.querySelector("[aria-invalid], input:not([type=hidden]), a.primary, button")?.focus();
  const made = content.querySelector("[data-connection]");
  if (made) choose(made.dataset.connection);
}

// The step's form has fields of the same names.
function nameApart(body) {
  for (const name of REFERRING) {
    for (const element of body.querySelectorAll(`[${name}]`)) {
      element.setAttribute(name, `new-${element.getAttribute(name)}`);
    }
  }
}

function follow(event, content) {
  const target = event.target.closest("a, [data-done]");
  if (!target || event.ctrlKey || event.metaKey) return;
  if (target.matches("[data-window]")) signIn(target, content);
  else if (target.target) return;
  else if (target.matches("[data-done], [data-cancel]")) target.closest("dialog").close();
  else load(content, target.href);
  event.preventDefault();
}

function submit(event, content) {
  event.preventDefault();
  const form = event.target;
  const data = new FormData(form, event.submitter);
  if (form.method === "post") return load(content, form.action, { method: "POST", body: data });
  load(content, `${form.action}?${new URLSearchParams(data)}`);
}

// The provider's page stands in a window of its own; whoever comes back sees what came of it.
function signIn(link, content) {
  open(link.href, link.target, WINDOW);
  const look = () => (content.isConnected ? load(content, link.href) : removeEventListener("focus", look));
  addEventListener("focus", look);
}

function choose(name) {
  const select = panel.querySelector(CHOICE);
  if (!select) return refuse(gettext("The step was closed. Choose the connection in it."));
  if (select.value === name) return;
  if (![...select.options].some(({ value }) => value === name)) select.add(new Option(name));
  select.value = name;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}

// Connections that were made elsewhere can be chosen when somebody comes back.
addEventListener("focus", async () => {
  const select = panel.querySelector(CHOICE);
  if (!select) return;
  const url = new URL(root.dataset.page, location.href);
  url.searchParams.set("step", openedStep());
  const answer = await request(url, { headers: { "X-Part": "yes" } }).catch(() => null);
  const again = answer?.page.querySelector(CHOICE);
  if (!again || !select.isConnected || document.activeElement === select) return;
  const { value } = select;
  select.replaceChildren(...again.options);
  select.value = value;
});
