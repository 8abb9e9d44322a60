"""An author's mistakes: each is told with file and line, all of a file at once, and nothing is published."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from flightschool.publish import House, SourceError, build, steps
from flightschool.publish.source import Page

HEAD = '# %% tags=["parameters"]\nseed = 0\n\n'
Q1 = '# %% exercise="q1"\nlate = ...\n### BEGIN SOLUTION\nlate = 1\n### END SOLUTION\n\n# %% check="q1"\nlate\n\n'
Q2 = '# %% exercise="q2"\nworst = ...\n### BEGIN SOLUTION\nworst = 2\n### END SOLUTION\n\n# %% check="q2"\nworst\n\n'


def problems(house: House, text: str) -> list[str]:
    (house.solutions / "01_sample.py").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        build(house=house)
    assert not house.notebooks.exists()
    assert not house.build.exists()
    return str(caught.value).splitlines()


def q1(body: str) -> str:
    """A source whose exercise q1, from line 4 on, has this body; its first line is line 5."""
    return f'{HEAD}# %% exercise="q1"\n{body}\n\n# %% check="q1"\nlate\n\n{Q2}'


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (q1("### BEGIN SOLUTION\na = 1\n### BEGIN SOLUTION\n### END SOLUTION"), 7, "inside of a solution"),
        (q1("a = 1\n### BEGIN SOLUTION\na = 1"), 6, "is never ended"),
        (
            q1("### BEGIN SOLUTION\na = 1\n### END SOLUTION\n### END SOLUTION"),
            8,
            "without a ### BEGIN SOLUTION",
        ),
        (
            q1("### END SOLUTION\na = 1\n### BEGIN SOLUTION\n### END SOLUTION"),
            5,
            "without a ### BEGIN SOLUTION",
        ),
        (q1("## BEGIN SOLUTION\na = 1\n### END SOLUTION"), 5, "exactly as"),
        (q1("### BEGIN SOLUTION\na = 1\n### end solution"), 7, "exactly as"),
        (q1("### BEGIN SOLUTION  # here\na = 1\n### END SOLUTION"), 5, "exactly as"),
        (q1("a = 1"), 4, "without a solution"),
        (q1("a = [\n### BEGIN SOLUTION\n1\n### END SOLUTION\n)"), 9, "does not parse"),
        (q1("if seed:\n### BEGIN SOLUTION\n    a = 1\n### END SOLUTION"), 6, "without its solution"),
        (
            HEAD + Q1 + Q2 + "# %%\n### BEGIN SOLUTION\na = 1\n### END SOLUTION\n",
            23,
            "outside of an exercise cell",
        ),
        (HEAD + Q1 + Q2 + "# %% [markdown]\n# Hello\n# ### BEGIN SOLUTION\n", 24, "in a text cell"),
        (HEAD + Q1 + Q2 + '# %% check="q3"\n', 22, "check q3 has no exercise cell"),
        (HEAD + Q1 + Q2.replace('check="q2"', ""), 13, "exercise q2 has no check cell"),
        (HEAD + Q1 + Q2 + Q1, 22, "a second cell says exercise=q1"),
        (HEAD + Q1 + Q2 + Q1, 28, "a second cell says check=q1"),
        (
            HEAD + Q1 + Q2 + Q1.replace("q1", "q9"),
            22,
            "exercise q9 is not declared in labs/01_sample/exercises.py",
        ),
        (HEAD + Q1, 1, "exercise q2 of labs/01_sample/exercises.py has no cell here"),
        (
            HEAD + '# %% check="q1"\nseed\n\n' + Q1.split("# %% check")[0] + Q2,
            4,
            "stands before the exercise",
        ),
        (HEAD + Q1 + Q2 + '# %% exercise="q 3"\n', 22, "can't be an exercise's id"),
        (HEAD + Q1 + Q2 + '# %% [markdown] exercise="q1"\n# a\n', 22, "must be a code cell"),
        (HEAD + Q1 + Q2 + '# %% excercise="q3"\n', 22, "unknown cell option excercise"),
        (HEAD + Q1 + Q2 + "# %% exercise=q3\nseed\n", 22, "cell options can't be read"),
        (
            HEAD + Q1 + Q2 + '# %% tags=["parameters"]\nseed = 1\n',
            22,
            "a second cell is tagged as parameters",
        ),
        (HEAD + Q1 + Q2 + '# %% tags="slow"\nseed\n', 22, "jupytext can't read this cell"),
        (
            HEAD + Q1 + Q2 + '# %% language="writefile" magic_args="a.yml"\n# a: 1\n# ### BEGIN SOLUTION\n',
            24,
            "outside of an exercise cell",
        ),
        (HEAD + Q1 + Q2 + '# %% [markdown]\n"""\nHello\n### END SOLUTION\n"""\n', 25, "in a text cell"),
        ("seed\n### END SOLUTION\n" + HEAD + Q1 + Q2, 2, "outside of an exercise cell"),
        (Q1 + Q2, 1, "no cell is tagged as parameters"),
        (HEAD + Q1 + Q2 + "# %%\nseed\nfor\n", 24, "does not parse"),
    ],
)
def test_a_mistake_is_told_with_its_line(house: House, text: str, line: int, says: str) -> None:
    found = problems(house, text)
    assert any(one.startswith(f"solutions/01_sample.py:{line}: ") and says in one for one in found), found


