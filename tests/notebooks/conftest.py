"""A stock tool for each test that asks for one."""

from collections.abc import Iterator

import pytest
from notebooks.executing import Tool, stock_tool


@pytest.fixture
def tool() -> Iterator[Tool]:
    with stock_tool() as run:
        yield run
