/** The one connection to Frontdesk: says hello, comes back for ever, and carries frames both ways. */

const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;
/** When the network has changed, or the page was asleep, a dead connection should show at once. */
const PONG_WITHIN_IN_DOUBT = 4_000;
const READY_WITHIN = 15_000;
const LONGEST_WAIT = 30_000;
const CLOSED = { badToken: 4401, tooMany: 4429, restart: 1012 };

export class Socket {
  /** `credentials` is {token, identity, locale, refused()}; `receive(frame)` and `changed(live, failures)` are told what happens. */
  constructor({ url, credentials, receive, changed }) {
    Object.assign(this, { url, credentials, receive, changed });
    this.live = false;
    this.deadline = null;
    this.failures = 0;
    this.refs = 0;
    this.pending = new Map();
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.live && this.#closed(0));
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  open() {
    clearTimeout(this.retry);
    this.#drop();
    this.#lost();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => this.#hello(socket);
    socket.onmessage = ({ data }) => socket === this.socket && this.#take(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.socket && this.#closed(code);
    // A network may swallow the handshake without a word.
    this.deadline = setTimeout(() => this.#closed(0), READY_WITHIN);
  }

  /** Closes without coming back, until `open` is called. */
  close() {
    clearTimeout(this.retry);
    this.#drop();
    this.#lost();
  }

  /** Comes back at once where it was waiting to; asks whether anybody is there where it believes so. */
  hurry() {
    if (this.waiting) this.open();
    else if (this.live) this.#ping(PONG_WITHIN_IN_DOUBT);
  }

  /** Sends a frame if it can; true when it went out. */
  send(type, body = {}) {
    if (!this.live) return false;
    this.socket.send(JSON.stringify({ type, ...body }));
    // What is always answered shows soon whether anybody is there.
    if (type === "message" || body.ref) this.deadline ??= setTimeout(() => this.#closed(0), PONG_WITHIN);
    return true;
  }

  /** Sends a frame and resolves with its `ok`, or rejects with its `error`. */
  request(type, body = {}) {
    return new Promise((resolve, reject) => {
      const ref = `r${++this.refs}`;
      if (!this.send(type, { ...body, ref })) reject({ code: "offline" });
      else this.pending.set(ref, { resolve, reject });
    });
  }

  #hello(socket) {
    const { token, identity, locale } = this.credentials;
    const hello = { type: "hello", locale };
    if (token) hello.token = token;
    if (identity) hello.identity = identity;
    socket.send(JSON.stringify(hello));
  }

  #take(frame) {
    if (this.live || frame.type === "ready") this.#relax();
    if (frame.type === "ready") this.#ready();
    const asked = frame.ref && this.pending.get(frame.ref);
    if (asked) {
      this.pending.delete(frame.ref);
      if (frame.type === "error") asked.reject(frame);
      else asked.resolve(frame);
    } else if (frame.type !== "pong" && frame.type !== "ok") {
      this.receive(frame);
    }
  }

  #ready() {
    this.failures = 0;
    if (this.live) return;
    this.live = true;
    this.heart = setInterval(() => this.#ping(), PING_EVERY);
    this.changed(true, 0);
  }

  /** Any frame is a sign of life. */
  #ping(within = PONG_WITHIN) {
    this.#relax();
    this.deadline = setTimeout(() => this.#closed(0), within);
    this.send("ping");
  }

  #relax() {
    clearTimeout(this.deadline);
    this.deadline = null;
  }

  #closed(code) {
    this.#drop();
    this.#lost();
    if (code === CLOSED.badToken) this.credentials.refused();
    this.waiting = true;
    this.retry = setTimeout(() => this.open(), this.#wait(code));
    this.failures += 1;
    this.changed(false, this.failures);
  }

  /** Full jitter, so that a restart does not bring everybody back in one moment. */
  #wait(code) {
    if (code === CLOSED.badToken && this.failures < 3) return 0;
    if (code === CLOSED.restart && this.failures < 3) return 200 + Math.random() * 1800;
    const floor = code === CLOSED.tooMany ? 5000 : 300;
    return floor + Math.random() * Math.min(LONGEST_WAIT - floor, 500 * 2 ** Math.min(this.failures, 6));
  }

  #lost() {
    clearInterval(this.heart);
    this.#relax();
    for (const { reject } of this.pending.values()) reject({ code: "offline" });
    this.pending.clear();
    this.live = false;
  }

  #drop() {
    const socket = this.socket;
    this.socket = null;
    this.waiting = false;
    if (!socket) return;
    socket.onclose = null;
    socket.close();
  }
}
