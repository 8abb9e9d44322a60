"""What a graded round gives out: tables, a record for programs, JUnit for CI, a page for each learner and one for the instructor.

The same round gives the same bytes: no clock, no machine and no order but the round's own gets in. All that learners wrote is hostile until
`text` and the templates have made it harmless.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from flightschool.data.writing import atomic
from flightschool.grading.model import Round
from flightschool.grading.reports import feedback, junit, overview, pages, records, tables
from flightschool.grading.reports.text import stem

FEEDBACK = "feedback"


def write(round: Round, out: Path, *, names: Mapping[str, str] | None = None) -> list[Path]:
    """Write all reports into the folder `out`, each of them atomically, and return their paths.

    `names` says what learners are called, by `Result.learner`; who is not in it is called that. Pages of an earlier
    round, of learners who are not in this one, are removed.

    Raises:
        ValueError: two results of one learner.
        FlightSchoolError: the folder cannot be written.
    """
    names = names or {}
    twice = [learner for learner, count in Counter(one.learner for one in round.results).items() if count > 1]
    if twice:
        raise ValueError(f"more than one result of {twice[:3]}")
    written = [
        _write(out / name, pieces)
        for name, pieces in (
            ("grades.csv", tables.grades(round, names)),
            ("grades-canvas.csv", tables.canvas(round, names)),
            ("grades-moodle.csv", tables.moodle(round, names)),
            ("grades.json", records.grades(round, names)),
            ("grades.xml", junit.grades(round, names)),
        )
    ]
    for result in round.results:
        path = out / FEEDBACK / f"{stem(result.learner)}.html"
        written.append(_write(path, feedback.page(result, round, names)))
    _remove_others(out / FEEDBACK, set(written))
    written.append(_write(out / "index.html", overview.page(round, names)))
    return written


def _write(path: Path, pieces: Iterable[str]) -> Path:
    with atomic(path) as file:
        for piece in pieces:
            file.write(piece.encode())
    return path


def _remove_others(folder: Path, ours: set[Path]) -> None:
    """Remove pages that we made and that are not among `ours`; a file of somebody else's stays."""
    for path in folder.glob("*.html"):
        if path not in ours and path.is_file() and pages.ours(path):
            path.unlink()
