/** The order of turn events: nothing twice, nothing skipped, and a question to the server where something is missing. */

const ASK_AGAIN_AFTER = 3000;

export class Turns {
  /** `ask(turn, after)` requests the events of a turn past a number. */
  constructor(ask) {
    this.ask = ask;
    this.logs = new Map();
  }

  /** The events to show now, in order: none for a repeat, several where this one closes a gap. */
  receive(event) {
    const log = this.#log(event.turn);
    if (event.type === "final") return this.#finish(log, event);
    // A reply that overtook its own question must not lose it; an approval is known by its call and may come twice.
    if (log.done) return event.type === "approval" ? [event] : [];
    if (event.seq <= log.last) return [];
    if (event.type !== "reset" && event.seq > log.last + 1) {
      log.early.set(event.seq, event);
      this.#askFor(event.turn, log);
      return [];
    }
    log.last = event.seq;
    return [event, ...this.#drain(log)];
  }

  /** Starts over with a turn the server says is running; what was shown stays and its repeats are ignored. */
  replay(turn) {
    this.#log(turn).askedAt = Date.now();
    this.ask(turn, 0);
  }

  clear() {
    this.logs.clear();
  }

  #log(turn) {
    if (!this.logs.has(turn)) this.logs.set(turn, { last: 0, early: new Map(), askedAt: 0, done: false });
    return this.logs.get(turn);
  }

  /** A final holds the whole reply, so it is shown across any gap. */
  #finish(log, event) {
    if (log.done) return [];
    if (event.seq > log.last + 1) this.#askFor(event.turn, log);
    log.done = true;
    log.early.clear();
    return [event];
  }

  #drain(log) {
    const ready = [];
    for (const seq of [...log.early.keys()].sort((a, b) => a - b)) {
      if (seq > log.last + 1) break;
      if (seq === log.last + 1) {
        ready.push(log.early.get(seq));
        log.last = seq;
      }
      log.early.delete(seq);
    }
    return ready;
  }

  #askFor(turn, log) {
    if (Date.now() - log.askedAt < ASK_AGAIN_AFTER) return;
    log.askedAt = Date.now();
    this.ask(turn, log.last);
  }
}
