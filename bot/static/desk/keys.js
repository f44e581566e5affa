/** Everything the desk does from the keyboard. */
import { focusComposer } from "./composer.js";
import { step } from "./list.js";

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  t: () => document.querySelector("[data-key='t']")?.click(),
  r: () => focusComposer(),
  "/": () => document.getElementById("search").focus(),
  "?": () => document.getElementById("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return leave(event);
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

function leave(event) {
  document.getElementById("menu").open = false;
  if (event.target.matches("input, textarea")) event.target.blur();
}

if (/Mac|iPhone|iPad/.test(navigator.platform)) {
  const name = () => document.querySelectorAll("kbd.mod").forEach((one) => (one.textContent = "⌘"));
  document.addEventListener("htmx:load", name);
  name();
}
