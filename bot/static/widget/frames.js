/** What each frame from the server changes. One function a type; unknown types are left alone. */

const TYPING_SHOWS = 5000;
const RANK = { open: 0, sending: 1, declined: 2, done: 2, expired: 2, failed: 2 };

export const frames = {
  ready(chat, frame) {
    const { store } = chat;
    const same = store.conversation.id === frame.conversation.id;
    if (!same) chat.turns.clear();
    if (!same) leaveConversation(store);
    store.anew = false;
    store.phase = "live";
    store.site = { ...store.site, ...frame.site };
    store.customer = frame.customer;
    store.conversation = frame.conversation;
    store.mode = frame.mode;
    store.allowance = frame.allowance;
    const kept = store.replace(frame.messages, frame.turn?.id);
    if (!kept) store.more = frame.more;
    store.loadingEarlier = false;
    keepApprovals(store, frame.approvals, same);
    chat.welcomed(frame);
  },

  accepted(chat, { id, turn }) {
    chat.outbox.settle(id);
    const entry = chat.store.entry(`m:${id}`);
    if (entry) chat.store.touch(Object.assign(entry, { status: null, turn }));
    if (!turn) return;
    const answer = chat.store.turn(turn);
    if (answer.message || answer.live.text || answer.live.cards.length) return;
    // A message that joined a waiting turn is answered below itself.
    chat.store.entries = [...chat.store.entries.filter((other) => other !== answer), answer];
  },

  rejected(chat, { id, code, text, retry_at }) {
    chat.outbox.settle(id);
    const entry = chat.store.entry(`m:${id}`);
    if (entry) chat.store.touch(Object.assign(entry, { status: "rejected", reason: { code, text, retry_at } }));
  },

  message(chat, { message }) {
    chat.outbox.settle(message.author === "customer" ? message.id : null);
    const known = chat.store.entry(chat.keyOf(message))?.message;
    chat.store.put(message, { status: null, reason: null });
    if (message.author === "customer") return;
    chat.store.typingUntil = 0;
    if (!known) chat.arrived(message);
  },

  history(chat, { messages, more }) {
    const { store } = chat;
    const known = new Set(store.entries.map((entry) => entry.key));
    const older = messages.map((message) => ({ key: chat.keyOf(message), message })).filter(({ key }) => !known.has(key));
    store.entries = [...older, ...store.entries.filter((entry) => !entry.past)];
    store.more = more;
    store.loadingEarlier = false;
    store.changed();
  },

  approval_state(chat, { call, state }) {
    settleApproval(chat, call, state);
  },

  status(chat, { handler, agent }) {
    Object.assign(chat.store.conversation, { handler, agent });
    chat.store.changed();
    chat.handedTo(handler, agent);
  },

  mode(chat, { mode }) {
    chat.store.mode = mode;
    chat.store.changed();
  },

  typing(chat) {
    chat.store.typingUntil = Date.now() + TYPING_SHOWS;
    chat.store.changed();
    setTimeout(() => chat.store.changed(), TYPING_SHOWS);
  },

  error(chat, { text }) {
    chat.store.say(text || chat.t("problem"));
  },
};

/** The same for the numbered events of a turn, once they are in order. */
export const turnEvents = {
  working(chat, entry, { label }) {
    Object.assign(entry.live, { state: "running", label, working: true });
  },

  delta(chat, entry, { text }) {
    Object.assign(entry.live, { state: "running", working: false, stale: null, text: entry.live.text + text });
  },

  /** What was shown stays on the screen, faded, until something comes in its place. */
  reset(chat, entry) {
    const { text, cards, stale } = entry.live;
    const shown = text || cards.length ? { text, cards } : stale;
    Object.assign(entry.live, { text: "", cards: [], working: true, stale: shown });
  },

  card(chat, entry, { kind, data }) {
    Object.assign(entry.live, { stale: null, cards: [...entry.live.cards, { kind, data }] });
  },

  approval(chat, entry, { call, turn, title, lines, expires_at }) {
    const known = chat.store.approvals.get(call);
    if (!known) chat.store.approvals.set(call, { call, turn, title, lines, expires_at, state: "open" });
  },

  final(chat, entry, { message, state, allowance }) {
    if (allowance) chat.store.allowance = allowance;
    const known = message && entry.message?.id === message.id;
    entry.outcome = state;
    if (message) entry.message = message.cards ? message : { ...message, cards: entry.live?.cards };
    else if (state === "failed") entry.live = { ...entry.live, state };
    else chat.store.remove(entry);
    if (message && !known) chat.arrived(message);
  },
};

/** Keeps what was not sent, and, where staff closed the conversation, its last words until they are read. */
function leaveConversation(store) {
  const closedByStaff = !store.anew && store.entries.findLast((entry) => entry.message)?.message.author === "system";
  store.entries = store.entries.filter((entry) => entry.status || (closedByStaff && entry.message));
  for (const entry of store.entries) entry.past = !entry.status;
}

/** Takes the open approvals from the server; those already decided on this screen stay as they were. */
function keepApprovals(store, open, same) {
  const decided = same ? [...store.approvals.values()].filter(({ state }) => RANK[state] === 2) : [];
  const asked = open.map((approval) => ({ ...store.approvals.get(approval.call), ...approval, state: "open" }));
  store.approvals = new Map([...decided, ...asked].map((approval) => [approval.call, approval]));
}

/** Moves an approval on, never back: a late frame must not reopen what is decided. */
export function settleApproval(chat, call, state) {
  const approval = chat.store.approvals.get(call);
  if (!approval || RANK[state] < RANK[approval.state]) return;
  chat.store.approvals.set(call, { ...approval, state });
  chat.store.changed();
}
