/** Private values and messages as they were said: for a reason, in this tab alone, for a minute. */
import { conversation, keepingEnd } from "./entries.js";
import { say } from "./frame.js";
import { writeTimes } from "./times.js";
import { icon, make, word } from "./words.js";

const SECONDS = 60;
const LEAST_REASON = 5;
const dialog = document.getElementById("reveal");
const reason = document.getElementById("reveal-reason");
const problem = dialog.querySelector(".problem");
const shown = new Map(); // placeholder or message id → its text
let whose = null; // the conversation they belong to
let asked = null;

const written = (chip) => `<${chip.dataset.kind}_${chip.dataset.number}>`;
const chips = () => document.querySelectorAll("#conversation button.chip");

/** Writes into the page what is revealed now, and hides what no longer is. */
function draw() {
  if (whose !== conversation()?.dataset.id) forget();
  const hint = word(conversation()?.dataset.reveal ? "reveal_hint" : "reveal_no_right");
  keepingEnd(() => {
    document.querySelectorAll(".chip.revealed, .bubble.original").forEach((one) => one.remove());
    document.querySelectorAll("#conversation .covered").forEach((one) => one.classList.remove("covered"));
    for (const chip of chips()) {
      chip.title = hint;
      if (shown.has(written(chip))) cover(chip, value(written(chip)));
    }
    for (const [id, text] of shown) {
      const bubble = document.querySelector(`#m-${CSS.escape(id)} > .bubble`);
      if (bubble) cover(bubble, original(id, text));
    }
  });
}

function cover(element, by) {
  element.classList.add("covered");
  element.after(by);
}

function value(key) {
  return make("span", "chip revealed", icon("eye"), make("span", "", shown.get(key)), hider(key, "×"));
}

function original(id, text) {
  const caption = make("p", "caption", icon("eye"), make("span", "", word("original")), hider(id, word("hide")));
  return make("div", "bubble original", caption, make("p", "", text));
}

function hider(key, text) {
  const button = make("button", "hide", text);
  button.type = "button";
  button.ariaLabel = word("hide");
  button.dataset.hide = key;
  return button;
}

function forget() {
  whose = conversation()?.dataset.id ?? null;
  shown.clear();
}

function ask(what, title) {
  if (!conversation().dataset.reveal) return say(word("reveal_no_right"));
  asked = { ...what, address: conversation().dataset.reveal };
  document.getElementById("reveal-title").textContent = title;
  problem.hidden = true;
  dialog.showModal();
  // What was said last is offered again; typing replaces it.
  reason.focus();
  reason.select();
}

async function answer() {
  if (reason.value.trim().length < LEAST_REASON) return refuse(word("reveal_no_reason"));
  const { address, key, ...what } = asked;
  const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), "HX-Request": "true" };
  const body = new URLSearchParams({ ...what, reason: reason.value });
  let response;
  try {
    response = await fetch(address, { method: "POST", headers, body });
  } catch {
    return refuse(word("unreachable"));
  }
  if (response.status === 401) return location.reload();
  if (response.status === 404) return refuse(word("reveal_gone"));
  const said = await response.json().catch(() => ({ problem: word("failed") }));
  if (!response.ok) return refuse(said.problem ?? word("failed"));
  dialog.close();
  if (address === conversation()?.dataset.reveal) reveal(key, said.text);
}

function reveal(key, text) {
  shown.set(key, text);
  setTimeout(() => hide(key), SECONDS * 1000);
  draw();
  document.querySelector(`[data-hide="${CSS.escape(key)}"]`)?.focus();
  htmx.trigger("#revealed", "again");
}

function hide(key) {
  if (shown.delete(key)) draw();
}

function refuse(why) {
  problem.textContent = why;
  problem.hidden = false;
  reason.focus();
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest("#conversation button.chip");
  const message = event.target.closest("[data-reveal-message]")?.dataset.revealMessage;
  const hidden = event.target.closest("[data-hide]")?.dataset.hide;
  if (chip || hidden) event.preventDefault(); // of a link around it
  if (chip) ask({ key: written(chip), placeholder: written(chip) }, word("reveal_value", chip.textContent));
  if (message) ask({ key: message, message }, word("reveal_message"));
  if (hidden) hide(hidden);
});

dialog.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  answer();
});

document.addEventListener("desk:placed", draw);
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "panel") draw();
  if (event.detail.target.id === "revealed") writeTimes(event.detail.target);
});
// A page that comes back from the browser's memory shows nothing.
addEventListener("pagehide", () => {
  shown.clear();
  draw();
});

draw();
