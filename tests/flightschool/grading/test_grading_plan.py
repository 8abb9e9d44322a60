"""Plans: the real notebooks, mangled as editors and attackers mangle them, and the steps that come out."""

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightschool import paths
from flightschool.curriculum import Module, module, modules
from flightschool.grading import names, notebook, plan
from flightschool.grading.canonical import DEMO, Canonical
from flightschool.grading.model import Plan
from flightschool.grading.notebook import Cell
from flightschool.publish import solution_notebook

NAME = "01_dataops_intro"
FILE = paths.NOTEBOOKS / f"{NAME}.ipynb"
CANONICAL = plan.read_canonical(FILE)
UNTOUCHED = notebook.cells(FILE.read_bytes())
SOLVED = notebook.cells(solution_notebook(module(NAME)))
CHECKS = {f"{exercise}-check": exercise for exercise in CANONICAL.checks}
DEMOS = [cell.id for cell in UNTOUCHED if DEMO in cell.tags]
RUN = [cell.id for cell in UNTOUCHED if cell.kind == "code" and cell.id not in DEMOS]
Cells = list[Cell]


def made(cells: Sequence[Cell], seed: int = 7, canonical: Canonical = CANONICAL) -> Plan:
    return plan.plan(cells, canonical, seed)


def ids(cells: Sequence[Cell]) -> list[str]:
    return [step.cell_id for step in made(cells).steps]


def at(cells: Sequence[Cell], name: str) -> int:
    return next(index for index, cell in enumerate(cells) if cell.id == name)


def insert(cells: Sequence[Cell], after: str, *new: Cell) -> Cells:
    here = at(cells, after) + 1
    return [*cells[:here], *new, *cells[here:]]


def without(cells: Sequence[Cell], *gone: str) -> Cells:
    return [cell for cell in cells if cell.id not in gone]


def edited(cells: Sequence[Cell], name: str, source: str) -> Cells:
    return [replace(cell, source=source) if cell.id == name else cell for cell in cells]


def own(source: str, name: str = "") -> Cell:
    return Cell("code", source, name)


def bare(cells: Sequence[Cell]) -> Cells:
    """As after a converter that keeps nothing but text."""
    return [Cell(cell.kind, cell.source) for cell in cells]


def what(found: Plan) -> list[tuple[str, str]]:
    return [(step.code, step.exercise) for step in found.steps]


def test_an_untouched_notebook() -> None:
    found = made(UNTOUCHED)
    assert [step.cell_id for step in found.steps] == RUN
    assert found.steps[0].code == "seed = 7"
    assert {step.cell_id: step.exercise for step in found.steps if step.exercise} == CHECKS
    assert set(found.answers.values()) == {""}
    assert found.answers.keys() == CANONICAL.answers.keys()
    assert found.notices == ()


def test_a_solved_notebook() -> None:
    found = made(SOLVED)
    assert [step.cell_id for step in found.steps] == RUN
    assert all("BEGIN SOLUTION" in answer for answer in found.answers.values())
    assert found.answers["q1"].startswith("def on_time_report(flights, by):")
    assert found.notices == ()


def of_json(change: Callable[[Any], Any]) -> Callable[[Cells], Cells]:
    """Change the notebook's JSON and read it again."""

    def mangle(cells: Cells) -> Cells:
        raw = json.loads(FILE.read_bytes())
        for cell, mine in zip(raw["cells"], cells, strict=True):
            cell["source"] = mine.source.splitlines(keepends=True)
        return notebook.cells(json.dumps(change(raw) or raw).encode())

    return mangle


def each(change: Callable[[Any], Any]) -> Callable[[Cells], Cells]:
    def all_cells(raw: Any) -> None:
        for cell in raw["cells"]:
            change(cell)

    return of_json(all_cells)


def shuffled(cells: Cells, *, grade_ids: bool) -> Cells:
    """Ids given to the wrong cells of their kind."""
    found = list(cells)
    for kind in ("code", "markdown"):
        places = [index for index, cell in enumerate(cells) if cell.kind == kind]
        others = random.Random(5).sample(places, len(places))
        for place, other in zip(places, others, strict=True):
            name = cells[place].grade_id if grade_ids else ""
            found[place] = replace(found[place], id=cells[other].id, grade_id=name, tags=frozenset())
    return found


def colab(cell: Any) -> None:
    cell["metadata"] = {
        "id": f"{random.Random(str(cell)).getrandbits(48):x}",
        "colab": {"base_uri": "https://colab.example"},
    }
    cell.pop("id")


