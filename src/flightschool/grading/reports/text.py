"""Texts that learners wrote, made harmless for a page, a table, a terminal: what can't be seen is shown, what is too long is cut."""

import hashlib
import re
import unicodedata

from flightschool.i18n import _

LONGEST = 2_000
"""Characters of one text on a page."""
LINES = 40
NAME = 300
"""Characters of a name or a path; a file system allows 255 bytes."""

# Unicode's categories Cc, Cf, Cs, Zl and Zp, what is drawn as nothing, and what is no character; not tab and line feed.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4"
    "\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_STACK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_STACKED = re.compile(f"({_STACK}{{4}}){_STACK}+")
_EMPTY = re.compile(r"\n(?:[ \t]*\n){2,}")
_JOINERS = "\u200c\u200d"
_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
_MARKED = re.compile(r".*-[0-9a-f]{16}")


def plain(text: str, longest: int = LONGEST, lines: int = LINES) -> str:
    """A text of several lines in which everything can be seen: ESC as `\\x1b`, what turns the direction as `\\u202e`.

    Empty lines in a row become one. What is beyond `longest` characters or `lines` lines is cut, with a note of how long
    it was.
    """
    shown = text[:longest]
    if not (shown.isascii() and shown.isprintable()):
        shown = _STACKED.sub(r"\1…", _UNSEEN.sub(_seen, shown.replace("\r\n", "\n")))
    kept = _EMPTY.sub("\n\n", shown).strip("\n").split("\n")
    if len(text) > longest or len(kept) > lines:
        kept = [*kept[:lines], _("[cut here: {total} characters in all]").format(total=len(text))]
    return "\n".join(kept).lstrip("\n")


def line(text: str, longest: int = NAME) -> str:
    """The same on one line: a line feed is `\\n`, a tab is `\\t`, and what is too long ends in an ellipsis."""
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    if shown.isascii() and shown.isprintable():
        return shown
    shown = _STACKED.sub(r"\1…", _UNSEEN.sub(_seen, shown))
    return shown.replace("\n", r"\n").replace("\t", r"\t")


def stem(learner: str) -> str:
    """A file name, without its ending, that no other learner has and every file system takes: at most 77 bytes of a-z, 0-9, - and _.

    A name that is not of these letters, or that would have another meaning, is told apart by a digest.
    """
    ascii_only = unicodedata.normalize("NFKD", learner[:NAME]).encode("ascii", "ignore").decode().lower()
    kept = re.sub(r"[^a-z0-9_]+", "-", ascii_only).strip("-_")[:60]
    if kept and kept == learner and not _RESERVED.fullmatch(kept) and not _MARKED.fullmatch(kept):
        return kept
    digest = hashlib.sha256(learner.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{kept or 'learner'}-{digest}"


def _seen(found: re.Match[str]) -> str:
    character, place, text = found[0], found.start(), found.string
    code = ord(character)
    if character in _JOINERS and _joins(text[place - 1 : place]) and _joins(text[place + 1 : place + 2]):
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _joins(character: str) -> bool:
    """Whether it is a letter or a sign of a script in which a joiner shapes words, such as Persian or Hindi."""
    return bool(character) and not character.isascii() and unicodedata.category(character)[0] in "LM"
