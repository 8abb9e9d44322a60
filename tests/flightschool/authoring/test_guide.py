"""docs/authoring.md is followed to the letter: every command is run, every block of code is put where it says."""

import re
import shlex
from pathlib import Path

import pytest

from flightschool import paths

GUIDE = (paths.ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
NAME = "14_delays"


def test_every_block_is_a_command_or_goes_to_the_end_of_a_file():
    assert {language for language, _text in BLOCKS} == {"sh", "python"}
    assert GUIDE.count("```") == 2 * len(BLOCKS)
    for language, text in BLOCKS:
        if language == "python":
            assert re.match(rf"# \S*{NAME}\S*, at the end\n", text), text[:80]


@pytest.mark.slow
def test_the_guide_leads_to_a_judged_exercise(house, run):
    said = []
    for language, text in BLOCKS:
        if language == "python":
            head, code = text.split("\n", 1)
            with Path(house.root, head.removeprefix("# ").removesuffix(", at the end")).open("a") as file:
                file.write(code)
            continue
        for line in text.splitlines():
            done = run(*shlex.split(line))
            assert done.returncode == 0, f"{line}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            said.append(done.stdout + done.stderr)
    exercises = (house.labs / NAME / "exercises.py").read_text()
    assert re.findall(r'@exercise\(\s+"(\w+)"', exercises) == ["q1", "drill", "q2"]
    tests = [int(found) for text in said for found in re.findall(r"(\d+) passed", text)]
    assert tests[1] > tests[0] > 10, "the second run has the tests of the new exercise"
    assert (house.notebooks / f"{NAME}.ipynb").is_file()
    assert (house.build / "run" / f"{NAME}.html").is_file()


def test_it_fits_a_page():
    assert len(GUIDE.splitlines()) <= 150