def third(raw: Any) -> Any:
    return nbformat.convert(nbformat.reads(json.dumps(raw), as_version=4), 3)


MANGLED = {
    "ids stripped": each(lambda cell: cell.pop("id")),
    "ids renumbered": lambda cells: [replace(cell, id=f"cell-{n}") for n, cell in enumerate(cells)],
    "ids all equal": lambda cells: [replace(cell, id="q1") for cell in cells],
    "ids shuffled": lambda cells: shuffled(cells, grade_ids=True),
    "ids shuffled, metadata gone": lambda cells: shuffled(cells, grade_ids=False),
    "metadata wiped": each(lambda cell: cell.update(metadata={})),
    "ids and metadata gone": bare,
    "nbformat 4.4": each(lambda cell: (cell.pop("id"), cell["metadata"].pop("deletable", 0))),
    "nbformat 3": of_json(third),
    "sources as text": each(lambda cell: cell.update(source="".join(cell["source"]))),
    "Windows": each(lambda cell: cell.update(source="".join(cell["source"]).replace("\n", "\r\n"))),
    "blanks at line ends": each(lambda cell: cell.update(source="".join(cell["source"]).replace("\n", "  \n") + "\n\n")),
    "Colab": each(colab),
    "VS Code": each(lambda cell: cell.update(id=f"W{hash(str(cell)) & 0xFFFFFF:x}", metadata={"vscode": {"languageId": "python"}})),
}  # fmt: skip


@pytest.mark.parametrize("cells", [UNTOUCHED, SOLVED], ids=["untouched", "solved"])
@pytest.mark.parametrize("name", MANGLED)
def test_what_an_editor_mangled_runs_as_if_it_had_not(name: str, cells: Cells) -> None:
    found, before = made(MANGLED[name](cells)), made(cells)
    assert [(" ".join(code.split()), check) for code, check in what(found)] == [
        (" ".join(code.split()), check) for code, check in what(before)
    ]
    assert [step.cell_id for step in found.steps] == RUN
    assert {key: " ".join(code.split()) for key, code in found.answers.items()} == {
        key: " ".join(code.split()) for key, code in before.answers.items()
    }
    assert not any("missing" in notice or "edited" in notice for notice in found.notices)


def test_lost_ids_are_told_when_an_answer_was_found_by_what_it_defines() -> None:
    (notice,) = made(bare(SOLVED)).notices
    assert notice.endswith("by their place: q1, q2, q3, q4, q5, drill, quiz.")
    assert made(bare(UNTOUCHED)).notices == ()


def test_an_answer_of_which_only_the_place_is_left() -> None:
    cells = insert(edited(SOLVED, "q3", "from mine import metrics"), "q3", own("delivery = metrics"))
    for mangled in (bare(cells), without(bare(cells), "q3-check")):
        found = made(mangled)
        order = [step.code for step in found.steps]
        here = order.index("from mine import metrics")
        assert order[here + 1 :][:2] == ["delivery = metrics", "lab.q3.check(delivery_metrics)"]
        assert found.answers["q3"] == "from mine import metrics\n\ndelivery = metrics"


# The checks.


def forged(exercise: str) -> str:
    return f"print('passed')\nlab.{exercise}.points = 100"


@pytest.mark.parametrize(
    ("cells", "notices"),
    [
        (edited(UNTOUCHED, "q2-check", forged("q2")), ["The check of q2 was edited in your notebook; the course's own was run."]),
        (edited(UNTOUCHED, "q2-check", "lab.q2.check(lambda *_: 7)"), ["The check of q2 was edited in your notebook; the course's own was run."]),
        (without(UNTOUCHED, "q2-check"), ["The check of q2 was missing from your notebook; the course's own was run."]),
        ([UNTOUCHED[at(UNTOUCHED, "q2-check")], *without(UNTOUCHED, "q2-check")], []),
        ([*UNTOUCHED, *[UNTOUCHED[at(UNTOUCHED, "q2-check")]] * 3], []),
        ([*UNTOUCHED, own("lab.q2.check(value_stream)", "other")], []),
        ([own("# once more\nlab.q2.check(7)"), *UNTOUCHED], ["The check of q2 was edited in your notebook; the course's own was run."]),
    ],
    ids=["edited", "another answer", "deleted", "moved to the top", "copied", "copied without id", "another, on top"],
)  # fmt: skip
def test_each_check_is_the_course_s_and_runs_once_at_its_place(cells: Cells, notices: list[str]) -> None:
    found = made(cells)
    assert what(found) == what(made(UNTOUCHED))
    assert list(found.notices) == notices


