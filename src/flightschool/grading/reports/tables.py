"""The gradebook as CSV: for a spreadsheet, for Canvas and for Moodle.

RFC 4180, UTF-8 without a byte-order mark. Names and notes come from learners. A cell that a spreadsheet would take for a formula begins
with `'`, as OWASP advises (CSV Injection); one that begins so only for a program that splits at another separator has the `'` there.

Canvas: the columns are those of its export, which its importer asks for (`lib/gradebook_importer.rb` of canvas-lms). It finds a student by
the login; an empty cell would delete a grade, so that a submission which the grader could not do has no row at all.

Moodle: the importer asks which column is the user and which the grade (`grade/import/csv/classes/load_data.php` of moodle). A user it can't
find stops the import; one whose name is empty or `0` gets the grade into the row before. Such names have no row: `unknown_to_moodle`.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from flightschool.grading.model import Result, Round
from flightschool.grading.reports.text import line
from flightschool.grading.reports.words import State, headline, number, state

NOTE = 500
"""Characters of a cell of prose."""

_BEGIN = re.compile(r"(^|[;,|])(?=[\s\x00-\x1f\x7f-\xa0\u200b-\u200f\u2060\ufeff\"']*[=+\-@\t\r＝＋－＠])")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_POINTS_POSSIBLE = "Points Possible"


def cell(text: str, longest: int = NOTE) -> str:
    """A text as it may stand in a table: on one line, nothing unseen in it, no formula."""
    return text if _NUMBER.fullmatch(text) else line(_BEGIN.sub(r"\1'", text[: longest + 1]), longest)


def grades(round: Round, names: Mapping[str, str]) -> Iterator[str]:
    """`grades.csv`: a row a learner; a column of points for each exercise, before the penalty, and `earned` after it."""
    exercises = list(dict.fromkeys(mark.exercise for result in round.results for mark in result.marks))
    yield _row(
        "learner", "name", "file", "received", "days_late", "kept",
        *map(cell, exercises), "earned", "points", "status", "note",
    )  # fmt: skip
    for result in round.results:
        earned = {mark.exercise: number(mark.earned) for mark in result.marks}
        yield _row(
            cell(result.learner),
            cell(names.get(result.learner, "")),
            cell(result.file),
            result.received.isoformat() if result.received else "",
            number(result.days_late),
            number(result.kept),
            *(earned.get(exercise, "") for exercise in exercises),
            "" if state(result) is State.FAILED else number(result.earned),
            number(round.points),
            state(result),
            cell(" ".join(filter(None, (result.refused, result.failure, *result.notices)))),
        )


def canvas(round: Round, names: Mapping[str, str]) -> Iterator[str]:
    """`grades-canvas.csv`: what Canvas's *Import grades* takes."""
    yield _row("Student", "ID", "SIS User ID", "SIS Login ID", "Section", cell(_assignment(round)))
    yield _row(f"    {_POINTS_POSSIBLE}", "", "", "", "", number(round.points))
    for result in _marked(round):
        name = cell(names.get(result.learner, result.learner))
        # Canvas takes a row that says so for the one above, and the grade for the most points.
        name = name.replace(_POINTS_POSSIBLE, _POINTS_POSSIBLE.replace(" ", "\N{NO-BREAK SPACE}"))
        yield _row(name, "", "", cell(result.learner), "", number(result.earned))


def moodle(round: Round, names: Mapping[str, str]) -> Iterator[str]:
    """`grades-moodle.csv`: what Moodle's *Import → CSV file* takes; map the first column to the username, address or ID number."""
    rows = [result for result in _marked(round) if _known_to_moodle(result.learner)]
    addresses = bool(rows) and all("@" in result.learner for result in rows)
    yield _row("Email address" if addresses else "Username", "Full name", cell(_assignment(round)))
    for result in rows:
        yield _row(result.learner, cell(names.get(result.learner, "")), number(result.earned))


def unknown_to_moodle(round: Round) -> Sequence[str]:
    """The learners who have a mark and no row in `grades-moodle.csv`."""
    return [one.learner for one in _marked(round) if not _known_to_moodle(one.learner)]


def _marked(round: Round) -> Iterable[Result]:
    return (result for result in round.results if state(result) is not State.FAILED)


def _known_to_moodle(learner: str) -> bool:
    return cell(learner) == learner and learner.strip() not in ("", "0")


def _assignment(round: Round) -> str:
    return headline(round.module, round.title)


class _Echo:
    """What `csv.writer` writes to, so that it hands each row back."""

    def write(self, row: str) -> str:
        return row


_writer = csv.writer(_Echo())


def _row(*cells: str) -> str:
    return str(_writer.writerow(cells))
