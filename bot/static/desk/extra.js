/** Gives the customer of a conversation extra messages, with a reason, from the button beside it. */
import { conversation } from "./entries.js";
import { say } from "./frame.js";
import { writeTimes } from "./times.js";
import { word } from "./words.js";

const dialog = document.getElementById("extra");
const form = dialog.querySelector("form");
const problem = dialog.querySelector(".problem");
const title = dialog.querySelector("h2");
const asking = title.textContent;

document.addEventListener("click", ({ target }) => {
  const opener = target.closest("[data-extra]");
  if (opener) ask(opener.dataset.extra);
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (dialog.ariaBusy) return;
  dialog.ariaBusy = "true";
  complain("");
  try {
    await give();
  } catch {
    complain(word("unreachable"));
  }
  dialog.ariaBusy = null;
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id === "allowance") writeTimes(detail.target);
});

function ask(address) {
  form.reset();
  dialog.dataset.address = address;
  title.textContent = asking.replace("{}", conversation().dataset.customer);
  complain("");
  dialog.showModal();
  form.messages.select();
}

/** No redirect is followed: the page to sign in gives nothing. */
async function give() {
  const body = new URLSearchParams(new FormData(form));
  const response = await fetch(dialog.dataset.address, { method: "POST", body, redirect: "manual" });
  const plain = response.headers.get("Content-Type")?.startsWith("text/plain");
  const said = plain ? await response.text() : word("failed");
  if (!response.ok) return complain(said);
  dialog.close();
  say(said);
  htmx.trigger("#allowance", "again");
}

function complain(text) {
  problem.textContent = text;
  problem.hidden = !text;
}
