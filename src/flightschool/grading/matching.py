"""Which cell of a submission is which cell of the course: by id, nbgrader's id and text, whatever an editor did to some of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from flightschool.grading import names
from flightschool.grading.canonical import Canonical, Role, alike, checked, only_seeds, squeeze, tokens
from flightschool.grading.notebook import Cell

COMPARED = 300
"""Cells whose text is compared with that of missing ones; a notebook of so many unknown cells is none of ours."""
ALIKE = 0.6
"""From here on an edited text is still that of the course, if nothing else says which one it is."""
FEW = 12
"""Words and signs below which likeness says nothing: `lab.q1.hint()` and `spark.stop()`."""


@dataclass
class Matched:
    """For each cell of the submission (by its place) what of the course it is.

    `at` is one cell of the course, also for a copy of it, and None for the learner's own; `parts` are others whose text or names it holds too,
    as after a merge. `first` gives for a cell of the course the one that stands for it. `exact` says that the text is the course's.
    """

    text: list[str]
    at: list[int | None]
    exact: list[bool]
    parts: list[set[int]]
    first: dict[int, int] = field(default_factory=dict)
    by_content: set[str] = field(default_factory=set)
    """Exercises whose answer was found by what it defines or by where it stands."""

    def of(self, place: int) -> list[int]:
        """All cells of the course that a cell of the submission is or holds."""
        at = self.at[place]
        return [*([] if at is None else [at]), *self.parts[place]]


def match(cells: Sequence[Cell], canonical: Canonical) -> Matched:
    """Find the course's cells in a submission.

    An id alone is believed unless the text says otherwise: ids can be shuffled or given twice.
    """
    count = len(cells)
    found = Matched(
        [squeeze(cell.source) for cell in cells], [None] * count, [False] * count, [set() for _cell in cells]
    )
    named = [_named(cell, canonical) for cell in cells]
    _same_name_and_text(cells, canonical, found)
    _same_text(cells, canonical, found, named)
    _same_effect(cells, canonical, found)
    holds = [
        _holds(cell, canonical) if cell.kind == "code" and not found.exact[place] else frozenset()
        for place, cell in enumerate(cells)
    ]
    _same_name(cells, canonical, found, named, holds)
    _defining(canonical, found, holds)
    _merged(cells, canonical, found)
    _alike(cells, canonical, found)
    _in_place(cells, canonical, found)
    return found


def _named(cell: Cell, canonical: Canonical) -> int | None:
    """The cell of the course that it says it is; nbgrader's id is in the metadata, where editors don't change it."""
    for name in (cell.grade_id, cell.id):
        index = canonical.by_id.get(name)
        if index is not None and canonical.cells[index].kind == cell.kind:
            return index
    return None


def _same_name_and_text(cells: Sequence[Cell], canonical: Canonical, found: Matched) -> None:
    for place, cell in enumerate(cells):
        for name in (cell.grade_id, cell.id):
            index = canonical.by_id.get(name)
            if index is None or found.text[place] != canonical.squeezed[index]:
                continue
            if cell.kind == canonical.cells[index].kind and found.at[place] is None:
                _take(found, place, index, exact=True)


def _same_text(
    cells: Sequence[Cell], canonical: Canonical, found: Matched, named: Sequence[int | None]
) -> None:
    for place, cell in enumerate(cells):
        same = canonical.by_text.get((cell.kind, found.text[place]), ())
        if found.at[place] is not None or not same:
            continue
        free = [index for index in same if index not in found.first]
        if free:
            _take(found, place, free[0], exact=True)
        elif named[place] is None or named[place] in found.first:  # else another cell was pasted over
            _take(found, place, same[0], exact=True)


def _same_effect(cells: Sequence[Cell], canonical: Canonical, found: Matched) -> None:
    """Checks and seeds, which do nothing else."""
    for place, cell in enumerate(cells):
        if cell.kind != "code" or found.at[place] is not None:
            continue
        receiver = checked(cell.source)
        if receiver in canonical.receivers:
            _take(found, place, canonical.receivers[receiver])
        elif canonical.parameters is not None and only_seeds(found.text[place]):
            _take(found, place, canonical.parameters)


def _holds(cell: Cell, canonical: Canonical) -> frozenset[str]:
    """The exercises of whose answer the cell defines a name."""
    defined = names.defined(cell.source)
    return frozenset(exercise for exercise, own in canonical.defined.items() if own & defined)


def _same_name(
    cells: Sequence[Cell],
    canonical: Canonical,
    found: Matched,
    named: Sequence[int | None],
    holds: Sequence[frozenset[str]],
) -> None:
    for place, cell in enumerate(cells):
        index = named[place]
        if found.at[place] is not None or index is None:
            continue
        role, exercise = canonical.roles[index], canonical.exercises[index]
        free = index not in found.first
        match role:
            case Role.CHECK:
                believed = not holds[place]
            case Role.ANSWER if holds[place]:
                believed = exercise in holds[place]
            case Role.ANSWER:
                believed = free or cell.grade_id == exercise
            case _:
                believed = free
        if believed:
            _take(found, place, index)


def _defining(canonical: Canonical, found: Matched, holds: Sequence[frozenset[str]]) -> None:
    """Answers that have lost their ids, by the names that they define; cells at the answer's own place are preferred."""
    for exercise, index in canonical.answers.items():
        if index in found.first:
            continue
        candidates = [
            place
            for place, held in enumerate(holds)
            if exercise in held and not _settled(canonical, found, place)
        ]
        low, high = _window(found, index)
        near = [place for place in candidates if low < place < high]
        for place in near or candidates[:1]:
            _add(found, place, index)
            found.by_content.add(exercise)


