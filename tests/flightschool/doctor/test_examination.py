"""The examination as a whole: independent checks, order, what is printed, and the shape of the JSON."""

import ast
import json
import re
import subprocess
import sys
import time

import jsonschema
import pytest
from rich.console import Console

from flightschool import paths
from flightschool.doctor import show
from flightschool.doctor.checks import CHECKS
from flightschool.doctor.examination import examine
from flightschool.doctor.findings import NOTE, PROBLEM, WARNING, Examination, Finding
from flightschool.doctor.report import Report, schema
from flightschool.doctor.standalone import main

PUBLISHED = paths.ROOT / "docs" / "doctor.schema.json"


def note(_machine):
    yield Finding(NOTE, "By the way.")


def problem(_machine):
    yield Finding(PROBLEM, "It is broken.", "mend --now " + "long " * 30 + "end")


def broken(_machine):
    yield Finding(PROBLEM, "Found before it broke.")
    raise PermissionError(13, "Permission denied", "/proc/secret")


def hangs(_machine):
    time.sleep(60)
    return []


def fine(_machine):
    return []


def test_one_that_raises_or_hangs_stops_no_other(machine):
    began = time.monotonic()
    done = examine(
        machine, {"hangs": hangs, "note": note, "broken": broken, "problem": problem}, deadline=0.5
    )
    assert time.monotonic() - began < 5
    said = {finding.check: (finding.severity, finding.sentence) for finding in done.findings}
    assert said["hangs"] == (WARNING, "Could not be checked (no answer within 0.5 s).")
    assert said["broken"][0] == WARNING
    assert re.fullmatch(r"Could not be checked \(PermissionError: .*/proc/secret.*\)\.", said["broken"][1])
    assert [finding.severity for finding in done.findings] == [PROBLEM, WARNING, WARNING, NOTE]
    assert not done.healthy


def test_all_fine_is_one_line(machine, capsys):
    done = examine(machine, {"fine": fine, "too": fine})
    assert done.healthy
    show.show(done, Console())
    assert capsys.readouterr().out == show.plain(done) == "All 2 checks are fine.\n"


def test_commands_are_printed_whole(machine, capsys):
    done = examine(machine, {"fine": fine, "problem": problem, "note": note})
    show.show(done, Console(width=60))
    lines = capsys.readouterr().out.splitlines()
    command = done.findings[0].command
    assert any(line.endswith(command) for line in lines)
    assert lines[-1] == "problem: 1, note: 1. 1 of 3 checks are fine."
    assert f"    {command}\n" in show.plain(done)


def test_sentences_are_text_and_not_markup(capsys):
    done = Examination(("x",), (Finding(PROBLEM, "[bold]a[/] is [red", "echo [b]", "x"),), 0.1)
    show.show(done, Console())
    out = capsys.readouterr().out
    assert "[bold]a[/] is [red" in out
    assert "echo [b]" in out


def test_the_published_schema_is_the_one_of_the_code():
    jsonschema.Draft202012Validator.check_schema(schema())
    assert json.loads(PUBLISHED.read_text("utf-8")) == schema()


def test_json_is_as_the_schema_says(machine):
    done = examine(machine, {"fine": fine, "problem": problem, "broken": broken, "note": note})
    jsonschema.validate(done.plain(), schema(), jsonschema.Draft202012Validator)
    read = Report.model_validate(done.plain())
    assert read.checks == ["fine", "problem", "broken", "note"]
    assert read.findings[0].command == done.findings[0].command
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**done.plain(), "more": 1}, schema())


def test_a_wrong_option_is_one_sentence(capsys):
    assert main(["--yaml"]) == 2
    assert capsys.readouterr().err == "The only option is --json.\n"


def test_without_the_environment_the_standard_library_is_enough(tmp_path):
    """The script finds no .venv: it says so, and every check that needs no more than Python still answers."""
    done = subprocess.run(
        [paths.ROOT / "environment" / "doctor", "--json"],
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "FLIGHTSCHOOL_VENV": str(tmp_path),
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    read = Report.model_validate_json(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert read.checks == list(CHECKS)
    assert [
        one.check for one in read.findings if one.severity == "problem" and "not set up" in one.sentence
    ] == ["python"]
    unknown = {one.check for one in read.findings if one.sentence.startswith("Could not be checked")}
    assert unknown <= {"leftovers", "sandbox"}


def test_it_is_written_for_python_3_9():
    for path in (paths.PACKAGE / "doctor").rglob("*.py"):
        ast.parse(path.read_text("utf-8"), feature_version=(3, 9))
    program = (
        "import sys; sys.path.append(sys.argv[1]); import flightschool.doctor.standalone; print(*sys.modules)"
    )
    bare = [sys.executable, "-I", "-S", "-c", program, str(paths.PACKAGE.parent)]
    loaded = subprocess.run(bare, capture_output=True, text=True, check=True).stdout.split()
    tops = {name.split(".")[0] for name in loaded} - {"flightschool", "__main__"}
    assert tops <= set(sys.stdlib_module_names)
