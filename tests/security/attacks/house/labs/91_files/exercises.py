"""The exercises of the house: their probes hand over a file, a text, and a folder."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool.curriculum import NotAttempted, exercise

from . import crates

if TYPE_CHECKING:
    from flightschool.data import World


@exercise(
    "q1", title="A file of crates", points=2, hints=("Which library writes Parquet?", "pyarrow.parquet")
)
def deliver(answer: Any, world: "World") -> Any:
    """The bytes of the file that the learner's function writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crates.parquet"
        answer(crates.numbers(world.seed), path)
        if not path.exists():
            raise NotAttempted
        return {"parquet": path.read_bytes()}


@exercise("q2", title="A label", points=2, hints=("Sort the names.", "sorted(…, key=…)"))
def label(answer: Any, world: "World") -> Any:
    """The learner's text."""
    return answer(crates.numbers(world.seed))


@exercise("drill", title="Doubled numbers", points=1, hints=("Look at the file.", "Halve the numbers."))
def drill(answer: Any, world: "World") -> Any:
    """What the file on the desk holds now."""
    if not isinstance(answer, dict):
        raise NotAttempted
    return (Path(answer["desk"]) / "crates.csv").read_text(encoding="utf-8")[:5_000]
