/** The desk's words in the reader's language, and private values as chips. */
const words = JSON.parse(document.getElementById("words").textContent);
const PLACEHOLDER = /<([A-Z][A-Z_]{0,23})_([0-9]{1,6})>/g;
const ICONS = { EMAIL: "mail", PHONE: "phone", CARD: "card", PERSON: "person", ADDRESS: "pin", BANK: "card" };
const SVG = "http://www.w3.org/2000/svg";

export function word(key, fact = "") {
  return words[key].replace("{}", fact);
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Makes an element; children are nodes or text. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Masked text as nodes: plain text and chips, never markup. */
export function masked(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    nodes.push(text.slice(at, match.index), chip(match[1], match[2]));
    at = match.index + match[0].length;
  }
  nodes.push(text.slice(at));
  return nodes;
}

/** Puts chips in place of the placeholders in an element's text. */
export function putChips(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) if (walker.currentNode.data.search(PLACEHOLDER) >= 0) found.push(walker.currentNode);
  for (const text of found) text.replaceWith(...masked(text.data));
}

function chip(kind, number) {
  const name = words[`kind_${kind}`] ?? words.kind_PRIVATE;
  const element = make("button", "chip", icon(ICONS[kind] ?? "lock"), make("span", "", `${name} ${number}`));
  element.type = "button";
  Object.assign(element.dataset, { kind, number });
  element.title = words.hidden;
  return element;
}
