/** Asks before the conversation is closed and a new one begins. */
import { h } from "./element.js";

export class ConfirmDialog {
  constructor(chat) {
    const { t } = chat;
    const yes = () => {
      this.element.close();
      chat.startNew();
    };
    const no = () => this.element.close();
    this.element = h(
      "dialog",
      { class: "dialog", "aria-labelledby": "dialog-title", onclick: ({ target }) => target === this.element && no() },
      h(
        "div",
        { class: "dialog-body" },
        h("h2", { id: "dialog-title" }, t("confirm_new_title")),
        h("p", {}, t("confirm_new_text")),
        h(
          "div",
          { class: "dialog-buttons" },
          h("button", { class: "button", type: "button", onclick: no }, t("cancel")),
          h("button", { class: "button button-main", type: "button", onclick: yes }, t("confirm_new_yes")),
        ),
      ),
    );
  }

  ask() {
    this.element.showModal();
  }
}
