"""The team's own images keep what the module teaches; the services answer alike; the index installs as pip does."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flightschool.curriculum import load_lab_file
from flightschool.data import World
from flightschool.paths import LABS, ROOT

LAB = LABS / "05_docker"
IMAGES = LAB / "images"
NAMES = ("etl", "api", "flask")


def context_of(name):
    root = ROOT if name == "etl" else LAB
    files = [*LABS.glob("etl/*"), *IMAGES.glob("*"), *LAB.glob("delays/*")]
    found = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in files
        if path.is_file() and path.is_relative_to(root)
    }
    return found | {".env": b"SECRET", "model.json": b"{}", ".git/HEAD": b""}


def built(name):
    import image_model

    text = (IMAGES / f"{name}.Dockerfile").read_text()
    return image_model.build(text, context_of(name), (IMAGES / f"{name}.Dockerfile.dockerignore").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_the_linter_has_nothing_to_say(name):
    from dockerfile_lint import lint

    assert lint((IMAGES / f"{name}.Dockerfile").read_text()) == ()


@pytest.mark.parametrize("name", NAMES)
def test_images_are_pinned_rootless_checked_and_complete(name):
    done = built(name)
    image = done.image
    assert done.bases == ["python:3.11.14-slim-bookworm"]
    assert image.user == "10001:10001"
    assert image.health
    assert image.health.words
    assert [one.place for one in image.at_hand()] == ["/venv"]
    assert all("--require-hashes" in one.command.words for one in image.at_hand())
    package = LABS / "etl" if name == "etl" else LAB / "delays"
    assert {path.rpartition("/")[2] for path in image.files if path.endswith(".py")} == {
        file.name for file in package.glob("*.py")
    }
    assert not [path for path in image.files if ".env" in path or ".git" in path]
    assert {"org.opencontainers.image.title", "org.opencontainers.image.version"} <= image.labels.keys()


@pytest.mark.parametrize("name", NAMES)
def test_a_change_of_code_rebuilds_one_layer(name):
    import image_model

    text = (IMAGES / f"{name}.Dockerfile").read_text()
    ignore = (IMAGES / f"{name}.Dockerfile.dockerignore").read_text()
    before = context_of(name)
    code = "labs/etl/store.py" if name == "etl" else "delays/delay_table.py"
    after = {**before, code: b"# changed", ".git/HEAD": b"x"}
    again = image_model.rebuilt(
        image_model.build(text, before, ignore), image_model.build(text, after, ignore)
    )
    assert len(again) == 1


@pytest.mark.parametrize("name", NAMES)
def test_locks_hold_the_courses_own_versions_and_name_no_index(name):
    mine = (IMAGES / f"{name}.lock").read_text()
    # A package may stand there twice, for two Pythons.
    course = re.findall(
        r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)",
        (ROOT / "environment/requirements.lock").read_text(),
        re.MULTILINE,
    )
    pins = re.findall(r"^([a-z0-9._-]+)==(\S+)", mine, re.MULTILINE)
    assert pins
    assert set(pins) <= set(course)
    assert "://" not in mine


@pytest.mark.parametrize("name", ["api", "flask"])
def test_both_services_answer_as_the_model_does(name, tmp_path):
    from delays.delay_table import probability
    from image_model import build
    from image_runner import Rootfs

    contexts = load_lab_file(LAB, "build_contexts")
    model = contexts.model_file(World(5))
    text = (IMAGES / f"{name}.Dockerfile").read_text()
    image = build(
        text,
        {**context_of(name), "model.json": model},
        (IMAGES / f"{name}.Dockerfile.dockerignore").read_text(),
    ).image
    with Rootfs(image, tmp_path).serving() as served:
        assert served.ask("/health")["status"] == 200, served.said
        reply = served.ask("/predict", b'{"carrier": "UA", "origin": "EWR", "hour": 17}')
        assert (
            abs(
                json.loads(reply["text"])["late_probability"]
                - probability(json.loads(model), "UA", "EWR", 17)
            )
            < 1e-5
        )
        for wrong in (
            b"{}",
            b"[1]",
            b"no json",
            b'{"carrier": "UA", "origin": "EWR", "hour": 99}',
            b'{"carrier": 3, "origin": "EWR", "hour": 1}',
        ):
            assert served.ask("/predict", wrong)["status"] == 422, wrong
        assert served.rootfs.ask_health(image.health).status == 0
        assert served.stop()["ended"] is True


def test_nothing_of_ours_can_be_imported_from_an_image(tmp_path):
    from image_model import build
    from image_runner import Rootfs

    image = build('FROM scratch\nWORKDIR /app\nCMD ["python", "-c", "import etl"]\n', {}).image
    ran = Rootfs(image, tmp_path).run(image.start())
    assert ran.status == 1
    assert "No module named 'etl'" in ran.said


@pytest.mark.parametrize(
    ("word", "here"),
    [
        ("0.0.0.0", "127.0.0.1"), ("0.0.0.0:8000", "127.0.0.1:8000"), ("::", "127.0.0.1"), ("[::]:8000", "127.0.0.1:8000"), (":8000", "127.0.0.1:8000"),
        ("--bind=:8000", "--bind=127.0.0.1:8000"), ("*:8000", "127.0.0.1:8000"), ("--bind 0.0.0.0:8000 -w 1", "--bind 127.0.0.1:8000 -w 1"),
        ("http://127.0.0.1:8000/health", "http://127.0.0.1:8000/health"), ("delays.delay_api:app", "delays.delay_api:app"), ("10.0.0.0.0", "10.0.0.0.0"),
    ],
)  # fmt: skip
def test_nothing_listens_beyond_this_machine(word, here, tmp_path):
    from image_model import build
    from image_runner import Rootfs

    assert Rootfs(build("FROM scratch\n", {}).image, tmp_path).here(word) == here


def test_a_runner_leaves_no_process_behind(tmp_path):
    import psutil
    from image_model import build
    from image_runner import Rootfs

    image = build(
        'FROM scratch\nCMD ["sh", "-c", "python -c \'import time; time.sleep(60)\' & wait"]\n', {}
    ).image
    assert Rootfs(image, tmp_path).run(image.start(), seconds=1).status is None

    def command(process):
        try:
            return " ".join(process.cmdline())
        except psutil.NoSuchProcess:  # a zombie is one of these
            return ""

    assert not [one for one in psutil.Process().children(recursive=True) if "time.sleep(60)" in command(one)]


def test_the_index_installs_as_pip_does(tmp_path):
    """The same list, the same wheels, by pip itself: the choice of versions, and the refusal of a wrong hash."""
    import wheelhouse

    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
        pip = ["python3", "-m", "pip"]
        if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
            pytest.skip("no pip on this machine to compare with")
    drill = load_lab_file(LAB, "drill")
    drill.fill(World(7), tmp_path / "wheels")

    def by_pip(text):
        (tmp_path / "list").write_text(text)
        env = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")} | {
            "PIP_CONFIG_FILE": os.devnull
        }
        command = [
            *pip,
            "install",
            "--quiet",
            "--no-index",
            "--find-links",
            str(tmp_path / "wheels"),
            "--target",
            str(tmp_path / "out"),
            "--upgrade",
            "-r",
            str(tmp_path / "list"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        found = sorted(
            path.name.removesuffix(".dist-info").replace("-", "==").replace("_", "-")
            for path in (tmp_path / "out").glob("*.dist-info")
        )
        subprocess.run(["rm", "-r", str(tmp_path / "out")], check=False, capture_output=True)
        return found if done.returncode == 0 else None

    for text in (
        "nyc-ontime==3.1.0",
        "nyc-ontime\nnyc-minutes<1.4",
        wheelhouse.lock("nyc-ontime", tmp_path / "wheels"),
    ):
        assert by_pip(text) == wheelhouse.install(text, tmp_path / "wheels", tmp_path / "mine"), text
    wrong = re.sub(
        r"sha256:\w+", "sha256:" + "0" * 64, wheelhouse.lock("nyc-ontime", tmp_path / "wheels"), count=1
    )
    for text in ("nyc-ontime==9", "nyc-minutes==1.3.2 --hash=sha256:" + "0" * 64, wrong):
        assert by_pip(text) is None
        with pytest.raises(wheelhouse.InstallError):
            wheelhouse.install(text, tmp_path / "wheels", tmp_path / "mine")


def test_the_commands_of_the_readme_run():
    (block,) = re.findall(r"^```sh\n(.*?)^```", (LAB / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", block],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("rebuilt:\nCOPY labs/etl/*.py etl/\n")


def test_a_text_is_found_across_the_pieces_of_a_layer():
    import io

    import docker_engine

    layer = b"." * ((1 << 20) - 5) + b"planted-secret" + b"." * 10
    assert docker_engine._standing_in(io.BytesIO(layer), [b"planted-secret", b"other"]) == {b"planted-secret"}


def test_no_engine_is_said_in_one_line(monkeypatch):
    import docker_engine

    monkeypatch.setenv(docker_engine.SWITCH, "off")
    assert docker_engine.engine() == "FLIGHTSCHOOL_DOCKER=off: no engine is asked"
    monkeypatch.delenv(docker_engine.SWITCH)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert "Docker" in docker_engine.engine()
    assert "\n" not in docker_engine.engine()