def test_all_checks_moved_to_the_top_and_edited() -> None:
    checks = [replace(cell, source=forged(cell.id)) for cell in UNTOUCHED if cell.id in CHECKS]
    found = made([*checks, *without(UNTOUCHED, *CHECKS)])
    assert what(found) == what(made(UNTOUCHED))
    assert len(found.notices) == len(CHECKS)


def test_own_cells_come_before_the_check_and_calls_among_them_stay() -> None:
    mine = own("lab.q1.check(on_time_report)\nmine = 1", "mine")
    assert ids(insert(SOLVED, "q1", mine)) == ids(insert(SOLVED, "q1-check", mine))
    found = made(insert(SOLVED, "q1-check", mine, own("later = mine", "later")))
    order = [step.cell_id for step in found.steps]
    assert order[order.index("q1") :][:5] == ["q1", "mine", "later", "q1-check", "code-69d34f6e"]
    assert found.answers["q1"].endswith("mine = 1\n\nlater = mine")


def test_the_text_that_follows_keeps_later_cells_behind_the_check() -> None:
    text = next(cell.id for cell in UNTOUCHED[at(UNTOUCHED, "q1-check") :] if cell.kind == "markdown")
    order = ids(insert(SOLVED, text, own("x = 1", "mine")))
    assert order[order.index("q1") :][:4] == ["q1", "q1-check", "mine", "code-69d34f6e"]


def test_the_last_check_comes_at_the_end() -> None:
    cells = UNTOUCHED[: at(UNTOUCHED, "quiz") + 1]
    assert ids([*cells, own("x = 1", "mine")])[-3:] == ["quiz", "mine", "quiz-check"]


# The seed.


@pytest.mark.parametrize(
    "cells",
    [
        edited(UNTOUCHED, "code-989713f4", "seed = 1"),
        edited(UNTOUCHED, "code-989713f4", "# mine\nseed: int = 3  # three"),
        without(UNTOUCHED, "code-989713f4"),
        [*without(UNTOUCHED, "code-989713f4"), UNTOUCHED[at(UNTOUCHED, "code-989713f4")]],
        insert(UNTOUCHED, "code-989713f4", Cell("code", "# Parameters\nseed = 5\n", tags=frozenset({"injected-parameters"}))),
        bare(edited(UNTOUCHED, "code-989713f4", "seed = 1")),
    ],
    ids=["edited", "with more", "deleted", "moved to the end", "papermill's", "edited, no ids"],
)  # fmt: skip
def test_the_seed_is_the_grader_s_and_first(cells: Cells) -> None:
    assert what(made(cells)) == what(made(UNTOUCHED))


def test_code_in_the_cell_of_the_seed_is_kept() -> None:
    imports = UNTOUCHED[at(UNTOUCHED, "code-a603d98b")].source
    merged = edited(without(UNTOUCHED, "code-a603d98b"), "code-989713f4", f"seed = 3\n{imports}")
    for cells in (merged, bare(merged)):
        first, second, *rest = made(cells).steps
        assert (first.code, second.code) == ("seed = 7", f"seed = 7\n{imports}")
        assert [step.cell_id for step in rest] == RUN[2:]


# Given cells and answers.


def test_given_cells_that_were_deleted_are_put_back() -> None:
    gone = ["code-a603d98b", "code-69d34f6e", "code-ff8e96ad", "code-14ce5b8d", "code-f2b498b6"]
    for cells in (without(SOLVED, *gone), bare(without(SOLVED, *gone))):
        found = made(cells)
        assert what(found) == what(made(SOLVED))
        assert "Cells of the course that were missing from your notebook were put back: 5." in found.notices


@pytest.mark.parametrize("ids_kept", [True, False])
def test_given_cells_run_as_the_learner_wrote_them(ids_kept: bool) -> None:
    source = UNTOUCHED[at(UNTOUCHED, "code-ff8e96ad")].source.replace("damaged", "broken")
    cells = edited(SOLVED, "code-ff8e96ad", source)
    found = made(cells if ids_kept else bare(cells))
    assert [step.cell_id for step in found.steps] == RUN
    assert source in [step.code for step in found.steps]


