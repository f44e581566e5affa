/** Thumbs under a bot's answer, and after a thumb down the question what was missing. */
import { attribute, h, icon } from "./element.js";

const COMMENT_LONGEST = 1000;

export class Rating {
  constructor(chat) {
    this.chat = chat;
    this.good = this.#thumb("good", 1);
    this.bad = this.#thumb("bad", -1);
    const group = { class: "thumbs", role: "group", "aria-label": chat.t("rate") };
    this.element = h("div", group, this.good, this.bad);
    this.comment = this.#form();
  }

  update(entry) {
    this.entry = entry;
    const { message } = entry;
    this.element.hidden = message?.author !== "bot" || entry.past;
    attribute(this.good, "aria-pressed", String(message?.rating === 1));
    attribute(this.bad, "aria-pressed", String(message?.rating === -1));
  }

  #thumb(name, score) {
    const label = this.chat.t(name);
    const rate = () => {
      this.chat.rate(this.entry, score);
      this.#openComment(score < 0);
    };
    return h("button", { class: "thumb", type: "button", "aria-label": label, title: label, onclick: rate }, icon(name));
  }

  #form() {
    const { t } = this.chat;
    this.words = h("textarea", { class: "comment-input", rows: "2", maxlength: COMMENT_LONGEST, dir: "auto" });
    const label = h("label", { class: "comment-label" }, t("comment_label"), this.words);
    const skip = { class: "button button-small", type: "button", onclick: () => this.#openComment(false) };
    const buttons = h(
      "div",
      { class: "comment-buttons" },
      h("button", skip, t("comment_skip")),
      h("button", { class: "button button-main button-small", type: "submit" }, t("comment_send")),
    );
    this.fields = h("div", {}, label, buttons);
    this.thanks = h("p", { class: "thanks", role: "status" });
    const submit = (event) => {
      event.preventDefault();
      this.#send();
    };
    return h("form", { class: "comment", hidden: true, onsubmit: submit }, this.fields, this.thanks);
  }

  #openComment(open) {
    this.comment.hidden = !open;
    this.fields.hidden = !open;
    this.thanks.replaceChildren();
    if (!open) return;
    this.words.focus({ preventScroll: true });
    this.comment.scrollIntoView({ block: "nearest" });
  }

  #send() {
    const words = this.words.value.trim();
    if (words) this.chat.rate(this.entry, -1, words);
    this.fields.hidden = true;
    this.thanks.replaceChildren(icon("check"), this.chat.t("thanks"));
    this.bad.focus({ preventScroll: true });
  }
}
