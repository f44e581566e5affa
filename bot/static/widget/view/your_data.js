/** A sheet that says what is kept about the customer, and gives a copy of it or deletes it, in two steps. */
import { save } from "../rights.js";
import { attribute, h, icon, setText } from "./element.js";
import { kept, lost, staying } from "./data_words.js";

export class YourData {
  constructor(chat) {
    this.chat = chat;
    const { t } = chat;
    this.title = h("h2", { id: "data-title", class: "sheet-title" });
    const close = { class: "icon-button", type: "button", "aria-label": t("data_close"), title: t("data_close") };
    this.closer = h("button", { ...close, onclick: () => this.#back() }, icon("cross"));
    this.steps = { about: this.#about(), sure: this.#sure(), running: this.#running(), done: this.#done() };
    const head = h("div", { class: "sheet-head" }, this.title, this.closer);
    const body = h("div", { class: "sheet-body" }, ...Object.values(this.steps));
    const leave = (event) => {
      event.preventDefault();
      this.#back();
    };
    this.element = h(
      "dialog",
      {
        class: "dialog sheet",
        "aria-labelledby": "data-title",
        oncancel: leave,
        onkeydown: (event) => event.key === "Escape" && leave(event),
        onclick: ({ target }) => target === this.element && this.#back(),
      },
      head,
      body,
    );
  }

  show() {
    this.element.showModal();
    this.step = null;
    this.#go("about");
  }

  update({ customer, phase }) {
    if (!this.element.open) return;
    const known = customer.verified && phase === "live";
    this.buttons.hidden = !known;
    this.anonymous.hidden = known || phase !== "live";
    // The page may say good-bye to the customer while the question stands.
    if (!known && this.step === "sure") this.#go("about");
  }

  // The steps

  #about() {
    const { t, store } = this.chat;
    const { name, privacy_url } = store.site;
    const facts = kept(this.chat).map(([name, text]) => h("li", {}, icon(name), h("span", {}, text)));
    const out = { class: "quiet-link", href: privacy_url, target: "_blank", rel: "noopener" };
    const link = privacy_url && h("p", { class: "sheet-link" }, h("a", out, t("data_privacy", { name })));
    this.anonymous = h("p", { class: "sheet-aside", hidden: true }, t("data_anonymous"));
    const page = { class: "button", type: "button", onclick: () => this.#copy("html") };
    const json = { class: "button", type: "button", "aria-label": t("data_json"), onclick: () => this.#copy("json") };
    this.copies = [h("button", page, icon("save"), t("data_download")), h("button", json, "JSON")];
    this.toSure = h("button", { class: "button button-danger-quiet", type: "button", onclick: () => this.#go("sure") });
    this.toSure.append(icon("trash"), t("data_delete"));
    const copies = h("div", { class: "sheet-copies" }, ...this.copies);
    this.buttons = h("div", { class: "sheet-buttons", hidden: true }, copies, this.toSure);
    this.note = h("p", { class: "sheet-note", role: "status" });
    const list = h("ul", { class: "sheet-facts", role: "list" }, ...facts);
    return h("div", {}, list, link, this.anonymous, this.buttons, this.note);
  }

  #sure() {
    const { t } = this.chat;
    this.keep = h("button", { class: "button", type: "button", onclick: () => this.#go("about") }, t("data_keep"));
    const erase = h("button", { class: "button button-danger", type: "button", onclick: () => this.#erase() }, t("data_erase"));
    return h(
      "div",
      {},
      ...listed(t("data_goes"), "trash", lost(this.chat)),
      ...listed(t("data_stays"), "check", staying(this.chat)),
      h("p", { class: "sheet-final" }, t("data_final")),
      h("div", { class: "dialog-buttons" }, this.keep, erase),
    );
  }

  #running() {
    this.wait = h("p", { class: "sheet-wait", tabindex: "-1" }, h("span", { class: "spinner" }), this.chat.t("data_running"));
    return h("div", {}, this.wait);
  }

  #done() {
    const { t } = this.chat;
    this.afresh = h("button", { class: "button button-main", type: "button", onclick: () => this.#back() }, t("data_done_close"));
    return h("div", {}, h("p", {}, t("data_done")), h("div", { class: "dialog-buttons" }, this.afresh));
  }

  // From one to the other

  #go(step) {
    const came = this.step;
    this.step = step;
    setText(this.title, this.chat.t(`data_title_${step}`));
    for (const [name, element] of Object.entries(this.steps)) element.hidden = name !== step;
    this.closer.hidden = step === "running" || step === "done";
    this.#say("");
    this.update(this.chat.store);
    const focus = { about: came ? this.toSure : this.closer, sure: this.keep, running: this.wait, done: this.afresh };
    focus[step].focus();
  }

  /** What Escape, the cross and a tap beside the sheet do: one step back, and never during the deletion. */
  #back() {
    if (this.step === "sure") this.#go("about");
    else if (this.step !== "running") this.element.close();
  }

  async #copy(format) {
    if (this.busy) return;
    const { t, store, rights } = this.chat;
    this.#working(true);
    this.#say(t("data_preparing"));
    try {
      const file = `${store.site.key}-${new Date().toISOString().slice(0, 10)}.${format}`;
      save(await rights.copy(format), file);
      this.#say(t("data_saved", { file }));
    } catch (refused) {
      this.#refuse(refused);
    }
    this.#working(false);
  }

  async #erase() {
    this.#go("running");
    try {
      await this.chat.erase();
      this.#go("done");
    } catch (refused) {
      this.#go("about");
      this.#refuse(refused);
    }
  }

  #working(busy) {
    this.busy = busy;
    for (const button of this.copies) attribute(button, "aria-disabled", busy ? "true" : null);
  }

  #refuse({ code, retry_at }) {
    const { t, clock } = this.chat;
    const known = ["offline", "unauthorized", "not_verified", "rate_limited"].includes(code) ? code : "failed";
    this.#say(t(`data_problem_${known}`, { time: retry_at ? clock.whenOf(retry_at) : "" }), "problem");
  }

  #say(text, kind = "") {
    setText(this.note, text);
    attribute(this.note, "data-kind", kind || null);
  }
}

function listed(title, name, lines) {
  const items = lines.map((line) => h("li", {}, icon(name), h("span", {}, line)));
  return [h("h3", { class: "sheet-heading" }, title), h("ul", { class: "sheet-facts", role: "list" }, ...items)];
}
