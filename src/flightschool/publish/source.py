"""One source, `solutions/NN_topic.py`, read as a notebook that remembers its lines and its problems."""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupytext.jupytext import TextNotebookConverter

from flightschool.curriculum import MODULE_NAME
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

# `%%writefile` cells hold YAML, HCL, Dockerfiles …: as a "language" they stay valid Python in the source.
PERCENT = {"extension": ".py", "format_name": "percent", "custom_cell_magics": "writefile"}

UNREADABLE = "incorrectly_encoded_metadata"
"""jupytext's name for cell options that it can't read."""


@dataclass(frozen=True, order=True)
class Problem:
    """Something an author has to mend, with file (as shown) and line (from 1)."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


class SourceError(FlightSchoolError):
    """Sources that can't be published: all problems found, one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass
class Page:
    """A notebook on its way from source to reader; the steps work on it in place."""

    name: str
    """`NN_topic`."""
    file: str
    """The source as shown to a person, `solutions/NN_topic.py`."""
    notebook: Any
    """nbformat 4 notebook."""
    lines: list[int]
    """For each cell, the line of its `# %%` in the source, from 1."""
    points: Mapping[str, float] = field(default_factory=dict)
    """Exercises of the curriculum and what they are worth."""
    language: str = "en"
    translate: Callable[[str], str] = str
    """Text of the module, in the reader's language."""
    tooling: Callable[[str], str] = str
    """Text of ours, in the reader's language."""
    problems: list[Problem] = field(default_factory=list)

    def report(self, cell: int, what: str, line: int = 0) -> None:
        """Note a problem in a line (from 0) of a cell; -1 is the line of its `# %%`."""
        offset = 0 if line < 0 else _heading(self.notebook.cells[cell]) + line
        self.problems.append(Problem(self.file, max(1, self.lines[cell] + offset), what))

    def copy(self) -> "Page":
        """An independent page with the same text."""
        return copy.deepcopy(self)


def read(path: Path, shown: str) -> Page:
    """Read a percent script.

    Raises:
        SourceError: its name is not that of a module, or it is not UTF-8 text.
    """
    if not MODULE_NAME.fullmatch(path.stem):
        raise SourceError(
            [Problem(shown, 1, _("a source is called NN_topic.py, such as 07_data_quality.py: rename it"))]
        )
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SourceError([Problem(shown, line, _("this is not UTF-8: save the file as UTF-8"))]) from None
    starts: list[int] = []
    try:
        notebook = _notebook(text, starts)
    except Exception as error:  # jupytext, yaml and nbformat each raise their own, without a common base
        line = starts[-1] if starts else 1
        what = _("jupytext can't read this cell: {error}").format(error=_first(error))
        raise SourceError([Problem(shown, line, what)]) from error
    if starts and not text.splitlines()[starts[0] - 1].startswith("# %%"):
        starts[0] -= 1  # what precedes the first `# %%` is a cell without one
    # A header may become a cell that jupytext does not read as one.
    return Page(path.stem, shown, notebook, [1] * (len(notebook.cells) - len(starts)) + starts)


def _notebook(text: str, starts: list[int]) -> Any:
    """The notebook; `starts` receives for each cell, as it is read, the line (from 1) at which it begins."""
    converter = TextNotebookConverter(dict(PERCENT), None)
    total = len(text.splitlines())
    reader = converter.implementation.cell_reader_class

    class Located(reader):  # type: ignore[misc, valid-type]
        """jupytext's reader, which alone knows where a cell begins (`# %%` in a string is none)."""

        def read(self, lines: list[str]) -> Any:
            starts.append(total - len(lines) + 1)
            return super().read(lines)

    converter.implementation = copy.copy(converter.implementation)
    converter.implementation.cell_reader_class = Located
    return converter.reads(text)


def _heading(cell: Any) -> int:
    """How many lines of the source precede the cell's text."""
    if cell.metadata.get("cell_marker"):
        return 2
    return 0 if cell.source.startswith("%%") else 1


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