def test_all_mistakes_are_told_at_once(house: House) -> None:
    (house.solutions / "Notes.py").write_text("seed = 0\n")
    (house.solutions / "02_bytes.py").write_bytes(b"# %%\n# caf\xe9\n")
    found = problems(house, q1("## BEGIN SOLUTION\na = 1\n### END SOLUTION") + "# %%\n### BEGIN SOLUTION\n")
    assert [one.split(": ")[0] for one in found] == [
        "solutions/01_sample.py:4",
        "solutions/01_sample.py:5",
        "solutions/01_sample.py:7",
        "solutions/01_sample.py:22",
        "solutions/02_bytes.py:2",
        "solutions/Notes.py:1",
    ]


def test_a_lab_that_cannot_be_imported_is_told(house: House) -> None:
    lab = house.labs / "01_sample" / "exercises.py"
    lab.write_text("import json\n\n1 / 0\n")
    with pytest.raises(
        SourceError, match=r"^labs/01_sample/exercises.py:3: this can't be imported: division by zero"
    ):
        build(house=house)


def test_a_message_that_is_an_fstring_is_told(house: House) -> None:
    (house.package / "bad.py").write_text("from x import _\nname = 1\n_(f'Hello {name}')\n")
    with pytest.raises(SourceError, match=r"^src/flightschool/bad.py:3: an f-string can't be translated"):
        build(house=house)


# --- whatever the cells are, no line of a solution reaches a learner

LINES = st.sampled_from(
    ["x = 1", "def f():", "    y = 2", "for i in x:", "", "### BEGIN SOLUTION", "### END SOLUTION", "    ### BEGIN SOLUTION",
     "    ### END SOLUTION", "## BEGIN SOLUTION", "### begin  solutions", "%time x", "!ls", "await x", '"""']
)  # fmt: skip
SECRETS = st.sampled_from(
    ["SECRET = 1", "    SECRET = 2", "SECRET(", "# SECRET", "!SECRET", "    return SECRET"]
)


@st.composite
def solved_cells(draw: st.DrawFn) -> str:
    """A well-formed cell: pieces to keep and solutions, each holding a secret."""
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        lines += draw(
            st.sampled_from(
                [
                    [],
                    ["x = ..."],
                    ["def f(a):", '    """Doc."""'],
                    ["def g():"],
                    ["if x:", "    y = 1", "else:"],
                ]
            )
        )
        indent = "    " if lines and lines[-1].endswith((":", '"""')) else ""
        lines += [
            indent + "### BEGIN SOLUTION",
            indent + "SECRET = 1",
            *draw(st.sampled_from([[], [indent + "y = SECRET"]])),
        ]
        lines += [indent + "### END SOLUTION"]
    return "\n".join(lines)


@st.composite
def any_cells(draw: st.DrawFn) -> str:
    """Lines in any order, well-formed or not; secrets stand where a marker above them is open."""
    lines, inside = [], False
    for _ in range(draw(st.integers(0, 12))):
        line = draw(SECRETS) if inside and draw(st.booleans()) else draw(LINES)
        inside = line.strip() == "### BEGIN SOLUTION" or (inside and line.strip() != "### END SOLUTION")
        lines.append(line)
    return "\n".join(lines)


def page_of(cells: list[tuple[str, str]]) -> Page:
    nodes = [new_code_cell("seed = 0", metadata={"tags": ["parameters"]})]
    points = {}
    for number, (kind, source) in enumerate(cells):
        if kind == "markdown":
            nodes.append(new_markdown_cell(source))
            continue
        metadata = {"exercise": f"q{number}"} if kind == "exercise" else {}
        nodes.append(new_code_cell(source, metadata=metadata))
        if kind == "exercise":
            points[f"q{number}"] = 1.0
            nodes.append(new_code_cell("1", metadata={"check": f"q{number}"}))
    return Page(
        "01_x",
        "solutions/01_x.py",
        new_notebook(cells=nodes),
        [10 * i + 1 for i in range(len(nodes))],
        points,
    )


@settings(deadline=None)  # the machine is shared
@given(st.lists(solved_cells().map(lambda source: ("exercise", source)), min_size=1, max_size=4))
def test_well_formed_solutions_are_published_without_them(cells: list[tuple[str, str]]) -> None:
    page = page_of(cells)
    data = steps.run(page, steps.LEARNER)
    assert data is not None, page.problems
    assert b"SECRET" not in data
    assert data.count(b"Your code here") == sum(source.count(steps.BEGIN) for _, source in cells)
    for cell in page.notebook.cells:
        compile(cell.source, cell.id, "exec")


@settings(deadline=None)  # the machine is shared
@given(
    st.lists(
        st.tuples(st.sampled_from(["exercise", "code", "markdown"]), st.one_of(any_cells(), solved_cells())),
        max_size=4,
    )
)
def test_no_cell_sequence_leaks_a_solution(cells: list[tuple[str, str]]) -> None:
    page = page_of(cells)
    data = steps.run(page, steps.LEARNER)
    assert (data is None) == bool(page.problems)
    if data is not None:
        assert b"SECRET" not in data
        assert not any("SOLUTION" in cell.source.upper() for cell in page.notebook.cells)
