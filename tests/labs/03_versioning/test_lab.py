"""The lab of module 03: nothing of the learner's machine gets in, histories are what they say, the chooser argues for every tool."""

import io
import subprocess
import sys

import pytest

from flightschool import paths
from flightschool.curriculum import load_lab_file
from flightschool.data import World
from flightschool.learn import Lab, Page
from flightschool.services import Unavailable

LAB = paths.LABS / "03_versioning"
sys.path.insert(0, str(LAB))

bricks = load_lab_file(LAB, "bricks")
drill = load_lab_file(LAB, "drill")
SEEDS = (0, 7, 42, 1903, 20130208, 99991)


# --- the repository


def test_the_learners_settings_are_neither_used_nor_changed(tmp_path, monkeypatch):
    from flightrepo import LEARNER, Repository

    home = tmp_path / "home"
    home.mkdir()
    theirs = "[user]\n\tname = Somebody\n[init]\n\tdefaultBranch = trunk\n[commit]\n\tgpgSign = true\n"
    (home / ".gitconfig").write_text(theirs)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(paths.ROOT / ".git"))
    repository = Repository(tmp_path / "here").init()
    repository.write({"a.txt": "a\n"})
    repository.commit("Begin")
    assert repository.git("log", "--format=%an %D") == f"{LEARNER[0]} HEAD -> main"
    assert (home / ".gitconfig").read_text() == theirs


def test_a_folder_without_a_repository_finds_none_above_it(tmp_path):
    from flightrepo import CommandFailed, Repository

    outer = Repository(tmp_path / "outer").init()
    inner = outer.folder / "inner"
    inner.mkdir()
    with pytest.raises(CommandFailed, match="not a git repository"):
        Repository(inner).git("status")


def test_dvc_says_what_failed_in_one_line(tmp_path):
    from flightrepo import CommandFailed, Repository

    repository = Repository(tmp_path / "here").init()
    with pytest.raises(CommandFailed, match=r"dvc failed: .*missing\.csv") as failed:
        repository.dvc("init --quiet", "add missing.csv")
    assert "\n" not in str(failed.value)


# --- histories


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_prints_what_its_plan_says(seed, tmp_path):
    import metric_history

    for number in range(metric_history.HISTORIES):
        plan = metric_history.plan(World(seed), number)
        (tmp_path / str(number)).mkdir()
        repository, commits, raw = metric_history.build(plan, tmp_path / str(number))
        assert len(commits) == len(plan.versions)
        borders = {
            plan.culprit - 1: "good",
            plan.culprit: "bad",
            plan.rounded: "good",
            len(commits) - 1: "bad",
        }
        borders |= dict.fromkeys(plan.stuck[:1], "")
        for place, is_now in borders.items():
            repository.git("checkout", "--quiet", commits[place])
            run = subprocess.run(
                [sys.executable, "ontime.py", str(raw)],
                cwd=repository.folder,
                env=repository.environment(),
                capture_output=True,
                text=True,
            )
            try:
                figure = float(run.stdout.partition(": ")[2].rstrip("}\n"))
            except ValueError:
                figure = None
            if is_now:
                assert (abs(figure - plan.published) < metric_history.TOLERANCE) == (is_now == "good"), (
                    number,
                    place,
                )
            else:
                assert figure is None


def test_dvc_knows_the_months_as_its_own(tmp_path):
    """The pointers and the bucket that the lab lays out are DVC's: it pulls from them."""
    import monthly

    from flightschool import services

    past = monthly.past(World(7))
    s3 = services.s3()
    repository = monthly.build(past, tmp_path / "months", s3, "months-of-a-test")
    (repository.folder / monthly.DATA).unlink()
    repository.dvc("pull --quiet")
    assert (repository.folder / monthly.DATA).read_bytes() == past.contents["5"]
    assert repository.git("status", "--porcelain") == ""


@pytest.mark.parametrize("seed", SEEDS)
def test_each_unsound_night_is_found_and_each_sound_one_passes(seed):
    import night_batches
    import pyarrow as pa
    import wap

    nights = night_batches.nights(World(seed))
    published = pa.concat_tables([nights.before, nights.batches["sound"]])
    assert wap.problems(published) == []
    assert wap.problems(pa.concat_tables([published, nights.batches["unsound"]]))
    assert wap.problems(pa.concat_tables([published, nights.batches["colleague"], nights.colleague])) == []


# --- the chooser


def test_every_need_finds_its_own_tool_and_every_tool_is_argued_for():
    for need in bricks.NEEDS:
        assert bricks.choose(need.said) is need
        bricks.brick(need.rival)
        assert need.take in bricks.argue(need.said)
    assert {need.take for need in bricks.NEEDS} == {brick.name for brick in bricks.BRICKS}
    assert {brick.domain for brick in bricks.BRICKS} == set(bricks.DOMAINS)
    assert len(bricks.DOMAINS) == 9


@pytest.mark.parametrize(
    ("words", "tool"),
    [
        ("it only works on my machine!", "Docker"),
        ("which commit moved the figure", "Git"),
        ("rotate the database password every month in AWS", "AWS Secrets Manager"),
        ("our analysts on BigQuery pay by bytes read", "BigQuery"),
        ("wake me when the job is slow", "Prometheus"),
    ],
)
def test_free_words_are_understood(words, tool):
    assert bricks.choose(words).take == tool


