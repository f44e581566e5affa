/** Writes times in the reader's zone and language, and keeps "3 min" true. */
import { word } from "./words.js";

const language = document.documentElement.lang;
const hours = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const dates = new Intl.DateTimeFormat(language, { dateStyle: "long" });
const days = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });

const WRITERS = { since: ago, day: (at) => dates.format(at) };

export function writeTimes(root = document) {
  for (const element of root.querySelectorAll("time[data-time]")) {
    const at = new Date(element.dateTime);
    element.textContent = (WRITERS[element.dataset.time] ?? clock)(at);
    element.title = days.format(at);
  }
}

export function clock(at) {
  const today = at.toDateString() === new Date().toDateString();
  return (today ? hours : days).format(at);
}

function ago(at) {
  const minutes = Math.floor((Date.now() - at) / 60_000);
  if (minutes < 1) return word("now");
  if (minutes < 60) return word("minutes", minutes);
  if (minutes < 60 * 24) return word("hours", Math.floor(minutes / 60));
  return word("days", Math.floor(minutes / 60 / 24));
}

setInterval(writeTimes, 15_000);
