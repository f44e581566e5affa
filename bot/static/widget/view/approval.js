/** A change that waits for the customer's yes: what would happen, until when, and what became of it. */
import { attribute, h, icon, setText } from "./element.js";

const OUTCOMES = { done: "check", declined: "cross", expired: "clock", failed: "alert" };

export class Approval {
  constructor(chat, { call, title, lines, expires_at }) {
    this.chat = chat;
    this.expiresAt = Date.parse(expires_at);
    const { t } = chat;
    const answer = (approved) => () => chat.approve(call, approved);
    this.no = h("button", { class: "button", type: "button", onclick: answer(false) }, t("approval_no"));
    this.yes = h("button", { class: "button button-main", type: "button", onclick: answer(true) }, t("approval_yes"));
    this.buttons = h("div", { class: "approval-buttons" }, this.yes, this.no);
    this.left = h("p", { class: "approval-left" });
    this.outcome = h("p", { class: "approval-outcome", role: "status", hidden: true });
    const id = `approval-${call}`;
    const head = h("div", { class: "approval-head" }, icon("shield"), h("h2", { class: "card-title", id }, title));
    const what = h("ul", { class: "approval-lines", role: "list" }, ...lines.map((line) => h("li", { dir: "auto" }, line)));
    const card = h("div", { class: "card approval", role: "group", "aria-labelledby": id }, head, what);
    card.append(this.buttons, this.left, this.outcome);
    this.element = h("li", { class: "row approval-row", "data-row": true }, card);
  }

  update({ state }) {
    const open = state === "open" || state === "sending";
    const expired = open && this.expiresAt <= Date.now();
    attribute(this.element, "data-state", expired ? "expired" : state);
    this.buttons.hidden = !open || expired;
    this.left.hidden = this.buttons.hidden;
    for (const button of [this.yes, this.no]) button.disabled = state === "sending" || !this.chat.store.connected;
    this.outcome.hidden = !this.buttons.hidden;
    if (!this.outcome.hidden) this.#settle(expired ? "expired" : state);
    clearTimeout(this.timer);
    if (!this.buttons.hidden) this.#tick(state);
  }

  #settle(state) {
    if (this.settled === state) return;
    this.settled = state;
    this.outcome.replaceChildren(icon(OUTCOMES[state]), this.chat.t(`approval_${state}`));
  }

  #tick(state) {
    const { t, clock, store } = this.chat;
    const time = clock.countdown(this.expiresAt - Date.now());
    setText(this.left, state === "sending" ? t("approval_sending") : t("approval_expires", { time }));
    this.timer = setTimeout(() => (this.expiresAt <= Date.now() ? store.changed() : this.#tick(state)), 1000);
  }
}
