/** Below the composer: who the customer is talking to, the privacy link, and the allowance near its end. */
import { attribute, h, setText } from "./element.js";

const NEAR_THE_END = 0.7;

export class Footer {
  constructor(chat, { showUsage }) {
    this.chat = chat;
    const { t, store } = chat;
    this.allowanceText = h("span");
    this.bar = h("span", { class: "allowance-bar-used" });
    const more = h("button", { class: "quiet-link", type: "button", onclick: showUsage }, t("allowance_more"));
    this.allowance = h(
      "div",
      { class: "allowance", hidden: true },
      h("span", { class: "allowance-bar", "aria-hidden": "true" }, this.bar),
      h("p", { class: "allowance-text" }, this.allowanceText, " ", more),
    );
    this.who = h("span");
    const link = { class: "quiet-link", href: store.site.privacy_url, target: "_blank", rel: "noopener" };
    const privacy = store.site.privacy_url && h("a", link, t("privacy"));
    this.element = h("footer", { class: "footer" }, this.allowance, h("p", { class: "disclosure" }, this.who, privacy));
  }

  update({ conversation: { handler, agent }, allowance, usage }) {
    const { t } = this.chat;
    const name = agent?.name ?? agent ?? t("person_unnamed");
    setText(this.who, handler === "person" ? t("talking_to_person", { agent: name }) : t("talking_to_bot"));
    if (allowance?.exhausted && usage.of !== allowance) this.chat.readUsage();
    this.#allowance(allowance, usage.of === allowance ? usage.statement : null);
  }

  #allowance(allowance, statement) {
    const limits = counted(allowance?.limits ?? []);
    const out = Boolean(allowance?.exhausted);
    const near = nearest(limits);
    this.allowance.hidden = !out && !limits.some(({ share }) => share >= NEAR_THE_END);
    if (this.allowance.hidden) return;
    setText(this.allowanceText, out ? this.#outWords(limits, statement) : this.chat.t("allowance", near));
    attribute(this.allowance, "data-state", out ? "out" : "near");
    if (!out) this.bar.style.inlineSize = `${Math.min(100, near.share * 100)}%`;
  }

  /** A limit that is not the customer's own, such as their network's, is not listed. */
  #outWords(limits, statement) {
    const { t, clock } = this.chat;
    const full = limits.filter(({ share }) => share >= 1);
    const back = statement ? statement.back_at : full.length === 1 && full[0].resets_at;
    const words = [
      full.length ? t("allowance_out", full[0]) : t("allowance_out_else"),
      t("allowance_still"),
      back && t("allowance_back", { when: clock.momentOf(back) }),
    ];
    return words.filter(Boolean).join(clock.locale === "zh-CN" ? "" : " ");
  }
}

/** One without an amount never bites. */
function counted(limits) {
  return limits
    .filter(({ amount }) => Number(amount) > 0)
    .map((limit) => ({ ...limit, used: Number(limit.used), amount: Number(limit.amount) }))
    .map((limit) => ({ ...limit, share: limit.used / limit.amount }));
}

/** The limit that will bite first; one that is full has done so, and something else goes on. */
function nearest(limits) {
  const open = limits.filter(({ share }) => share < 1);
  return [...(open.length ? open : limits)].sort((a, b) => b.share - a.share)[0];
}
