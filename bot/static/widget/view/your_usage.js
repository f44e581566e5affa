/** A sheet that says what is used, when it begins anew, and what goes on when it is used up. */
import { attribute, h, icon, setText } from "./element.js";

export class YourUsage {
  constructor(chat) {
    this.chat = chat;
    const { t } = chat;
    const close = { class: "icon-button", type: "button", "aria-label": t("usage_close"), title: t("usage_close") };
    this.closer = h("button", { ...close, onclick: () => this.#close() }, icon("cross"));
    this.status = h("p", { class: "usage-status", role: "status" });
    this.lines = h("div");
    this.body = h("div", { class: "sheet-body" }, this.status, this.lines);
    this.element = h(
      "dialog",
      {
        class: "dialog sheet",
        "aria-labelledby": "usage-title",
        onclick: ({ target }) => target === this.element && this.#close(),
      },
      h("div", { class: "sheet-head" }, h("h2", { id: "usage-title", class: "sheet-title" }, t("usage")), this.closer),
      this.body,
    );
  }

  show() {
    this.element.showModal();
    this.closer.focus();
    this.chat.readUsage();
    this.drawn = null;
    this.update(this.chat.store);
  }

  update({ usage, allowance }) {
    if (!this.element.open) return;
    if (usage.of !== allowance) this.chat.readUsage();
    attribute(this.body, "aria-busy", usage.statement || usage.problem ? null : "true");
    if (this.drawn === usage) return;
    this.drawn = usage;
    if (usage.statement) this.#show(usage.statement);
    else if (usage.problem) this.#fail(usage.problem);
    else this.#wait();
  }

  #close() {
    this.element.close();
  }

  #wait() {
    this.#say("loading", this.chat.t("usage_loading"));
    this.lines.replaceChildren(...[1, 2].map(() => h("div", { class: "bone usage-bone", "aria-hidden": "true" })));
  }

  #fail(problem) {
    const { t } = this.chat;
    const again = { class: "button", type: "button", onclick: () => this.chat.readUsage() };
    this.#say("problem", t(problem === "offline" ? "usage_problem_offline" : "usage_problem"));
    this.lines.replaceChildren(h("button", again, t("usage_retry")));
  }

  #show(statement) {
    const { t } = this.chat;
    const { limits, extras, exhausted } = statement;
    const free = statement.free && !exhausted;
    if (exhausted) this.#say("out", this.#outWords(statement));
    else this.#say(free ? "free" : "lead", t(free ? "usage_free" : "usage_lead"));
    this.lines.replaceChildren(
      ...this.#list(limits, (line) => this.#resets(line)),
      ...(extras.length ? [h("h3", { class: "sheet-heading" }, t("usage_given"))] : []),
      ...this.#list(extras, (line) => this.#ends(line)),
      ...(free ? [] : this.#works(exhausted)),
    );
  }

  #outWords({ limits, back_at }) {
    const { t, clock } = this.chat;
    if (!back_at) return t("usage_out");
    // What is full may be somebody else's too, or one that customers are not shown.
    return t(limits.some(isFull) ? "usage_back" : "usage_away", { when: clock.momentOf(back_at) });
  }

  #list(lines, ending) {
    if (!lines.length) return [];
    return [h("ul", { class: "usage-lines", role: "list" }, ...lines.map((line) => this.#line(line, ending(line))))];
  }

  #line(line, ending) {
    const { label, used, amount } = line;
    const bar = h("span", { class: "allowance-bar-used" });
    bar.style.inlineSize = `${isFull(line) ? 100 : (100 * used) / amount}%`;
    return h(
      "li",
      { "data-full": isFull(line) },
      h("p", { class: "usage-line" }, h("span", {}, capital(label)), h("b", {}, this.chat.t("usage_of", this.#numbers(line)))),
      h("span", { class: "allowance-bar", "aria-hidden": "true" }, bar),
      h("p", { class: "usage-ending" }, ending),
    );
  }

  #numbers({ used, amount }) {
    const { clock } = this.chat;
    return { used: clock.countOf(used), amount: clock.countOf(amount) };
  }

  #resets(line) {
    const { t, clock } = this.chat;
    if (!line.ends_at) return t("usage_begins");
    return t(isFull(line) ? "usage_full" : "usage_resets", { when: clock.momentOf(line.ends_at) });
  }

  #ends(line) {
    const { t, clock } = this.chat;
    return isFull(line) ? t("usage_given_full") : t("usage_until", { when: clock.whenOf(line.ends_at) });
  }

  #works(exhausted) {
    const { t, store } = this.chat;
    const facts = [
      ["check", t("usage_works_canned")],
      ["file", t("usage_works_pages")],
      ["person", t("usage_works_person")],
    ];
    const ask = () => {
      this.#close();
      this.chat.human();
    };
    const person = exhausted && store.conversation.handler === "bot";
    const button = h("button", { class: "button usage-person", type: "button", onclick: ask }, icon("person"), t("talk_to_person"));
    return [
      h("h3", { class: "sheet-heading" }, t(exhausted ? "usage_works_now" : "usage_works_then")),
      h("ul", { class: "sheet-facts", role: "list" }, ...facts.map(([name, text]) => h("li", {}, icon(name), h("span", {}, text)))),
      ...(person ? [button] : []),
    ];
  }

  #say(kind, text) {
    attribute(this.status, "data-kind", kind);
    setText(this.status, text);
  }
}

function isFull({ used, amount }) {
  return used >= amount;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
