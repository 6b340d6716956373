"""Debian's Xen: the linker script as it was preprocessed for the packaged hypervisor, and that hypervisor's xen-syms.

The script comes from the source package, the Kconfig choices from the hypervisor's package, the ELF file from the one
with its debug symbols; all three have one version.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

from tests.support.build import TARGETS
from tests.support.cache import cache_folder, locked
from tests.support.debian import XEN_VERSION, binary_package, source_package
from tests.support.tools import tool, unavailable

# The policies' names to Debian's architecture and Xen's source folder.
ARCHITECTURES = {"x86_64": ("amd64", "x86"), "arm64": ("arm64", "arm"), "arm32": ("armhf", "arm")}


@dataclass(frozen=True, slots=True)
class Xen:
    """One packaged Xen.

    `tree` is the `xen/` folder of the source, in which `arch/.../xen.lds.S` (`script`) and its headers lie;
    `autoconf` is the header made from the package's Kconfig file (`config`); `preprocessed` is the script with line
    markers, made by the command that the build runs (`command`, run in `tree`).
    """

    tree: Path
    script: Path
    config: Path
    autoconf: Path
    preprocessed: Path
    command: tuple[str, ...]
    elf: Path


@cache
def xen(arch: str, efi: bool = False) -> Xen:
    """Xen 4.17 of Debian for x86_64, arm64 or arm32; with `efi`, the script of xen.efi instead of xen-syms'."""
    debian_arch, source_arch = ARCHITECTURES[arch]
    name = f"xen-hypervisor-4.17-{debian_arch}"
    config = binary_package(name, debian_arch) / "boot" / f"xen-4.17-{debian_arch}.config"
    elf = binary_package(f"{name}-dbg", debian_arch) / "usr/lib/debug/boot" / f"xen-syms-4.17-{debian_arch}"
    tree = source_package("xen", only=["xen/arch/*/xen.lds.S", "xen/include/*", "xen/arch/*/include/*"]) / "xen"
    made = cache_folder() / "xen" / XEN_VERSION / arch
    autoconf = made / "include" / "generated" / "autoconf.h"
    command = _command(arch, source_arch, made / "include", efi)
    # Another command makes another file, so that a kept cache is never a stale one.
    preprocessed = made / f"{crc32(repr(command).encode()):08x}" / ("efi.lds" if efi else "xen.lds")
    with locked(f"xen-{arch}"):
        if not autoconf.exists():
            autoconf.parent.mkdir(parents=True, exist_ok=True)
            autoconf.write_text(autoconf_header(config.read_text()))
        if not preprocessed.exists():
            preprocessed.parent.mkdir(exist_ok=True)
            _preprocess(command, tree, preprocessed)
    return Xen(tree, tree / command[-1], config, autoconf, preprocessed, command, elf)


# Newer Xen, of the suite after this machine's: what was linked, and the scripts of all architectures without a build.
NEWER, NEWER_SUITE, NEWER_TAG = "4.20", "trixie", "RELEASE-4.20.4"
# For which Debian has a configuration of each.
_CONFIGURED = {"4.17": ("x86_64", "arm64", "arm32"), NEWER: ("x86_64", "arm64")}


@cache
def newer_elf(arch: str) -> Path:
    """The xen-syms of Xen 4.20, for x86_64, arm64 or arm32."""
    debian_arch, _ = ARCHITECTURES[arch]
    package = binary_package(f"xen-hypervisor-{NEWER}-{debian_arch}-dbg", debian_arch, suite=NEWER_SUITE)
    return package / "usr/lib/debug/boot" / f"xen-syms-{NEWER}-{debian_arch}"


@cache
def newer_tree() -> Path:
    """The source of Xen 4.20, as far as linker scripts need it: the folder in which `xen/` lies."""
    wanted = ["xen/arch/*/xen.lds.S", "xen/include/*", "xen/arch/*/include/*"]
    return source_package("xen", only=wanted, suite=NEWER_SUITE)