def test_a_cell_that_became_text_is_put_back() -> None:
    cells = [
        replace(cell, kind="markdown") if cell.id in ("code-ff8e96ad", "q1") else cell for cell in SOLVED
    ]
    found = made(cells)
    assert [step.cell_id for step in found.steps] == [name for name in RUN if name != "q1"]
    assert "No code cell of q1 was found in your notebook." in found.notices


def test_an_empty_notebook() -> None:
    for cells in ([], [own("x = 1", "mine"), Cell("markdown", "Hello")]):
        found = made(cells)
        assert [step.cell_id for step in found.steps if step.cell_id != "mine"] == [
            name for name in RUN if name not in CANONICAL.answers
        ]
        assert set(found.answers.values()) == {""}


def test_a_missing_answer_has_its_check_at_its_place() -> None:
    found = made(without(SOLVED, "q3"))
    assert [step.cell_id for step in found.steps] == [name for name in RUN if name != "q3"]
    assert found.answers["q3"] == ""
    assert found.notices == ("No code cell of q3 was found in your notebook.",)


def test_two_answers_run_in_their_order_before_the_check() -> None:
    copied = replace(
        SOLVED[at(SOLVED, "q1")], id="copy", source="def on_time_report(flights, by):\n    return 2"
    )
    found = made(insert(SOLVED, "code-ff8e96ad", copied))
    order = [step.cell_id for step in found.steps]
    assert order[order.index("q1") :][:5] == ["q1", "code-69d34f6e", "code-ff8e96ad", "copy", "q1-check"]
    assert found.answers["q1"].endswith("return 2")
    assert found.notices == (
        "Your notebook has 2 cells for q1: all were run, in their order, before its check.",
    )


def test_the_untouched_stub_beside_an_answer_is_no_answer() -> None:
    stub = UNTOUCHED[at(UNTOUCHED, "q1")]
    found = made(insert(SOLVED, "q1", stub))
    assert found.answers["q1"] == SOLVED[at(SOLVED, "q1")].source


def test_the_name_of_an_answer_used_elsewhere_does_not_move_its_check() -> None:
    """Where the ids are whole, a cell that defines the same name is the learner's own."""
    cells = insert(SOLVED, "quiz-check", own("answers = None", "scratch"))
    cells = insert(cells, "code-50a66b64", own("def on_time_report(flights, by):\n    return 1", "redo"))
    order = ids(cells)
    assert order.index("q1-check") == order.index("q1") + 1
    order = ids(bare(cells))
    assert order.index("q1-check") == order.index("q1") + 1


def test_a_split_answer() -> None:
    source = SOLVED[at(SOLVED, "drill")].source
    head, tail = source.split("def repair", 1)
    cells = insert(edited(SOLVED, "drill", head), "drill", own(f"def repair{tail}", "split"))
    found = made(cells)
    order = [step.cell_id for step in found.steps]
    assert order[order.index("drill") :][:3] == ["drill", "split", "drill-check"]
    assert "def repair" in found.answers["drill"]
    found = made(bare(cells))
    order = [step.cell_id for step in found.steps]
    assert order.index("drill-check") == order.index("drill") + 2


@pytest.mark.parametrize("ids_kept", [True, False])
def test_merged_cells(ids_kept: bool) -> None:
    """A given cell, an answer and its check in one cell; and one with two answers."""
    parts = [SOLVED[at(SOLVED, name)].source for name in ("code-14f5569d", "q2", "q2-check")]
    cells = edited(without(SOLVED, "q2", "q2-check"), "code-14f5569d", "\n\n".join(parts))
    quiz = SOLVED[at(SOLVED, "quiz")].source
    cells = edited(without(cells, "quiz", "quiz-check"), "q4", f"{SOLVED[at(SOLVED, 'q4')].source}\n{quiz}")
    found = made(cells if ids_kept else bare(cells))
    order = [step.cell_id for step in found.steps]
    checks = [step.cell_id for step in found.steps if step.exercise]
    assert sorted(checks) == sorted(CHECKS)
    assert (
        order.index("q2-check")
        == next(n for n, step in enumerate(found.steps) if "def value_stream" in step.code) + 1
    )
    # The given cell is not put back; and q4 and the quiz are both in what runs before both checks.
    assert sum("delivery_logs.value_stream(" in step.code for step in found.steps) == 1
    assert "def value_stream" in found.answers["q2"]
    assert "who_is_paged" in found.answers["q4"]
    assert "def who_is_paged" in found.answers["quiz"]


