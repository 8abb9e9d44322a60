"""environment/setup: what it does, leaves alone, resumes and refuses."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import ModuleType

import pytest


def test_first_run_sets_up_and_second_does_nothing_at_once(checkout) -> None:
    code, said = checkout.setup()
    assert code == 0, said
    assert checkout.stamp.exists()
    assert checkout.uv_calls() == ["--version", "venv", "pip sync", "pip install"]

    began = time.monotonic()
    code, said = checkout.setup()
    assert (code, said) == (0, "")
    assert time.monotonic() - began < 1
    assert checkout.uv_calls() == []


def test_changed_lock_is_installed_into_the_same_environment(checkout) -> None:
    checkout.setup()
    checkout.uv_calls()
    with (checkout.root / "environment/requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    assert checkout.setup()[0] == 0
    assert checkout.uv_calls() == ["--version", "pip sync", "pip install"]


def test_moved_checkout_and_vanished_python_are_noticed(checkout, tmp_path: Path) -> None:
    checkout.setup()
    moved = tmp_path / "elsewhere"
    shutil.move(checkout.root, moved)
    checkout.root, checkout.bin = moved, moved / "fake-bin"
    checkout.log = moved / "uv.log"
    checkout.uv(sync="true")
    checkout.uv_calls()
    assert checkout.setup()[0] == 0
    assert "pip sync" in checkout.uv_calls()

    python = moved / ".venv/bin/python"
    python.unlink()
    python.symlink_to("gone")
    assert checkout.setup()[0] == 0
    assert "venv" in checkout.uv_calls()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_set_up_starts_from_a_clean_environment(checkout, how: signal.Signals) -> None:
    checkout.uv(sync="touch half-installed; sleep 30")
    process = checkout.start()
    deadline = time.monotonic() + 20
    while not (checkout.root / "half-installed").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, how)
    _, said = process.communicate(timeout=10)
    assert not checkout.stamp.exists()
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert "goes on from here" in said
        assert "Traceback" not in said

    checkout.uv(sync="true")
    checkout.uv_calls()
    code, said = checkout.setup()
    assert code == 0, said
    assert "venv" in checkout.uv_calls(), "a half-made environment must not be trusted"


def test_second_set_up_of_one_checkout_waits_for_the_first(checkout) -> None:
    checkout.uv(sync="sleep 1")
    both = [checkout.start(), checkout.start()]
    said = [process.communicate(timeout=30)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("waiting for it" in text for text in said) == 1
    assert checkout.uv_calls().count("pip sync") == 1


def test_failed_step_names_itself_and_leaves_no_stamp(checkout) -> None:
    checkout.uv(sync="echo 'hash mismatch for pandas'; exit 1")
    code, said = checkout.setup()
    assert code == 1
    assert "hash mismatch for pandas" in said
    assert "This step failed: packages from the lock" in said
    assert not checkout.stamp.exists()


def test_no_usable_python_is_one_sentence(checkout) -> None:
    checkout.fake("python3", "#!/bin/sh\nexit 1\n")
    code, said = checkout.setup()
    assert code == 1
    assert said.startswith("No Python 3.9 or newer was found: install")
    assert len(said.splitlines()) == 1


def test_neither_pip_nor_venv_is_one_sentence(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "TOOLS", tmp_path)
    monkeypatch.setattr(bootstrap, "succeeds", lambda command: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(bootstrap.SetupError, match=r"neither pip nor venv.*install one"):
        bootstrap.bring_uv()


def test_no_course_python_is_told_with_what_to_install(checkout) -> None:
    uv = checkout.root / ".tools/bin/uv"
    uv.write_text(
        uv.read_text().replace("venv*)", "venv*) echo 'No interpreter found'; exit 2;;\n    never)")
    )
    code, said = checkout.setup()
    assert code == 1
    assert "No Python 3.11 or 3.12 was found here, and none could be downloaded: install one" in said


@pytest.mark.parametrize(
    ("version", "state"), [(None, "Java is missing"), ("1.8.0_402", "Java 8 is too old")]
)
def test_without_java_the_rest_is_set_up_and_the_command_named(
    checkout, version: str | None, state: str
) -> None:
    checkout.java(version)
    code, said = checkout.setup()
    assert code == 1
    assert state in said
    assert "openjdk-17-jre-headless" in said.splitlines()[-1]
    assert checkout.stamp.exists(), "what could be done is done"

    checkout.java("21.0.2")
    checkout.uv_calls()
    assert checkout.setup() == (0, "")
    assert checkout.uv_calls() == []


def test_java_home_is_what_spark_will_use(checkout) -> None:
    checkout.fake(checkout.root / "old/bin/java", "#!/bin/sh\necho 'openjdk version \"11.0.1\"' >&2\n")
    code, said = checkout.setup(JAVA_HOME=str(checkout.root / "old"))
    assert code == 1
    assert "Java 11 is too old" in said


def test_full_disk_is_refused_before_anything_is_written(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv/stamp")
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(9, 8, 2**30))
    with pytest.raises(
        bootstrap.SetupError, match=r"has 1\.0 GiB free and set-up needs \d+\.\d GiB: free some space"
    ):
        bootstrap.check_machine()
    assert list(tmp_path.iterdir()) == []


def test_folder_without_the_right_to_write_is_refused(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.os, "access", lambda folder, mode: False)
    with pytest.raises(bootstrap.SetupError, match="is not writable for you"):
        bootstrap.check_machine()


def test_a_folder_that_is_no_environment_is_not_deleted(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    with pytest.raises(bootstrap.SetupError, match="is not a virtual environment"):
        bootstrap.make_venv(Path("uv"))
    assert (tmp_path / "thesis.txt").exists()


class TestSystemPackages:
    """What is missing is installed where that is allowed, and otherwise said in one command."""

    @pytest.fixture
    def system(self, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, checkout) -> ModuleType:
        monkeypatch.setenv("PATH", str(checkout.bin))
        monkeypatch.setattr(bootstrap.sys, "platform", "linux")
        monkeypatch.setattr(bootstrap, "TOOLS", checkout.root / ".tools")
        monkeypatch.setattr(bootstrap, "PACKAGES", checkout.root / "packages.txt")
        # The name is one that no machine has, so that the test means the same on all.
        (checkout.root / "packages.txt").write_text(
            "# a comment\nno-such|other - no-such-tool some  for a test\n"
        )
        return bootstrap

    def test_root_installs_and_is_not_asked_again(self, system, checkout, monkeypatch) -> None:
        calls = checkout.root / "apt.log"
        tool = checkout.fake("tool", "#!/bin/sh\n")
        install = f'case $* in *install*) cat "{tool}" > "{tool.parent}/no-such-tool" && chmod +x "{tool.parent}/no-such-tool" ;; esac'
        checkout.fake("apt-get", f'#!/bin/sh\necho "$RUNLEVEL $@" >> "{calls}"\n{install}\n')
        monkeypatch.setattr(system.os, "geteuid", lambda: 0)
        system.finish_system_packages(system.begin_system_packages())
        updated, installed = calls.read_text().splitlines()
        assert "update" in updated
        assert installed.startswith("1 ")
        assert "install -y --no-install-recommends no-such" in installed
        assert system.begin_system_packages() is None

    @pytest.mark.parametrize("sudo", [None, "#!/bin/sh\necho 'a password is required' >&2; exit 1\n"])
    def test_others_are_told_one_command(
        self, system, checkout, monkeypatch, capsys, sudo: str | None
    ) -> None:
        checkout.fake("apt-get", "#!/bin/sh\necho must not be called; exit 9\n")
        if sudo:
            checkout.fake("sudo", sudo)
        monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
        assert system.begin_system_packages() is None
        system.finish_system_packages(None)
        said = capsys.readouterr().err.splitlines()
        assert said[-1].strip().startswith("sudo sh -c '")
        assert said[-1].endswith("no-such'")
        assert "for a test" in said[1]

    def test_passwordless_sudo_is_used(self, system, checkout, monkeypatch) -> None:
        checkout.fake("apt-get", "#!/bin/sh\nexit 0\n")
        seen = checkout.root / "sudo.log"
        checkout.fake("sudo", f"#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{seen}'\n")
        monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
        system.finish_system_packages(system.begin_system_packages())
        assert seen.read_text().splitlines()[0] == "-n true"
        assert seen.read_text().splitlines()[1].startswith("-n sh -c apt-get update")

    def test_failed_apt_does_not_stop_set_up(self, system, checkout, monkeypatch, capsys) -> None:
        checkout.fake("apt-get", "#!/bin/sh\necho 'Temporary failure resolving'; exit 100\n")
        monkeypatch.setattr(system.os, "geteuid", lambda: 0)
        system.finish_system_packages(system.begin_system_packages())
        said = capsys.readouterr().err
        assert "Temporary failure resolving" in said
        assert "One command installs them" in said

    def test_packaged_servers_are_masked_before_they_are_installed(self, system) -> None:
        package = system.SystemPackage(("prometheus",), "prometheus", ("prometheus",), False, "metrics")
        command = system.system_command([package])
        mask = command.index("/etc/systemd/system/prometheus.service")
        assert mask < command.index("/dev/null") < command.index("apt-get")
        assert subprocess.run(["/bin/sh", "-nc", command], check=False).returncode == 0

    def test_macos_gets_one_brew_command(self, system, monkeypatch) -> None:
        monkeypatch.setattr(system.sys, "platform", "darwin")
        packages = [
            system.SystemPackage(("a",), "temurin@17", ("a",), True, ""),
            system.SystemPackage(("b",), None, ("b",), False, ""),
        ]
        assert system.as_typed(system.system_command(packages)) == "brew install temurin@17"

    def test_first_name_that_the_distribution_has(self, system, checkout) -> None:
        script = (
            '#!/bin/sh\n[ "$2" = no-such ] && { echo "  Candidate: (none)"; exit; }\necho "  Candidate: 1"\n'
        )
        checkout.fake("apt-cache", script)
        assert system.known_to_apt(("no-such", "other")) == "other"
        assert system.known_to_apt(("no-such",)) is None

    def test_the_list_is_well_formed(self, bootstrap) -> None:
        packages = bootstrap.system_packages()
        assert [package.apt[0] for package in packages if package.required] == ["openjdk-17-jre-headless"]
        assert {"bubblewrap", "chromium", "prometheus"} <= {package.apt[0] for package in packages}
        assert all(package.purpose for package in packages)
