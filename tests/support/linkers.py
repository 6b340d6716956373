"""The linkers that judge: GNU ld and lld of several years, those of other releases of Debian unpacked into the cache.

A linker of another release runs in a root of its own, by that release's loader with its libraries. What the machine has
installed is used as it is.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support.build import TARGETS
from tests.support.debian import with_dependencies
from tests.support.tools import tool, unavailable

_FILES = ("*/ld-[l2]*.so*", "*/lib*.so*", "usr/bin/*-ld*", "usr/bin/ld.lld*", "usr/lib/llvm-*/bin/*")
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")


@dataclass(frozen=True, slots=True)
class Linker:
    """One linker: `kind` and `version` as ldcheck is told them, and the release of Debian that has it, if not this one.

    `every_run` is set for the two that judge in every run; the others are for the sweep.
    """

    kind: str
    version: str
    suite: str = ""
    every_run: bool = False

    def __str__(self) -> str:
        return f"{self.kind}-{self.version}"


# 2.47 is what sid has: a snapshot on the way to the next release.
GNU = (
    Linker("gnu", "2.35", "bullseye"),
    Linker("gnu", "2.40", every_run=True),
    Linker("gnu", "2.44", "trixie"),
    Linker("gnu", "2.47", "sid"),
)
LLD = (
    Linker("lld", "14"),
    Linker("lld", "16"),
    Linker("lld", "19", every_run=True),
    Linker("lld", "21", "sid"),
    Linker("lld", "22", "sid"),
)
ALL = (*GNU, *LLD)


def as_params(linkers: tuple[Linker, ...]) -> list[object]:
    """Linkers as parameters of a test: those of every run, and the others for the sweep."""
    return [pytest.param(one, marks=() if one.every_run else pytest.mark.sweep, id=str(one)) for one in linkers]


@cache
def command(linker: Linker, target: str = "x86_64") -> str:
    """The path of an executable that is this linker for a target. The test skips where it cannot be had."""
    prefix = TARGETS[target].prefix
    program = f"ld.lld-{linker.version}" if linker.kind == "lld" else f"{prefix}ld"
    if not linker.suite:
        return tool(program)
    if platform.machine() != "x86_64":
        unavailable(f"{linker} runs on x86_64 only")
    package = f"lld-{linker.version}" if linker.kind == "lld" else f"binutils-{prefix[:-1].replace('_', '-')}"
    root = with_dependencies(package, linker.suite, _FILES)
    wrapper = root / f"run-{program}"
    if not wrapper.exists():
        loader = next(path for folder in _LIBRARIES for path in root.glob(f"{folder}/ld-linux-*.so.2"))
        folders = [*_LIBRARIES, *(f"{path.relative_to(root)}" for path in root.glob("usr/lib/llvm-*/lib"))]
        libraries = ":".join(f"$here/{folder}" for folder in folders)
        started = f'"$here/{loader.relative_to(root)}" --library-path "{libraries}" "$here/{_program(root, program)}"'
        part = wrapper.with_suffix(".part")
        part.write_text(f'#!/bin/sh\nhere=$(dirname "$0")\nexec {started} "$@"\n')
        part.chmod(0o755)
        part.rename(wrapper)
    return str(wrapper)


def _program(root: Path, program: str) -> str:
    """Where the program is below its root, as the loader has to be told: what it is a link to by its own name."""
    return f"usr/lib/llvm-{program[-2:]}/bin/ld.lld" if ".lld-" in program else f"usr/bin/{program}"
