/** Markdown to safe HTML, also while it is still arriving. No images, no raw HTML, links only to the web and to mail. */
import purify from "../vendor/purify.esm.js";
import { Marked } from "../vendor/marked.esm.js";

const LINK = /^(?:https?:\/\/|mailto:)/i;
const ALLOWED = {
  ALLOWED_TAGS: [
    "p", "br", "strong", "em", "del", "code", "pre", "blockquote", "hr", "a", "ul", "ol", "li",
    "h1", "h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td",
  ],
  ALLOWED_ATTR: ["href", "title", "target", "rel", "start", "align"],
  ALLOWED_URI_REGEXP: LINK,
  RETURN_TRUSTED_TYPE: true,
};

purify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }) => escape(text),
    image: ({ text }) => escape(text),
    link({ href, tokens }) {
      const words = this.parser.parseInline(tokens);
      return LINK.test(href) ? `<a href="${escape(href)}">${words}</a>` : words;
    },
    // Headings of a chat answer are one size, and do not join the page's outline.
    heading({ tokens }) {
      return `<p><strong>${this.parser.parseInline(tokens)}</strong></p>`;
    },
    checkbox: () => "",
  },
});

/** Writes text into an element block by block; blocks that did not change keep their nodes. */
export function write(element, text, { live = false } = {}) {
  const blocks = marked.lexer(live ? settle(text) : text).filter(({ type }) => type !== "space" && type !== "def");
  blocks.forEach((block, at) => {
    const node = element.children[at] ?? element.appendChild(document.createElement("div"));
    if (node.source === block.raw) return;
    node.source = block.raw;
    node.innerHTML = purify.sanitize(marked.parser([block]), ALLOWED);
  });
  while (element.children.length > blocks.length) element.lastChild.remove();
}

/** Text for the ears: what is left of an element's words without its markup. */
export function spoken(element) {
  return element.textContent.replace(/\s+/g, " ").trim();
}

/** Unfinished text with its last markup closed or held back, so that no bare marks flash while it streams. */
export function settle(text) {
  if ((text.match(/^ {0,3}```/gm) ?? []).length % 2) return closeFence(text);
  const cut = text.lastIndexOf("\n\n") + 1;
  return text.slice(0, cut) + settleBlock(text.slice(cut));
}

function closeFence(text) {
  return `${text.replace(/\n {0,3}`{1,2}$/, "")}\n\`\`\``;
}

function settleBlock(block) {
  const tail = settleTable(block)
    .replace(/(^|\n)[ \t]*(?:#{1,6}|[-*+=_~`>][-*+=_~`> ]*|\d{1,3}[.)]?)[ \t]*$/, "$1")
    .replace(/!?\[([^\]\n]*)\]\([^)\s]*$/, "$1")
    .replace(/!?\[([^\]\n]*)\]?$/, "$1")
    .replace(/<[a-z/!][^>\n]*$/i, "")
    .replace(/[*_~`]+$/, "");
  const end = closers(tail);
  return end ? tail.trimEnd() + end : tail;
}

/** A table is held back until its second line says that it is one; then its last row, until it is complete. */
function settleTable(block) {
  const start = block.search(/^\|/m);
  if (start < 0) return block;
  const rows = block.slice(start).split("\n");
  const isTable = rows.length > 2 && /^\|[ :|-]+$/.test(rows[1]);
  return block.slice(0, start) + (isTable ? rows.slice(0, -1).join("\n") : "");
}

/** The marks that close what a piece of text has opened, innermost first. */
function closers(text) {
  if (count(text, /`/g) % 2) return "`";
  const plain = text.replace(/`[^`]*`/g, "").replace(/^[ \t]*[*+-][ \t]/gm, "");
  const open = [];
  for (const [mark] of plain.matchAll(/\*\*\*|\*\*|__|~~|\*(?!\s)|(?<=\S)\*/g)) {
    const at = open.lastIndexOf(mark);
    if (at < 0) open.push(mark);
    else open.length = at;
  }
  return open.reverse().join("");
}

function count(text, pattern) {
  return (text.match(pattern) ?? []).length;
}

function escape(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (mark) => names[mark]);
}
