"""Linux's own modpost, built from Debian's linux-source packages: the judge of what must not refer to what.

What it reads of device tables and of the sources of a module plays no part in section mismatches, and needs a
configured kernel to build: these two functions are left empty. All else is the program as it is.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.support.build import TARGETS, assemble
from tests.support.cache import cache_folder, locked
from tests.support.debian import binary_package
from tests.support.tools import tool

# The kernels of this machine's Debian and of the one after it, by version, with the suite where it is not this one's.
KERNELS = {"6.1": "", "6.12": "trixie"}

_EMPTY = """
#include "modpost.h"
void handle_moddevtable(struct module *mod, struct elf_info *info, Elf_Sym *sym, const char *name) {}
void add_moddevtable(struct buffer *buf, struct module *mod) {}
void get_src_version(const char *name, char sum[], unsigned size) {}
"""
_MISMATCH = re.compile(
    r"section mismatch in reference: (?P<source>\S*?)(?:\+0x[0-9a-f]+)? \(section: (?P<section>\S+)\) -> "
    r"(?P<target>\S*) \(section: (?P<target_section>\S+)\)"
)
_EXPORTED = re.compile(
    r"EXPORT_SYMBOL used for init/exit symbol: (?P<target>\S+) \(section: (?P<target_section>\S+)\)"
    r"|(?P<name>\S+): EXPORT_SYMBOL used for (?P<kind>init|exit) symbol"
)
_TABLE = re.compile(
    r"\((?P<section>__ex_table)\+0x[0-9a-f]+\): Section mismatch in reference from the .*? (?P<source>\S+?)(?:\(\))? "
    r"to the .*? (?P<target_section>\.\S+):(?P<target>\S+?)(?:\(\))?$"
)


class Mismatch(NamedTuple):
    """One warning: the two sections and the names that modpost found there. Sections that it does not say are empty."""

    section: str
    source: str
    target_section: str
    target: str


@cache
def modpost(version: str, target: str = "x86_64") -> Path:
    """The program of one kernel for objects of one target."""
    home = cache_folder() / "modpost" / version
    program = home / f"modpost-{target}"
    with locked("modpost"):
        tree = home / "tree"
        if not (tree / "scripts/mod/modpost.c").exists():
            tree.mkdir(parents=True, exist_ok=True)
            _unpack(version, tree)
        if not program.exists():
            folder = home / target
            folder.mkdir(exist_ok=True)
            empty = assemble(folder, "", target, "empty.o")
            _run(tool("gcc"), "-o", folder / "mk_elfconfig", tree / "scripts/mod/mk_elfconfig.c")
            config = subprocess.run(
                [folder / "mk_elfconfig"], input=empty.read_bytes(), capture_output=True, check=True
            )
            (folder / "elfconfig.h").write_bytes(config.stdout)
            (folder / "empty.c").write_text(_EMPTY)
            sources = [tree / "scripts/mod/modpost.c", *tree.glob("scripts/mod/symsearch.c"), folder / "empty.c"]
            include = [folder, tree / "scripts/mod", tree / "scripts/include"]
            options = ["-w", "-O1", *(f"-I{path}" for path in include)]
            _run(tool("gcc"), *options, "-o", program, *sources)
    return program


def mismatches(version: str, path: Path, target: str = "x86_64") -> tuple[Mismatch, ...]:
    """What modpost of a kernel warns of in one object; `vmlinux.o` is the kernel, others are modules."""
    known = [] if path.name == "vmlinux.o" else ["-w"]
    # -M is 6.12's word for modules being configured, without which exports are not looked at.
    enabled = ["-M"] if version != "6.1" else []
    done = subprocess.run(
        [modpost(version, target), *enabled, *known, "-o", "symvers", path.name],
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = []
    for line in done.stderr.splitlines():
        if match := _MISMATCH.search(line) or _TABLE.search(line):
            found.append(Mismatch(**match.groupdict()))
        elif match := _EXPORTED.search(line):
            section = match["target_section"] or f".{match['kind']}."
            found.append(Mismatch("", "", section, match["target"] or match["name"]))
        elif "mismatch" in line.lower():
            raise AssertionError(f"a warning that is not understood: {line}")
    return tuple(found)


# What the smallest kernel lacks to have code of most kinds, and the folders that are built of it: no drivers.
_OPTIONS = ("64BIT", "MODULES", "SMP", "BLOCK", "TTY", "PRINTK", "SYSFS", "PROC_FS", "EXT4_FS", "FUTEX", "EPOLL")
_FOLDERS = ("init", "kernel", "mm", "fs", "block", "lib", "crypto", "security", "ipc", "arch/x86")


@cache
def built_kernel(version: str) -> Path:
    """A `vmlinux.o` of x86-64, of a small kernel without drivers."""
    home = cache_folder() / "kernel" / version
    with locked(f"kernel-{version}"):
        done = home / "vmlinux.o"
        if not done.exists():
            # Their order is that of the options: one that another needs comes first.
            make = _configured(version, home, [word for option in _OPTIONS for word in ("-e", option)])
            _run(*make, "-j2", *(f"{folder}/" for folder in _FOLDERS))
            archives = [home / folder / "built-in.a" for folder in _FOLDERS]
            _run(tool("ld"), "-r", "-o", done, "--whole-archive", *(path for path in archives if path.exists()))
    return done


# What a guest of KVM has beside its own drivers, so that there is code of most kinds, and what of it are modules.
_BUILT_IN = (
    "64BIT MODULES SMP CC_OPTIMIZE_FOR_PERFORMANCE PROC_FS SYSFS TTY PRINTK BLOCK BLK_DEV NETDEVICES USB_SUPPORT"
)
_BUILT_IN += " EPOLL FUTEX IPV6 DEBUG_SECTION_MISMATCH PERF_EVENTS MEMORY_HOTPLUG"
_MODULES = "EXT4_FS VFAT_FS E1000 E1000E NVME_CORE BLK_DEV_NVME ATA SATA_AHCI SCSI BLK_DEV_SD BLK_DEV_LOOP I2C HWMON"
_MODULES += " RTC_CLASS"


@cache
def built_guest(version: str) -> tuple[Path, Sequence[Path]]:
    """The `vmlinux.o` and the modules' objects of a whole kernel of x86-64, for guests of KVM."""
    home = cache_folder() / "kernel" / f"{version}-kvm"
    with locked(f"kernel-{version}-kvm"):
        if not (home / "done").exists():
            chosen = [word for option in _BUILT_IN.split() for word in ("-e", option)]
            chosen += [word for option in _MODULES.split() for word in ("-m", option)]
            make = _configured(version, home, chosen, "kvm_guest.config")
            _run(*make, "-j2", "vmlinux_o", "modules")
            (home / "done").touch()
    names = (home / "modules.order").read_text().split()
    return home / "vmlinux.o", [(home / name).with_suffix(".o") for name in names]


