"""What GNU ld takes out of a link or rewrites is played through as ld does it, without a map that tells."""

from __future__ import annotations

import os
from contextlib import chdir
from pathlib import Path

import pytest

from ldcheck.image.definitions import read_definitions
from ldcheck.image.maps import read_map
from ldcheck.image.objects import read_objects
from ldcheck.layout.knowledge import NotPredicted, Options
from ldcheck.layout.played import Played
from ldcheck.layout.player import play
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.layout.played_links import Tally, compare, run_related
from tests.support.build import assemble, compile_c, link

_FIRST = int(os.environ.get("LDCHECK_LAYOUT_SEED", "1"))
_LINKS = int(os.environ.get("LDCHECK_PLAYED_LINKS", "500"))
_TARGETS = ("x86_64", "arm64", "arm32", "riscv64")


@pytest.mark.parametrize("frames", [False, True], ids=["plain", "frames"])
@pytest.mark.parametrize("target", _TARGETS)
def test_what_refers_to_each_other_is_kept(tmp_path: Path, target: str, frames: bool) -> None:
    judged(run_related(tmp_path, range(_FIRST, _FIRST + 12), target, frames))


@pytest.mark.sweep
@pytest.mark.parametrize("frames", [False, True], ids=["plain", "frames"])
@pytest.mark.parametrize("target", _TARGETS)
def test_many_random_objects_that_refer_to_each_other(tmp_path: Path, target: str, frames: bool) -> None:
    judged(run_related(tmp_path, range(_FIRST + 1000, _FIRST + 1000 + _LINKS), target, frames))


def judged(tally: Tally) -> None:
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    assert tally.predicted > tally.links * 0.7, tally.refused
    assert tally.inputs > tally.links


def played(folder: Path, script: str, objects: list[Path], target: str = "x86_64", collects: bool = False) -> Played:
    """Play a link, and compare it with ld's."""
    done = link(folder, script, objects, target, ["--gc-sections"] * collects + ["--noinhibit-exec"])
    assert done.map is not None, done.output
    found = predicted(folder, script, objects, target, collects)
    tally = Tally()
    compare(found, read_map(str(done.map)), script, tally)
    assert not tally.broken, tally.broken[0]
    return found


def predicted(folder: Path, script: str, objects: list[Path], target: str, collects: bool) -> Played:
    with chdir(folder):
        names = [path.name for path in objects]
        inputs, symbols = read_objects(names), read_definitions(names)
    return play(parse(Source("t.lds", script)).tree, inputs, symbols, Options(arch=target, collects=collects))


_SOURCES = (
    "int used(int); int start(int x) { return used(x) + 1; } int unused(int x) { return used(x) * 2; }",
    "int data[4] = {1}; int other(int); int used(int x) { return data[x] + other(x); } int idle(int x) { return x; }",
    "extern char end[]; int other(int x) { char *at = end; return at[x]; } int lone(int x) { return other(x) / 3; }",
)
_SCRIPT = """ENTRY(start) SECTIONS { . = 0x10000; .text : { *(.text*) } .ARM.exidx : { *(.ARM.exidx*) }
.eh_frame : { KEEP(*(.eh_frame)) } .data : { *(.data*) *(.bss*) } end = .; }"""


@pytest.mark.parametrize("collects", [False, True], ids=["all", "collected"])
@pytest.mark.parametrize("target", _TARGETS)
def test_unwinding_information_of_a_compiler(tmp_path: Path, target: str, collects: bool) -> None:
    options = ["-O1", "-ffunction-sections", "-fdata-sections", "-fasynchronous-unwind-tables", "-fno-pic", "-g"]
    options += ["-mno-relax", "-mcmodel=medany"] * (target == "riscv64") + ["-marm"] * (target == "arm32")
    objects = [compile_c(tmp_path, text, target, f"u{at}.o", options) for at, text in enumerate(_SOURCES)]
    found = played(tmp_path, _SCRIPT, objects, target, collects)
    name = ".ARM.exidx" if target == "arm32" else ".eh_frame"
    size = {section.name: section.size for section in found.sections}[name]
    assert size
    whole = sum(one.size for one in read_objects([str(path) for path in objects]) if one.name.startswith(name))
    assert size != whole


