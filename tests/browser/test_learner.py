"""Module 01 as a learner meets it in JupyterLab, the home page beside it, and the beginning of module 02."""

import re

import nbformat
import pytest
from browser.driver import Notebook
from playwright.sync_api import expect

from flightschool.curriculum import module
from flightschool.publish import solution_notebook

pytestmark = pytest.mark.slow
FIRST, SECOND = "01_dataops_intro", "02_data_lifecycle"
NOT_ATTEMPTED = "not attempted yet"


@pytest.fixture(scope="module")
def solution() -> dict[str, str]:
    """The solved cells of module 01, by id."""
    notebook = nbformat.reads(solution_notebook(module(FIRST)).decode(), as_version=4)
    return {cell.id: cell.source for cell in notebook.cells}


def complaints(notebook: Notebook) -> list[str]:
    """Tracebacks, and whatever went to standard error."""
    unwanted = notebook.page.locator('[data-mime-type$=".stderr"], [data-mime-type$=".error"]')
    return unwanted.all_text_contents()


def too_wide(notebook: Notebook) -> list[str]:
    """Outputs and texts that a laptop's window cuts or scrolls sideways."""
    return notebook.page.locator(".jp-OutputArea-output, .jp-RenderedMarkdown").evaluate_all(
        """shown => shown.filter(one => one.scrollWidth > one.clientWidth + 2)
                         .map(one => `${one.scrollWidth} px in ${one.clientWidth}: ${one.textContent.slice(0, 80)}`)"""
    )


def reveal_all(notebook: Notebook) -> None:
    """Have the browser lay out what is off the screen, too: until then nothing there has a width."""
    notebook.page.add_style_tag(content="* { content-visibility: visible !important }")


def test_untouched_module_runs_and_looks_right(opened, picture):
    notebook = opened(FIRST)
    notebook.run_all()
    reveal_all(notebook)
    for exercise in module(FIRST).exercises:
        expect(notebook.outputs(f"{exercise}-check")).to_contain_text(NOT_ATTEMPTED)
    assert complaints(notebook) == []
    assert too_wide(notebook) == []
    charts = notebook.outputs().locator("img")
    assert charts.count() >= 4
    assert charts.evaluate_all("all => all.every(one => one.naturalWidth > 300)")
    notebook.cell("q1-check").scroll_into_view_if_needed()
    picture("not-attempted")


def test_mistake_hints_and_right_answer_move_the_home_page(opened, picture, page, jupyter, solution):
    home, notebook = opened("index"), Notebook(page, jupyter, f"{FIRST}.ipynb")
    progress = home.outputs("home")
    row = progress.get_by_role("row").filter(has=page.get_by_role("link", name="01 · "))
    total = len(module(FIRST).exercises)
    expect(row).to_contain_text(f"0 of {total}")
    picture("home-before")

    progress.get_by_role("link", name="q1 · ").click()
    notebook.opened()
    expect(notebook.cell("q1")).to_be_in_viewport()
    notebook.run_above("q1")
    signature, docstring, body = solution["q1"].split("\n", 2)
    mistake = "    flights = flights.dropna()"
    notebook.type("q1", "\n".join((signature, docstring, mistake, body)))
    notebook.run("q1")
    notebook.run("q1-check")
    verdict = notebook.outputs("q1-check")
    expect(verdict).to_contain_text("not yet · 0 of 2 points")
    expect(verdict).to_contain_text("Were cancelled flights dropped")
    picture("not-yet")

    hints = module(FIRST).exercises["q1"].hints
    notebook.try_out("lab.q1.hint()", "hint", below="q1-check")
    expect(notebook.outputs("hint")).to_contain_text(f"Hint 1 of {len(hints)}")
    expect(notebook.outputs("hint")).to_contain_text(hints[0])
    notebook.run("hint")
    expect(notebook.outputs("hint")).to_contain_text(hints[1])

    notebook.type("q1", solution["q1"])
    notebook.run("q1")
    notebook.run("q1-check")
    expect(verdict).to_contain_text("passed · 2 of 2 points")
    picture("passed")

    notebook.restart_and_run_all()
    expect(verdict).to_contain_text("passed · 2 of 2 points")
    expect(notebook.outputs("q2-check")).to_contain_text(NOT_ATTEMPTED)
    assert complaints(notebook) == []

    home.to_front()
    home.run("home")
    expect(row).to_contain_text(f"1 of {total}")
    expect(progress.get_by_role("link", name="q2 · ")).to_be_visible()


def test_drill_finished_and_abandoned(opened, picture, solution):
    notebook = opened(FIRST)
    notebook.run_above("drill")
    pager = next(name for name, source in solution.items() if "lab.drill()" in source)
    expect(notebook.outputs(pager)).to_contain_text("SEV2")
    picture("paged")
    notebook.type("drill", solution["drill"])
    notebook.run("drill")
    notebook.run("drill-check")
    verdict = notebook.outputs("drill-check")
    expect(verdict).to_contain_text("passed · 4 of 4 points")
    expect(verdict).to_contain_text(re.compile(r"Time to restore: \d+(\.\d)? \w+"))
    picture("restored")

    notebook.run(pager)
    notebook.try_out("incident.abandon()", "abandon", below="drill-check")
    expect(notebook.outputs("abandon")).to_contain_text("Abandoned")
    assert complaints(notebook) == []


def test_first_ingestions_and_drawing_of_module_02(opened, picture):
    notebook = opened(SECOND)
    notebook.run_above("q1")
    notebook.run("q1")
    notebook.run("q1-check")
    expect(notebook.outputs("q1-check")).to_contain_text(NOT_ATTEMPTED)
    assert complaints(notebook) == []
    drawing = notebook.page.locator(".jp-RenderedMermaid img").first
    drawing.scroll_into_view_if_needed()
    expect(drawing).to_be_visible()
    assert drawing.evaluate("image => image.naturalWidth && image.width") > 500
    picture("drawing")
