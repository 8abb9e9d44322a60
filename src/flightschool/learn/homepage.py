"""The home page: what is done, how many points, how long it took, and what to do next."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from flightschool.i18n import _
from flightschool.learn.progress import ModuleProgress, State, Summary, summary

INDEX = "index.ipynb"
CODE = "from flightschool.learn import home\n\nhome()"
_SIGNS = {State.DONE: "✓", State.BEGUN: "◐", State.NOT_BEGUN: "○", State.IN_PREPARATION: "·"}


@dataclass(frozen=True)
class Home:
    """The home page, as HTML in JupyterLab and as plain text elsewhere.

    `notebooks` is the folder that links are relative to; a module whose notebook is not in it has no link.
    """

    summary: Summary
    notebooks: Path

    def __repr__(self) -> str:
        return self.text()

    def text(self, width: int = 100) -> str:
        """As plain text, `width` characters wide."""
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, show_footer=True)
        for place, (name, total) in enumerate(zip(_headings(), _totals(self.summary), strict=True)):
            table.add_column(name, total, justify="right" if place > 1 else "left")
        for one in self.summary.modules:
            table.add_row(one.name, *_cells(one))
        said = io.StringIO()
        # In a kernel rich would show each line itself.
        console = Console(
            file=said, width=width, color_system=None, force_jupyter=False, highlight=False, markup=False
        )
        console.print(table)
        console.print(self._next(), how_measured(), sep="\n")
        if self.summary.trouble:
            console.print(self.summary.trouble)
        return "\n".join(line.rstrip() for line in said.getvalue().splitlines()).strip("\n")

    def html(self) -> str:
        """As a table that a screen reader can walk: headings have a scope, states are words."""
        left, dim = "text-align:left", "color:var(--jp-ui-font-color2,#595959)"
        lines = [f"<p><b>{self._next_html()}</b></p>"]
        if self.summary.trouble:
            lines.append(f"<p role='alert'>⚠ {escape(self.summary.trouble)}</p>")
        lines += [
            f"<table><caption style='{left}'>{escape(_('Your progress'))}</caption><thead><tr>",
            *(f"<th scope='col' style='{left}'>{escape(name)}</th>" for name in _headings()),
            "</tr></thead><tbody>",
        ]
        for one in self.summary.modules:
            style = f"{left};{dim}" if one.state is State.IN_PREPARATION else left
            link = self._link(one.id, "", one.name)
            lines.append(f"<tr><th scope='row' style='{style};font-weight:normal'>{link}</th>")
            lines += [f"<td style='{style}'>{escape(cell)}</td>" for cell in _cells(one)]
            lines.append("</tr>")
        head, *cells = _totals(self.summary)
        lines.append(f"</tbody><tfoot><tr><th scope='row' style='{left}'>{escape(head)}</th>")
        lines += [f"<td style='{left}'>{escape(cell)}</td>" for cell in cells]
        refresh = _("To bring this page up to date, run its cell again (Ctrl+Enter).")
        lines += ["</tr></tfoot></table>", f"<p>{escape(refresh)} {escape(how_measured())}</p>"]
        return "".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": self.text(), "text/html": self.html()}

    def _next(self) -> str:
        if not self.summary.modules:
            return _("There is no module yet.")
        if self.summary.next is None:
            return _("All is done. What is left is to fly.")
        return _("Next: {task}, in {module}").format(task=self._task(), module=self.summary.next.name)

    def _next_html(self) -> str:
        if self.summary.next is None:
            return escape(self._next())
        link = self._link(self.summary.next.module, self.summary.next.exercise, self._task())
        return escape(_("Next: {task}, in {module}")).format(task=link, module=escape(self.summary.next.name))

    def _task(self) -> str:
        assert self.summary.next is not None
        return f"{self.summary.next.exercise} · {self.summary.next.title}"

    def _link(self, module: str, cell: str, text: str) -> str:
        """A link that JupyterLab opens in itself, at the cell; the text alone where there is no such notebook."""
        if not (self.notebooks / f"{module}.ipynb").is_file():
            return escape(text)
        fragment = f"#cell-id={cell}" if cell else ""
        return f"<a href='{escape(module)}.ipynb{escape(fragment)}'>{escape(text)}</a>"


def home() -> Home:
    """The home page, as things stand now."""
    return Home(summary(), Path.cwd())


def how_measured() -> str:
    """What the minutes are, honestly."""
    return _(
        "Minutes run from opening a lab to your last check or hint in it; pauses of more than ten minutes don't count. "
        "Kept on this machine only."
    )


def write_index(workspace: Path) -> None:
    """Write the workspace's index.ipynb, with the page as it stands now in it, so that nothing need be run to read it.

    One that the learner changed is left as it is; one that is no notebook any more is moved aside.
    """
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    index = workspace / INDEX
    if index.exists():
        try:
            found = json.loads(index.read_text(encoding="utf-8"))
            untouched = found["metadata"]["flightschool"]["home"] == fingerprint(found)
        except (ValueError, LookupError, TypeError, AttributeError):
            index.replace(_beside(index))
        else:
            if not untouched:
                return
    page = Home(summary(), workspace)
    output = new_output("execute_result", page._repr_mimebundle_(), execution_count=1)  # type: ignore[no-untyped-call]
    cells = [
        new_markdown_cell("# DataOps Flight School", id="title"),  # type: ignore[no-untyped-call]
        new_code_cell(CODE, id="home", outputs=[output], execution_count=1),  # type: ignore[no-untyped-call]
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})  # type: ignore[no-untyped-call]
    notebook.metadata["flightschool"] = {"home": fingerprint(notebook)}
    part = index.with_name(f".{INDEX}.{os.getpid()}.part")
    try:
        part.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")  # type: ignore[no-untyped-call]
        part.replace(index)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def fingerprint(notebook: Any) -> str:
    """A hash of what the cells say, whatever their outputs are; an empty cell, as Shift+Enter leaves, says nothing."""
    sources = [text for cell in notebook["cells"] if (text := "".join(cell["source"]).strip())]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()


def _beside(path: Path) -> Path:
    number = 1
    while (beside := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    return beside


def _headings() -> list[str]:
    return [_("Module"), _("State"), _("Passed"), _("Points"), _("Minutes"), _("Restored in")]


def _cells(one: ModuleProgress) -> Iterator[str]:
    word = {
        State.DONE: _("done"),
        State.BEGUN: _("begun"),
        State.NOT_BEGUN: _("not begun"),
        State.IN_PREPARATION: _("in preparation"),
    }[one.state]
    yield f"{_SIGNS[one.state]} {word}"
    if one.state is State.IN_PREPARATION:
        yield from ("–",) * 4
        return
    yield _("{done} of {all}").format(done=one.done, all=one.exercises)
    yield _("{done} of {all}").format(done=f"{round(one.points, 1):g}", all=f"{one.total:g}")
    yield f"{one.minutes:.0f}"
    yield "–" if one.restored is None else _("{minutes:.1f} min").format(minutes=one.restored)


def _totals(all_: Summary) -> list[str]:
    return [
        _("All"),
        "",
        _("{done} of {all}").format(done=all_.done, all=all_.exercises),
        _("{done} of {all}").format(done=f"{round(all_.points, 1):g}", all=f"{all_.total:g}"),
        f"{all_.minutes:.0f}",
        "",
    ]
