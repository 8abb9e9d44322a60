"""The Makefile and tests/run."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z]+):.* ## ", MAKEFILE, re.MULTILINE)
needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


def test_every_target_is_one_line_that_sets_up_first() -> None:
    recipes = dict(re.findall(r"^([a-z]+):.* ## .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE))
    assert (
        set(recipes)
        == set(TARGETS)
        == set(re.findall(r"\w+", re.search(r"^\.PHONY:(.*)$", MAKEFILE, re.M)[1]))
    )
    for target, recipe in recipes.items():
        assert recipe.count("\n") == 1, target
        if target not in {"help", "clean", "up", "down", "doctor"}:
            assert recipe.startswith("\t$(SETUP) "), target


@needs_make
def test_help_lists_every_target() -> None:
    said = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [line.split()[1] for line in said.splitlines()] == TARGETS


@needs_make
@pytest.mark.parametrize("target", TARGETS)
def test_target_expands(target: str) -> None:
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=True)


@pytest.mark.parametrize("broken", [None, "ruff", "mypy", "pytest"])
def test_all_checks_run_even_when_one_fails(checkout, broken: str | None) -> None:
    (checkout.root / "tests").mkdir()
    shutil.copy(ROOT / "tests/run", checkout.root / "tests/run")
    called = checkout.root / "called"
    for tool in ("ruff", "mypy", "pytest"):
        code = int(tool == broken)
        checkout.fake(
            checkout.root / f"venv/bin/{tool}", f'#!/bin/sh\necho "{tool} $1" >> "{called}"\nexit {code}\n'
        )
    process = checkout.start("tests/run", FLIGHTSCHOOL_VENV=str(checkout.root / "venv"))
    _, said = process.communicate(timeout=10)
    assert called.read_text().splitlines() == ["ruff check", "ruff format", "mypy ", "pytest -q"]
    assert process.returncode == (1 if broken else 0)
    assert said.splitlines()[-1].startswith(f"Failed: {broken}" if broken else "All checks passed")
