/** What the widget knows. Views read it; only chat.js changes it. */

/** How long a note about something that went wrong stays up. */
const NOTE_STAYS = 6000;

export class Store {
  /** `changed()` is called after every change. */
  constructor({ memory, config, changed }) {
    Object.assign(this, { memory, changed });
    this.config = config;
    this.open = false;
    this.reset();
  }

  /** Forgets everything of the customer; what the page itself said about the site stays. */
  reset() {
    this.phase = "loading"; // loading | live | failed
    this.connected = false;
    this.site = { ...this.config, greeting: "", suggestions: [], max_chars: 4000 };
    this.customer = { verified: false };
    this.conversation = { id: null, handler: "bot" };
    this.entries = []; // the timeline: {key, message, live, status, reason, past}
    this.anew = false; // the next conversation is one the customer or the page asked for
    this.more = false;
    this.loadingEarlier = false;
    this.approvals = new Map();
    this.allowance = null;
    this.usage = { statement: null, of: null, problem: null }; // read when the allowance was `of`
    this.mode = "normal";
    this.typingUntil = 0;
    this.note = null;
  }

  entry(key) {
    return this.entries.find((entry) => entry.key === key);
  }

  touch(entry) {
    entry.revision = (entry.revision ?? 0) + 1;
    this.changed();
  }

  /** Puts a message into the timeline, in the place of its turn or of its earlier self where there is one. */
  put(message, extra = {}) {
    const key = keyOf(message);
    let entry = this.entry(key);
    if (!entry) {
      entry = { key };
      // What the system says during a turn is stored before its reply: it stands above it now as after a reload.
      const answering = message.author === "system" && this.running;
      this.entries.splice(answering ? this.entries.indexOf(answering) : this.entries.length, 0, entry);
    }
    Object.assign(entry, { message, ...extra });
    this.touch(entry);
    return entry;
  }

  remove(entry) {
    this.entries = this.entries.filter((other) => other !== entry);
    this.changed();
  }

  /** Makes the server's newest messages the end of the timeline, keeping older ones that join up with them. */
  replace(messages, running) {
    const known = new Map(this.entries.map((entry) => [entry.key, entry]));
    const keys = new Set(messages.map(keyOf));
    const joint = this.entries.findIndex((entry) => messages.length && entry.key === keyOf(messages[0]));
    const past = this.entries.filter((entry) => entry.past);
    const earlier = joint > 0 ? this.entries.slice(0, joint).filter((entry) => entry.message && !entry.past) : [];
    const newest = messages.map((message) => ({ ...known.get(keyOf(message)), ...stored(message) }));
    const answering = this.entries.filter((entry) => entry.live && running === entry.live.turn && !keys.has(entry.key));
    const unsent = this.entries.filter((entry) => isUnsent(entry) && !keys.has(entry.key));
    this.entries = [...past, ...earlier, ...newest, ...answering, ...unsent];
    for (const entry of this.entries) entry.revision = (entry.revision ?? 0) + 1;
    this.changed();
    return earlier.length > 0;
  }

  /** The entry of a turn that is being answered, made at the end of the timeline where it is new. */
  turn(id) {
    const key = `t:${id}`;
    const found = this.entry(key);
    if (found) return found;
    const since = new Date().toISOString();
    const live = { turn: id, text: "", label: "", cards: [], stale: null, state: "queued", since };
    const entry = { key, live };
    this.entries.push(entry);
    this.touch(entry);
    return entry;
  }

  get running() {
    return this.entries.find((entry) => entry.live && !entry.message && entry.live.state !== "failed") ?? null;
  }

  say(text, kind = "problem") {
    this.note = { text, kind };
    clearTimeout(this.noteTimer);
    this.noteTimer = setTimeout(() => {
      this.note = null;
      this.changed();
    }, NOTE_STAYS);
    this.changed();
  }
}

/** A bot's message takes the place of its turn; every other is itself. */
export function keyOf(message) {
  return message.author === "bot" && message.turn ? `t:${message.turn}` : `m:${message.id}`;
}

function stored(message) {
  return { key: keyOf(message), message, live: null, status: null, reason: null };
}

function isUnsent(entry) {
  return entry.status === "sending" || entry.status === "rejected";
}