def test_the_chooser_says_when_it_does_not_know():
    with pytest.raises(bricks.NoSuchNeed, match="other words"):
        bricks.argue("xyzzy")
    with pytest.raises(bricks.NoSuchNeed, match="no domain"):
        bricks.needs("astrology")
    assert "&lt;" in bricks.Shown("<script>")._repr_html_()


def test_from_a_terminal(tmp_path):
    command = [sys.executable, str(LAB / "bricks.py")]
    good = subprocess.run(
        [*command, "a", "pod", "needs", "a", "token"], capture_output=True, text=True, cwd=tmp_path
    )
    assert good.returncode == 0
    assert "Kubernetes Secrets" in good.stdout
    listed = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert len(listed.stdout.splitlines()) == len(bricks.NEEDS)
    bad = subprocess.run([*command, "xyzzy"], capture_output=True, text=True, cwd=tmp_path)
    assert bad.returncode == 2
    assert "other words" in bad.stderr
    assert "Traceback" not in bad.stderr


# --- lakeFS, as far as it goes without a server


def test_without_compose_lakefs_is_skipped_in_one_line(monkeypatch):
    from lake_branches import LakeFS

    monkeypatch.setenv("FLIGHTSCHOOL_COMPOSE", "off")
    with pytest.raises(Unavailable, match="docker compose --profile core up") as skipped:
        LakeFS.of_compose()
    assert "\n" not in str(skipped.value)


def test_a_lake_is_published_only_after_the_audit():
    """The order of the requests; what lakeFS makes of them needs its server."""
    from lake_branches import LakeFS, LakeRepository, publish

    calls, objects = [], {}

    class Recorded(LakeFS):
        def call(self, method, path, body=None):
            calls.append((method, path.removeprefix("/repositories/flights"), body))
            return {"id": "c1", "reference": "m1"}

        def s3(self):
            class Gateway:
                def put_object(self, **given):
                    objects[given["Bucket"], given["Key"]] = given["Body"]

                def get_object(self, **given):
                    return {"Body": io.BytesIO(objects[given["Bucket"], given["Key"]])}

            return Gateway()

    lake = Recorded("http://127.0.0.1:1", "key", "secret")
    assert "secret" not in repr(lake)
    repository = LakeRepository(lake, "flights")
    assert publish(repository, "night", {"a.csv": b"1"}, lambda read: [] if read("a.csv") == b"1" else ["no"])
    assert objects == {("flights", "night/a.csv"): b"1"}
    assert [(method, path) for method, path, _body in calls] == [
        ("POST", "/branches"),
        ("POST", "/branches/night/commits"),
        ("POST", "/refs/night/merge/main"),
        ("DELETE", "/branches/night"),
    ]
    calls.clear()
    assert not publish(repository, "night", {"a.csv": b""}, lambda read: ["empty"])
    assert "/refs/night/merge/main" not in [path for _method, path, _body in calls]
    assert calls[-1][0] == "DELETE"


# --- the drill


@pytest.mark.parametrize("seed", SEEDS)
def test_the_drill_has_its_fault_and_does_not_tell_it(seed, tmp_path):
    import overwritten
    from flightrepo import Repository
    from monthly import digest

    lab = Lab.__new__(Lab)
    lab.__dict__.update(seed=seed, world=World(seed), workdir=tmp_path, path=LAB)
    page = drill.plant(lab)
    assert isinstance(page, Page)
    told = " ".join([page.title, page.symptom, *page.look, page.runbook])
    assert "Kim" not in told
    assert "Refresh" not in told
    good = overwritten.raw(lab.world)
    bad = overwritten.through_a_spreadsheet(good, lab.world)
    assert b"NA" in good
    assert b",NA," not in bad
    storage = tmp_path / "team" / "storage" / "files" / "md5"
    assert [path.parent.name + path.name for path in storage.glob("??/*")] == [digest(bad)]
    cache = tmp_path / "team" / "desk" / ".dvc" / "cache" / "files" / "md5"
    assert {path.parent.name + path.name for path in cache.glob("??/*")} == {digest(good), digest(bad)}
    desk = Repository(tmp_path / "team" / "desk")
    assert desk.git("status", "--porcelain") == ""
    drill.restore(lab)
    assert [path.parent.name + path.name for path in storage.glob("??/*")] == [digest(good)]


def test_nothing_leads_to_an_exception():
    judges = load_lab_file(LAB, "judges")
    odd = (
        [{"blamed": 3, "tried": [[99, "bad"], [1, "skip"], 5, ["a", "b"]], "said": 4}] * 3,
        {"first": 3, "steps": [{"change": 1, "ran": 2}], "metrics": [], "problem": None},
        {"problem": "x", "steps": [{"change": []}]},
        [{"day": "2013-02-28", "md5": 3, "commit": [], "changed": 4, "error": []}],
        [{"night": "sound", "after": {}, "audits": [{"main": "x"}, 3], "branches": 3}],
        {"s3": {"keys": [1, 2, 3], "stored": 4, "back": {}, "tampered": 1}, "memory": {"skipped": "no"}},
        {"commits": 3, "tracked": [], "stored": {"a": 1}, "pushes": {"note": 4}, "pointer": {}},
        {"bisect": ["b"]},
    )
    by_id = {item.exercise: item for item in vars(judges).values() if hasattr(item, "exercise")}
    assert set(by_id) == {"q1", "q2", "q3", "q4", "q5", "quiz", "drill"}
    for judge in by_id.values():
        for evidence in odd:
            verdict = judge(evidence, World(1))
            assert str(verdict.outcome) in ("failed", "partly")
            assert verdict.found
            assert verdict.expected
            assert verdict.try_next
