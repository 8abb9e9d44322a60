"""The drill of the house: every number on the desk is doubled."""

from typing import Any

from flightschool.learn.drills import Page

from . import crates


def plant(lab: Any) -> Page:
    """Put the file on the desk."""
    desk = lab.workdir / "desk"
    desk.mkdir(exist_ok=True)
    rows = [f"{name},{2 * number}" for name, number in crates.numbers(lab.seed).items()]
    (desk / "crates.csv").write_text("\n".join(["crate,number", *rows]) + "\n", encoding="utf-8")
    return Page("SEV3", "Too many crates", "Every crate seems to be there twice.", "the yard", "07:10")


def restore(lab: Any) -> None:
    """Take the file away."""
    (lab.workdir / "desk" / "crates.csv").unlink(missing_ok=True)
