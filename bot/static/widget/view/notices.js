/** What the customer should know about the whole conversation: degraded, waiting for a person, offline, a problem. */
import { Contact } from "./contact.js";
import { h, icon, setText } from "./element.js";

const LOST_SHOWN_AFTER = 1200;

export class Notices {
  constructor(chat) {
    this.chat = chat;
    const { t } = chat;
    const cancel = { class: "strip-button", type: "button", onclick: () => chat.human(true) };
    const human = { class: "strip-button", type: "button", onclick: () => chat.human() };
    this.queue = strip("queue", "clock", t("strip_queue"), h("button", cancel, t("cancel_person")));
    this.degraded = strip("degraded", "alert", t("mode_degraded"), h("button", human, t("talk_to_person")));
    this.contact = new Contact(chat);
    this.offline = h("div", { class: "pill", role: "status" }, h("span", { class: "spinner" }), h("span", {}, t("offline")));
    this.noteText = h("span");
    this.note = h("div", { class: "pill pill-problem", role: "alert" }, icon("alert"), this.noteText);
    const pills = h("div", { class: "pills" }, this.offline, this.note);
    this.element = h("div", { class: "notices" }, this.queue, this.degraded, this.contact.element, pills);
  }

  update(store) {
    const { conversation, mode, phase, connected, lostAt, note } = store;
    this.contact.update(store);
    this.queue.hidden = conversation.handler !== "queue";
    this.degraded.hidden = mode !== "degraded" || conversation.handler !== "bot";
    this.offline.hidden = phase !== "live" || connected || !this.#lostLongEnough(lostAt);
    this.note.hidden = !note;
    if (note) setText(this.noteText, note.text);
  }

  /** A blink of the network is nobody's business. */
  #lostLongEnough(lostAt) {
    clearTimeout(this.later);
    const left = LOST_SHOWN_AFTER - (Date.now() - (lostAt ?? Date.now()));
    if (left > 0) this.later = setTimeout(() => this.chat.store.changed(), left + 10);
    return left <= 0;
  }
}

function strip(kind, name, text, action) {
  const words = h("p", { class: "strip-text" }, text);
  return h("div", { class: `strip strip-${kind}`, role: "status", hidden: true }, icon(name), words, action);
}
