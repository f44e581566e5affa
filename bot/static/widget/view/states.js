/** The timeline's other faces: loading, failed, a line by the system, and somebody typing. */
import { h, icon, setText } from "./element.js";

export function skeleton(label) {
  const bone = (size) => h("div", { class: `bone bone-${size}` });
  const bones = ["avatar", "title", "line", "card", "card", "card"].map(bone);
  return h("div", { class: "skeleton", role: "status", "aria-label": label }, ...bones);
}

export class FailedState {
  constructor(chat) {
    const { t } = chat;
    const again = h("button", { class: "button button-main", type: "button", onclick: () => chat.retry() }, t("retry"));
    const words = [h("h2", {}, t("failed_title")), h("p", {}, t("failed_text"))];
    this.element = h("div", { class: "failed", role: "alert", hidden: true }, icon("alert"), ...words, again);
  }
}

export class SystemLine {
  constructor() {
    this.words = h("p");
    this.element = h("li", { class: "system-line", "data-row": true }, this.words);
  }

  update({ message }) {
    setText(this.words, message.text);
  }
}

export class TypingLine {
  constructor(chat) {
    this.chat = chat;
    this.words = h("span");
    const dots = h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    this.element = h("p", { class: "typing", hidden: true }, dots, this.words);
  }

  update({ typingUntil, conversation: { agent } }) {
    this.element.hidden = typingUntil <= Date.now();
    setText(this.words, this.chat.t("typing", { agent: agent?.name ?? agent ?? this.chat.t("person_unnamed") }));
  }
}
