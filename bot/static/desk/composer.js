/** The agent's reply: its draft outlives a swapped page, and nothing typed is ever lost or said twice. */
import { conversation } from "./entries.js";

const ROOM_WARNING = 300;
const phone = matchMedia("(max-width: 760px)");
let sending = null;

const box = () => document.querySelector("#composer textarea");
const key = () => `draft:${conversation()?.dataset.id}`;

/** Fills a fresh composer with what was being written; `focused` brings the caret back. */
export function restoreDraft({ focused = null } = {}) {
  const text = box();
  if (!text) return;
  const draft = load();
  // What the server sent back was refused: it comes before what was typed meanwhile.
  if (draft && draft !== text.value) text.value = [text.value, draft].filter(Boolean).join("\n");
  if (text.value) save(text.value);
  if (focused) {
    text.focus();
    text.setSelectionRange(...focused);
  }
  fit(text);
}

export function focusComposer() {
  box()?.focus();
}

/** Where the caret is, when it is in the composer. */
export function caret() {
  const text = box();
  return text && document.activeElement === text ? [text.selectionStart, text.selectionEnd] : null;
}

function fit(text) {
  text.rows = 1;
  const line = Number.parseFloat(getComputedStyle(text).lineHeight);
  text.rows = Math.min(10, Math.max(phone.matches ? 1 : 2, Math.round((text.scrollHeight - 20) / line)));
  const left = text.maxLength - text.value.length;
  const counter = document.querySelector("#composer .left");
  counter.hidden = left > ROOM_WARNING;
  counter.textContent = left;
}

function load() {
  try {
    return sessionStorage.getItem(key()) ?? "";
  } catch {
    return "";
  }
}

function save(text) {
  try {
    if (text) sessionStorage.setItem(key(), text);
    else sessionStorage.removeItem(key());
  } catch {
    // Storage may be off; then a draft lives as long as its page.
  }
}

const isComposer = (event) => event.target.id === "composer";

document.addEventListener("input", (event) => {
  if (event.target !== box()) return;
  save(event.target.value);
  fit(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.target !== box()) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

// The same text sent again after a failure carries the same id, so that it is said once.
document.addEventListener("htmx:configRequest", (event) => {
  if (!isComposer(event)) return;
  const text = event.detail.parameters.text;
  if (sending?.text !== text) sending = { text, uuid: crypto.randomUUID() };
  event.detail.parameters.uuid = sending.uuid;
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!isComposer(event)) return;
  box().value = "";
  save("");
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (!isComposer(event)) return;
  const { successful, xhr } = event.detail;
  if (successful) {
    sending = null;
  } else if (xhr.status !== 409) {
    box().value = [sending.text, box().value].filter(Boolean).join("\n");
    save(box().value);
    fit(box());
  }
});
