/** A message of the customer's: shown at once, then sent, or refused with the reason. */
import { attribute, h, setText } from "./element.js";

export class OwnMessage {
  constructor(chat, { edit }) {
    this.chat = chat;
    this.bubble = h("p", { class: "bubble own-bubble", dir: "auto" });
    this.state = h("span", { class: "meta-text" });
    this.editButton = h("button", { class: "link-button", type: "button", hidden: true }, chat.t("edit"));
    this.editButton.addEventListener("click", () => edit(chat.takeBack(this.entry)));
    const meta = h("div", { class: "meta" }, this.state, this.editButton);
    const author = h("span", { class: "unseen" }, `${chat.t("you")}: `);
    this.element = h("li", { class: "row own", "data-row": true }, author, this.bubble, meta);
  }

  update(entry, joined) {
    this.entry = entry;
    setText(this.bubble, entry.message.text);
    attribute(this.element, "data-joined", joined ? "true" : null);
    attribute(this.element, "data-status", entry.status ?? null);
    setText(this.state, this.#stateOf(entry));
    this.editButton.hidden = entry.status !== "rejected";
  }

  #stateOf({ status, message, reason }) {
    const { t, clock, store } = this.chat;
    if (status === "sending") return t(store.connected ? "sending" : "waiting_to_send");
    if (status !== "rejected") return clock.timeOf(message.created_at);
    const why = reason.text || t(`rejected_${reason.code}`);
    const when = reason.retry_at ? ` · ${t("retry_at", { time: clock.whenOf(reason.retry_at) })}` : "";
    return `${t("not_sent")} · ${why}${when}`;
  }
}
