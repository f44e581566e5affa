/** An answer, by the bot or a person: while it is worked on, while it streams, and once it is stored. One element throughout. */
import { cardFor } from "./cards.js";
import { attribute, h, icon, initials, setText } from "./element.js";
import { Rating } from "./rating.js";
import { write } from "../markdown.js";

const DEGRADED = new Set(["canned", "passage", "promise", "cache"]);
const OUTCOMES = new Set(["stopped", "handed_over"]);

export class Reply {
  constructor(chat) {
    this.chat = chat;
    this.avatar = h("span", { class: "avatar", "aria-hidden": "true" });
    this.name = h("p", { class: "author" });
    this.cards = h("div", { class: "cards" });
    this.bubble = h("div", { class: "bubble prose", dir: "auto" });
    this.label = h("span", { class: "working-label" });
    const dots = h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    this.working = h("div", { class: "bubble working" }, dots, this.label);
    this.failed = failedLine(chat);
    this.offer = h("button", { class: "link-button", type: "button", hidden: true, onclick: () => chat.human() }, chat.t("talk_to_person"));
    this.sources = h("ul", { class: "sources", role: "list", "aria-label": chat.t("sources"), hidden: true });
    this.badge = h("span", { class: "badge", hidden: true });
    this.time = h("span", { class: "meta-text" });
    this.rating = new Rating(chat);
    this.meta = h("div", { class: "meta" }, this.time, this.badge, this.rating.element);
    const parts = [this.cards, this.bubble, this.working, this.failed, this.offer, this.sources, this.meta, this.rating.comment];
    const stack = h("div", { class: "stack" }, this.name, ...parts);
    this.element = h("li", { class: "row reply", "data-row": true }, this.avatar, stack);
  }

  update(entry, joined) {
    if (this.entry === entry && this.revision === entry.revision && this.joined === joined) return;
    Object.assign(this, { entry, revision: entry.revision, joined });
    const { message, live } = entry;
    this.#author(message, joined);
    const stale = !message && !live.text && !live.cards.length ? live.stale : null;
    this.#cards(message?.cards ?? (stale ?? live)?.cards ?? []);
    this.#text(message, live, stale);
    this.#sources(message?.sources ?? []);
    this.#meta(entry);
    this.rating.update(entry);
  }

  #author(message, joined) {
    const { t, store } = this.chat;
    const agent = message?.author === "agent";
    const name = agent ? message.name || t("person_unnamed") : store.site.assistant;
    setText(this.name, name);
    setText(this.avatar, initials(name));
    attribute(this.avatar, "data-author", agent ? "agent" : "bot");
    attribute(this.element, "data-joined", joined ? "true" : null);
  }

  #cards(cards) {
    const drawn = JSON.stringify(cards);
    if (this.drawn === drawn) return;
    this.drawn = drawn;
    this.cards.replaceChildren(...cards.map((card) => cardFor(card, this.chat)).filter(Boolean));
  }

  #text(message, live, stale) {
    const text = message ? (message.text ?? "") : (stale ?? live).text;
    const streaming = !message && live.state !== "failed";
    this.#keepHeight(stale, message);
    write(this.bubble, text, { live: streaming });
    this.bubble.hidden = !this.bubble.firstChild;
    attribute(this.bubble, "data-live", streaming && !live.working ? "true" : null);
    this.failed.hidden = message || streaming;
    this.working.hidden = !streaming || (!live.working && !this.bubble.hidden);
    if (streaming) setText(this.label, live.label || this.chat.t(live.state === "queued" ? "queued" : "working"));
  }

  /** What takes the place of text that was taken back gets its room until it is whole, so that nothing jumps. */
  #keepHeight(stale, message) {
    if (this.stale && !stale && !message) this.bubble.style.minBlockSize = `${this.bubble.offsetHeight}px`;
    else if (message && this.bubble.style.minBlockSize) this.bubble.style.minBlockSize = "0px";
    this.stale = stale;
    attribute(this.element, "data-stale", stale ? "true" : null);
  }

  #sources(sources) {
    this.sources.hidden = sources.length === 0;
    const links = sources.filter(({ url }) => /^https?:\/\/|^\//i.test(url));
    this.sources.replaceChildren(
      ...links.map(({ title, url }) => {
        const link = { class: "chip", href: url, target: "_blank", rel: "noopener" };
        return h("li", {}, h("a", link, h("span", {}, title), icon("link")));
      }),
    );
  }

  #meta({ message, outcome }) {
    const { t, clock, store } = this.chat;
    // The line keeps its place while text streams, so that its coming moves nothing.
    this.meta.classList.toggle("meta-empty", !message);
    if (!message) return;
    setText(this.time, clock.timeOf(message.created_at));
    const label = badgeOf(message, outcome);
    this.badge.hidden = !label;
    if (label) setText(this.badge, t(label));
    this.offer.hidden = outcome !== "failed" || store.conversation.handler !== "bot";
  }
}

/** What an answer is, where it is not simply the assistant's. */
function badgeOf(message, outcome) {
  if (OUTCOMES.has(outcome)) return outcome;
  if (message.deferred) return "deferred";
  if (DEGRADED.has(message.source)) return `source_${message.source}`;
  return message.answers ? "answers_earlier" : null;
}

function failedLine(chat) {
  const ask = { class: "link-button", type: "button", onclick: () => chat.human() };
  const words = h("p", {}, chat.t("failed"), " ", h("button", ask, chat.t("talk_to_person")));
  return h("div", { class: "bubble failed-line", hidden: true }, icon("alert"), words);
}
