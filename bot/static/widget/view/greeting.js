/** The first thing a visitor reads: who is there, and questions others ask. */
import { h, icon, initials, setText } from "./element.js";

export class Greeting {
  constructor(chat) {
    this.chat = chat;
    this.avatar = h("span", { class: "avatar avatar-huge", "aria-hidden": "true" });
    this.words = h("p", { class: "greeting-words" });
    this.list = h("ul", { class: "suggestions", role: "list", "aria-label": chat.t("suggestions") });
    this.element = h("section", { class: "greeting" }, this.avatar, this.words, this.list);
  }

  update({ phase, site, entries, more, conversation }) {
    this.element.hidden = phase !== "live" || more;
    const begun = entries.length > 0;
    this.element.classList.toggle("greeting-small", begun);
    this.list.hidden = begun || conversation.handler !== "bot";
    setText(this.avatar, initials(site.assistant));
    setText(this.words, site.greeting || this.chat.t("greeting"));
    this.#suggest(site.suggestions);
  }

  #suggest(suggestions) {
    if (this.shown === suggestions) return;
    this.shown = suggestions;
    this.list.replaceChildren(...suggestions.map((text) => this.#suggestion(text)));
  }

  #suggestion(text) {
    const ask = { class: "suggestion", type: "button", onclick: () => this.chat.send(text) };
    return h("li", {}, h("button", ask, h("span", {}, text), icon("arrow")));
  }
}
