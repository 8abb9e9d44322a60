"""Templates for translators (`.pot`): a module's text cells and messages, and those of our own tooling."""

import ast
import io
from collections.abc import Iterable
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import write_po

from flightschool.i18n import _
from flightschool.publish.house import House
from flightschool.publish.source import Page, Problem, SourceError

# No dates, versions or line numbers: a template changes when, and only when, a text does.
HEADER = b'msgid ""\nmsgstr ""\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'
KEYWORDS = {"_": None, "ngettext": (1, 2)}


def template(house: House, code: Iterable[Path], page: Page | None = None) -> bytes:
    """One domain's template: the text cells of its page (English), then the messages of its code.

    Raises:
        SourceError: a message is an f-string, which no translator can see whole.
    """
    catalog = Catalog()
    for cell in page.notebook.cells if page else ():
        if cell.cell_type == "markdown" and cell.source.strip():
            catalog.add(cell.source, locations=[(page.file if page else "", 0)])
            catalog[cell.source].flags.clear()  # a per cent sign or a brace in prose is no placeholder
    problems: list[Problem] = []
    for path in code:
        shown = house.shown(path)
        problems += _fstrings(path, shown)
        for line, message, comments, _context in extract_from_file("python", path, keywords=KEYWORDS):
            catalog.add(message, locations=[(shown, line)], auto_comments=comments)
    if problems:
        raise SourceError(problems)
    text = io.BytesIO()
    write_po(text, catalog, width=0, omit_header=True, include_lineno=False)
    return HEADER + text.getvalue().rstrip(b"\n") + b"\n"


def module_code(house: House, module: str) -> list[Path]:
    """A lab's files that speak to a learner."""
    return sorted((house.labs / module).glob("*.py"))


def tooling_code(house: House) -> list[Path]:
    """Our own package."""
    return sorted(house.package.rglob("*.py"))


def _fstrings(path: Path, shown: str) -> list[Problem]:
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as error:
        return [Problem(shown, error.lineno or 1, _("this does not parse: {why}").format(why=error.msg))]
    return [
        Problem(shown, node.lineno, _('an f-string can\'t be translated: write _("… {x}").format(x=x)'))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in KEYWORDS
        and any(isinstance(argument, ast.JoinedStr) for argument in node.args)
    ]
