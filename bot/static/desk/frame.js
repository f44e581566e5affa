/** The frame around the work: appearance, menu, details, questions and errors. */
import { word } from "./words.js";

const YEAR = 31_536_000;
const menu = document.getElementById("menu");
const toast = document.getElementById("toast");
const sure = document.getElementById("sure");

export function say(text) {
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (toast.hidden = true), 6000);
}

// What the server has to say about what was done on the page before.
if (!toast.hidden) say(toast.textContent);

export function showConnection(state) {
  const line = document.getElementById("connection");
  line.dataset.state = state;
  line.querySelector(".text").textContent = word(state);
}

function wear(theme) {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `frontdesk_theme=${theme}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
  for (const choice of document.querySelectorAll("[data-theme-choice]")) {
    choice.ariaPressed = String(choice.dataset.themeChoice === theme);
  }
}

function toggleDetails(button) {
  const open = document.getElementById("details").classList.toggle("open");
  button.ariaExpanded = String(open);
}

document.addEventListener("click", (event) => {
  const { target } = event;
  if (!target.closest("#menu")) menu.open = false;
  const choice = target.closest("[data-theme-choice]");
  if (choice) wear(choice.dataset.themeChoice);
  const toggle = target.closest("[data-toggle='details']");
  if (toggle) toggleDetails(toggle);
  const opener = target.closest("[data-dialog]");
  if (opener) {
    menu.open = false;
    document.getElementById(opener.dataset.dialog).showModal();
  }
  if (target.matches("dialog")) target.close();
});

// A question asked in our own dialog instead of the browser's.
document.addEventListener("htmx:confirm", (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  sure.querySelector("h2").textContent = event.detail.question;
  sure.querySelector("[value='yes']").textContent = event.detail.elt.dataset.yes;
  sure.returnValue = "no";
  sure.onclose = () => sure.returnValue === "yes" && event.detail.issueRequest(true);
  sure.showModal();
});

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status !== 401) say(word("failed"));
});
document.addEventListener("htmx:sendError", () => say(word("unreachable")));
