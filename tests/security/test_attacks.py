"""Hostile submissions, graded between honest neighbours; and the corpus itself: it must be able to fail."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from security.attacks import batch, ground, ordinary, twins
from security.attacks.__main__ import batches
from security.attacks.corpus import CORPUS
from security.attacks.model import (
    FILES,
    LIGHT,
    SIGN,
    Attack,
    Notebook,
    Threat,
    code_cell,
    first,
    lab_cell,
    tries,
)

from flightschool.engine import machine, sandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(sandbox.available().walls), reason=f"no walls here: {sandbox.available().walls}"),
]
JOBS = 2 * machine.cores()
REPRESENTATIVE = "|".join(
    (
        "SENDS", "KERNEL", "the secret files", "ptrace", "process_vm_readv", "a daemon", "signals to everybody", "a bomb of forks",
        "of a whole tree", "the disk filled", "two gigabytes", "verdicts sent", "a link to the solution", "a pipe$",
    )
)  # fmt: skip
"""What depends on who the grader is."""

STEALS = Attack(
    "what lies about",
    Threat.READS,
    tries("got = [open(one).read() for one in GIVEN['secrets'] if os.path.exists(one)]"),
    tells=True,
)
SPEAKS = Attack(
    "a connection to the machine",
    Threat.SENDS,
    tries("got = socket.create_connection(('127.0.0.1', GIVEN['tcp']), 2)"),
    tells=True,
)
SPOILS = Attack(
    "neighbours written over",
    Threat.READS,
    tries("got = [open(one, 'a').write('x') for one in GIVEN['secrets'] if 'submissions' in one]"),
    tells=True,
)
HARMLESS = Attack("nothing", Threat.CHECKER, first("pass"))
BROKEN = Attack(
    "one that does not run", Threat.CHECKER, lambda notebook: _with(notebook, "print('ATTACKS' + )")
)
UNHEARD = Attack("one that does not tell", Threat.CHECKER, first("pass"), tells=True)
LOUD = Attack("one that is not as its twin", Threat.CHECKER, first("import os; os._exit(0)"))


def _with(notebook: Notebook, source: str) -> Notebook:
    notebook["cells"].insert(lab_cell(notebook) + 1, code_cell(source))
    return notebook


def _called(name: str) -> Attack:
    return next(one for one in CORPUS if one.name == name)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ground."""
    folder = tmp_path_factory.mktemp("ground")
    for one in (folder, *folder.parents):
        if one.owner() != "root":
            one.chmod(one.stat().st_mode | 0o011)
    ground.lay(folder)
    return folder


@pytest.fixture(scope="module")
def graded(place: Path) -> list[batch.Batch]:
    """The whole corpus, graded."""
    return [batch.graded(place, some, jobs=JOBS) for some in batches(CORPUS)]


@pytest.mark.parametrize("attack", [pytest.param(one, id=f"{one.threat.name}-{one.name}") for one in CORPUS])
def test_an_attack_is_held(graded: Sequence[batch.Batch], attack: Attack) -> None:
    (outcome,) = [one for some in graded for one in some.outcomes if one.attack is attack]
    assert outcome.troubles == ()


def test_nothing_else_came_of_them(graded: Sequence[batch.Batch]) -> None:
    """Neighbours have their marks, nobody was heard, nothing was changed or left behind, no page harms its reader."""
    assert [trouble for some in graded for trouble in some.troubles] == []


