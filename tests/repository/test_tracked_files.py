"""What is committed speaks of the project alone: no machine, no registry, nothing unfinished."""

from __future__ import annotations

import re
import subprocess

from tests.support.cache import ROOT
from tests.support.tools import tool

# Spelt so that this file does not contain what it looks for.
_HOSTS = ("pypi org", "files pythonhosted org", "registry npmjs org", "deb debian org", "ftp debian org")
REGISTRIES = re.compile("|".join(re.escape(host.replace(" ", ".")) for host in _HOSTS))
MACHINE = re.compile("|".join((r"/home/(?!\{)\w+/", "/" + "root/", "/" + "work/")))
UNFINISHED = re.compile(r"\b(TODO|FIXME|NotImplementedError)\b")


def tracked() -> list[str]:
    """The files under version control."""
    listed = subprocess.run([tool("git"), "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def texts() -> dict[str, str]:
    """What stands in the text files among them."""
    contents = {name: (ROOT / name).read_bytes() for name in tracked()}
    return {name: data.decode("utf-8", "replace") for name, data in contents.items() if b"\0" not in data}


def matches(pattern: re.Pattern[str], folder: str = "") -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts().items()
        if name.startswith(folder)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_path_of_a_machine():
    assert matches(MACHINE) == []


def test_no_registry_is_named():
    assert matches(REGISTRIES) == []


def test_nothing_is_left_unfinished():
    assert matches(UNFINISHED, "ldcheck/") == []


def test_binary_files_are_small():
    sizes = {name: (ROOT / name).stat().st_size for name in tracked()}
    assert {name: size for name, size in sizes.items() if size > 400_000} == {}
    assert all(size < 30_000 for name, size in sizes.items() if name.endswith(".elf") and name.startswith("examples/"))
