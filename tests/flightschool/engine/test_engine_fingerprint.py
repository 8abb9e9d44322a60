"""Fingerprints change with what an execution depends on, and with nothing else."""

import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flightschool import paths
from flightschool.curriculum import Module, modules
from flightschool.engine import fingerprint
from flightschool.engine.fingerprint import course, of_files
from flightschool.errors import FlightSchoolError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "lab"
    for name in ("a.py", "b.sql", "models/c.sql"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"this is {name}")
    return root


def edit_within_a_tick(root: Path) -> None:
    """Same size, same times: only the bytes differ."""
    before = (root / "a.py").stat()
    (root / "a.py").write_text("that is a.py")
    os.utime(root / "a.py", ns=(before.st_atime_ns, before.st_mtime_ns))


Change = Callable[[Path], object]

SEEN: dict[str, Change] = {
    "an edit": edit_within_a_tick,
    "a new file": lambda root: (root / "d.py").touch(),
    "a removed file": lambda root: (root / "a.py").unlink(),
    "a renamed file": lambda root: (root / "a.py").rename(root / "e.py"),
    "a moved file": lambda root: (root / "a.py").rename(root / "models" / "a.py"),
    "swapped files": lambda root: (
        (root / "a.py").rename(root / "x"),
        (root / "b.sql").rename(root / "a.py"),
        (root / "x").rename(root / "b.sql"),
    ),
    "a dotfile of a tool": lambda root: (root / ".dockerignore").touch(),
    "logs that are no dbt's": lambda root: ((root / "logs").mkdir(), (root / "logs" / "a.jsonl").touch()),
    "where a link leads": lambda root: (root / "link").symlink_to("elsewhere"),
}
UNSEEN: dict[str, Change] = {
    "byte code": lambda root: ((root / "__pycache__").mkdir(), (root / "__pycache__" / "a.pyc").touch()),
    "a checkpoint": lambda root: (
        (root / ".ipynb_checkpoints").mkdir(),
        (root / ".ipynb_checkpoints/a").touch(),
    ),
    "an editor's copy": lambda root: ((root / "a.py~").touch(), (root / ".a.py.swp").touch()),
    "a touch": lambda root: os.utime(root / "a.py", (1, 1)),
    "an empty folder": lambda root: (root / "empty").mkdir(),
}


@pytest.mark.parametrize("change", SEEN)
def test_what_changes_it(root: Path, change: str) -> None:
    before = of_files([root])
    SEEN[change](root)
    assert of_files([root]) != before


@pytest.mark.parametrize("change", UNSEEN)
def test_what_does_not_change_it(root: Path, change: str) -> None:
    before = of_files([root])
    UNSEEN[change](root)
    assert of_files([root]) == before


def test_what_dbt_leaves_beside_its_project_is_not_seen(root: Path) -> None:
    (root / "dbt_project.yml").touch()
    before = of_files([root])
    for name in ("target/manifest.json", "logs/dbt.log"):
        (root / name).parent.mkdir()
        (root / name).touch()
    assert of_files([root]) == before


def test_roots_in_any_order_and_elsewhere_give_the_same(root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(root, tmp_path / "moved" / "lab")
    assert of_files([root]) == of_files([other])
    assert of_files([root / "a.py", root / "b.sql"]) == of_files(iter([root / "b.sql", root / "a.py"]))
    assert of_files([root, tmp_path / "absent"]) == of_files([root])
    assert of_files([root], salt="x") != of_files([root])
    assert len(of_files([])) == 64


def test_links_in_a_circle_and_pipes_hold_nobody_up(root: Path) -> None:
    (root / "round").symlink_to(root)
    (root / "nowhere").symlink_to(root / "absent")
    os.mkfifo(root / "pipe")
    assert len(of_files([root])) == 64


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(FlightSchoolError, match=r"lab/a\.py can't be read \(Permission denied\)"):
        of_files([root / "a.py"])


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small course of two modules."""
    house = tmp_path / "house"
    for name in (
        "solutions/01_one.py",
        "solutions/02_two.py",
        "solutions/locale/fr/01_one.po",
        "solutions/locale/fr/flightschool.po",
        "labs/01_one/exercises.py",
        "labs/02_two/exercises.py",
        "labs/etl/ingestion.py",
        "datasets/flights/2013-01.parquet",
        "environment/requirements.lock",
        "src/flightschool/learn/lab.py",
        "README.md",
    ):
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text(name)
    monkeypatch.setattr(paths, "ROOT", house)
    monkeypatch.setattr(paths, "DATASETS", house / "datasets")
    monkeypatch.setattr(paths, "PACKAGE", house / "src" / "flightschool")
    return house


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("solutions/01_one.py", {"01_one"}),
        ("solutions/locale/fr/01_one.po", {"01_one"}),
        ("labs/01_one/exercises.py", {"01_one"}),
        ("labs/01_one/dbt/models/new.sql", {"01_one"}),
        ("labs/02_two/exercises.py", {"02_two"}),
        ("solutions/locale/fr/flightschool.po", {"01_one", "02_two"}),
        ("labs/etl/ingestion.py", {"01_one", "02_two"}),
        ("datasets/flights/2013-01.parquet", {"01_one", "02_two"}),
        ("environment/requirements.lock", {"01_one", "02_two"}),
        ("src/flightschool/learn/lab.py", {"01_one", "02_two"}),
        ("README.md", set()),
        ("notebooks/01_one.ipynb", set()),
    ],
)
def test_a_module_depends_on(house: Path, name: str, changed: set[str]) -> None:
    found = modules(house / "solutions", house / "labs")
    before = {module.id: course(module) for module in found}
    (house / name).parent.mkdir(parents=True, exist_ok=True)
    (house / name).write_text("edited")
    assert {module.id for module in found if course(module) != before[module.id]} == changed


def test_a_module_depends_on_python_and_on_what_is_installed(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = Module("01_one", house / "solutions", house / "labs")
    found = {course(module)}
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    found.add(course(module))
    monkeypatch.setattr(fingerprint, "_installed", lambda: ["pandas-99.0.dist-info"])
    found.add(course(module))
    assert len(found) == 3


def test_the_course_itself_has_fingerprints() -> None:
    assert len({course(module) for module in modules()}) == len(modules())
    assert any(name.startswith("pandas-") for name in fingerprint._installed())
