"""Wanted text that lies in files beside its input; `pytest --update` rewrites it, for a person to read the change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Wanted = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the wanted text of cases instead of comparing")


@pytest.fixture
def wanted(request: pytest.FixtureRequest) -> Wanted:
    """Compare a text with the content of a file. A missing file is a failure, unless it is being updated."""
    update = bool(request.config.getoption("--update"))

    def compare(path: Path, text: str) -> None:
        if update:
            path.write_bytes(text.encode())
        assert path.exists(), f"{path} is missing; `pytest --update` writes it"
        assert text == path.read_bytes().decode()

    return compare
