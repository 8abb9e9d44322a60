"""What all pages share: the templates, how they are filled, and the name by which a page of ours is known.

Everything is escaped, and a name that a template misspells is an error. No prose stands in a template, since translators see Python only.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from flightschool.i18n import _, language

GENERATOR = "DataOps Flight School"


def render(template: str, page: Mapping[str, Any]) -> Iterator[str]:
    """The page, piece by piece."""
    chosen = _environment().get_template(template)
    return chosen.generate(page=page, language=language(), generator=GENERATOR)


def ours(path: Path) -> bool:
    """Whether this file is a page of ours."""
    with path.open("rb") as file:
        return GENERATOR.encode() in file.read(1_000)


def course() -> str:
    """The line above a page's heading."""
    return _("DataOps Flight School")


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("flightschool.grading.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