_FUNCTION = '.section .text.f,"ax"\nf: .cfi_startproc\n.skip 8\n.cfi_def_cfa_offset 16\n.skip 8\n.cfi_endproc\n'
_TABLES = {
    "common information once": _FUNCTION,
    "an end": '.text\n.long 1\n.section .eh_frame,"a"\n.long 0\n',
    "a function of no bytes": _FUNCTION + ".cfi_startproc\n.cfi_endproc\n",
    "several": _FUNCTION + _FUNCTION.replace("f:", "g:").replace("16", "32"),
    "a signal": _FUNCTION.replace(".skip 8\n.cfi_def", ".cfi_signal_frame\n.skip 8\n.cfi_def"),
}


@pytest.mark.parametrize("source", _TABLES.values(), ids=_TABLES)
@pytest.mark.parametrize("script", [_SCRIPT, "SECTIONS { .text : { *(.text*) } }"], ids=["placed", "orphan"])
def test_entries_are_merged_as_ld_merges_them(tmp_path: Path, source: str, script: str) -> None:
    objects = [assemble(tmp_path, source if at else _FUNCTION, name=f"f{at}.o") for at in range(3)]
    played(tmp_path, script, objects)
    played(tmp_path, script, objects[::-1])


@pytest.mark.parametrize(
    ("source", "script", "reason"),
    [
        (".globl start\nstart:", _SCRIPT, "start is in a section without bytes"),
        (".globl start, x\nstart: .quad y\nx:", "y = x + 1; " + _SCRIPT, "what y keeps"),
        (".globl start\nstart: .quad x\n.globl x\nx:", "x += 1; " + _SCRIPT, "what x keeps"),
        (
            '.globl start\nstart: .quad __start_t\n.section t,"a"\n.long 1',
            "PROVIDE(__start_t = 1); " + _SCRIPT,
            "__start_t is the script's or the linker's",
        ),
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, source: str, script: str, reason: str) -> None:
    path = assemble(tmp_path, f".text\n{source}\n")
    with pytest.raises(NotPredicted, match=reason):
        predicted(tmp_path, script, [path], "x86_64", collects=True)


def test_the_table_of_dynamic_relocations_takes_a_place(tmp_path: Path) -> None:
    source = '.option norelax\n.text\nlui a0, %hi(end)\n.section .odd,"a"\n.byte 1\n'
    path = assemble(tmp_path, source, "riscv64")
    names = [section.name for section in played(tmp_path, _SCRIPT, [path], "riscv64").sections]
    assert names[:3] == [".text", ".odd", ".rela.dyn"]


def test_debugging_information_may_refer_to_itself(tmp_path: Path) -> None:
    source = '.text\n.globl start\nstart: .long 1\n.section .debug_line.text,"",@progbits\n.Lx: .quad .Lx\n'
    path = assemble(tmp_path, source)
    found = played(tmp_path, _SCRIPT, [path], collects=True)
    assert found.sections[-1].name == ".debug_line.text"


def test_what_goes_with_discarded_code_leaves_its_output_section(tmp_path: Path) -> None:
    source = '.text\n.long 1\n.section .gone,"ax"\n.long 2\n.section linked,"ao",@progbits,.gone\n.long 3\n'
    path = assemble(tmp_path, source)
    script = "SECTIONS { . = 0x10000; .text : { *(.text) } .linked : { *(linked) } /DISCARD/ : { *(.gone) } }"
    found = played(tmp_path, script, [path])
    assert {section.name: section.size for section in found.sections}[".linked"] == 0
    assert {section.name for section in found.thrown} >= {".gone", "linked"}
