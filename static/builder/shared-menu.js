// A menu that many buttons share: it opens beside the one that asks, and the arrow keys go through it.

const KEYS = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  Home: () => 0,
  End: () => -1,
};

// `choose` is told what was chosen, and the button that asked. Returns what opens the menu for a button; `offered` says of
// entries whether they are.
export function sharedMenu(menu, choose) {
  let asked = null;
  menu.addEventListener("toggle", (event) => asked.setAttribute("aria-expanded", event.newState === "open"));
  menu.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-op]");
    if (!chosen) return;
    menu.hidePopover();
    choose(chosen.dataset.op, asked);
  });
  menu.addEventListener("keydown", (event) => move(menu, event));
  return (button, offered) => {
    asked = button;
    offer(menu, offered);
    menu.showPopover();
    standBeside(menu, button.getBoundingClientRect());
    itemsOf(menu)[0].focus();
  };
}

const itemsOf = (menu) => [...menu.querySelectorAll("button:not([hidden])")];

function offer(menu, offered) {
  for (const [op, isOffered] of Object.entries(offered)) menu.querySelector(`[data-op="${op}"]`).hidden = !isOffered;
}

function standBeside(menu, button) {
  const { width, height } = menu.getBoundingClientRect();
  const below = button.bottom + height <= innerHeight;
  menu.style.left = `${Math.max(0, Math.min(button.right, innerWidth) - width)}px`;
  menu.style.top = `${below ? button.bottom : Math.max(0, button.top - height)}px`;
}

function move(menu, event) {
  if (event.key === "Tab") menu.hidePopover();
  if (!(event.key in KEYS)) return;
  const all = itemsOf(menu);
  all.at(KEYS[event.key](all.indexOf(document.activeElement)) % all.length).focus();
  event.preventDefault();
}
