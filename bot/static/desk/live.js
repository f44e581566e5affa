/** The turn the assistant is working on, as it happens. */
import { write } from "../widget/markdown.js";
import { conversation, keepingEnd, show } from "./entries.js";
import { icon, make, masked, putChips, word } from "./words.js";

const SHOWN_CARDS = new Set(["card", "approval"]);

export class Live {
  #turn = null;
  #seq = 0;
  #text = "";
  #label = "";
  #notes = [];
  #gap = 0;
  #bubble = null;

  /** `ask(turn, after)` has missed events repeated, `refresh()` reads the conversation again. */
  constructor({ ask, refresh }) {
    this.ask = ask;
    this.refresh = refresh;
  }

  get turn() {
    return this.#turn;
  }

  forget() {
    this.#turn = null;
    document.querySelectorAll(".entry.live").forEach((one) => one.remove());
  }

  /** Catches up with a turn that is running. */
  follow(turn) {
    if (this.#turn !== turn) this.#begin(turn);
    this.ask(turn, this.#seq);
    this.draw();
  }

  take(event) {
    if (this.#turn !== event.turn) this.#begin(event.turn);
    if (event.seq <= this.#seq) return;
    if (event.seq > this.#seq + 1 && event.type !== "reset" && event.type !== "final") return this.#missed();
    this.#seq = event.seq;
    if (event.type === "final") return this.#end(event);
    if (event.type === "working") this.#label = event.label;
    if (event.type === "delta") this.#text += event.text;
    if (event.type === "reset") this.#text = "";
    if (SHOWN_CARDS.has(event.type)) this.#notes.push(event);
    this.draw();
  }

  /** Writes the turn into the page, anew where the page was replaced. */
  draw() {
    if (!this.#turn) return;
    keepingEnd(() => {
      const entry = this.#entry();
      const working = make("p", "working", icon("spark"), make("span", "", this.#label || word("working")), dots());
      if (this.#text) {
        write(this.#bubble, this.#text, { live: true });
        putChips(this.#bubble);
      }
      entry.replaceChildren(byline(), ...this.#notes.map(note), this.#text ? this.#bubble : working);
    });
  }

  #begin(turn) {
    this.forget();
    this.#turn = turn;
    this.#seq = 0;
    this.#text = this.#label = "";
    this.#notes = [];
    this.#gap = 0;
    this.#bubble = make("div", "bubble rich");
  }

  #missed() {
    if (this.#gap === this.#seq + 1) return;
    this.#gap = this.#seq + 1;
    this.ask(this.#turn, this.#seq);
  }

  async #end(event) {
    const turn = this.#turn;
    if (event.message) await show(event.message.id);
    else this.refresh();
    if (this.#turn === turn) keepingEnd(() => this.forget());
  }

  #entry() {
    const known = document.getElementById(`live-${this.#turn}`);
    if (known) return known;
    const entry = make("li", "entry bot live");
    entry.id = `live-${this.#turn}`;
    entry.ariaBusy = "true";
    conversation()?.querySelector(".entries").append(entry);
    return entry;
  }
}

function byline() {
  return make("p", "by", icon("bot"), word("by_bot"));
}

function dots() {
  return make("span", "dots", make("i"), make("i"), make("i"));
}

function note(event) {
  const text = event.type === "approval" ? `${word("asks")}: ${event.title}` : `${word("card")}: ${event.kind}`;
  return make("p", "note", icon(event.type === "approval" ? "hand" : "card-list"), make("span", "", ...masked(text)));
}
