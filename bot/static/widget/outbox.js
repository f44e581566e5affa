/** The customer's messages that the server has not accepted yet: sent, sent again after a reconnect, never doubled. */
export class Outbox {
  constructor({ memory, send }) {
    Object.assign(this, { memory, send });
    this.waiting = memory.get("outbox") ?? [];
  }

  /** Takes a text and gives it the id it keeps for ever. */
  post(text) {
    const message = { id: uuid(), text, created_at: new Date().toISOString() };
    this.#change((waiting) => [...waiting, message]);
    this.send("message", { id: message.id, text });
    return message;
  }

  /** Sends everything again; the server knows the ids it has. */
  resend() {
    for (const { id, text } of this.waiting) this.send("message", { id, text });
  }

  settle(id) {
    if (!this.waiting.some((message) => message.id === id)) return;
    this.#change((waiting) => waiting.filter((message) => message.id !== id));
  }

  clear() {
    this.waiting = [];
    this.memory.set("outbox", null);
  }

  /** Another tab's messages stay in the browser's memory: each tab sends its own, or who comes next all of them. */
  #change(change) {
    this.waiting = change(this.waiting);
    this.memory.update("outbox", (kept) => {
      const left = change(kept ?? []);
      return left.length ? left : null;
    });
  }
}

/** A version 4 uuid, also on plain http pages, where crypto.randomUUID is missing. */
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
