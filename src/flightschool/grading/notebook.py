"""A notebook as a learner's editor left it, read leniently and within bounds; what it holds is never executed here."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flightschool.curriculum import MODULE_NAME
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

NOTEBOOK_LIMIT = 20 * 2**20
"""Bytes. A notebook with many charts has 5 MB; what is larger is outputs that no grader looks at."""
MOST_BRACKETS = 1_000_000
"""JSON containers: three bytes of `[],` become 80 in memory, so that this and not the file's size bounds the memory."""
MOST_CELLS = 2_000
"""Twenty times the course's longest notebook."""
MOST_SOURCE = 5 * 2**20
"""Characters of all cells together."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MODULE = re.compile(rb'"source"\s{0,40}:\s{0,40}"solutions/([0-9a-z_]{1,80})\.py"')
_CONFLICT = re.compile(r"^(<{7}|>{7})( |$)", re.MULTILINE)


class Unreadable(FlightSchoolError):
    """No cells can be had from this file; the message tells the learner what to do."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: `kind` is code, markdown or raw; `id` and `grade_id` (nbgrader's) are empty when lost."""

    kind: str
    source: str
    id: str = ""
    grade_id: str = ""
    tags: frozenset[str] = frozenset()


def cells(data: bytes) -> list[Cell]:
    """The cells of a notebook's bytes, without outputs: nbformat 4 and 3, in UTF-8 or, by its byte-order mark, UTF-16.

    What can be understood is taken: source as text or as lines, cells without id or metadata, a wrong version number.

    Raises:
        Unreadable: nothing else, whatever the bytes are.
    """
    found: list[Cell] = []
    size = 0
    for raw in _raw_cells(_parsed(data)):
        if len(found) == MOST_CELLS:
            raise Unreadable(
                _("The notebook has more than {most} cells: delete those that you don't need.").format(
                    most=MOST_CELLS
                )
            )
        cell = _cell(raw, len(found) + 1)
        size += len(cell.source)
        if size > MOST_SOURCE:
            raise Unreadable(
                _("The cells hold more than {most} MiB of text: move data that you pasted to a file.").format(
                    most=MOST_SOURCE // 2**20
                )
            )
        found.append(cell)
    return found


def module(data: bytes) -> str:
    """The module that a notebook says it was made for, empty when it doesn't; the notebook is not parsed."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    at = -1
    for _attempt in range(20):  # only the first of many: a hostile file is to cost nothing
        at = data.find(b'"flightschool"', at + 1)  # in a cell's text the quotes are escaped
        if at < 0:
            break
        if said := _MODULE.search(data, at, at + 500):
            name = said[1].decode()
            return name if MODULE_NAME.fullmatch(name) else ""
    return ""


def _parsed(data: bytes) -> dict[str, Any]:
    again = _("Open your notebook in JupyterLab, save it, and hand that file in.")
    if len(data) > NOTEBOOK_LIMIT:
        raise Unreadable(
            _(
                "The notebook is larger than {most} MiB: clear its outputs, save it, and hand it in again."
            ).format(most=NOTEBOOK_LIMIT // 2**20)
        )
    if not data.strip():
        raise Unreadable(_("The file is empty. {again}").format(again=again))
    try:
        text = data.decode(json.detect_encoding(data), "surrogatepass")
    except UnicodeError:
        raise Unreadable(_("The file is not text in UTF-8. {again}").format(again=again)) from None
    if text.count("[") + text.count("{") > MOST_BRACKETS:
        raise Unreadable(
            _("The notebook's outputs are too large: clear them, save it, and hand it in again.")
        )
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(_broken(text, error, again)) from None
    except RecursionError:
        raise Unreadable(
            _("The file is nested too deeply for a notebook. {again}").format(again=again)
        ) from None
    except (ValueError, MemoryError):  # a number of thousands of digits is a ValueError
        raise Unreadable(_("The file holds what no notebook holds. {again}").format(again=again)) from None
    if not isinstance(notebook, dict):
        raise Unreadable(_("The file is not a notebook. {again}").format(again=again))
    return notebook


def _broken(text: str, error: json.JSONDecodeError, again: str) -> str:
    if _CONFLICT.search(text):
        return _(
            "The notebook holds conflict markers of Git (<<<<<<<): choose one version of each conflict, "
            "look at the notebook in JupyterLab, and hand it in again."
        )
    if text[:100].lstrip().startswith("<"):
        return _(
            "The file is a web page and not the notebook: use the page's download button, not “Save page as”."
        )
    if error.pos >= len(text.rstrip()):
        return _(
            "The file breaks off before its end: hand it in again, and wait until the upload is complete."
        )
    return _("The file is damaged at line {line}. {again}").format(line=error.lineno, again=again)


def _raw_cells(notebook: dict[str, Any]) -> Iterator[Any]:
    """The cells as they stand in nbformat 4 or 3; which one it is, is seen from where they are."""
    places = [notebook]
    if "cells" not in notebook and isinstance(notebook.get("worksheets"), list):
        places = [sheet for sheet in notebook["worksheets"] if isinstance(sheet, dict)]
    for place in places:
        if not isinstance(place.get("cells"), list):
            raise Unreadable(
                _(
                    "The file has no list of cells, so it is no notebook: look whether you handed in the right one."
                )
            )
        yield from place["cells"]


def _cell(raw: Any, number: int) -> Cell:
    if not isinstance(raw, dict):
        raise Unreadable(
            _("Cell {number} of the notebook is damaged: open it in JupyterLab, mend it, and save.").format(
                number=number
            )
        )
    kind = raw.get("cell_type")
    if kind == "heading":  # of nbformat 3
        kind = "markdown"
    elif kind not in ("code", "markdown"):
        kind = "raw"
    source = _source(
        raw["input"] if kind == "code" and "source" not in raw and "input" in raw else raw.get("source")
    )
    if source is None:
        raise Unreadable(
            _("Cell {number} of the notebook has no text: open it in JupyterLab, mend it, and save.").format(
                number=number
            )
        )
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    nbgrader, tags = metadata.get("nbgrader"), metadata.get("tags")
    return Cell(
        kind,
        source,
        _id(raw.get("id")) or _id(metadata.get("id")),  # Colab's place for it
        _id(nbgrader.get("grade_id")) if isinstance(nbgrader, dict) else "",
        frozenset(tag for tag in tags[:50] if isinstance(tag, str))
        if isinstance(tags, list)
        else frozenset(),
    )


def _id(value: Any) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _source(value: Any) -> str | None:
    """Text, with `\\n` at the end of lines and nothing that can't be encoded; None when it is no text."""
    if value is None:
        return ""
    if isinstance(value, list):
        if not all(isinstance(line, str) for line in value):
            return None
        # Written by hand, the lines may lack the ends that nbformat puts there.
        ends = any(line.endswith("\n") for line in value[:-1])
        value = ("" if ends else "\n").join(value)
    if not isinstance(value, str):
        return None
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return value if value.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
