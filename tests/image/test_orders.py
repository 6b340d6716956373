"""The padding of other orders as computed, against links that were really made in these orders."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from random import Random

import pytest

from ldcheck.cli.padding import dot_values
from ldcheck.image.maps import read_map
from ldcheck.image.model import LinkMap
from ldcheck.image.objects import read_objects
from ldcheck.image.orders import ALL_SORTED, AS_LINKED, CATCH_ALLS_SORTED, OBJECTS_SORTED, ORDERS, compute, is_catch_all
from ldcheck.image.orders import statement as description
from ldcheck.image.padding import section_paddings
from tests.image import corpus
from tests.support.build import TARGETS, assemble, link
from tests.support.images import mini_image
from tests.support.tools import tool

# An input section description of the scripts used here: file, and the patterns in brackets.
_DESCRIPTION = re.compile(r"(?<![\w(])(KEEP ?\()?(\*|[\w./*?-]+) ?\(((?:[^()]|\([^()]*\))+)\)(\))?")


def catch_alls_sorted(script: str) -> str:
    """The script with SORT_BY_ALIGNMENT around every pattern of its catch-alls."""
    return _DESCRIPTION.sub(_sort_catch_all, script)


def _sort_catch_all(match: re.Match[str]) -> str:
    keep, file, patterns, end = match.groups()
    if "SORT" in patterns or "EXCLUDE" in patterns or not is_catch_all(description(f"{file}({patterns})")):
        return match[0]
    sorted_patterns = " ".join(f"SORT_BY_ALIGNMENT({pattern})" for pattern in patterns.split())
    return f"{keep or ''}{file}({sorted_patterns}){end or ''}"


def objects_sorted(script: str, objects: list[str]) -> str:
    """The script with a statement for each object in the place of every unsorted one."""

    def split(match: re.Match[str]) -> str:
        keep, file, patterns, end = match.groups()
        if file != "*" or "SORT" in patterns or "EXCLUDE" in patterns or not patterns.strip().startswith((".", "C")):
            return match[0]
        sorted_patterns = " ".join(f"SORT_BY_ALIGNMENT({pattern})" for pattern in patterns.split())
        return "\n".join(f"{keep or ''}{name}({sorted_patterns}){end or ''}" for name in [*objects, "*"])

    return _DESCRIPTION.sub(split, script)


def agree(linked: LinkMap, objects: list[Path], relinked: dict[str, LinkMap], starts: bool = True) -> None:
    """Hold every computed order against the map of a real link in that order, by output section and cause.

    Without `starts`, what lies ahead of output sections is left out.
    """
    orders = compute(linked, read_objects(list(map(str, objects))), dot_values())
    assert [note for note in orders.notes if "left as linked" in note] == []
    assert [layout.order for layout in orders.layouts] == list(ORDERS)
    for layout in orders.layouts:
        real = section_paddings(linked if layout.order == AS_LINKED else relinked[layout.order])
        if starts:
            assert layout.sections == real, layout.order
        shown = [(row.name, row.size, row.input_alignment, row.inside) for row in layout.sections]
        assert shown == [(row.name, row.size, row.input_alignment, row.inside) for row in real], layout.order


def relink(command: list[str | Path], folder: Path, script: str, objects: list[str]) -> dict[str, LinkMap]:
    """Link in the three orders that are not as linked. The scripts for two of them are made from `script`."""
    (folder / "plain.lds").write_text(script)
    (folder / "catch.lds").write_text(catch_alls_sorted(script))
    (folder / "objects.lds").write_text(objects_sorted(script, objects))
    found = {}
    for order, name, options in (
        (ALL_SORTED, "plain", ["-Wl,--sort-section=alignment"]),
        (CATCH_ALLS_SORTED, "catch", []),
        (OBJECTS_SORTED, "objects", []),
    ):
        made = [*command, *options, f"-Wl,-T,{folder / name}.lds,-Map={folder / name}.map", "-o", folder / name]
        done = subprocess.run(made, capture_output=True, text=True, cwd=folder)
        assert done.returncode == 0, done.stderr
        found[order] = read_map(str(folder / f"{name}.map"))
    return found


def members(linked: LinkMap) -> list[str]:
    """The inputs of a link as file patterns of a script, in the order of the link.

    Every object has a section that says what its stack needs; they are discarded, and listed in that order.
    """
    entries = (entry for entry in linked.discarded if entry.name == ".note.GNU-stack")
    names = (f"*{Path(i.file).name}:{i.member}" if i.member else f"*{Path(i.file).name}" for i in entries)
    return list(dict.fromkeys(names))


def default_script() -> str:
    """The script with which GNU ld links a static program."""
    text = subprocess.run([tool("ld"), "--verbose", "-static"], capture_output=True, text=True, check=True).stdout
    return text.split("=" * 50)[1]


@pytest.mark.parametrize("relro", [True, False], ids=["default script", "plain addresses"])
def test_static_program(tmp_path, relro):
    """A program with its C library: 400 objects, 2,000 input sections, merged strings, sections that ld makes."""
    built = corpus.static_image("x86_64-linux-gnu-")
    script = default_script()
    if not relro:
        # Where the data segment starts is then no matter of several passes over the whole link.
        script = re.sub(r"DATA_SEGMENT_ALIGN *\(.*\);", "ALIGN(CONSTANT (MAXPAGESIZE));", script)
        script = re.sub(r"\. = DATA_SEGMENT_\w+ *\(.*\);", "", script)
    command: list[str | Path] = [tool("x86_64-linux-gnu-gcc"), "-static", built.inputs[0]]
    plain = tmp_path / "linked.lds"
    plain.write_text(script)
    subprocess.run([*command, f"-Wl,-T,{plain},-Map=linked.map", "-o", "linked"], check=True, cwd=tmp_path)
    linked = read_map(str(tmp_path / "linked.map"))
    files = {entry.file for section in linked.sections for entry in section.inputs if Path(entry.file).exists()}
    agree(linked, sorted(map(Path, files)), relink(command, tmp_path, script, members(linked)), starts=not relro)


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32"])
def test_mini_hypervisor(tmp_path, arch):
    mini = mini_image(arch)
    script = mini.preprocessed.read_text()
    command: list[str | Path] = [
        tool(f"{TARGETS[arch].prefix}gcc"),
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,--build-id=sha1",
        *mini.objects,
    ]
    agree(
        read_map(str(mini.map)),
        list(mini.objects),
        relink(command, tmp_path, script, [f"*{o.name}" for o in mini.objects]),
    )


_SCRIPT = """
SECTIONS {
  . = 0x100000;
  .text : {
    *(.text.head)
    *(.text .text.*)
    . = ALIGN(256);
    middle = .;
    *(SORT_BY_NAME(.sorted.*))
    *(SORT_BY_ALIGNMENT(.ready.*))
    *(SORT_NONE(.kept.*))
    *(.one .two)
    . = . + 5;
    *(.init)
    BYTE(1)
    *(.rest.*)
    . = ALIGN(64);
  }
  . = ALIGN(4096);
  .data : { *(.data .data.*) . = ALIGN(32); *(.table.*) }
  .bss (NOLOAD) : { *(.bss .bss.*) *(COMMON) . = ALIGN(8); }
  . = ALIGN(8);
  .tail : { *(.tail) }
}
"""
_NAMES = (
    *(".text.head", ".text", ".text.a", ".text.b", ".sorted.a", ".sorted.b", ".ready.a", ".kept.a", ".one", ".two"),
    *(".init", ".rest.a", ".data", ".data.a", ".data.b", ".table.a", ".bss", ".bss.a", ".tail", ".orphan"),
)


def random_objects(folder: Path, seed: int) -> list[Path]:
    """Objects with sections of any size and alignment."""
    random = Random(seed)
    objects = []
    for number in range(random.randint(1, 6)):
        lines = []
        for index in range(random.randint(1, 25)):
            name = random.choice(_NAMES)
            kind = "@nobits" if name.startswith(".bss") else "@progbits"
            flags = "aw" if name.startswith((".data", ".bss", ".table")) else "ax"
            # Sections of one name in one object stay apart under numbers of their own.
            lines.append(f'.section {name},"{flags}",{kind},unique,{index}')
            lines.append(f".balign {2 ** random.randint(0, 7)}")
            lines.append(f".skip {random.choice([0, 1, 2, 3, 5, 8, 13, 16, 40, 100])}")
        if random.random() < 0.5:
            lines.append(f".comm common_{number},{random.randint(1, 70)},{2 ** random.randint(0, 5)}")
        objects.append(assemble(folder, "\n".join(lines) + "\n", name=f"o{number}.o"))
    return objects


def random_link(folder: Path, seed: int) -> None:
    """One random link in four orders."""
    objects = random_objects(folder, seed)
    done = link(folder, _SCRIPT, objects)
    assert done.map is not None, done.output
    command = [tool("x86_64-linux-gnu-gcc"), "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,-e,0"]
    linked = read_map(str(done.map))
    agree(linked, objects, relink([*command, *objects], folder, _SCRIPT, [f"*{o.name}" for o in objects]))


@pytest.mark.parametrize("seed", range(6))
def test_random_links(tmp_path, seed):
    random_link(tmp_path, seed)


@pytest.mark.sweep
def test_many_random_links(tmp_path):
    """`LDCHECK_SEED` begins another series."""
    start = int(os.environ.get("LDCHECK_SEED", "100"))
    for seed in range(start, start + 100):
        folder = tmp_path / str(seed)
        folder.mkdir()
        random_link(folder, seed)


def test_dot_that_goes_back_to_where_another_region_is_loaded(tmp_path):
    """Behind a section that runs elsewhere, a script counts on from its load address by a symbol that no map tells."""
    script = """
