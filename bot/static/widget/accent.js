/** A site's colour made usable: what is readable on it, and how it must change to be readable as text. */

const LIGHT_GROUND = "#f2f4f6";
const DARK_GROUND = "#1e2329";
const DARK_INK = "#14181d";
const READABLE = 4.6;
const BRIGHT = 6.5; // On dark ground a colour needs more than the least to look like one.

/** Sets the accent tokens of a page from `#rgb` or `#rrggbb`; anything else leaves the default. */
export function setAccent(root, colour) {
  const accent = parse(colour);
  if (!accent) return;
  const values = {
    "--fd-accent": hex(accent),
    "--fd-on-accent": contrast(accent, parse("#fff")) >= READABLE ? "#ffffff" : inkOn(accent),
    "--fd-accent-on-light": readable(accent, LIGHT_GROUND, [0, 0, 0], READABLE),
    "--fd-accent-on-dark": readable(accent, DARK_GROUND, [255, 255, 255], BRIGHT),
  };
  for (const [name, value] of Object.entries(values)) root.style.setProperty(name, value);
}

function inkOn(accent) {
  const dark = contrast(accent, parse(DARK_INK));
  return dark > contrast(accent, [255, 255, 255]) ? DARK_INK : "#ffffff";
}

/** The colour nearest to the accent, towards black or white, that can be read on a ground. */
function readable(accent, ground, towards, least) {
  for (let share = 0; share <= 1; share += 0.04) {
    const mixed = accent.map((part, i) => part + (towards[i] - part) * share);
    if (contrast(mixed, parse(ground)) >= least) return hex(mixed);
  }
  return hex(towards);
}

function parse(colour) {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(colour ?? "")?.[1];
  if (!digits) return null;
  const full = digits.length === 3 ? [...digits].map((d) => d + d).join("") : digits;
  return [0, 2, 4].map((at) => parseInt(full.slice(at, at + 2), 16));
}

function hex(parts) {
  return `#${parts.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

/** WCAG 2 contrast of two colours. */
function contrast(a, b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(parts) {
  const [r, g, b] = parts.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