def test_everything_in_one_cell() -> None:
    code = "\n".join(cell.source for cell in SOLVED if cell.kind == "code")
    found = made([own(code, "all")])
    assert [step.cell_id for step in found.steps] == ["code-989713f4", "q1", *CHECKS]
    assert "seed = 7\n" in found.steps[1].code
    assert "seed = 0" not in found.steps[1].code


def test_reordered_cells_run_in_the_learner_s_order() -> None:
    code = [cell for cell in SOLVED if cell.kind == "code"]
    for cells in (code[::-1], bare(code[::-1])):
        found = made(cells)
        mine = [step.cell_id for step in found.steps if not step.exercise]
        assert mine == [RUN[0], *[name for name in RUN[:0:-1] if name not in CHECKS]]
        order = [step.cell_id for step in found.steps]
        assert all(order.index(check) > order.index(exercise) for check, exercise in CHECKS.items())


def test_ids_of_steps_are_unique() -> None:
    found = made(
        [*SOLVED, own("a", "x"), own("b", "x"), own("c"), own("d", "q1-check"), own("e", "x-1"), *SOLVED]
    )
    names_ = [step.cell_id for step in found.steps]
    assert len(set(names_)) == len(names_)


def test_notices_are_few_and_none_twice() -> None:
    notices = made(bare([own(forged(name)) for name in CHECKS] * 5)).notices
    assert len(set(notices)) == len(notices) <= plan.MOST_NOTICES


# Demos.


def test_an_edited_demo_runs_and_those_before_it_do() -> None:
    first, second, *_rest = DEMOS
    cells = edited(UNTOUCHED, second, "print(len(ewr))")
    assert [name for name in ids(cells) if name in DEMOS] == [first, second]


def test_a_demo_runs_when_the_learner_s_code_reads_what_it_binds() -> None:
    def demos(source: str, cells: Cells = SOLVED, change: Callable[[Cells], Cells] = list) -> list[str]:
        return [name for name in ids(change(insert(cells, "q2", own(source)))) if name in DEMOS]

    assert demos("x = 1") == []
    assert demos("def f(runs):\n    return runs.stages") == []  # its own, and an attribute
    assert demos("for runs in (1, 2):\n    print(runs)") == []
    assert demos("print(shares)") == DEMOS[: DEMOS.index("code-a67f23e7") + 1]
    assert demos("def f():\n    return shares") == demos("print(shares)")
    assert demos("%time shares") == demos("print(shares)")  # no Python: every word counts
    assert demos("print(shares)", without(SOLVED, *DEMOS)) == demos("print(shares)")
    assert demos("print(shares)", change=bare) == demos("print(shares)")


def test_a_demo_runs_when_the_learner_s_code_reads_what_it_says_it_changes() -> None:
    other = plan.read_canonical(paths.NOTEBOOKS / "02_data_lifecycle.ipynb")
    cells = list(other.cells)

    def demos(source: str) -> int:
        steps = plan.plan([*cells, own(source)], other, 0).steps
        return sum(step.cell_id in {cells[index].id for index in other.demos} for step in steps)

    assert demos("import duckdb") == 0
    assert demos("duckdb.connect(str(warehouse)).sql('from daily_on_time')") > 10


@pytest.mark.parametrize("course", modules(), ids=lambda one: one.id)
def test_no_demo_is_needed(course: Module) -> None:
    """No later cell reads a name that only a demo binds, neither in the learner's notebook nor in the solution."""
    for data in ((paths.NOTEBOOKS / f"{course.id}.ipynb").read_bytes(), solution_notebook(course)):
        lent: set[str] = set()
        given_: set[str] = set()
        for cell in notebook.cells(data):
            if cell.kind != "code":
                continue
            if DEMO in cell.tags:
                assert not cell.grade_id, cell.id
                assert "parameters" not in cell.tags
                lent |= names.bound(cell.source) - given_
            else:
                assert not names.read(cell.source) & lent, (cell.id, names.read(cell.source) & lent)
                given_ |= names.bound(cell.source)
                lent -= given_


@pytest.mark.parametrize("course", modules(), ids=lambda one: one.id)
def test_every_module_s_own_notebooks(course: Module) -> None:
    canonical = plan.read_canonical(paths.NOTEBOOKS / f"{course.id}.ipynb")
    assert canonical.answers.keys() == canonical.checks.keys() == course.exercises.keys()
    solved = notebook.cells(solution_notebook(course))
    expected = plan.plan(solved, canonical, 3)
    assert [step.exercise for step in expected.steps if step.exercise] == list(canonical.checks)
    assert all(expected.answers.values())
    assert what(plan.plan(bare(solved), canonical, 3)) == what(expected)
    assert expected.notices == ()


