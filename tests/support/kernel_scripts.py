"""The linker scripts of Linux 6.12 as its own build preprocesses them, made from Debian's linux-source package."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tests.support.build import TARGETS
from tests.support.cache import cache_folder, locked
from tests.support.modpost import tarball
from tests.support.tools import tool

VERSION = "6.12"
# How the kernel calls an architecture, and what is switched on in its smallest configuration.
ARCHITECTURES = {
    "x86_64": ("x86", ("64BIT", "SMP", "PRINTK", "MODULES")),
    "arm64": ("arm64", ("PRINTK", "MODULES")),
}
# What of the source the scripts are made from.
_PARTS = (
    "Makefile", "Kbuild*", "Kconfig*", "scripts/*", "arch/x86/*", "arch/arm64/*", "include/*",
    "tools/*", "kernel/bounds.c", "kernel/time/timeconst.bc", "kernel/configs/*",
    "lib/vdso/*",
)  # fmt: skip


@cache
def kernel_script(target: str) -> str:
    """The text of `vmlinux.lds` for a target, in a small configuration."""
    name, options = ARCHITECTURES[target]
    home = cache_folder() / "kernel-scripts" / VERSION
    script = home / f"{target}.lds"
    for needed in ("make", "flex", "bison", "bc"):
        tool(needed)
    with locked("kernel-scripts"):
        if not script.exists():
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory() as folder:
                made = _make(Path(folder), name, TARGETS[target].prefix, options)
                part = script.with_suffix(".part")
                part.write_bytes(made.read_bytes())
                part.rename(script)
    return script.read_text(encoding="utf-8")


def _make(folder: Path, name: str, prefix: str, options: tuple[str, ...]) -> Path:
    into = ["-C", str(folder), "--strip-components=1", "--wildcards", *(f"*/{part}" for part in _PARTS)]
    _run(tool("tar"), "-xJf", tarball(VERSION), *into)
    make = [tool("make"), "-s", "-C", str(folder), f"ARCH={name}", f"CROSS_COMPILE={prefix}"]
    _run(*make, "tinyconfig")
    _run(folder / "scripts/config", "--file", folder / ".config", *(word for one in options for word in ("-e", one)))
    _run(*make, "olddefconfig")
    made = f"arch/{name}/kernel/vmlinux.lds"
    _run(*make, made)
    return folder / made


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=1800)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stderr}"