def test_an_ordinary_user_is_as_safe() -> None:
    if why := ordinary.obstacle():
        pytest.skip(why)
    done = subprocess.run(
        [sys.executable, "-m", "security.attacks", "--as", "user", "-k", REPRESENTATIVE],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "as an ordinary user, in" in done.stdout


def test_the_corpus_is_whole() -> None:
    assert {one.threat for one in CORPUS} == set(Threat)
    assert len(CORPUS) >= 60
    assert len({one.name for one in CORPUS}) == len(CORPUS)
    assert {one.module for one in CORPUS} == {LIGHT, FILES}
    assert all(one.taken or one.says for one in CORPUS)
    guide = Path(__file__).parents[2] / "docs" / "grading.md"
    assert f"{len(CORPUS)} hostile submissions" in guide.read_text(encoding="utf-8")


@pytest.mark.parametrize("module", [LIGHT, FILES])
def test_honest_notebooks_get_what_they_deserve(place: Path, module: str) -> None:
    """The batch looks at that: with others' marks it has troubles."""
    done = batch.graded(place, [Attack("nothing", Threat.CHECKER, first("pass"), module=module)], jobs=1)
    assert done.troubles == ()
    assert done.outcomes[0].troubles == ()
    assert 0 < done.outcomes[0].twin == done.outcomes[0].earned


def test_an_attack_that_fails_to_attack_is_no_success(place: Path) -> None:
    done = batch.graded(place, [BROKEN, UNHEARD, LOUD, HARMLESS], jobs=1)
    assert [bool(one.troubles) for one in done.outcomes] == [True, True, True, False]
    assert "it did not run" in "; ".join(done.outcomes[0].troubles)


def test_a_grader_that_believes_what_it_is_told_is_beaten(place: Path) -> None:
    attacks = [
        _called("verdicts sent by the way that evidence takes"),
        _called("the checker's method replaced"),
        HARMLESS,
    ]
    done = batch.graded(place, attacks, jobs=1, weakness="trusting")
    assert [one.held for one in done.outcomes] == [False, False, True]
    assert "q2 got 1 of its points, and honestly 0" in done.outcomes[0].troubles[0]


def test_a_grader_that_lets_all_pass_is_found_by_the_neighbours(place: Path) -> None:
    done = batch.graded(place, [HARMLESS], jobs=1, weakness="generous")
    assert any("has other marks" in trouble for trouble in done.troubles)


def test_a_grader_without_walls_is_beaten(tmp_path: Path) -> None:
    ground.lay(tmp_path)
    attacks = [STEALS, SPEAKS, SPOILS, HARMLESS]
    done = batch.graded(tmp_path, attacks, jobs=1, walls=False)
    assert [one.held for one in done.outcomes] == [False, False, False, True], done
    stolen = "; ".join(done.outcomes[0].troubles)
    assert "it got through" in stolen
    assert "it has seen git's token" in stolen
    said = "; ".join(done.troubles)
    for what in ("somebody was heard: a connection", "was changed"):
        assert what in said


def test_who_is_left_behind_is_found_and_ended(tmp_path: Path) -> None:
    leaves = f"import subprocess; subprocess.Popen(['sleep', '{SIGN}'], start_new_session=True)"
    for _time in range(2):
        out = batch._run([sys.executable, "-c", leaves], {}, tmp_path, tmp_path)
        assert [one.partition(" ")[2] for one in out.left] == [f"sleep {SIGN}"]
    assert batch._run([sys.executable, "-c", "pass"], {}, tmp_path, tmp_path).left == []


@pytest.fixture
def out(tmp_path: Path) -> batch._Out:
    """What an honest grader has written."""
    (tmp_path / "grades.json").write_text("{}")
    return batch._Out(
        tmp_path, "graded", "exit status 0\n", [], [{"learner": "w000n", "file": "w000n.ipynb"}]
    )


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("w.html", "<p><script>alert(4711080)</script>", "markup of a stranger"),
        ("w.html", "<p onclick=x>", "markup of a stranger"),
        ("w.html", "<img src=http://127.0.0.1/>", "markup of a stranger"),
        ("w.html", "<style>p {} 4711080</style>", "style of a stranger"),
        ("w.html", "<p>\x1b[31m", "in it"),
        ("w.html", "<p>\u202e", "in it"),
        ("grades.csv", "learner,q1\r\n=1+1,2\r\n", "a formula"),
        ("grades.csv", 'learner\r\n"\t=1"\r\n', "in it|a formula"),
        ("w.html", "<p>&lt;script&gt;4711080", ""),
        ("grades.csv", "learner,q1\r\n'=1+1,-2.5\r\n", ""),
    ],
)
def test_pages_that_harm_are_seen(out: batch._Out, name: str, content: str, wanted: str) -> None:
    (out.folder / name).write_text(content, newline="")
    found = list(batch._of_the_run(out))
    assert bool(found) == bool(wanted), found
    assert not wanted or any(one in "; ".join(found) for one in wanted.split("|"))


def test_a_token_that_is_shown_is_seen(out: batch._Out, place: Path) -> None:
    tokens = json.loads((place / ground.TOKENS).read_text())
    assert list(batch._shown(out, tokens)) == []
    (out.folder / "w.html").write_text(tokens["anna"])
    assert list(batch._shown(out, tokens)) == [("anna", "w.html")]


def test_twins_leave_something_to_be_gained(place: Path) -> None:
    for module in (LIGHT, FILES):
        page = json.loads(twins.twin(place / "course", module))
        assert len(twins.SOLVED[module]) < 3
        assert "CANARY" not in json.dumps(page)
