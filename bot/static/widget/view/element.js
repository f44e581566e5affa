/** Elements without markup strings: `h("p", {class: "x", onclick}, "text", child)`, and the widget's icons. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(node, name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function set(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (typeof value === "function") node.addEventListener(name.slice(2), value);
  else if (value === true) node.setAttribute(name, "");
  else node.setAttribute(name, value);
}

/** Sets an attribute, or takes it away for null and false. */
export function attribute(node, name, value) {
  if (value === null || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const SVG = "http://www.w3.org/2000/svg";
const paths = {
  send: ["M12 19V5", "m5.5 11.5 6.5-6.5 6.5 6.5"],
  stop: ["M8 8h8v8H8z"],
  close: ["m6 9 6 6 6-6"],
  more: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
  person: ["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z", "M4.5 20a7.5 7.5 0 0 1 15 0"],
  bot: ["M12 4v3", "M6 7h12a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2Z", "M9 12v2", "M15 12v2"],
  plus: ["M12 5v14", "M5 12h14"],
  shield: ["M12 3 5 6v6c0 4.5 3 7.5 7 9 4-1.5 7-4.5 7-9V6l-7-3Z"],
  arrow: ["m9 6 6 6-6 6"],
  down: ["M12 5v14", "m18.5 12.5-6.5 6.5-6.5-6.5"],
  good: ["M7 11v9H4v-9h3Z", "M7 11l4-8a2 2 0 0 1 2 2v4h5.2a2 2 0 0 1 2 2.4l-1.3 7A2 2 0 0 1 17 20H7"],
  bad: ["M17 13V4h3v9h-3Z", "M17 13l-4 8a2 2 0 0 1-2-2v-4H5.800a2 2 0 0 1-2-2.4l1.3-7A2 2 0 0 1 7 4h10"],
  check: ["m5 12.5 4.5 4.5L19 7.500"],
  cross: ["m7 7 10 10", "M17 7 7 17"],
  clock: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z", "M12 7.500V12l3 2"],
  alert: ["M12 8v5", "M12 16.500h.01", "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z"],
  link: ["M14 5h5v5", "m19 5-8 8", "M18 14v4a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h4"],
  lock: ["M7 11h10a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2v-6a2 2 0 0 1 2-2Z", "M8 11V7.500a4 4 0 0 1 8 0V11"],
  file: ["M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8Z", "M14 3v5h5", "M9 13h6", "M9 17h4"],
  save: ["M12 4v11", "m7 10.500 5 5 5-5", "M5 20h14"],
  trash: ["M4 7h16", "M9 7V4h6v3", "m6 7 1 13h10l1-13", "M10 11v5", "M14 11v5"],
  usage: ["M4 20h16", "M7 16v-5", "M12 16V5", "M17 16v-8"],
  box: ["M12 3 4 7v10l8 4 8-4V7l-8-4Z", "m4 7 8 4 8-4", "M12 11v10"],
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon icon-${name}`);
  for (const d of paths[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** One or two letters that stand for a name. */
export function initials(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join("");
}
