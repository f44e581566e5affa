// The tier editor: classes are moved, fields that do not matter are put away, and each limit says what it means.

const DELAY = 250;

// Which field matters when which other has which value.
const SHOWN_WHEN = {
  hours: (value) => value("period") === "first_use",
  week_starts: (value) => value("period") === "week",
  text_en: (value) => value("when_full") === "text" && value("metric") !== "actions",
  text_zh: (value) => value("when_full") === "text" && value("metric") !== "actions",
  when_full: (value) => value("metric") !== "actions",
  about: (value) => value("metric") !== "actions",
  site: (value) => value("scope") !== "deployment",
  warn_at: (value) => !["customer", "address"].includes(value("scope")),
};

// On the page of one budget the whole form is the rule.
const RULE = ".limit-rule, #limit_form";
const rules = () => document.querySelectorAll(".limit-rule:not(.empty-form), #limit_form");
const controls = (rule) => rule.querySelectorAll(".limit-field [name], .field-line [name]");
const nameOf = (control) => control.name.split("-").pop();

function arrange(rule) {
  const value = (name) => [...controls(rule)].find((control) => nameOf(control) === name)?.value;
  for (const control of controls(rule)) {
    const matters = SHOWN_WHEN[nameOf(control)];
    if (!matters) continue;
    const shown = matters(value);
    control.disabled = !shown;
    control.closest(".limit-field, .field-line").hidden = !shown;
  }
}

async function say(rule) {
  const preview = document.querySelector("[data-preview]");
  const draft = new URLSearchParams({ tier: preview.dataset.tier ?? "" });
  for (const control of controls(rule)) if (!control.disabled) draft.append(nameOf(control), control.value);
  for (const box of document.querySelectorAll(".class-order input:checked")) draft.append("classes", box.value);
  const asked = (rule.asked = Symbol("asked"));
  const answer = await fetch(`${preview.dataset.preview}?${draft}`, { headers: { Accept: "application/json" } });
  if (!answer.ok || rule.asked !== asked) return;
  const { sentence, warning, wrong } = await answer.json();
  const told = rule.querySelector(".limit-sentence");
  told.textContent = wrong || sentence;
  told.classList.toggle("limit-wrong", Boolean(wrong));
  const warned = rule.querySelector(".limit-warning");
  warned.textContent = warning;
  warned.hidden = !warning;
}

function soon(rule) {
  clearTimeout(rule.timer);
  rule.timer = setTimeout(() => say(rule), DELAY);
}

document.addEventListener("input", (event) => {
  const rule = event.target.closest(RULE);
  if (rule) {
    arrange(rule);
    soon(rule);
  } else if (event.target.closest(".class-order")) rules().forEach(soon);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest(".class-order [data-move]");
  if (!button) return;
  const row = button.closest("li");
  const up = button.dataset.move === "up";
  const other = up ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (up) other.before(row);
  else other.after(row);
  button.focus();
  row.querySelector("input").dispatchEvent(new Event("change", { bubbles: true }));
  rules().forEach(soon);
});

// A copy of the empty form: what it says is asked for at once.
document.addEventListener("formset:added", (event) => {
  const rule = event.target.closest(RULE);
  if (!rule) return;
  arrange(rule);
  rule.querySelector(".limit-edit").open = true;
  rule.querySelector("[name$=-amount]")?.focus();
});

document.addEventListener("DOMContentLoaded", () => rules().forEach(arrange));
// A page that the browser kept may show other choices than were loaded.
addEventListener("pageshow", (event) => event.persisted && rules().forEach(arrange));
