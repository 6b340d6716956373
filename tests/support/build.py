"""Small objects and images, made by the real assemblers, compilers and linkers.

Architectures go by the names that policies use (x86_64, arm64, arm32, riscv64 ...).
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.tools import tool


@dataclass(frozen=True, slots=True)
class Target:
    """What turns the generic commands into those for one architecture.

    `arch` is what policies call it, where that is not the target's own name. A `rare` one is for the sweep.
    """

    prefix: str
    assembler: tuple[str, ...] = ()
    compiler: tuple[str, ...] = ()
    linker: tuple[str, ...] = ()
    arch: str = ""
    rare: bool = False


# The kernels and firmware of MIPS, which has position-independent code by default.
_MIPS = ("-mno-abicalls", "-G0")

TARGETS = {
    "x86_64": Target("x86_64-linux-gnu-", ("--64",), ("-m64",), ("-melf_x86_64",)),
    "x86_32": Target("x86_64-linux-gnu-", ("--32",), ("-m32",), ("-melf_i386",)),
    "arm64": Target("aarch64-linux-gnu-"),
    "arm32": Target("arm-linux-gnueabihf-"),
    "riscv64": Target("riscv64-linux-gnu-"),
    "ppc64": Target("powerpc64-linux-gnu-"),
    "mips": Target("mips-linux-gnu-", compiler=_MIPS),
    "s390x": Target("s390x-linux-gnu-"),
    "alpha": Target("alpha-linux-gnu-", rare=True),
    "arc": Target("arc-linux-gnu-", rare=True),
    "armel": Target("arm-linux-gnueabi-", arch="arm32", rare=True),
    "hppa": Target("hppa-linux-gnu-", rare=True),
    "i686": Target("i686-linux-gnu-", arch="x86_32", rare=True),
    "m68k": Target("m68k-linux-gnu-", rare=True),
    "mips64": Target("mips64-linux-gnuabi64-", compiler=_MIPS, rare=True),
    "mips64el": Target("mips64el-linux-gnuabi64-", compiler=_MIPS, arch="mips64", rare=True),
    "mipsel": Target("mipsel-linux-gnu-", compiler=_MIPS, arch="mips", rare=True),
    "mipsr6": Target("mipsisa32r6-linux-gnu-", compiler=_MIPS, arch="mips", rare=True),
    "ppc32": Target("powerpc-linux-gnu-", rare=True),
    "ppc64le": Target("powerpc64le-linux-gnu-", arch="ppc64", rare=True),
    "sh4": Target("sh4-linux-gnu-", arch="sh", rare=True),
    "sparc64": Target("sparc64-linux-gnu-", rare=True),
    "x32": Target("x86_64-linux-gnux32-", arch="x86_64", rare=True),
}


def target_params(*ahead: str, without: str = "") -> list[object]:
    """The targets as parameters of a test, behind others that are the same for all; the rare ones are for the sweep."""
    return [
        pytest.param(*ahead, name, marks=pytest.mark.sweep if target.rare else (), id="-".join([*ahead, name]))
        for name, target in TARGETS.items()
        if name != without
    ]


@dataclass(frozen=True, slots=True)
class LinkResult:
    """How a link went. `elf` and `map` are None where the linker wrote none; `output` is all that it said."""

    status: int
    output: str
    script: Path
    elf: Path | None
    map: Path | None

    @property
    def ok(self) -> bool:
        """Whether the linker was content."""
        return self.status == 0


def assemble(folder: Path, source: str, target: str = "x86_64", name: str = "a.o") -> Path:
    """Assemble GNU assembler source into the object `folder/name`. A source that does not assemble fails the test."""
    machine = TARGETS[target]
    object_file = folder / name
    path = object_file.with_suffix(".s")
    path.write_text(source)
    _run([tool(f"{machine.prefix}as"), *machine.assembler, "-o", object_file, path])
    return object_file


def compile_c(
    folder: Path, source: str, target: str = "x86_64", name: str = "a.o", options: Iterable[str] = ()
) -> Path:
    """Compile freestanding C into the object `folder/name`. A source that does not compile fails the test."""
    machine = TARGETS[target]
    object_file = folder / name
    path = object_file.with_suffix(".c")
    path.write_text(source)
    command = [tool(f"{machine.prefix}gcc"), *machine.compiler, "-c", "-O2", "-ffreestanding", "-fno-pic", "-fno-pie"]
    _run([*command, "-fno-asynchronous-unwind-tables", *options, "-o", object_file, path])
    return object_file


def link(
    folder: Path,
    script: str | Path,
    objects: Iterable[str | Path],
    target: str = "x86_64",
    options: Iterable[str] = (),
    linker: str = "ld",
    name: str = "a.elf",
) -> LinkResult:
    """Link objects by a script (its text, or a file) into `folder/name`, with a map beside it.

    `linker` is `ld` for the target's GNU ld, or the name of an lld (`ld.lld-16`). It runs in `folder` and is given the
    objects there by their relative path, so that maps do not depend on where the folder lies. A failing link is a
    result like any other.
    """
    machine = TARGETS[target]
    elf = folder / name
    map_file = elf.with_suffix(".map")
    for stale in (elf, map_file):
        stale.unlink(missing_ok=True)
    if isinstance(script, str):
        path = elf.with_suffix(".lds")
        path.write_text(script)
    else:
        path = script
    command: list[str | Path] = [tool(f"{machine.prefix}ld" if linker == "ld" else linker), *machine.linker]
    command += ["-nostdlib", "-T", path, f"-Map={map_file.name}", "-o", elf.name, *options]
    command += [_relative(item, folder) for item in objects]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=120
    )
    return LinkResult(
        done.returncode,
        done.stdout,
        path,
        elf if elf.exists() else None,
        map_file if map_file.exists() else None,
    )


def _relative(item: str | Path, folder: Path) -> str | Path:
    path = Path(item)
    return path.relative_to(folder) if path.is_absolute() and path.is_relative_to(folder) else item


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stderr}"
