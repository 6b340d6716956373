"""The question that SORT_BY_ALIGNMENT raises, on a real program: the figures that the README tells."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ldcheck.cli.main import main
from tests.support.tools import tool

PROGRAM = """
#include <iostream>
#include <map>
#include <string>

int main(int count, char **words)
{
    std::map<std::string, int> seen;
    while (count--)
        seen[words[count]]++;
    for (const auto &[word, times] : seen)
        std::cout << word << ' ' << times << std::endl;
}
"""


def is_object(path: Path) -> bool:
    """Whether the linker took sections from the file, rather than reading a script in it."""
    return path.exists() and path.read_bytes()[:4] in (b"\x7fELF", b"!<ar")


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `ldcheck padding` tells of a C++ program with its libraries, by the name of the order."""
    home = tmp_path_factory.mktemp("locality")
    (home / "main.cc").write_text(PROGRAM)
    options = ["-std=c++17", "-O2", "-ffunction-sections", "-fdata-sections", "-static", "-Wl,-Map=main.map"]
    subprocess.run([tool("g++"), *options, "main.cc", "-o", "main", "-save-temps"], cwd=home, check=True)
    text = (home / "main.map").read_text()
    files = sorted({str(home / name) for name in re.findall(r"^LOAD (.+)$", text, re.MULTILINE)})
    objects = [name for name in files if is_object(Path(name))]
    output = home / "orders.json"
    with output.open("w") as file, pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr("sys.stdout", file)
        assert main(["padding", "--map", "main.map", "--elf", "main", "--json", "--objects", *objects]) == 0
    return {order["order"]: order for order in json.loads(output.read_text())["orders"]}


def pages(order: dict[str, Any]) -> int:
    """How many pages the objects touch, each object's counted for itself."""
    return sum(one["pages"] for one in order["objects"])


def test_sorting_by_alignment_saves_little_and_spreads_the_objects(orders: dict[str, Any]) -> None:
    linked, everything = orders["as linked"], orders["every wildcard sorted"]
    assert 0 < linked["padding"] - everything["padding"] < linked["padding"] // 20
    assert pages(everything) > pages(linked) * 1.05


def test_sorting_each_object_saves_some_of_it_and_spreads_nothing(orders: dict[str, Any]) -> None:
    linked, each = orders["as linked"], orders["each object sorted"]
    assert each["padding"] < linked["padding"]
    assert pages(each) <= pages(linked) * 1.01
