"""Debian's Xen, linked from its leaf objects and as its own build does it: predicted to the byte."""

from __future__ import annotations

import subprocess
from contextlib import chdir
from pathlib import Path

import pytest

from ldcheck.image.definitions import read_definitions
from ldcheck.image.elf import read_elf
from ldcheck.image.link_inputs import from_map
from ldcheck.image.maps import read_map
from ldcheck.image.objects import read_objects
from ldcheck.layout.knowledge import Options
from ldcheck.layout.link_options import link_options
from ldcheck.layout.player import play
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.layout.played_links import Tally, compare
from tests.support.build import TARGETS, assemble
from tests.support.tools import tool
from tests.support.xen import ARCHITECTURES, built_objects

_OPTIONS = ["-N", "--build-id=sha1"]
# What a person may change in either script.
_CHANGED = {"*(.data.read_mostly)": "", "*(.rodata)": "*(SORT_BY_ALIGNMENT(.rodata))"}


def leaves(home: Path, name: str) -> list[str]:
    """What an object was put together from, as far as the build has notes of it."""
    path = home / name
    words = (path.parent / f".{path.name}.cmd").read_text().splitlines()[0].split()
    parts = [word for word in words[words.index("-o") + 2 :] if word.endswith((".o", ".a"))]
    return [leaf for part in parts for leaf in (leaves(home, part) if part.endswith("built_in.o") else [part])]


def symbol_table(folder: Path, prelinked: Path, arch: str) -> Path:
    """An object with Xen's own symbol table, as large as in the first of the links of its build."""
    listed = subprocess.run([tool(f"{TARGETS[arch].prefix}nm"), "-u", prelinked], capture_output=True, text=True).stdout
    names = [line.split()[-1] for line in listed.splitlines() if line.split()[-1].startswith("symbols_")]
    assert names
    lines = [f".globl {name}\n.balign 8\n{name}: .skip 24" for name in names]
    return assemble(folder, '.section .rodata,"a"\n' + "\n".join(lines) + "\n", arch, "symbols.o")


def linked(folder: Path, home: Path, script: str, objects: list[str], arch: str, name: str) -> None:
    (folder / f"{name}.lds").write_text(script)
    machine = TARGETS[arch]
    command = [tool(f"{machine.prefix}ld"), *machine.linker, "-T", f"{folder / name}.lds", *_OPTIONS]
    command += ["-o", f"{folder / name}.elf", f"-Map={folder / name}.map", "--no-warn-rwx-segments", *objects]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.sweep
@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("prelinked", [True, False], ids=["prelinked", "leaves"])
def test_xen_is_predicted_to_the_byte(tmp_path: Path, arch: str, prelinked: bool) -> None:
    prelink = built_objects(arch)
    home = prelink.parent
    objects = [prelink.name] if prelinked else leaves(home, prelink.name)
    objects.append(str(symbol_table(tmp_path, prelink, arch)))
    script = (home / "arch" / ARCHITECTURES[arch][1] / "xen.lds").read_text()
    scripts = [script]
    for old, new in _CHANGED.items():
        assert old in script
        scripts.append(script.replace(old, new))
    with chdir(home):
        for number, text in enumerate(scripts):
            linked(tmp_path, home, text, objects, arch, str(number))
        if prelinked:
            inputs, symbols, known = read_objects(objects), read_definitions(objects), None
        else:
            found = from_map(read_map(str(tmp_path / "0.map")))
            inputs, symbols, known = found.sections, found.symbols, found.known
        for number, text in enumerate(scripts):
            options = link_options(_OPTIONS, Options(arch=arch))
            played = play(parse(Source("xen.lds", text)).tree, inputs, symbols, options, known)
            tally = Tally()
            compare(played, read_map(str(tmp_path / f"{number}.map")), f"script {number}", tally)
            assert not tally.broken, tally.broken[0]
            elf = read_elf(str(tmp_path / f"{number}.elf"))
            assert len(played.symbols) > 40
            mask = (1 << elf.bits) - 1
            assert {name: elf.symbols[name].value for name in played.symbols} == {
                name: address & mask for name, address in played.symbols.items()
            }
