/** The desk's socket: keeps itself connected and says how it is doing. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const PING_EVERY = 20_000;
const SIGNED_OUT = 4401;

export class Socket {
  #socket = null;
  #wait = FIRST_WAIT;
  #heard = 0;
  #timer = 0;

  /** `onFrame(frame)` gets what arrives, `onState(state)` connecting, live or offline. */
  constructor({ onFrame, onState }) {
    this.onFrame = onFrame;
    this.onState = onState;
    setInterval(() => this.#check(), PING_EVERY);
    addEventListener("online", () => this.#open());
    addEventListener("pagehide", () => this.#socket?.close());
    addEventListener("pageshow", (event) => event.persisted && this.#open());
    this.#open();
  }

  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #open() {
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    clearTimeout(this.#timer);
    const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/ws/desk/`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#wait = FIRST_WAIT;
      this.#heard = Date.now();
      this.onState("live");
    };
    socket.onmessage = ({ data }) => {
      this.#heard = Date.now();
      this.onFrame(JSON.parse(data));
    };
    socket.onclose = ({ code }) => socket === this.#socket && this.#lost(code);
  }

  #lost(code) {
    // A page of somebody who has signed out elsewhere shows nothing any more.
    if (code === SIGNED_OUT) return location.reload();
    this.onState("offline");
    const jitter = 0.5 + Math.random() / 2;
    this.#timer = setTimeout(() => this.#open(), this.#wait * jitter);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  /** A connection can die without a word: ask, and give up on one that has long been silent. */
  #check() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (Date.now() - this.#heard > 2.5 * PING_EVERY) {
      const dead = this.#socket;
      this.#socket = null;
      dead.close();
      this.#lost();
    } else {
      this.send({ type: "ping" });
    }
  }
}
