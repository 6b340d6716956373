"""External programs that tests use, and which Debian package brings each.

`python tests/support/tools.py` prints the packages that this machine lacks, one a line; `make test` installs them. With
the word `sweep` they are those of `make sweep`.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from typing import NoReturn

# Program to Debian package. `make test` sets up exactly these.
PACKAGES = {
    "gcc": "gcc",
    "g++": "g++",
    "git": "git",
    "groff": "groff-base",
    "make": "make",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "ld": "binutils",
    "x86_64-linux-gnu-gcc": "gcc" if platform.machine() == "x86_64" else "gcc-x86-64-linux-gnu",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "arm-linux-gnueabihf-gcc": "gcc-arm-linux-gnueabihf",
    "mips-linux-gnu-gcc": "gcc-mips-linux-gnu",
    "powerpc64-linux-gnu-gcc": "gcc-powerpc64-linux-gnu",
    "riscv64-linux-gnu-gcc": "gcc-riscv64-linux-gnu",
    "s390x-linux-gnu-gcc": "gcc-s390x-linux-gnu",
    "chromium": "chromium",
    "ld.lld": "lld",
    "ld.lld-14": "lld-14",
    "ld.lld-16": "lld-16",
    "ld.lld-19": "lld-19",
}
# What only the sweep uses: what builds kernels and hypervisors, and compilers for architectures that few have.
SWEEP_PACKAGES = {
    "bc": "bc",
    "bison": "bison",
    "flex": "flex",
    "xtensa-lx106-elf-gcc": "gcc-xtensa-lx106",
} | {
    f"{prefix}-gcc": f"gcc-{prefix.replace('_', '-')}"
    for prefix in (
        "alpha-linux-gnu",
        "arc-linux-gnu",
        "arm-linux-gnueabi",
        "hppa-linux-gnu",
        "i686-linux-gnu",
        "m68k-linux-gnu",
        "mips64-linux-gnuabi64",
        "mips64el-linux-gnuabi64",
        "mipsel-linux-gnu",
        "mipsisa32r6-linux-gnu",
        "powerpc-linux-gnu",
        "powerpc64le-linux-gnu",
        "sh4-linux-gnu",
        "sparc64-linux-gnu",
        "x86_64-linux-gnux32",
    )
}

# C libraries to link statically with, by the prefix of the tools, and their packages.
_HOME = "/usr/lib/x86_64-linux-gnu" if platform.machine() == "x86_64" else "/usr/x86_64-linux-gnu/lib"
LIBRARIES = {
    "x86_64-linux-gnu-": (
        f"{_HOME}/libc.a",
        "libc6-dev" if platform.machine() == "x86_64" else "libc6-dev-amd64-cross",
    ),
    "aarch64-linux-gnu-": ("/usr/aarch64-linux-gnu/lib/libc.a", "libc6-dev-arm64-cross"),
    "arm-linux-gnueabihf-": ("/usr/arm-linux-gnueabihf/lib/libc.a", "libc6-dev-armhf-cross"),
}


def package_of(name: str) -> str:
    """The Debian package that brings a program; the program's own name where none is known."""
    if known := PACKAGES.get(name) or SWEEP_PACKAGES.get(name):
        return known
    prefix, _, program = name.rpartition("-")
    if program not in {"ar", "as", "ld", "nm", "objcopy", "objdump", "ranlib", "readelf", "strip"}:
        return name
    return f"binutils-{prefix.replace('_', '-')}" if prefix else "binutils"


def tool(name: str) -> str:
    """The path of an external program. Without it the test skips, or fails where skips are forbidden."""
    path = shutil.which(name)
    if path is None:
        unavailable(f"{name} is missing (get it: apt-get install {package_of(name)})")
    return path


def c_library(prefix: str) -> None:
    """Make sure that programs of the tools with this prefix can be linked statically. Else as for a missing tool."""
    path, package = LIBRARIES.get(prefix, ("", ""))
    if path and not os.path.exists(path):
        unavailable(f"{path} is missing (get it: apt-get install {package})")


def unavailable(reason: str) -> NoReturn:
    """Skip the running test visibly, or fail it under LDCHECK_NO_SKIPS=1."""
    import pytest

    if os.environ.get("LDCHECK_NO_SKIPS") == "1":
        pytest.fail(f"skips are forbidden, and {reason}", pytrace=False)
    pytest.skip(reason)


def missing_packages(sweep: bool = False) -> list[str]:
    """The packages of the programs and libraries that are not there."""
    wanted = PACKAGES | SWEEP_PACKAGES if sweep else PACKAGES
    programs = {package for name, package in wanted.items() if shutil.which(name) is None}
    return sorted(programs | {package for path, package in LIBRARIES.values() if not os.path.exists(path)})


if __name__ == "__main__":
    sys.stdout.write("".join(f"{package}\n" for package in missing_packages(sys.argv[1:] == ["sweep"])))
