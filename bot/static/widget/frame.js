/** The frame's entry: reads what the page was rendered with, and joins conversation, views and the page around. */
import { setAccent } from "./accent.js";
import { Chat } from "./chat.js";
import { Memory } from "./memory.js";
import { Page } from "./page.js";
import { App } from "./view/app.js";

const root = document.documentElement;
const { dataset } = document.body;
const config = {
  key: dataset.site,
  name: dataset.name,
  assistant: dataset.assistant,
  colour: dataset.colour,
  privacy_url: dataset.privacyUrl,
  locale: dataset.locale,
  text_days: Number(dataset.textDays),
  call_days: Number(dataset.callDays),
  hidden: dataset.hidden.split(" "),
};

const theme = new URLSearchParams(location.search).get("theme");
if (theme === "light" || theme === "dark") root.dataset.theme = theme;
setAccent(root, config.colour);

const page = new Page(dataset.parentOrigins.split(" "), {
  start({ identity, forget }) {
    if (forget) chat.forget();
    chat.start(identity);
  },
  open: () => {
    chat.show();
    app.focus();
  },
  close: () => chat.hide(),
  identify: ({ jwt }) => chat.identify(jwt),
  forget: () => chat.forget(),
});

const chat = new Chat({
  config,
  memory: new Memory(config.key),
  tell: (type, body) => page.tell(type, body),
  announce: (message) => app.announce(message),
  changed: () => app.schedule(),
});
const app = new App({ chat, page, root: document.getElementById("app") });

document.addEventListener("visibilitychange", () => chat.seen());
app.render();
page.tell("loaded", { colour: config.colour });
if (!page.embedded) {
  chat.start(null);
  chat.show();
}
