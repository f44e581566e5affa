/** The timeline: greeting, days, messages, cards and questions, each drawn once and then kept. */
import { Approval } from "./approval.js";
import { attribute, h, icon } from "./element.js";
import { Greeting } from "./greeting.js";
import { OwnMessage } from "./own_message.js";
import { Reply } from "./reply.js";
import { Scroll } from "./scroll.js";
import { FailedState, skeleton, SystemLine, TypingLine } from "./states.js";

const GROUP_WITHIN = 5 * 60_000;

export class List {
  constructor(chat, { edit }) {
    this.chat = chat;
    this.edit = edit;
    this.rows = new Map();
    const { t } = chat;
    this.greeting = new Greeting(chat);
    this.failed = new FailedState(chat);
    this.typing = new TypingLine(chat);
    this.skeleton = skeleton(t("loading"));
    this.earlier = h("p", { class: "earlier", role: "status" }, h("span", { class: "spinner" }), t("earlier"));
    this.items = h("ol", { class: "items", role: "list" });
    const content = [this.skeleton, this.failed.element, this.greeting.element, this.earlier, this.items];
    const named = { role: "log", "aria-live": "off", "aria-label": t("conversation"), tabindex: "0" };
    this.scroller = h("div", { class: "scroller", ...named }, ...content, this.typing.element);
    const jump = { class: "jump", type: "button", hidden: true, "aria-label": t("latest"), title: t("latest") };
    this.jump = h("button", { ...jump, onclick: () => this.scroll.toEnd({ smooth: true }) }, icon("down"));
    this.element = h("main", { class: "list" }, this.scroller, this.jump);
    this.scroll = new Scroll(this.scroller, {
      moved: (atEnd) => (this.jump.hidden = atEnd),
      nearTop: () => chat.earlier(),
    });
  }

  toLatest() {
    this.scroll.toEnd();
  }

  update(store) {
    this.scroll.around(() => {
      this.skeleton.hidden = store.phase !== "loading" || store.entries.length > 0;
      this.failed.element.hidden = store.phase !== "failed";
      this.greeting.update(store);
      this.earlier.hidden = !store.loadingEarlier;
      this.typing.update(store);
      this.#place(this.#plan(store));
    });
    attribute(this.scroller, "aria-busy", store.running ? "true" : null);
  }

  /** What belongs on the screen, in order: {key, make, update(row)}. */
  #plan(store) {
    const plan = [];
    const asked = new Set();
    let previous = null;
    for (const entry of store.entries) {
      const moment = momentOf(entry);
      // A conversation that begins today need not say so.
      const before = previous ? momentOf(previous) : Date.now();
      const newDay = this.chat.clock.dayKey(moment) !== this.chat.clock.dayKey(before);
      if (newDay) plan.push(this.#day(moment));
      plan.push(this.#row(entry, !newDay && together(previous, entry)));
      previous = entry;
      for (const approval of store.approvals.values()) {
        if (entry.key !== `t:${approval.turn}`) continue;
        plan.push(this.#approval(approval));
        asked.add(approval.call);
        previous = { ...entry, author: "question" };
      }
    }
    for (const approval of store.approvals.values()) if (!asked.has(approval.call)) plan.push(this.#approval(approval));
    return plan;
  }

  #day(moment) {
    const { clock } = this.chat;
    const make = () => ({ element: h("li", { class: "day", "data-row": true }, h("span", {}, clock.dayOf(moment))) });
    return { key: `d:${clock.dayKey(moment)}`, make, update: () => {} };
  }

  #row(entry, joined) {
    const Kind = { customer: OwnMessage, system: SystemLine }[entry.message?.author] ?? Reply;
    const make = () => new Kind(this.chat, { edit: this.edit });
    return { key: entry.key, make, update: (row) => row.update(entry, joined) };
  }

  #approval(approval) {
    const make = () => new Approval(this.chat, approval);
    return { key: `a:${approval.call}`, make, update: (row) => row.update(approval) };
  }

  #place(plan) {
    const kept = new Set(plan.map(({ key }) => key));
    for (const [key, row] of this.rows) {
      if (kept.has(key)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
    let next = this.items.firstElementChild;
    for (const { key, make, update } of plan) {
      if (!this.rows.has(key)) this.rows.set(key, make());
      const row = this.rows.get(key);
      update(row);
      if (row.element === next) next = next.nextElementSibling;
      else this.items.insertBefore(row.element, next);
    }
  }
}

function momentOf(entry) {
  return entry.message?.created_at ?? entry.live.since;
}

/** One author without a pause is one group, with one name and one picture. */
function together(a, b) {
  if (!a || a.author === "question") return false;
  const [one, other] = [a, b].map((entry) => `${entry.message?.author ?? "bot"} ${entry.message?.name ?? ""}`);
  return one === other && Date.parse(momentOf(b)) - Date.parse(momentOf(a)) < GROUP_WITHIN;
}