def _settled(canonical: Canonical, found: Matched, place: int) -> bool:
    at = found.at[place]
    return at is not None and (found.exact[place] or canonical.roles[at] in (Role.CHECK, Role.PARAMETERS))


def _merged(cells: Sequence[Cell], canonical: Canonical, found: Matched) -> None:
    """Cells whose lines stand in another cell, as after *Merge cells*."""
    missing = list(_missing(canonical, found, (Role.GIVEN, Role.PARAMETERS)))
    places = [place for place, cell in enumerate(cells) if cell.kind == "code" and not found.exact[place]]
    for place in places if missing else ():
        text = f"\n{found.text[place]}\n"
        for index in missing:
            if index not in found.first and f"\n{canonical.squeezed[index]}\n" in text:
                _add(found, place, index)


def _alike(cells: Sequence[Cell], canonical: Canonical, found: Matched) -> None:
    """Edited cells without ids, the most alike first; among equals the one at its own place."""
    missing = list(_missing(canonical, found, (Role.GIVEN,)))
    places = [
        place
        for place, cell in enumerate(cells)
        if cell.kind == "code" and found.at[place] is None and found.text[place]
    ]
    scores = []
    windows = {index: _window(found, index) for index in missing}
    for place in places[:COMPARED] if missing else ():
        mine = tokens(cells[place].source)
        for index in missing:
            course = canonical.tokens[index]
            if min(mine.total(), course.total()) < FEW:
                continue
            score = alike(mine, course)
            if score >= ALIKE:
                low, high = windows[index]
                scores.append((score + 0.05 * (low < place < high), -abs(place - index), place, index))
    for _score, _near, place, index in sorted(scores, reverse=True):
        if found.at[place] is None and index not in found.first:
            _take(found, place, index)


def _in_place(cells: Sequence[Cell], canonical: Canonical, found: Matched) -> None:
    """Answers of which nothing else is left: the learner's own cells where the answer would stand, behind its task."""
    for exercise, index in canonical.answers.items():
        if index in found.first or index - 1 not in found.first:
            continue
        low, high = _window(found, index)
        for place in range(low + 1, high) if low >= 0 else ():
            if cells[place].kind == "code" and found.at[place] is None and found.text[place]:
                _take(found, place, index)
                found.by_content.add(exercise)


def _missing(canonical: Canonical, found: Matched, roles: Iterable[Role]) -> Iterable[int]:
    return (index for index, role in enumerate(canonical.roles) if role in roles and index not in found.first)


def _window(found: Matched, index: int) -> tuple[int, int]:
    """Between which cells of the submission a cell of the course would stand; everywhere when its neighbours changed places."""
    before = max((other for other in found.first if other < index), default=None)
    after = min((other for other in found.first if other > index), default=None)
    low = -1 if before is None else found.first[before]
    high = len(found.at) if after is None else found.first[after]
    return (low, high) if low < high else (-1, len(found.at))


def _take(found: Matched, place: int, index: int, *, exact: bool = False) -> None:
    found.at[place] = index
    found.exact[place] = exact
    found.first.setdefault(index, place)


def _add(found: Matched, place: int, index: int) -> None:
    if found.at[place] is None:
        _take(found, place, index)
    elif found.at[place] != index:
        found.parts[place].add(index)
        found.first.setdefault(index, place)
