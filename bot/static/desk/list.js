/** The list of conversations: its view, search, freshness, and the counts shown elsewhere. */
import { conversation } from "./entries.js";
import { writeTimes } from "./times.js";

const PAUSE = 1000;
const TYPING = 500; // half a number is looked for in vain, and counts as a search
const title = document.title;
const search = document.getElementById("search");
const list = () => document.getElementById("list");
const { view, pages } = list().dataset;
const wanted = { view, pages };
let asked = 0;
let waiting = false;
let running = false;

/** Reads the list again, at most once a second however often it is asked. */
export function refreshList() {
  waiting = true;
  if (running) return;
  running = true;
  setTimeout(async () => {
    waiting = false;
    await read();
    running = false;
    if (waiting) refreshList();
  }, Math.max(0, asked + PAUSE - Date.now()));
}

// A row that is replaced between press and release would swallow the click.
let pressed = false;
document.addEventListener("pointerdown", () => (pressed = true), true);
for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, () => setTimeout(() => (pressed = false)), true);
}
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!pressed || !event.detail.target?.matches(".list-scroll")) return;
  event.detail.shouldSwap = false;
  refreshList();
});

/** Moves the highlight to the conversation on the page, and what the list says to the rest of the page. */
export function syncList() {
  const { view, ...counts } = list().dataset;
  for (const link of document.querySelectorAll("[data-view][href]")) {
    toggleCurrent(link, link.dataset.view === view);
  }
  for (const count of document.querySelectorAll("[data-count]")) {
    const number = Number(counts[count.dataset.count] ?? 0);
    count.textContent = number || "";
  }
  for (const row of document.querySelectorAll(".row")) {
    toggleCurrent(row, row.dataset.conversation === conversation()?.dataset.id);
  }
  document.title = Number(counts.waiting) ? `(${counts.waiting}) ${title}` : title;
  writeTimes(list());
}

/** Opens the conversation that many rows below the open one. */
export function step(by) {
  const rows = [...document.querySelectorAll(".row")];
  const at = rows.findIndex((row) => row.ariaCurrent === "true");
  const next = at < 0 ? rows[0] : rows[at + by];
  next?.click();
  next?.scrollIntoView({ block: "nearest" });
}

/** Reads the list as it is wanted from now on; one wish at a time, and of those that wait the newest. */
async function read(change = {}) {
  asked = Date.now();
  Object.assign(wanted, change);
  const { view, pages } = wanted;
  const q = search.value.trim();
  // What is searched may be private: it never stands in an address.
  const [verb, values] = q ? ["POST", { view, pages, q }] : ["GET", { view, pages }];
  // Into what stays: a wish that waited must not be written into a list that was replaced meanwhile.
  const place = { source: ".list-scroll", target: ".list-scroll", swap: "innerHTML" };
  await htmx.ajax(verb, "/desk/list/", { ...place, values }).catch(() => {});
}

function toggleCurrent(element, current) {
  element.ariaCurrent = current ? "true" : null;
}

function remember(view) {
  const address = new URL(location.href);
  address.searchParams.set("view", view);
  history.replaceState(history.state, "", address);
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-view]");
  if (event.target.closest("[data-more]")) read({ pages: Number(wanted.pages) + 1 });
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  search.value = "";
  await read({ view: link.dataset.view, pages: 1 });
  document.querySelector(".list-scroll").scrollTop = 0;
  remember(link.dataset.view);
});

let typing = 0;
search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => read({ pages: 1 }), TYPING);
});
search.form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  read({ pages: 1 });
});
