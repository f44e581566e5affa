/** Below the composer: who the customer is talking to, the privacy link, and the allowance near its end. */
import { attribute, h, setText } from "./element.js";

const NEAR_THE_END = 0.7;

export class Footer {
  constructor(chat) {
    this.chat = chat;
    const { t, store } = chat;
    this.allowanceText = h("p", { class: "allowance-text" });
    this.bar = h("span", { class: "allowance-bar-used" });
    this.allowance = h("div", { class: "allowance", hidden: true }, h("span", { class: "allowance-bar" }, this.bar));
    this.allowance.append(this.allowanceText);
    this.who = h("span");
    const link = { class: "quiet-link", href: store.site.privacy_url, target: "_blank", rel: "noopener" };
    const privacy = store.site.privacy_url && h("a", link, t("privacy"));
    this.element = h("footer", { class: "footer" }, this.allowance, h("p", { class: "disclosure" }, this.who, privacy));
  }

  update({ conversation: { handler, agent }, allowance }) {
    const { t } = this.chat;
    const name = agent?.name ?? agent ?? t("person_unnamed");
    setText(this.who, handler === "person" ? t("talking_to_person", { agent: name }) : t("talking_to_bot"));
    this.#allowance(allowance);
  }

  #allowance(allowance) {
    const limit = fullest(allowance?.limits ?? []);
    const out = Boolean(allowance?.exhausted);
    this.allowance.hidden = !out && !(limit?.share >= NEAR_THE_END);
    if (this.allowance.hidden) return;
    setText(this.allowanceText, out ? this.#outWords(limit) : this.#words(["allowance", "allowance_resets"], limit));
    attribute(this.allowance, "data-state", out ? "out" : "near");
    if (!out) this.bar.style.inlineSize = `${Math.min(100, limit.share * 100)}%`;
  }

  /** A limit that is not the customer's own, such as their network's, is not listed. */
  #outWords(limit) {
    const own = limit && limit.used >= limit.amount;
    return own ? this.#words(["allowance_out", "allowance_still"], limit) : this.chat.t("allowance_out_else");
  }

  #words(keys, limit) {
    const { t, clock } = this.chat;
    return keys.map((key) => t(key, { ...limit, when: clock.whenOf(limit.resets_at) })).join(clock.locale === "zh-CN" ? "" : " ");
  }
}

/** The limit that will bite first; one without an amount never does. */
function fullest(limits) {
  const counted = limits
    .filter(({ amount }) => Number(amount) > 0)
    .map((limit) => ({ ...limit, used: Number(limit.used), amount: Number(limit.amount) }))
    .map((limit) => ({ ...limit, share: limit.used / limit.amount }));
  return counted.sort((a, b) => b.share - a.share)[0];
}