MEMORY { mem : ORIGIN = 0x44200000, LENGTH = 64K ram : ORIGIN = 0xe6302000, LENGTH = 4K }
SECTIONS
{
  .text : { *(.text) } > mem
  loaded = .;
  .run : { *(.run) } > ram AT> mem
  . = loaded + SIZEOF(.run);
  .data : { . = ALIGN(4); *(.data .data.*) . = ALIGN(4); } > mem
  .bss : { *(.bss) } > mem
}
"""
    sources = (
        '.globl _start\n.text\n_start: .skip 7\n.section .run,"ax"\n.skip 20\n.data\n.balign 16\n.skip 33\n',
        '.data\n.skip 1\n.section .data.x,"aw"\n.balign 8\n.skip 9\n.bss\n.skip 4\n',
    )
    objects = [assemble(tmp_path, source, name=name) for source, name in zip(sources, ("a.o", "b.o"), strict=True)]

    def linked(name: str, text: str, *options: str) -> LinkMap:
        done = link(tmp_path, text, objects, options=options, name=name)
        assert done.map is not None, done.output
        return read_map(str(done.map))

    other = {
        ALL_SORTED: linked("all", script, "--sort-section=alignment"),
        CATCH_ALLS_SORTED: linked("catch", catch_alls_sorted(script)),
        OBJECTS_SORTED: linked("objects", objects_sorted(script, ["*a.o", "*b.o"])),
    }
    agree(linked("plain", script), objects, other)
