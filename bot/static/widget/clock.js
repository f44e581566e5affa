/** Times, days, money and lists in the reader's own words. */
export class Clock {
  constructor(locale) {
    this.locale = locale === "zh" ? "zh-CN" : navigator.language?.startsWith("en") ? navigator.language : "en";
    this.time = new Intl.DateTimeFormat(this.locale, { hour: "numeric", minute: "2-digit" });
    this.day = new Intl.DateTimeFormat(this.locale, { weekday: "long", month: "long", day: "numeric" });
    this.weekday = new Intl.DateTimeFormat(this.locale, { weekday: "long" });
    this.date = new Intl.DateTimeFormat(this.locale, { month: "short", day: "numeric" });
    this.relative = new Intl.RelativeTimeFormat(this.locale, { numeric: "auto" });
  }

  timeOf(moment) {
    return this.time.format(new Date(moment));
  }

  /** A key that is equal for moments of one local day. */
  dayKey(moment) {
    const day = new Date(moment);
    return `${day.getFullYear()}-${day.getMonth()}-${day.getDate()}`;
  }

  /** "today", "yesterday", or the weekday and date. */
  dayOf(moment) {
    const away = this.#daysAway(new Date(moment));
    if (away > -2 && away < 1) return capital(this.relative.format(away, "day"));
    return this.day.format(new Date(moment));
  }

  /** "18:30", "tomorrow, 00:00" or "1 Dec, 00:00": when something still to come happens. */
  whenOf(moment) {
    const when = new Date(moment);
    const away = this.#daysAway(when);
    if (away === 0) return this.timeOf(when);
    const day = away === 1 ? this.relative.format(1, "day") : this.date.format(when);
    return `${day}${this.#chinese ? " " : ", "}${this.timeOf(when)}`;
  }

  /** "today at 18:00", "tomorrow", "on Monday at 09:30" or "on 1 Dec"; midnight is the day itself. */
  momentOf(moment) {
    const when = new Date(moment);
    const away = this.#daysAway(when);
    const near = away >= 0 && away <= 1;
    const day = near ? this.relative.format(away, "day") : (away < 7 ? this.weekday : this.date).format(when);
    const named = near || this.#chinese ? day : `on ${day}`;
    const midnight = when.getHours() === 0 && when.getMinutes() === 0 && away !== 0;
    return midnight ? named : `${named}${this.#chinese ? " " : " at "}${this.timeOf(when)}`;
  }

  /** A calendar date such as 2026-11-02, which has no time zone. */
  dateOf(text) {
    const [year, month, day] = String(text).slice(0, 10).split("-").map(Number);
    return this.date.format(new Date(year, month - 1, day));
  }

  /** "4:05" for what is left of a span in milliseconds. */
  countdown(left) {
    const seconds = Math.max(0, Math.ceil(left / 1000));
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  /** "90 days" */
  daysOf(count) {
    return new Intl.NumberFormat(this.locale, { style: "unit", unit: "day", unitDisplay: "long" }).format(count);
  }

  /** "12,000" */
  countOf(number) {
    return new Intl.NumberFormat(this.locale).format(number);
  }

  /** "names, addresses and card numbers" */
  listOf(words) {
    return new Intl.ListFormat(this.locale).format(words);
  }

  money(amount, currency) {
    try {
      return new Intl.NumberFormat(this.locale, { style: "currency", currency }).format(Number(amount));
    } catch {
      return `${amount} ${currency ?? ""}`.trim();
    }
  }

  get #chinese() {
    return this.locale === "zh-CN";
  }

  #daysAway(moment) {
    const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
    return Math.round((midnight(moment) - midnight(new Date())) / 86_400_000);
  }
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
