// The branches of a block, at their titles: renamed in place, moved, added and deleted.

import { bindKey } from "../keys/keys.js";
import { gettext } from "../texts.js";
import { sendOperation } from "./edits.js";
import { flow } from "./page.js";
import { sharedMenu } from "./shared-menu.js";

const LONGEST_NAME = 255;
const openMenu = sharedMenu(document.getElementById("branch-menu"), (op, button) => act(op, headOf(button)));

const headOf = (element) => element.closest?.("#flow [data-branch]") ?? null;
const lanesOf = (head) => head.closest(".flow-lanes");
const headsIn = (lanes) => [...lanes.querySelectorAll(":scope > .flow-lane > [data-branch]")];
const numberOf = (head) => Number(head.dataset.branch);

flow.addEventListener("click", (event) => {
  const button = event.target.closest("[data-branch-menu]");
  if (button) openMenu(button, offeredFor(headOf(button)));
});

function offeredFor(head) {
  const { length } = headsIn(lanesOf(head));
  const number = numberOf(head);
  return { "branch-up": number > 0, "branch-down": number < length - 1, "remove-branch": length > 1 };
}

// Where the branch with the focus is afterwards, from the number that it had and how many there were.
const MOVED_TO = {
  "branch-up": (number) => number - 1,
  "branch-down": (number) => number + 1,
  "add-branch": (_, count) => count,
  "remove-branch": (number, count) => Math.min(number, count - 2),
};

async function act(op, head) {
  if (op === "rename") return rename(head);
  const lanes = lanesOf(head);
  const next = MOVED_TO[op](numberOf(head), headsIn(lanes).length);
  await send(op, head);
  focusBranch(lanes, next);
}

const send = (op, head, more) => sendOperation(`${op}:${head.dataset.branch}`, head.closest(".node").dataset.at, more);

function focusBranch(lanes, number) {
  headsIn(lanes)[number]?.querySelector("[data-branch-menu]").focus();
}

// Enter saves the name, and so does leaving the field; Escape keeps the one that was.
function rename(head) {
  const title = head.querySelector(".lane-title");
  const field = drawField(head.dataset.name);
  const lanes = lanesOf(head);
  let isOpen = true;
  const close = async (name) => {
    if (!isOpen) return;
    isOpen = false;
    field.replaceWith(title);
    if (name && name !== head.dataset.name) await send("rename-branch", head, { name });
  };
  field.addEventListener("blur", () => close(field.value.trim()));
  field.addEventListener("keydown", async (event) => {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    await close(event.key === "Enter" ? field.value.trim() : "");
    focusBranch(lanes, numberOf(head));
  });
  title.replaceWith(field);
  field.select();
}

function drawField(name) {
  const field = document.createElement("input");
  field.className = "lane-name";
  return Object.assign(field, {
    value: name,
    maxLength: LONGEST_NAME,
    ariaLabel: gettext("Name of the branch"),
    dir: "auto",
  });
}

flow.addEventListener("dblclick", (event) => {
  const head = event.target.closest(".lane-title") && headOf(event.target);
  if (head) rename(head);
});

bindKey("F2", {
  group: gettext("Builder"),
  text: gettext("Rename the branch, on its menu button"),
  when: (event) => headOf(event.target),
  act: (event) => rename(headOf(event.target)),
});
