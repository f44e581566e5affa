// The estimator: figures follow what is typed. The server counts, so that there is one arithmetic.

const DELAY = 200;
const form = document.querySelector("#estimator");
const results = document.querySelector("#estimate");
let asked = null;
let waiting = 0;

async function count() {
  asked?.abort();
  const mine = (asked = new AbortController());
  const query = new URLSearchParams(new FormData(form));
  results.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`?${query}`, { signal: mine.signal });
    if (answer.redirected) location.reload(); // signed out meanwhile
    if (!answer.ok || answer.redirected) return;
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    history.replaceState(null, "", `?${query}`);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  } finally {
    if (asked === mine) results.setAttribute("aria-busy", "false");
  }
}

function show(page) {
  results.replaceChildren(...page.querySelector("#estimate").childNodes);
  for (const input of form.querySelectorAll("input[name]")) {
    const counted = page.getElementById(input.id);
    const wrong = page.getElementById(`${input.id}-wrong`);
    document.getElementById(`${input.id}-wrong`).textContent = wrong.textContent;
    input.setAttribute("aria-invalid", counted.getAttribute("aria-invalid") ?? "false");
  }
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(count, DELAY);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  count();
});
form.querySelector("[type=submit]").hidden = true;
