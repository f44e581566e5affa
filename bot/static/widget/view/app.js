/** The whole widget on the screen: its parts from top to bottom, drawn at most once a frame. */
import { Composer } from "./composer.js";
import { ConfirmDialog } from "./dialog.js";
import { h } from "./element.js";
import { Footer } from "./footer.js";
import { Header } from "./header.js";
import { List } from "./list.js";
import { Notices } from "./notices.js";
import { YourData } from "./your_data.js";
import { YourUsage } from "./your_usage.js";
import { spoken, write } from "../markdown.js";

export class App {
  constructor({ chat, page, root }) {
    this.chat = chat;
    const dialog = new ConfirmDialog(chat);
    this.composer = new Composer(chat, () => this.list.toLatest());
    const data = new YourData(chat);
    const usage = new YourUsage(chat);
    const showUsage = () => usage.show();
    this.header = new Header(chat, page, { askNew: () => dialog.ask(), showUsage, showData: () => data.show() });
    this.notices = new Notices(chat);
    this.list = new List(chat, { edit: (text) => this.composer.fill(text) });
    this.parts = [this.header, this.notices, this.list, this.composer, new Footer(chat, { showUsage }), data, usage];
    this.live = h("div", { class: "unseen", "aria-live": "polite", role: "status" });
    root.replaceChildren(...this.parts.map((part) => part.element), dialog.element, this.live);
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || root.querySelector("dialog[open]")) return;
      page.tell("close");
    });
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = requestAnimationFrame(() => this.render());
  }

  render() {
    this.scheduled = null;
    for (const part of this.parts) part.update(this.chat.store);
  }

  /** Not on a phone, where it would cover half the screen with a keyboard. */
  focus() {
    if (!matchMedia("(pointer: coarse)").matches) this.composer.focus();
  }

  /** Says a finished answer once, without its markup. */
  announce({ author, name, text }) {
    const words = h("div");
    write(words, text ?? "");
    const who = author === "bot" ? this.chat.store.site.assistant : name;
    this.live.replaceChildren(h("p", {}, [who, spoken(words)].filter(Boolean).join(": ")));
  }
}