@cache
def built_objects(arch: str, release: str = "4.17") -> Path:
    """What Xen is linked from, `prelink.o`: built here, with the configuration of Debian's package if it has one.

    4.17 is Debian's source, and the compiler that of its package. 4.20 is upstream's, from a repository at hand.
    """
    version = XEN_VERSION if release != NEWER else NEWER_TAG
    home = cache_folder() / "xen" / version / arch / "build"
    tools = {"CROSS_COMPILE": TARGETS[arch].prefix, "PYTHON": "python3"}
    for needed in ("make", "flex", "bison", "python3"):
        tool(needed)
    with locked(f"xen-{release}-{arch}-build"):
        objects = home / "xen" / "prelink.o"
        if not objects.exists():
            shutil.rmtree(home, ignore_errors=True)
            if release == NEWER:
                _unpack_upstream(home)
            else:
                shutil.copytree(source_package("xen"), home)
            # The unpacked sources have no permissions.
            for path in home.glob("xen/**/*"):
                if path.is_file() and path.read_bytes()[:2] == b"#!":
                    path.chmod(0o755)
            configuration = "defconfig"
            if arch in _CONFIGURED[release]:
                shutil.copy(_configuration(arch, release), home / "xen" / ".config")
                configuration = "olddefconfig"
            variables = [f"{key}={value}" for key, value in {"XEN_TARGET_ARCH": arch, **tools}.items()]
            for goals in ([configuration], ["-j2", "build"]):
                done = subprocess.run(
                    [tool("make"), "-C", home / "xen", *variables, *goals], capture_output=True, text=True, timeout=7200
                )
                assert done.returncode == 0, done.stderr[-4000:]
    return objects


def _configuration(arch: str, release: str) -> Path:
    debian_arch, _ = ARCHITECTURES[arch]
    name, suite = f"xen-hypervisor-{release}-{debian_arch}", NEWER_SUITE if release == NEWER else ""
    return binary_package(name, debian_arch, suite=suite) / "boot" / f"xen-{release}-{debian_arch}.config"


def _unpack_upstream(home: Path) -> None:
    repository = Path(os.environ.get("LDCHECK_MIRRORS", "")) / "xen-project+xen" / "repo"
    if not repository.is_dir():
        unavailable("no repository of Xen: LDCHECK_MIRRORS has to name the folder with xen-project+xen/repo")
    home.mkdir(parents=True)
    archive = home / "source.tar"
    subprocess.run(
        [tool("git"), "-C", repository, "archive", "-o", archive, NEWER_TAG, "xen", "Config.mk", "config"],
        check=True,
        timeout=300,
    )
    subprocess.run([tool("tar"), "-xf", archive, "-C", home], check=True, timeout=300)
    archive.unlink()


def autoconf_header(config: str) -> str:
    """What Kconfig writes into include/generated/autoconf.h for a .config file."""
    lines = []
    for name, value in re.findall(r"^(CONFIG_\w+)=(.*)$", config, re.MULTILINE):
        lines.append(f"#define {name} {1 if value == 'y' else value}\n")
    return "".join(lines)


def _command(arch: str, source_arch: str, generated: Path, efi: bool) -> tuple[str, ...]:
    """The build's command (Rules.mk: cmd_cpp_lds_S) without -P and without the options that write dependencies."""
    machine = TARGETS[arch]
    include = f"arch/{source_arch}/include"
    options = ["-D__XEN__", "-include", "include/xen/config.h", "-D__ASSEMBLY__", "-DBUILD_ID", "-DLINKER_SCRIPT"]
    if source_arch == "x86":
        options += [f"-I{include}/asm/mach-generic", f"-I{include}/asm/mach-default"]
        # arch/x86/arch.mk and arch/x86/Makefile, as Debian builds: both xen-syms and xen.efi.
        options += ["-DXEN_IMG_OFFSET=0x200000", "-DHAVE_LD_SORT_BY_INIT_PRIORITY", "-DBUILD_ID_EFI"]
        options += ["-DXEN_BUILD_EFI", *(["-DEFI"] if efi else [])]
    options += [f"-I{generated}", "-Iinclude", f"-I{include}"]
    script = f"arch/{source_arch}/xen.lds.S"
    return (tool(f"{machine.prefix}gcc"), *machine.compiler, "-E", "-x", "assembler-with-cpp", *options, script)


def _preprocess(command: tuple[str, ...], tree: Path, output: Path) -> None:
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        part = Path(folder) / "part"
        done = subprocess.run([*command, "-o", part], cwd=tree, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        part.rename(output)
