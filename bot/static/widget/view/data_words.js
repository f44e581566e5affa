/** What the sheet "Your data" says of this site: what is kept and for how long, what a deletion takes and leaves. */

/** In the order people think of them; a site that lets some through names only the others. */
const NAMED = ["PERSON", "EMAIL", "PHONE", "ADDRESS", "CARD"];

/** Pairs of an icon and a sentence. */
export function kept({ t, clock, store: { site } }) {
  const kinds = NAMED.filter((kind) => site.hidden.includes(kind)).map((kind) => t(`data_kind_${kind}`));
  return [
    ["clock", site.text_days ? t("data_text_kept", { days: clock.daysOf(site.text_days) }) : t("data_text_always")],
    site.call_days && ["box", t("data_calls_kept", { days: clock.daysOf(site.call_days) })],
    kinds.length && ["shield", t("data_hidden", { kinds: clock.listOf(kinds) })],
    ["lock", t("data_encrypted")],
  ].filter(Boolean);
}

export function lost({ t }) {
  return ["text", "person", "calls"].map((what) => t(`data_goes_${what}`));
}

export function staying({ t, store: { site } }) {
  return ["account", "numbers", "log", "backups"].map((what) => t(`data_stays_${what}`, { name: site.name }));
}
