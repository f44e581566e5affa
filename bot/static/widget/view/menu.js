/** A menu button with its menu: arrows move, Escape closes, focus goes back to the button. */
import { attribute, h, icon, setText } from "./element.js";

export class Menu {
  /** `items` are {key, icon, text, run} or {key, icon, text, href}. */
  constructor(label, items) {
    const opener = { class: "icon-button", type: "button", "aria-label": label, title: label, "aria-haspopup": "menu" };
    this.button = h("button", { ...opener, onclick: () => this.toggle() }, icon("more"));
    this.items = new Map(items.filter((item) => item.run || item.href).map((item) => [item.key, this.#item(item)]));
    this.list = h("div", { class: "menu", role: "menu", "aria-label": label, hidden: true }, ...this.items.values());
    this.element = h("div", { class: "menu-holder", onkeydown: (event) => this.#key(event) }, this.button, this.list);
    document.addEventListener("pointerdown", ({ target }) => this.element.contains(target) || this.toggle(false));
    attribute(this.button, "aria-expanded", "false");
  }

  label(key, text) {
    setText(this.items.get(key).lastChild, text);
  }

  toggle(open = this.list.hidden) {
    if (open === !this.list.hidden) return;
    this.list.hidden = !open;
    attribute(this.button, "aria-expanded", String(open));
    if (open) this.list.firstChild.focus();
    else if (this.list.contains(document.activeElement) || document.activeElement === document.body) this.button.focus();
  }

  #item({ icon: name, text = "", run, href }) {
    const content = [icon(name), h("span", {}, text)];
    const shared = { class: "menu-item", role: "menuitem", tabindex: "-1" };
    const chosen = () => {
      this.toggle(false);
      run?.();
    };
    if (href) return h("a", { ...shared, href, target: "_blank", rel: "noopener", onclick: chosen }, ...content);
    return h("button", { ...shared, type: "button", onclick: chosen }, ...content);
  }

  #key(event) {
    if (this.list.hidden) return;
    const items = [...this.items.values()];
    const at = items.indexOf(document.activeElement);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    if (event.key in moves) items.at(moves[event.key] % items.length).focus();
    else if (event.key === "Escape") {
      this.list.contains(document.activeElement) || this.button.focus();
      this.toggle(false);
    } else if (event.key === "Tab") {
      this.toggle(false);
      return;
    } else return;
    event.preventDefault();
  }
}
