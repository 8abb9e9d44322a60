"""From the cells that a learner handed in to what is executed: the learner's order, the course's own checks, the grader's seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from flightschool.grading import names
from flightschool.grading.canonical import Canonical, Role, only_seeds, read_canonical, reseeded, squeeze
from flightschool.grading.matching import Matched, match
from flightschool.grading.model import Plan, Step
from flightschool.grading.notebook import Cell
from flightschool.i18n import _

__all__ = ["Canonical", "plan", "read_canonical"]

MOST_NOTICES = 20


@dataclass(eq=False)
class _Item:
    """A place in the plan; without code it only marks where a cell of the course stood."""

    code: str = ""
    cell_id: str = ""
    present: set[int] = field(default_factory=set)
    """Cells of the course for which this one stands."""
    answers: set[str] = field(default_factory=set)
    check: str = ""

    @property
    def own(self) -> bool:
        """Whether it is the learner's and stands for nothing of the course."""
        return bool(self.code) and not self.present and not self.answers and not self.check


def plan(cells: Sequence[Cell], canonical: Canonical, seed: int) -> Plan:
    """What of a submission is executed, in order.

    The learner's cells run in the learner's order. Check cells are dropped and each of the course's is put in once: before the next cell of the
    course that follows the answer, so that it comes after the learner's own cells. The seed is set first. Given cells that are missing are put
    back after the nearest one before them. Demos run only up to the last one that was edited or that the learner's code needs.
    """
    found = match(cells, canonical)
    last_demo = _last_demo(cells, canonical, found)
    items = _items(cells, canonical, found, seed, last_demo)
    _put_checks(items, canonical)
    answers = {exercise: _answer(items, canonical, exercise) for exercise in canonical.answers}
    restored = _put_back(items, canonical, last_demo)
    return Plan(
        steps=tuple(_steps(items)),
        answers=answers,
        notices=tuple(dict.fromkeys(_notices(canonical, found, items, restored)))[:MOST_NOTICES],
    )


def _last_demo(cells: Sequence[Cell], canonical: Canonical, found: Matched) -> int:
    """The last cell of the course up to which its demos are run; -1 when none is."""
    wanted = frozenset().union(*canonical.demos.values())
    needed: set[str] = set()
    last = -1
    for place, cell in enumerate(cells):
        if cell.kind != "code" or found.exact[place]:
            continue
        last = max([last, *(index for index in found.of(place) if index in canonical.demos)])
        if wanted & names.words(cell.source):
            needed |= names.read(cell.source)
    return max([last, *(index for index, hands in canonical.demos.items() if hands & needed)])


def _items(
    cells: Sequence[Cell], canonical: Canonical, found: Matched, seed: int, last_demo: int
) -> list[_Item]:
    """The learner's cells without checks, after the seed."""
    items = []
    if canonical.parameters is not None:
        first = canonical.cells[canonical.parameters]
        items.append(_Item(canonical.seeded(seed), first.id, {canonical.parameters}))
    for place, cell in enumerate(cells):
        index, parts = found.at[place], found.parts[place]
        role = None if index is None else canonical.roles[index]
        stands = {one for one in found.of(place) if found.first[one] == place}
        if cell.kind != "code":
            if stands:
                items.append(_Item(present=stands))
            continue
        if role is Role.CHECK or not found.text[place]:
            continue
        code = cell.source
        if (
            role is Role.PARAMETERS
            or canonical.parameters in parts
            or canonical.parameters not in found.first
        ):
            code = reseeded(code, seed)
            stands = {one for one in stands if one != canonical.parameters}
            if role is Role.PARAMETERS and not parts and only_seeds(found.text[place]):
                continue
        if found.exact[place] and index is not None and index in canonical.demos and index > last_demo:
            code = ""
        exercises = {
            canonical.exercises[one] for one in found.of(place) if canonical.roles[one] is Role.ANSWER
        }
        name = "" if cell.id in canonical.by_id else cell.id  # the course's ids are for the course's cells
        if index is not None and index in stands:
            name = canonical.cells[index].id
        items.append(_Item(code, name or f"cell-{place + 1}", stands, exercises))
    return items


