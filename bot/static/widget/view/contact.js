/** Asks where to write to, while an answer has to wait and nobody knows an address. */
import { h } from "./element.js";

const LONGEST = 254;

export class Contact {
  constructor(chat) {
    this.chat = chat;
    const { t } = chat;
    const input = { class: "contact-input", id: "contact", type: "email", required: true, maxlength: LONGEST };
    this.email = h("input", { ...input, autocomplete: "email", inputmode: "email", dir: "ltr", placeholder: t("contact_hint") });
    this.save = h("button", { class: "strip-button", type: "submit" }, t("contact_save"));
    this.row = h("div", { class: "contact-row", hidden: true }, this.email, this.save);
    const open = { class: "strip-button", type: "button", "aria-expanded": "false", onclick: () => this.#open() };
    this.opener = h("button", open, t("contact_open"));
    const label = h("label", { class: "strip-text", for: "contact" }, t("contact_ask"));
    this.element = h("form", { class: "strip strip-queue contact", hidden: true }, label, this.opener, this.row);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#leave();
    });
  }

  update(store) {
    const { customer, conversation, phase } = store;
    const waits = conversation.handler === "queue" || (conversation.handler === "bot" && putOff(store));
    this.element.hidden = phase !== "live" || Boolean(customer.reachable) || !waits;
  }

  /** One field at a time: most people only want to write on. */
  #open() {
    this.opener.hidden = true;
    this.row.hidden = false;
    this.email.focus();
  }

  async #leave() {
    this.save.disabled = true;
    if (await this.chat.leaveContact(this.email.value.trim())) this.email.value = "";
    this.save.disabled = false;
  }
}

/** Whether the newest reply only promised one. */
function putOff({ entries }) {
  const { message } = entries.findLast((entry) => entry.message?.author === "bot") ?? {};
  return message?.source === "promise" || Boolean(message?.deferred);
}
