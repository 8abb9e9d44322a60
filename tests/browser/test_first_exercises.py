"""Modules 03 to 05 in JupyterLab, up to the first exercise: untouched, a mistake, a hint, the right answer, the glossary."""

import re
from dataclasses import dataclass

import nbformat
import pytest
from browser.driver import PATIENCE
from browser.test_learner import NOT_ATTEMPTED, complaints, reveal_all, too_wide
from playwright.sync_api import expect

from flightschool.curriculum import module
from flightschool.publish import solution_notebook

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Walk:
    """A module, a mistake in its first exercise, how the verdict names it, and a term that is explained before."""

    id: str
    mistake: str
    because: str
    points: str
    term: str


WALKS = (
    Walk(
        "03_versioning", "check_commit = first_try.read_text()", "called it bad", "3 of 3 points", "conflict"
    ),
    Walk("04_ci_cd", "workflow = of_2021", "A pull request started no job", "2 of 2 points", "exit status"),
    Walk(
        "05_docker",
        'etl_dockerfile, etl_ignore = written_in_2021, ""',
        "brings a secret into a layer",
        "4 of 4 points",
        "layer",
    ),
)


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.id)
def test_up_to_the_first_exercise(walk, opened, picture, page):
    lesson = module(walk.id)
    solved = {
        cell.id: cell.source
        for cell in nbformat.reads(solution_notebook(lesson).decode(), as_version=4).cells
    }
    notebook = opened(walk.id)
    notebook.run_above("q1")
    notebook.run("q1")
    notebook.run("q1-check")
    verdict = notebook.outputs("q1-check")
    expect(verdict).to_contain_text(NOT_ATTEMPTED)
    picture("not-attempted")

    notebook.type("q1", walk.mistake)
    notebook.run("q1")
    notebook.run("q1-check")
    expect(verdict).to_contain_text("not yet · 0 of")
    expect(verdict).to_contain_text(walk.because)
    picture("not-yet")
    notebook.try_out("lab.q1.hint()", "hint", below="q1-check")
    expect(notebook.outputs("hint")).to_contain_text(lesson.exercises["q1"].hints[0])

    notebook.type("q1", solved["q1"])
    notebook.run("q1")
    notebook.run("q1-check")
    expect(verdict).to_contain_text(f"passed · {walk.points}")
    picture("passed")
    assert complaints(notebook) == []
    reveal_all(notebook)
    assert too_wide(notebook) == []

    link = page.get_by_role("link", name=re.compile(rf"^{walk.term}s?$"))
    link.scroll_into_view_if_needed()
    picture("term")
    link.click()
    # JupyterLab adds a ¶ to each heading.
    entry = page.locator(".jp-RenderedMarkdown h2").filter(has_text=re.compile(rf"^{walk.term}¶?$"))
    expect(entry).to_be_in_viewport(timeout=PATIENCE * 1000)
    picture("glossary")
