// The panel's width: dragged, or changed by the arrow keys, and remembered by the browser.

import { panel } from "./page.js";

const KEY = "flowforge.panel-width";
const NARROWEST = 320;
const NARROWEST_FLOW = 256;
const STEP = 32;

const handle = document.getElementById("panel-handle");
const columns = handle.parentElement;

const width = () => Math.round(panel.getBoundingClientRect().width);
const widest = () => Math.max(NARROWEST, columns.clientWidth - NARROWEST_FLOW - handle.offsetWidth);

const KEYS = {
  ArrowLeft: () => width() + STEP,
  ArrowRight: () => width() - STEP,
  Home: () => NARROWEST,
  End: widest,
};

function setWidth(wanted) {
  const allowed = Math.min(Math.max(wanted, NARROWEST), widest());
  columns.style.setProperty("--panel-width", `${allowed}px`);
  localStorage.setItem(KEY, allowed);
}

function resetWidth() {
  columns.style.removeProperty("--panel-width");
  localStorage.removeItem(KEY);
}

function announceWidth() {
  handle.ariaValueMin = NARROWEST;
  handle.ariaValueMax = widest();
  handle.ariaValueNow = width();
}

handle.addEventListener("keydown", (event) => {
  const wanted = KEYS[event.key];
  if (!wanted) return;
  event.preventDefault();
  setWidth(wanted());
});

handle.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  handle.focus();
  handle.setPointerCapture(event.pointerId);
  handle.classList.add("dragged");
});

handle.addEventListener("pointermove", (event) => {
  if (!handle.hasPointerCapture(event.pointerId)) return;
  setWidth(columns.getBoundingClientRect().right - event.clientX - handle.offsetWidth / 2);
});

handle.addEventListener("lostpointercapture", () => handle.classList.remove("dragged"));
handle.addEventListener("dblclick", resetWidth);
new ResizeObserver(announceWidth).observe(panel);

const remembered = Number(localStorage.getItem(KEY));
handle.hidden = false;
if (remembered) columns.style.setProperty("--panel-width", `${remembered}px`);