def _configured(version: str, home: Path, chosen: Sequence[str], *fragments: str) -> Sequence[str | Path]:
    """Unpack and configure a kernel: the smallest one with what is chosen. Returns the command to build it."""
    for needed in ("make", "flex", "bison", "bc"):
        tool(needed)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    _run(tool("tar"), "-xJf", tarball(version), "-C", home, "--strip-components=1")
    make = [tool("make"), "-C", str(home), f"CROSS_COMPILE={TARGETS['x86_64'].prefix}"]
    configure: list[str | Path] = [home / "scripts/config", "--file", home / ".config"]
    _run(*make, "tinyconfig")
    # The fragment leaves out what the size of a machine word, or the lack of modules, forbids.
    _run(*configure, "-e", "64BIT", "-e", "MODULES", "-e", "SMP")
    for fragment in fragments:
        _run(*make, fragment)
    _run(*configure, *chosen, "-d", "WERROR")
    _run(*make, "olddefconfig")
    return make


def tarball(version: str) -> Path:
    """The source of a kernel, as its package has it."""
    return binary_package(f"linux-source-{version}", suite=KERNELS[version]) / f"usr/src/linux-source-{version}.tar.xz"


def _unpack(version: str, tree: Path) -> None:
    into = ["-C", str(tree), "--strip-components=1", "--wildcards"]
    _run(
        tool("tar"),
        "-xJf",
        tarball(version),
        *into,
        "*/scripts/*",
        "*/include/linux/license.h",
        "*/include/linux/module*",
    )


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=7200)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stderr}"
