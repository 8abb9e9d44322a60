"""JupyterLab as a learner has it on the screen: open a notebook, type into cells, run them, read what they show."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import nbformat
from playwright.sync_api import Browser, Locator, Page, Playwright, expect

LAPTOP = {"width": 1366, "height": 768}
PATIENCE = 90.0
"""Seconds that anything may take on a busy machine."""

DONE = re.compile(r"^\[\d+\]:$")


def chromium(playwright: Playwright, executable: str) -> Browser:
    """The system's own Chromium, without a window; it calls nobody."""
    arguments = [
        "--headless=new",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's sandbox refuses root
    return playwright.chromium.launch(executable_path=executable, args=arguments)


@dataclass(frozen=True)
class Jupyter:
    """A running JupyterLab: its address without path, its token, and the folder of the learner's notebooks."""

    url: str
    token: str
    workspace: Path


@contextmanager
def jupyterlab(folder: Path, log: Path) -> Iterator[Jupyter]:
    """`flightschool lab` with workspace, state and settings in `folder`; ended, with its kernels, on leaving."""
    workspace = folder / "workspace"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTEST_") and name != "FLIGHTSCHOOL_LANG"
    }
    environment.update(
        FLIGHTSCHOOL_WORKSPACE=str(workspace),
        FLIGHTSCHOOL_STATE=str(folder / "state"),
        JUPYTER_CONFIG_DIR=str(folder / "config"),
        JUPYTER_RUNTIME_DIR=str(folder / "runtime"),
        IPYTHONDIR=str(folder / "ipython"),
        FLIGHTSCHOOL_PROGRESS="on",
    )
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        port = any_port.getsockname()[1]
    command = [sys.executable, "-m", "flightschool", "lab", "--no-browser", "--port", str(port)]
    with log.open("wb") as said:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=said, stderr=said)
    try:
        yield Jupyter(*_address(server, log), workspace)
    finally:
        server.terminate()
        try:
            server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _address(server: subprocess.Popen[bytes], log: Path) -> tuple[str, str]:
    """The address that JupyterLab prints, as (without path, token)."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/\S*\?token=(\w+)", log.read_text(errors="replace")):
            return found[1], found[2]
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-4000:]}")


@dataclass
class Notebook:
    """One notebook, open in a browser's page. Cells are named by their ids in the file."""

    page: Page
    jupyter: Jupyter
    file: str
    _order: list[str] = field(default_factory=list)
    _code: set[str] = field(default_factory=set)

    def open(self) -> Self:
        """Load JupyterLab with this notebook alone, and wait for its kernel."""
        self.page.goto(f"{self.jupyter.url}/lab/tree/{self.file}?reset&token={self.jupyter.token}")
        return self.opened()

    def opened(self) -> Self:
        """Wait until this notebook is the one in front, with its kernel."""
        notebook = nbformat.read(self.jupyter.workspace / self.file, as_version=4)
        self._order = [cell.id for cell in notebook.cells]
        self._code = {cell.id for cell in notebook.cells if cell.cell_type == "code"}
        expect(self._tab).to_have_class(re.compile("lm-mod-current"), timeout=PATIENCE * 1000)
        expect(self._panel.locator(".jp-Cell")).to_have_count(len(self._order), timeout=PATIENCE * 1000)
        self._expect_idle()
        return self

    def to_front(self) -> None:
        """Choose its tab."""
        self._tab.click()

    def cell(self, name: str) -> Locator:
        """The cell of this id."""
        return self._panel.locator(f'.jp-Cell[data-windowed-list-index="{self._order.index(name)}"]')

    def outputs(self, name: str | None = None) -> Locator:
        """What a cell, or all of them, show below their code."""
        return (self.cell(name) if name else self._panel).locator(".jp-OutputArea-output")

    def type(self, name: str, text: str) -> None:
        """Replace a cell's code, by keyboard."""
        self._editor(name).click()
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(text)
        expect(self._editor(name).locator(".cm-line")).to_have_text(text.split("\n"))

    def run(self, name: str) -> None:
        """Run one cell by keyboard, and wait until it is done."""
        self._forget([name])
        self._editor(name).click()
        self.page.keyboard.press("Control+Enter")
        self._expect_done([name])

    def try_out(self, code: str, name: str, below: str) -> None:
        """Insert a cell below another, call it `name`, and run code in it."""
        self._editor(below).click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        self._order.insert(self._order.index(below) + 1, name)
        self._code.add(name)
        expect(self._panel.locator(".jp-Cell")).to_have_count(len(self._order))
        self.type(name, code)
        self.run(name)

    def run_above(self, name: str) -> None:
        """Run → Run All Above Selected Cell, and wait until they are done."""
        above = self._order[: self._order.index(name)]
        self._forget(above)
        self._editor(name).click()
        self._choose("Run", "Run All Above Selected Cell")
        self._expect_done(above)

    def run_all(self) -> None:
        """Run → Run All Cells, and wait until they are done."""
        self._forget(self._order)
        self._choose("Run", "Run All Cells")
        self._expect_done(self._order)

    def restart_and_run_all(self) -> None:
        """Kernel → Restart Kernel and Run All Cells…, confirm, and wait until they are done."""
        self._forget(self._order)
        self._choose("Kernel", "Restart Kernel and Run All Cells…")
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        self._expect_done(self._order)

    @property
    def _tab(self) -> Locator:
        return self.page.locator("#jp-main-dock-panel .lm-TabBar-tab").filter(has_text=self.file)

    @property
    def _panel(self) -> Locator:
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    def _prompt(self, name: str) -> Locator:
        return self.cell(name).locator(".jp-InputArea-prompt")

    def _forget(self, names: list[str]) -> None:
        """Wipe the numbers of earlier runs, which the new ones may equal; JupyterLab writes them anew."""
        for name in self._code.intersection(names):
            self._prompt(name).evaluate("prompt => { prompt.textContent = '' }")

    def _editor(self, name: str) -> Locator:
        return self.cell(name).locator(".cm-content")

    def _expect_done(self, names: list[str]) -> None:
        for name in names:
            if name in self._code:
                expect(self._prompt(name)).to_have_text(DONE, timeout=PATIENCE * 1000)

    def _expect_idle(self) -> None:
        # The toolbar's indicator says idle even before there is a kernel; the status bar does not.
        here = re.compile(rf"\| Idle.*{re.escape(self.file)}")
        expect(self.page.locator("#jp-main-statusbar")).to_have_text(here, timeout=PATIENCE * 1000)
        idle = self._panel.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
        expect(idle).to_be_attached(timeout=PATIENCE * 1000)

    def _choose(self, menu: str, item: str) -> None:
        self.page.locator(".lm-MenuBar-itemLabel").get_by_text(menu, exact=True).click()
        self.page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()
