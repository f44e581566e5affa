/** Exports and erases a customer, each with a reason, from the buttons beside a conversation. */
import { say } from "./frame.js";
import { word } from "./words.js";

const INBOX = "/desk/";
const dialogs = { export: document.getElementById("export"), erase: document.getElementById("erase") };
const doing = { export: copy, erase };
const titles = new Map(Object.values(dialogs).map((dialog) => [dialog, dialog.querySelector("h2").textContent]));

document.addEventListener("click", ({ target }) => {
  const opener = target.closest("[data-rights]");
  if (opener) ask(dialogs[opener.dataset.rights], opener.dataset);
  target.closest(".asks [data-close]")?.closest("dialog").close();
});

for (const [name, dialog] of Object.entries(dialogs)) {
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(dialog, () => doing[name](dialog, event.submitter));
  });
}

dialogs.erase.addEventListener("input", () => {
  const typed = dialogs.erase.querySelector("[name='confirm']").value.trim();
  dialogs.erase.querySelector("button.danger").disabled = typed !== dialogs.erase.dataset.label;
});

function ask(dialog, { customer, label }) {
  const form = dialog.querySelector("form");
  form.reset();
  Object.assign(dialog.dataset, { customer, label });
  dialog.querySelector("h2").textContent = titles.get(dialog).replace("{}", label);
  for (const place of dialog.querySelectorAll("strong[data-label]")) place.textContent = label;
  form.dispatchEvent(new Event("input", { bubbles: true }));
  complain(dialog, "");
  dialog.showModal();
  form.querySelector("[name='reason']").focus();
}

async function submit(dialog, act) {
  if (dialog.ariaBusy) return;
  dialog.ariaBusy = "true";
  complain(dialog, "");
  try {
    complain(dialog, await act());
  } catch {
    complain(dialog, word("unreachable"));
  }
  dialog.ariaBusy = null;
}

/** Gives what went wrong, in words; nothing when all is well. */
async function copy(dialog, { value: format }) {
  const { customer } = dialog.dataset;
  const response = await post(dialog, `data.${format}`);
  if (!response.ok) return sentence(response);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = `${customer}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  dialog.close();
  say(word("exported"));
  return "";
}

async function erase(dialog) {
  // Where it leads is opened by the page itself, so that what it has to say is shown there.
  const response = await post(dialog, "erase");
  if (response.type !== "opaqueredirect") return sentence(response);
  location.assign(INBOX);
  return new Promise(() => {}); // busy until that page is there
}

/** No redirect is followed: the page to sign in is not a copy. */
function post(dialog, what) {
  const body = new URLSearchParams(new FormData(dialog.querySelector("form")));
  return fetch(`${INBOX}customers/${dialog.dataset.customer}/${what}`, { method: "POST", body, redirect: "manual" });
}

async function sentence(response) {
  const plain = response.headers.get("Content-Type")?.startsWith("text/plain");
  return (plain && (await response.text())) || word("failed");
}

function complain(dialog, text) {
  const line = dialog.querySelector(".problem");
  line.textContent = text;
  line.hidden = !text;
}
