// The shop's few words with the widget: open it from a button, and end its session when the customer signs out.

const PATIENCE = 400; // milliseconds a sign-out waits for the widget at most

for (const button of document.querySelectorAll("[data-open-chat]")) {
  button.addEventListener("click", () => window.frontdesk?.open());
}

for (const form of document.querySelectorAll("form[data-sign-out]")) {
  form.addEventListener("submit", (event) => {
    if (!window.frontdesk) return;
    event.preventDefault();
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
    const forgotten = window.frontdesk.forget();
    Promise.race([forgotten instanceof Promise ? forgotten : patience, patience]).finally(() => form.submit());
  });
}
