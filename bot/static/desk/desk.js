/** The desk: what arrives by the socket, and what is swapped into the page, kept in step. */
import { caret, focusComposer, restoreDraft } from "./composer.js";
import { conversation, show, toEnd } from "./entries.js";
import "./extra.js";
import { showConnection } from "./frame.js";
import "./keys.js";
import { refreshList, syncList } from "./list.js";
import { Live } from "./live.js";
import "./reveal.js";
import "./rights.js";
import { Socket } from "./socket.js";
import { writeTimes } from "./times.js";

let watched = null; // the conversation whose events arrive now
let focused = null;

const live = new Live({ ask: (turn, after) => socket.send({ type: "resume", turn, after }), refresh });

const FRAMES = {
  changed: () => refreshList(),
  watching: (frame) => begin(frame),
  message: (frame) => show(frame.id),
  scrubbed: (frame) => show(frame.id),
  rated: (frame) => show(frame.id),
  approval_state: (frame) => showCall(frame.call),
  status: () => refresh(),
  allowance: () => refresh(),
  closed: () => refresh(),
};

const socket = new Socket({
  onFrame(frame) {
    if (frame.type === "changed" || frame.type === "watching") return FRAMES[frame.type](frame);
    // Until the server says that a conversation's events begin, they are those of the one before.
    if (!watched || watched !== conversation()?.dataset.id) return;
    if (frame.turn) live.take(frame);
    else FRAMES[frame.type]?.(frame);
  },
  onState(state) {
    showConnection(state);
    watched = null;
    if (state !== "live") return;
    watch();
    refreshList();
  },
});

function watch() {
  const id = conversation()?.dataset.id;
  watched = null;
  live.forget();
  socket.send(id ? { type: "watch", conversation: id } : { type: "unwatch" });
}

async function begin({ conversation: id, turn }) {
  if (id !== conversation()?.dataset.id) return;
  watched = id;
  if (turn) live.follow(turn);
  await refresh();
}

/** Reads the conversation again; the server answers with nothing when the page is up to date. */
async function refresh() {
  const shown = conversation();
  if (!shown) return;
  const address = `${shown.dataset.url}refresh/?mark=${encodeURIComponent(shown.dataset.mark)}`;
  await htmx.ajax("GET", address, { target: "#panel", swap: "innerHTML" }).catch(() => {});
}

function showCall(call) {
  const entry = document.querySelector(`[data-call="${call}"]`)?.closest(".entry");
  if (entry?.id) show(entry.id.replace("m-", ""));
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "panel") focused = { caret: caret(), id: conversation()?.dataset.id };
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "panel") settle(event.detail.requestConfig.elt);
  if (event.detail.target.matches(".list-scroll")) syncList();
});

function settle(asked) {
  const same = focused?.id === conversation()?.dataset.id;
  writeTimes(document.getElementById("panel"));
  restoreDraft({ focused: same ? focused?.caret : null });
  toEnd();
  if (same) {
    live.draw();
    if (asked?.closest?.(".composer")) focusComposer();
  } else {
    watch();
    syncList();
    refreshList();
  }
}

writeTimes();
syncList();
restoreDraft();
toEnd();
