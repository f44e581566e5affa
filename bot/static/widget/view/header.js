/** The top of the frame: who is answering, the way to a person, the menu, and the way out. */
import { attribute, h, icon, initials, setText } from "./element.js";
import { Menu } from "./menu.js";

export class Header {
  constructor(chat, page, { askNew, showUsage, showData }) {
    this.chat = chat;
    const { t } = chat;
    this.avatar = h("span", { class: "avatar avatar-large", "aria-hidden": "true" });
    this.name = h("h1", { class: "header-name" });
    this.subtitle = h("p", { class: "header-subtitle" });
    this.person = h("button", { class: "icon-button", type: "button", onclick: () => this.#person() }, icon("person"));
    this.menu = new Menu(t("menu"), [
      { key: "person", icon: "person", run: () => this.#person() },
      { key: "new", icon: "plus", text: t("new_conversation"), run: askNew },
      { key: "usage", icon: "usage", text: t("usage"), run: showUsage },
      { key: "data", icon: "lock", text: t("data"), run: showData },
      { key: "privacy", icon: "shield", text: t("privacy"), href: chat.store.site.privacy_url },
    ]);
    const out = { class: "icon-button", type: "button", "aria-label": t("close"), title: t("close") };
    const close = page.embedded && h("button", { ...out, onclick: () => page.tell("close") }, icon("close"));
    const who = h("div", { class: "header-who" }, this.name, this.subtitle);
    this.element = h("header", { class: "header" }, this.avatar, who, this.person, this.menu.element, close);
  }

  update({ site, conversation, mode, phase }) {
    const { t } = this.chat;
    const { handler, agent } = conversation;
    const person = handler === "person";
    const agentName = agent?.name ?? agent ?? t("person_unnamed");
    setText(this.avatar, initials(person ? agentName : site.assistant));
    attribute(this.avatar, "data-author", person ? "agent" : "bot");
    const name = person ? agentName : site.assistant;
    setText(this.name, name === site.name ? name : `${name} · ${site.name}`);
    setText(this.subtitle, t(`subtitle_${handler}`));
    attribute(this.subtitle, "data-state", handler === "bot" ? mode : handler);
    const label = t({ bot: "talk_to_person", queue: "cancel_person", person: "back_to_bot" }[handler]);
    attribute(this.person, "aria-label", label);
    attribute(this.person, "title", label);
    this.person.hidden = handler !== "bot";
    this.person.disabled = phase !== "live";
    this.menu.label("person", label);
  }

  #person() {
    this.chat.human(this.chat.store.conversation.handler !== "bot");
  }
}
