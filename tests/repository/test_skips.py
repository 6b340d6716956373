"""A skip is seen, with its count and how to get what is missing; and it can be forbidden."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.cache import ROOT

NEEDS_A_TOOL = """
from tests.support.tools import tool

def test_one():
    tool("aarch64-linux-gnu-gcc")

def test_two():
    tool("aarch64-linux-gnu-gcc")
"""
SKIPS_BY_ITSELF = """
import pytest

def test_one():
    pytest.skip("no reason")
"""


def run(folder, source, **environment):
    """Run pytest on a test file, on a machine without any tool."""
    path = folder / "test_it.py"
    path.write_text(source)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.conftest", "-q", path],
        cwd=folder,
        env={"PATH": str(folder), "PYTHONPATH": str(ROOT), "HOME": os.environ.get("HOME", "/"), **environment},
        capture_output=True,
        text=True,
    )


def test_a_missing_tool_is_counted_and_told(tmp_path):
    done = run(tmp_path, NEEDS_A_TOOL)
    assert done.returncode == 0, done.stdout
    assert "2 tests were skipped" in done.stdout
    assert "   2 aarch64-linux-gnu-gcc is missing (get it: apt-get install gcc-aarch64-linux-gnu)" in done.stdout


@pytest.mark.parametrize("source", [NEEDS_A_TOOL, SKIPS_BY_ITSELF])
def test_skips_can_be_forbidden(tmp_path, source):
    done = run(tmp_path, source, LDCHECK_NO_SKIPS="1")
    assert done.returncode == 1
    assert "skips are forbidden" in done.stdout
