/** The conversation: what the customer can do, and what the server's frames lead to. */
import { Clock } from "./clock.js";
import { frames, settleApproval, turnEvents } from "./frames.js";
import { Outbox } from "./outbox.js";
import { Rights } from "./rights.js";
import { Socket } from "./socket.js";
import { keyOf, Store } from "./store.js";
import { wording } from "./strings.js";
import { Turns } from "./turns.js";

const FAILED_AFTER = 3;

export class Chat {
  /** `tell(type, body)` speaks to the page, `announce(message)` to a screen reader, `changed()` to the views. */
  constructor({ config, memory, tell, announce, changed }) {
    Object.assign(this, { memory, tell, announce, keyOf });
    this.t = wording(config.locale);
    this.clock = new Clock(config.locale);
    this.store = new Store({ memory, config, changed });
    this.credentials = {
      token: memory.get("token"),
      identity: null,
      locale: config.locale,
      refused: () => this.#refused(),
    };
    this.socket = new Socket({
      url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/chat/${config.key}/`,
      credentials: this.credentials,
      receive: (frame) => this.receive(frame),
      changed: (live, failures) => this.#connection(live, failures),
    });
    this.outbox = new Outbox({ memory, send: (type, body) => this.socket.send(type, body) });
    this.rights = new Rights({ site: config.key, token: () => this.credentials.token });
    this.turns = new Turns((turn, after) => this.socket.send("resume", { turn, after }));
  }

  // What the customer does

  send(text) {
    const message = { ...this.outbox.post(text), author: "customer" };
    this.store.put(message, { status: "sending" });
  }

  /** Takes a rejected message back for editing and gives its text. */
  takeBack(entry) {
    this.store.remove(entry);
    return entry.message.text;
  }

  stop() {
    if (this.store.running) this.#ask("stop", { turn: this.store.running.live.turn });
  }

  async approve(call, approved) {
    // A second click, or one that comes after the other tab's, has nothing to add.
    if (this.store.approvals.get(call)?.state !== "open") return;
    settleApproval(this, call, "sending");
    const sent = await this.#ask("approve", { call, approved });
    const approval = this.store.approvals.get(call);
    if (!sent && approval?.state === "sending") this.store.approvals.set(call, { ...approval, state: "open" });
    else if (!sent) this.store.note = null; // Decided meanwhile, in another tab.
    this.store.changed();
  }

  rate(entry, score, comment) {
    entry.message = { ...entry.message, rating: score };
    this.store.touch(entry);
    this.#ask("rate", { message: entry.message.id, score, ...(comment ? { comment } : {}) });
  }

  /** Says where to write to; true when that is known now. */
  async leaveContact(email) {
    const left = await this.#ask("contact", { email });
    if (left) this.store.customer = { ...this.store.customer, reachable: true };
    this.store.changed();
    return left;
  }

  human(cancel = false) {
    this.#ask("human", cancel ? { cancel: true } : {});
  }

  startNew() {
    this.store.anew = true;
    this.#ask("new");
  }

  earlier() {
    const oldest = this.store.entries.find((entry) => entry.message && !entry.status && !entry.past);
    if (!this.store.more || this.store.loadingEarlier || !oldest) return;
    this.store.loadingEarlier = this.socket.send("history", { before: oldest.message.id });
    this.store.changed();
  }

  /** Has everything deleted and begins afresh. The server ends the session, so nobody listens meanwhile. */
  async erase() {
    this.socket.close();
    try {
      await this.rights.erase();
    } catch (refused) {
      this.socket.open();
      throw refused;
    }
    this.forget();
  }

  /** Reads what is used, once for each allowance that the server has told. */
  async readUsage() {
    const { store } = this;
    const of = store.allowance;
    if (this.reading === of) return;
    this.reading = of;
    try {
      store.usage = { statement: await this.rights.usage(this.clock.locale), of, problem: null };
    } catch ({ code }) {
      store.usage = { ...store.usage, of, problem: code };
    }
    if (this.reading === of) this.reading = null;
    store.changed();
  }

  retry() {
    this.store.phase = "loading";
    this.store.changed();
    this.socket.open();
  }

  // What the page asks

  /** Connects, with the signed identity the page holds, if any. */
  start(identity) {
    this.credentials.identity = identity;
    this.socket.open();
  }

  show() {
    this.store.open = true;
    if (!this.socket.socket) this.socket.open();
    this.seen();
  }

  hide() {
    this.store.open = false;
  }

  /** Reconnects as the customer whom a signed token names. */
  identify(jwt) {
    Object.assign(this.store, { connected: false, anew: true });
    this.start(jwt);
  }

  forget() {
    this.socket.close();
    this.memory.clear();
    this.outbox.clear();
    this.turns.clear();
    Object.assign(this.credentials, { token: null, identity: null });
    this.store.reset();
    this.store.changed();
    this.tell("session", { stored: false });
    this.tellUnread();
    if (this.store.open) this.socket.open();
  }

  // What the server says

  receive(frame) {
    if (Object.hasOwn(turnEvents, frame.type)) {
      for (const event of this.turns.receive(frame)) this.#apply(event);
    } else if (Object.hasOwn(frames, frame.type)) {
      frames[frame.type](this, frame);
    }
  }

  /** After `ready`: keeps the session, catches up with a running turn, and sends what was waiting. */
  welcomed({ token, turn }) {
    this.memory.set("token", token);
    Object.assign(this.credentials, { token, identity: null });
    for (const message of this.outbox.waiting) {
      if (!this.store.entry(`m:${message.id}`)) this.store.put({ ...message, author: "customer" }, { status: "sending" });
    }
    if (turn) {
      this.store.turn(turn.id);
      this.turns.replay(turn.id);
    }
    this.outbox.resend();
    this.store.changed();
    this.tell("session", { stored: true, colour: this.store.site.colour });
    this.seen();
  }

  arrived(message) {
    if (this.store.open) this.announce(message);
    this.seen();
  }

  handedTo(handler, agent) {
    this.tell("handover", { handler, agent: agent ?? null });
  }

  /** Marks everything read where it can be seen, and tells the page how much is not. */
  seen() {
    const newest = this.store.entries.findLast((entry) => entry.message && !entry.status);
    if (newest && this.store.open && !document.hidden) this.memory.set("read", newest.message.created_at);
    this.tellUnread();
  }

  tellUnread() {
    const read = Date.parse(this.memory.get("read")) || 0;
    const count = this.store.entries.filter(
      ({ message }) => message && message.author !== "customer" && Date.parse(message.created_at) > read,
    ).length;
    if (count !== this.unread) this.tell("unread", { count });
    this.unread = count;
  }

  #apply(event) {
    const entry = this.store.turn(event.turn);
    turnEvents[event.type](this, entry, event);
    this.store.touch(entry);
  }

  async #ask(type, body) {
    try {
      await this.socket.request(type, body);
      return true;
    } catch ({ code, text }) {
      this.store.say(code === "offline" ? this.t("problem_offline") : text || this.t("problem"));
      return false;
    }
  }

  #connection(live, failures) {
    this.store.connected = live;
    this.store.loadingEarlier = false;
    if (live) this.store.lostAt = null;
    else this.store.lostAt ??= Date.now();
    if (this.store.phase === "loading" && failures >= FAILED_AFTER) this.store.phase = "failed";
    this.store.changed();
  }

  /** Drops what the server would not take: the stored token first, a signed identity only where it came alone. */
  #refused() {
    if (this.credentials.token) this.credentials.token = null;
    else this.credentials.identity = null;
    this.memory.set("token", null);
  }
}
