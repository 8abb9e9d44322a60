"""The parameters of a run: unknown ones refused, secret ones kept out of whatever is written.

A parameter is secret when the notebook's metadata say so (`{"flightschool": {"secrets": ["name", …]}}`), when whoever
runs it says so (the engine's option `secrets`), or when its name does: `secret_…`, or a part of it between underscores
is one of `WORDS`.
"""

import ast
import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import quote, quote_plus

from click import ClickException

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

WORDS = frozenset(
    (
        "secret",
        "secrets",
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "token",
        "tokens",
        "credential",
        "credentials",
        "apikey",
    )
)
PAIRS = (("api", "key"), ("access", "key"), ("private", "key"), ("signing", "key"), ("encryption", "key"))
HIDDEN = "<hidden>"
"""What stands in the output for a secret."""
SHORTEST = 4
"""Characters from which on a secret is also looked for in outputs: shorter ones occur by chance."""


class UnknownParameters(FlightSchoolError, ClickException):
    """A parameter that the notebook does not have. papermill's command shows it as one line, exit status 2."""

    exit_code = 2


def refuse_unknown(notebook: Any) -> None:
    """Raise UnknownParameters unless the cell tagged `parameters` assigns every parameter that was passed."""
    passed = notebook.metadata.get("papermill", {}).get("parameters") or {}
    cell = next((one for one in notebook.cells if "parameters" in one.metadata.get("tags", [])), None)
    known = assigned(cell.source) if cell is not None else set()
    unknown = sorted(set(passed) - known)
    if not unknown:
        return
    if cell is None:
        message = _("Parameters were passed ({names}), but the notebook has no cell tagged `parameters`.")
    elif known:
        message = _("The notebook has no parameter {names}: choose from {known}.")
    else:
        message = _("The notebook has no parameter {names}: its cell tagged `parameters` assigns none.")
    raise UnknownParameters(message.format(names=", ".join(unknown), known=", ".join(sorted(known))))


def assigned(source: str) -> set[str]:
    """The names to which the top level of this code assigns; magics and shell lines don't count."""
    lines = ["pass" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return set()
    names: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                names |= {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
    return names


def looks_secret(name: str) -> bool:
    """Whether a parameter's name says that its value is nobody's business."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().split("_")
    return bool(WORDS & set(words)) or any(pair in PAIRS for pair in pairwise(words))


class Secrets:
    """The secret parameters of one notebook: out of its cells and metadata at once, and out of its outputs as they come.

    This guards against accidents (a printed connection string, a traceback). Code that means to give a secret away
    can encode it so that nobody finds it.

    Args:
        notebook: as papermill has parameterised it; changed in place.
        kernel: the kernel's name, by which papermill knows how to write parameters.
        also: names of parameters that are secret whatever they look like.
    """

    def __init__(self, notebook: Any, kernel: str = "python3", also: Iterable[str] = ()) -> None:
        about = notebook.metadata.get("papermill", {})
        passed: Mapping[str, Any] = about.get("parameters") or {}
        listed = notebook.metadata.get("flightschool", {}).get("secrets", [])
        chosen = {*also, *(listed if isinstance(listed, list) else [])}
        secret = {name: value for name, value in passed.items() if name in chosen or looks_secret(name)}
        self._code: str | None = None
        self._pattern = _pattern(secret.values())
        if not secret:
            return
        shown = {**passed, **dict.fromkeys(secret, HIDDEN)}
        about["parameters"] = shown
        for key in ("input_path", "output_path"):
            about[key] = self.scrub(about.get(key))
        for cell in notebook.cells:
            if "injected-parameters" in cell.metadata.get("tags", []):
                self._code = cell.source
                cell.source = _translated(notebook, kernel, shown)

    def __bool__(self) -> bool:
        return self._code is not None

    def code(self, cell: Any) -> str:
        """What is to be executed for a cell."""
        if self._code is not None and "injected-parameters" in cell.metadata.get("tags", []):
            return self._code
        return str(cell.source)

    def scrub(self, value: Any) -> Any:
        """The value without secrets: strings at any depth, keys included."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(HIDDEN, value)
        if isinstance(value, list):
            return [self.scrub(one) for one in value]
        if isinstance(value, dict):
            for key in list(value):
                found = self.scrub(value.pop(key))
                value[self.scrub(key)] = found
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return HIDDEN if self._pattern.fullmatch(str(value)) else value
        return value


def _translated(notebook: Any, kernel: str, parameters: Mapping[str, Any]) -> str:
    from papermill.translators import translate_parameters

    about = notebook.metadata
    language = about.get("kernelspec", {}).get("language") or about.get("language_info", {}).get("name")
    return str(translate_parameters(kernel, language or "python", parameters, "Parameters"))


def _pattern(values: Iterable[Any]) -> re.Pattern[str] | None:
    forms = {form for value in values for text in _leaves(value) for form in _forms(text)}
    if not forms:
        return None
    return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one)
    elif value is not None and not isinstance(value, bool) and len(str(value)) >= SHORTEST:
        yield str(value)


def _forms(text: str) -> set[str]:
    """The ways in which a text is usually written into an output."""
    return {
        text,
        repr(text)[1:-1],
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        html.escape(text),
        html.escape(text, quote=False),
        quote(text, safe=""),
        quote(text),
        quote_plus(text),
        base64.b64encode(text.encode("utf-8", "replace")).decode(),
    }
