"""The mini hypervisor: a family of small images with one fault each, made from tests/images by the real tools.

`mini.lds.S` is the script as it should be; a variant is the edit that a person might make to it.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.build import TARGETS, link
from tests.support.cache import ROOT
from tests.support.tools import tool

SOURCES = ROOT / "tests" / "images"
ARCHITECTURES = ("x86_64", "arm64", "arm32")
_FLAGS = {
    "x86_64": ("-mcmodel=kernel", "-mno-red-zone", "-mgeneral-regs-only", "-fcf-protection=none"),
    "arm64": ("-mgeneral-regs-only", "-mno-outline-atomics"),
    "arm32": ("-marm", "-mfloat-abi=soft"),
}


@dataclass(frozen=True, slots=True)
class Variant:
    """Edits of the good script (each old text stands in it exactly once), and definitions for script and sources."""

    edits: tuple[tuple[str, str], ...] = ()
    defines: tuple[str, ...] = ("CONFIG_CC_SPLIT_SECTIONS", "CONFIG_CONSOLE")


_READ_MOSTLY = """\
  . = ALIGN(PAGE_SIZE);
  DECL_SECTION(.data.read_mostly) {
       *(.data.read_mostly)
  } :text
"""
_DATA = """\
  . = ALIGN(SMP_CACHE_BYTES);
  DECL_SECTION(.data) {
       *(.data.page_aligned)
       *(.data .data.*)
  } :text
"""
_PAGE_ALIGNED = "       *(.text.page_aligned)\n"
_SPLIT = """\
#ifdef CONFIG_CC_SPLIT_SECTIONS
       *(.text.*)
#endif
"""
_UNALIGNED = (_READ_MOSTLY, _READ_MOSTLY.removeprefix("  . = ALIGN(PAGE_SIZE);\n"))

VARIANTS = {
    "good": Variant(),
    # `*(.data .data.*)` comes first and takes .data.read_mostly too.
    "swallowed": Variant(((f"{_READ_MOSTLY}\n{_DATA}", f"{_DATA}\n{_READ_MOSTLY}"),)),
    # Nothing separates .data.read_mostly from the read-only data in front of it.
    "unaligned": Variant((_UNALIGNED,)),
    # `*(.text.*)` comes first and takes .text.page_aligned too.
    "wildcard-first": Variant(((_SPLIT, ""), (_PAGE_ALIGNED, _SPLIT + _PAGE_ALIGNED))),
    # The script of `unaligned`; but without a console, what precedes .data.read_mostly is exactly a page long.
    "accidental": Variant((_UNALIGNED,), ("CONFIG_CC_SPLIT_SECTIONS",)),
}


@dataclass(frozen=True, slots=True)
class MiniImage:
    """One variant, built. `script` is the source with its directives, `preprocessed` has line markers back to it."""

    folder: Path
    script: Path
    preprocessed: Path
    elf: Path
    map: Path
    objects: tuple[Path, ...]
    defines: tuple[str, ...]

    def line_of(self, text: str) -> int:
        """The number of the one line of `script` that reads so, blanks at its ends aside."""
        found = [number for number, line in enumerate(self.script.read_text().splitlines(), 1) if line.strip() == text]
        assert len(found) == 1, f"{text!r} stands on lines {found}"
        return found[0]


def mini_image(arch: str, variant: str = "good", linker: str = "ld") -> MiniImage:
    """Build a variant (a key of VARIANTS) for x86_64, arm64 or arm32; each is built once in a test process."""
    return _built(arch, variant, linker)


@cache
def _built(arch: str, variant: str, linker: str) -> MiniImage:
    machine, chosen = TARGETS[arch], VARIANTS[variant]
    folder = _build_folder() / arch / f"{variant}-{linker}"
    shutil.copytree(SOURCES, folder)
    script = folder / "mini.lds.S"
    script.write_text(_edited(script.read_text(), chosen))
    gcc = [tool(f"{machine.prefix}gcc"), *machine.compiler, *(f"-D{name}" for name in chosen.defines)]

    preprocessed = folder / "mini.lds"
    _run([*gcc, "-E", "-x", "assembler-with-cpp", "-o", preprocessed.name, script.name], folder)
    options = [*_FLAGS[arch], "-O2", "-ffreestanding", "-fno-pic", "-fno-pie", "-fno-stack-protector"]
    options += ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-ffunction-sections", "-Wall", "-Werror"]
    objects = []
    for source in ("boot.c", "cpu.c", "start.S"):
        made = Path(source).with_suffix(".o")
        _run([*gcc, *options, "-c", "-o", made, source], folder)
        objects.append(folder / made)

    result = link(folder, preprocessed, objects, arch, ["--build-id=sha1"], linker, "mini.elf")
    assert result.ok, result.output
    assert result.elf is not None
    assert result.map is not None
    return MiniImage(folder, script, preprocessed, result.elf, result.map, tuple(objects), chosen.defines)


def _edited(text: str, variant: Variant) -> str:
    for old, new in variant.edits:
        assert text.count(old) == 1, f"the good script has {text.count(old)} times {old!r}"
        text = text.replace(old, new)
    return text


@cache
def _build_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ldcheck-mini-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _run(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stderr}"
