/** Where the customer writes: grows with its text, keeps a draft, sends with Enter, stops a running answer. */
import { attribute, h, icon, setText } from "./element.js";

const COUNTER_FROM = 0.9;
/** How many times the longest message fits the field: more than that only makes the page slow. */
const ROOM = 10;

export class Composer {
  constructor(chat, sent) {
    this.chat = chat;
    this.sent = sent;
    const { t } = chat;
    this.input = h("textarea", {
      class: "composer-input",
      rows: "1",
      dir: "auto",
      enterkeyhint: "send",
      placeholder: t("write"),
      "aria-label": t("write_label"),
      "aria-describedby": "counter",
      oninput: () => this.#changed(),
      onkeydown: (event) => this.#key(event),
    });
    this.input.value = chat.memory.get("draft") ?? "";
    this.counter = h("span", { class: "counter", id: "counter", hidden: true });
    this.sendButton = h("button", { class: "send", type: "submit", "aria-label": t("send"), title: t("send") }, icon("send"));
    const stop = { class: "stop", type: "button", "aria-label": t("stop"), title: t("stop"), onclick: () => chat.stop() };
    this.stopButton = h("button", stop, icon("stop"));
    const field = h("div", { class: "composer-field" }, this.input, this.stopButton, this.sendButton);
    const submit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    this.element = h("form", { class: "composer", "aria-label": t("write_label"), onsubmit: submit }, field, this.counter);
  }

  update({ site, running }) {
    this.max = site.max_chars;
    attribute(this.input, "maxlength", this.max * ROOM);
    this.running = Boolean(running);
    this.#draw();
    this.#grow();
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  /** Puts a text back for editing, before anything already written. */
  fill(text) {
    this.input.value = [text, this.input.value].filter((part) => part.trim()).join("\n");
    this.#changed();
    this.focus();
  }

  #changed() {
    this.chat.memory.set("draft", this.input.value || null);
    this.#draw();
    this.#grow();
  }

  #draw() {
    const text = this.input.value.trim();
    const left = this.max - [...text].length;
    this.sendButton.disabled = !text || left < 0;
    this.stopButton.hidden = !this.running;
    this.sendButton.hidden = this.running && !text;
    this.counter.hidden = left > this.max * (1 - COUNTER_FROM);
    if (!this.counter.hidden) setText(this.counter, this.chat.t(left < 0 ? "over" : "left", { n: Math.abs(left) }));
    attribute(this.counter, "data-over", left < 0 ? "true" : null);
    attribute(this.input, "aria-invalid", left < 0 ? "true" : null);
  }

  #grow() {
    if (this.grownFor === this.input.value && this.grownAt === innerWidth) return;
    this.grownFor = this.input.value;
    this.grownAt = innerWidth;
    // The form keeps its height while the text is measured, or the messages above would lose their place.
    this.element.style.minBlockSize = `${this.element.offsetHeight}px`;
    this.input.style.blockSize = "auto";
    this.input.style.blockSize = `${this.input.scrollHeight}px`;
    this.element.style.minBlockSize = "";
  }

  /** Enter sends, except with Shift or while an input method is still composing a word. */
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.input.value.trim();
    if (!text || [...text].length > this.max) return;
    this.chat.send(text);
    this.input.value = "";
    this.#changed();
    this.sent();
    this.focus();
  }
}
