"""A browser, a JupyterLab of its own for each test, and pictures of what was on the screen."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.driver import LAPTOP, Jupyter, Notebook, chromium, jupyterlab
from playwright.sync_api import Browser, Page, sync_playwright

from flightschool import paths

PICTURES = paths.BUILD / "browser"
NAMES = ("chromium", "chromium-browser", "google-chrome")

Open = Callable[[str], Notebook]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip(
            f"no Chromium (none of {', '.join(NAMES)} on PATH); set-up names the command to install it"
        )
    with sync_playwright() as playwright:
        browser = chromium(playwright, executable)
        yield browser
        browser.close()


@pytest.fixture
def jupyter(request: pytest.FixtureRequest) -> Iterator[Jupyter]:
    PICTURES.mkdir(parents=True, exist_ok=True)
    # Not tmp_path: sockets live in the state folder, and their paths must be short.
    with tempfile.TemporaryDirectory(prefix="fs", ignore_cleanup_errors=True) as folder:
        log = Path(folder, "jupyterlab.log")
        try:
            with jupyterlab(Path(folder), log) as running:
                yield running
        finally:
            shutil.copyfile(log, PICTURES / f"{request.node.name}.log")


@pytest.fixture
def page(browser: Browser, jupyter: Jupyter, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A window of a laptop's size. What it shows at the end is kept, whether the test passed or not."""
    page = browser.new_page(viewport=LAPTOP)
    yield page
    page.screenshot(path=PICTURES / f"{request.node.name}.png")
    page.close()


@pytest.fixture
def opened(page: Page, jupyter: Jupyter) -> Open:
    """Open a notebook of the workspace: `opened("01_dataops_intro")`."""
    return lambda name: Notebook(page, jupyter, f"{name}.ipynb").open()


@pytest.fixture
def picture(page: Page, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep what is on the screen as build/browser/<test>-<name>.png."""
    return lambda name: page.screenshot(path=PICTURES / f"{request.node.name}-{name}.png") and None
