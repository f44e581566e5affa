/** The messages of the conversation on the page, each rendered by the server and kept in order. */
import { writeTimes } from "./times.js";

const NEAR = 120; // pixels from the end that still count as reading along
const fetching = new Map();

export const conversation = () => document.getElementById("conversation");
const entries = () => document.getElementById("entries");

/** Fetches one message and puts it in its place, or in place of its older self. */
export async function show(id) {
  const shown = conversation();
  if (!shown) return;
  const turn = (fetching.get(id) ?? 0) + 1;
  fetching.set(id, turn);
  const response = await fetch(`${shown.dataset.url}messages/${id}/`, { headers: { "HX-Request": "true" } });
  // A later answer to the same question is the truer one.
  if (!response.ok || fetching.get(id) !== turn || conversation()?.dataset.id !== shown.dataset.id) return;
  fetching.delete(id);
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  keepingEnd(() => place(template.content.querySelector("li")));
}

/** Does something that changes the height; who was reading at the end stays there. */
export function keepingEnd(change) {
  const scroll = document.getElementById("scroll");
  const atEnd = scroll && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;
  change();
  if (atEnd) scroll.scrollTop = scroll.scrollHeight;
}

export function toEnd() {
  const scroll = document.getElementById("scroll");
  if (scroll) scroll.scrollTop = scroll.scrollHeight;
}

function place(entry) {
  const list = entries();
  if (!entry || !list) return;
  const old = document.getElementById(entry.id);
  if (old) {
    old.replaceWith(entry);
  } else {
    const pk = Number(entry.dataset.pk);
    const later = [...list.children].find((one) => one.matches(".live") || Number(one.dataset.pk) > pk);
    list.insertBefore(entry, later ?? null);
    entry.classList.add("fresh");
  }
  writeTimes(entry);
  entry.dispatchEvent(new Event("desk:placed", { bubbles: true }));
}
