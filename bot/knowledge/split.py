"""Markdown split into passages: by heading, then by paragraph, each a few sentences long."""

import re
from itertools import pairwise

from markdown_it import MarkdownIt

from bot.knowledge.terms import HAN

ENOUGH = 60  # words; a passage this long takes no further paragraph
MOST = 120  # words; longer paragraphs are cut
LONGEST = 1200  # characters without any place to cut
_PARSER = MarkdownIt("commonmark").enable("table")
_BREAKS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n(?=\s*(?:[-*+|]|\d+\.)\s?)|\n")
_WORD = re.compile(r"[^\W_]+")


def passages(markdown: str) -> list[str]:
    """The passages of one article in order; a section's heading leads each of its passages, in bold."""
    found: list[str] = []
    for heading, blocks in _sections(markdown):
        lead = f"**{heading}**\n\n" if heading else ""
        found += [lead + text for text in _join([piece for block in blocks for piece in _cut(block)])]
    return found


def size(text: str) -> float:
    """Length in words; two Chinese characters weigh as one."""
    han = len(HAN.findall(text))
    return len(_WORD.findall(HAN.sub(" ", text))) + han / 2


def _sections(markdown: str) -> list[tuple[str, list[str]]]:
    """(heading, paragraphs) in order; lists, tables and code blocks are paragraphs too."""
    lines = markdown.splitlines()
    tokens = _PARSER.parse(markdown)
    sections: list[tuple[str, list[str]]] = [("", [])]
    for token, following in pairwise([*tokens, None]):
        if token is None or token.level or not token.map or token.nesting < 0:
            continue
        if token.type == "heading_open":
            sections.append((following.content if following else "", []))
        elif token.type != "hr":
            sections[-1][1].append("\n".join(lines[token.map[0] : token.map[1]]).strip())
    return sections


def _cut(block: str) -> list[str]:
    """A paragraph as it is, or in parts of at most MOST words when it is longer."""
    if _short(block):
        return [block]
    places = [0, *(match.end() for match in _BREAKS.finditer(block)), len(block)]
    parts: list[str] = []
    for start, end in pairwise(places):
        for at in range(start, end, LONGEST):
            piece = block[at : min(at + LONGEST, end)]
            if parts and _short(parts[-1] + piece):
                parts[-1] += piece
            else:
                parts.append(piece)
    return [part.strip() for part in parts if part.strip()]


def _short(text: str) -> bool:
    return size(text) <= MOST and len(text) <= LONGEST


def _join(pieces: list[str]) -> list[str]:
    """Short paragraphs of one section together."""
    joined: list[str] = []
    for piece in pieces:
        if joined and size(joined[-1]) < ENOUGH and _short(f"{joined[-1]}\n\n{piece}"):
            joined[-1] += f"\n\n{piece}"
        else:
            joined.append(piece)
    return joined