def _put_checks(items: list[_Item], canonical: Canonical) -> None:
    """Put the course's check of each exercise that has an answer at its place."""
    checks = []
    for exercise, index in canonical.checks.items():
        places = [place for place, item in enumerate(items) if exercise in item.answers]
        if places:
            following = range(places[-1] + 1, len(items))
            place = next(
                (at for at in following if any(one > index for one in items[at].present)), len(items)
            )
            checks.append((place, index, exercise))
    for place, index, exercise in sorted(checks, reverse=True):
        items.insert(place, _check(canonical, index, exercise))


def _check(canonical: Canonical, index: int, exercise: str) -> _Item:
    cell = canonical.cells[index]
    return _Item(cell.source, cell.id, {index}, check=exercise)


def _answer(items: Sequence[_Item], canonical: Canonical, exercise: str) -> str:
    """The learner's code of an exercise: its answer, and own cells between that and the check; empty when all is still the stub."""
    places = [place for place, item in enumerate(items) if exercise in item.answers]
    if not places:
        return ""
    code = [items[place].code for place in places]
    for item in items[places[-1] + 1 :]:
        if item.check == exercise:
            break
        if item.own:
            code.append(item.code)
    return "\n\n".join(one.strip("\n") for one in code if squeeze(one) not in canonical.stubs[exercise])


def _put_back(items: list[_Item], canonical: Canonical, last_demo: int) -> int:
    """Put given cells and checks that are missing after the nearest cell of the course before them; return how many were given."""
    at = {index: item for item in reversed(items) for index in item.present}
    restored = 0
    for index, cell in enumerate(canonical.cells):
        role = canonical.roles[index]
        if index in at or role not in (Role.GIVEN, Role.CHECK):
            continue
        if role is Role.CHECK:
            item = _check(canonical, index, canonical.exercises[index])
        elif index in canonical.demos and index > last_demo:
            continue
        else:
            item = _Item(cell.source, cell.id, {index})
            restored += 1
        before = next((at[one] for one in range(index - 1, -1, -1) if one in at), None)
        items.insert(0 if before is None else items.index(before) + 1, item)
        at[index] = item
    return restored


def _steps(items: Sequence[_Item]) -> Iterator[Step]:
    taken: set[str] = set()
    for place, item in enumerate(items):
        if item.code:
            name = item.cell_id
            while name in taken:
                name = f"{item.cell_id}-{place + 1}" if name == item.cell_id else f"{name}-"
            taken.add(name)
            yield Step(item.code, name, item.check)


def _notices(canonical: Canonical, found: Matched, items: Sequence[_Item], restored: int) -> Iterator[str]:
    edited = {index for place, index in enumerate(found.at) if index is not None and not found.exact[place]}
    if canonical.parameters is not None:
        if canonical.parameters in edited:
            yield _("The cell that sets the seed was edited in your notebook; the course's own was run.")
        elif canonical.parameters not in found.first:
            yield _("The cell that sets the seed was missing from your notebook; the course's own was run.")
    for exercise, index in canonical.checks.items():
        if index in edited:
            sentence = _("The check of {exercise} was edited in your notebook; the course's own was run.")
            yield sentence.format(exercise=exercise)
        elif index not in found.first:
            sentence = _("The check of {exercise} was missing from your notebook; the course's own was run.")
            yield sentence.format(exercise=exercise)
        count = sum(exercise in item.answers for item in items)
        if not count:
            yield _("No code cell of {exercise} was found in your notebook.").format(exercise=exercise)
        elif count > 1:
            sentence = _(
                "Your notebook has {count} cells for {exercise}: all were run, in their order, before its check."
            )
            yield sentence.format(count=count, exercise=exercise)
    if restored:
        yield _("Cells of the course that were missing from your notebook were put back: {count}.").format(
            count=restored
        )
    if found.by_content:
        exercises = ", ".join(one for one in canonical.answers if one in found.by_content)
        sentence = _(
            "An editor had changed the ids of your notebook; these cells were found by what is in them or by their place: {exercises}."
        )
        yield sentence.format(exercises=exercises)