def test_a_translated_stub_is_a_stub(tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    (tmp_path / FILE.name).write_bytes(FILE.read_bytes())
    french = FILE.read_bytes().replace(b"Your code here", b"Votre code ici")
    (tmp_path / "fr" / FILE.name).write_bytes(french)
    found = made(notebook.cells(french), canonical=plan.read_canonical(tmp_path / FILE.name))
    assert set(found.answers.values()) == {""}
    assert made(notebook.cells(french)).answers["q1"] != ""


# Any submission at all.

hostile = st.sampled_from(
    [
        "lab.q1.check(on_time_report)",
        "lab.q1.check(",
        "lab = None",
        "seed = 3",
        "seed = 3\n" * 6,
        "def on_time_report(flights, by): ...",
        "answers = 1",
        "%%bash\nrm -rf /",
        "incident.check(1); incident.check(2)",
        "lab.q1.check(1)\nlab.q2.check(2)",
        "\0",
        "-" * 3000 + "1",
        "(" * 500,
        "\ufffd",
        "x" * 30_000,
    ]
)
places = st.integers(0, 10_000)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("delete"), places),
        st.tuples(st.just("copy"), places, places),
        st.tuples(st.just("move"), places, places),
        st.tuples(st.just("strip"), places),
        st.tuples(st.just("rename"), places, st.sampled_from([cell.id for cell in UNTOUCHED])),
        st.tuples(st.just("own"), places, hostile),
        st.tuples(st.just("overwrite"), places, hostile),
        st.tuples(st.just("text"), places),
    ),
    max_size=40,
)


def apply(cells: Cells, change: tuple[Any, ...]) -> None:
    kind, place, *more = change
    place %= len(cells) + (kind == "own")
    if kind == "delete":
        del cells[place]
    elif kind in ("copy", "move"):
        cell = cells[place] if kind == "copy" else cells.pop(place)
        cells.insert(more[0] % (len(cells) + 1), cell)
    elif kind == "strip":
        cells[place] = replace(cells[place], id="", grade_id="", tags=frozenset())
    elif kind == "rename":
        cells[place] = replace(cells[place], id=more[0])
    elif kind == "own":
        cells.insert(place, own(more[0]))
    elif kind == "overwrite":
        cells[place] = replace(cells[place], source=more[0])
    else:
        cells[place] = replace(cells[place], kind="markdown")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["untouched", "solved"]), changes, st.integers(0, 2**31))
def test_whatever_was_done_to_a_notebook(start: str, done: list[tuple[Any, ...]], seed: int) -> None:
    cells = list(UNTOUCHED if start == "untouched" else SOLVED)
    for change in done:
        if cells:
            apply(cells, change)
    found = made(cells, seed)
    steps = found.steps
    # Every check is the course's, once, and after every cell that was taken for its answer.
    course = {cell.id: cell.source for cell in UNTOUCHED}
    assert sorted(step.cell_id for step in steps if step.exercise) == sorted(CHECKS)
    assert all(
        step.code == course[step.cell_id] and CHECKS[step.cell_id] == step.exercise
        for step in steps
        if step.exercise
    )
    order = [step.cell_id for step in steps]
    assert all(
        order.index(check) > order.index(exercise) for check, exercise in CHECKS.items() if exercise in order
    )
    assert len(set(order)) == len(order)
    # The seed is set first, and by nothing that only sets it.
    assert steps[0].code == f"seed = {seed}"
    assert not any(re.fullmatch(r"(#.*\n)*seed = \d+\n*", step.code) for step in steps[1:])
    # What else runs is given, or what was handed in and in its order.
    needed = {name for name in RUN if name not in CHECKS and name not in CANONICAL.answers}
    assert needed <= set(order)
    given_ = set(course.values())
    handed_in = iter(
        re.sub(r"(?m)^seed = .*$", f"seed = {seed}", cell.source) for cell in cells if cell.kind == "code"
    )
    mine = [step.code for step in steps[1:] if not step.exercise and step.code not in given_]
    assert all(re.sub(r"(?m)^seed = .*$", f"seed = {seed}", code) in handed_in for code in mine)
    assert made(cells, seed) == found
    assert len(found.notices) <= plan.MOST_NOTICES
