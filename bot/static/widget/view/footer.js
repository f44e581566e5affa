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
    this.#allowance(allowance, usage);
  }

  /** The allowance says when there is something to be said; what, only the statement knows, read once for each. */
  #allowance(allowance, usage) {
    const told = counted(allowance?.limits ?? []);
    if (!allowance?.exhausted && !told.some(isNear)) {
      this.allowance.hidden = true;
      return;
    }
    if (usage.of !== allowance) {
      this.chat.readUsage();
      return;
    }
    const statement = usage.problem ? null : usage.statement;
    const out = statement ? statement.exhausted : allowance.exhausted;
    const said = out ? { text: this.#outWords(told, statement) } : this.#nearWords(statement, told);
    this.allowance.hidden = !said;
    if (!said) return;
    setText(this.allowanceText, said.text);
    attribute(this.allowance, "data-state", out ? "out" : "near");
    if (!out) this.bar.style.inlineSize = `${said.share * 100}%`;
  }

  /** What of that which counts is nearly used up; else what goes on where a limit is full: other answers, or gifts. */
  #nearWords(statement, told) {
    if (!statement) return this.#used(nearest(told));
    if (statement.free) return null;
    const [limits, gifts] = [counted(statement.limits), counted(statement.extras)];
    const open = [...limits.filter(({ counts }) => counts), ...gifts].filter((line) => !isFull(line));
    const full = limits.filter(isFull).sort((a, b) => a.counts - b.counts)[0];
    const gift = full?.counts && nearest(gifts.filter((line) => !isFull(line)));
    const near = nearest(open.filter(isNear)) ?? gift;
    if (near) return this.#used(near);
    return full ? { text: this.chat.t("allowance_part", full), share: 1 } : null;
  }

  #used(line) {
    return { text: this.chat.t("allowance", line), share: Math.min(1, line.share) };
  }

  /** A limit that is not the customer's own, such as their network's, is not listed, nor is one that gifts would lift. */
  #outWords(told, statement) {
    const { t, clock } = this.chat;
    const other = statement?.stopped || counted(statement?.extras ?? []).some((line) => !isFull(line));
    const full = other ? [] : counted(statement?.limits ?? told).filter(isFull);
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
  const open = limits.filter((limit) => !isFull(limit));
  return [...(open.length ? open : limits)].sort((a, b) => b.share - a.share)[0];
}

function isFull({ share }) {
  return share >= 1;
}

function isNear({ share }) {
  return share >= NEAR_THE_END;
}
