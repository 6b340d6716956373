"""What GNU ld of other years does otherwise with names, patterns, sorting and orphans: each rule by itself.

What is expected follows from the rule; the programs of these years are asked in the sweep.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.linker import Linker as Meant
from ldcheck.sections.assign import assign
from tests.sections import random_links
from tests.sections.linked import input_sections
from tests.sections.scripts import tree
from tests.sections.test_against_ld import compare
from tests.support.linkers import GNU, Linker, command

SOURCE = """
.section .note.x,"a",@note
.globl at_note
at_note: .long 1
.section .rodata,"a"
.globl at_rodata
at_rodata: .long 1
.section .rodata.x,"a"
.globl at_rodata_x
at_rodata_x: .long 1
.section .tdata,"awT"
.globl at_tdata
at_tdata: .long 1
.section .more,"aw"
.globl at_more
at_more: .long 1
.text
.globl at_text
at_text: .long 1
"""
MEMBER = ".text\n.globl at_member\nat_member: .long 2\n"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    random_links.assemble(tmp_path, {"a.o": SOURCE, "m.o": MEMBER})
    random_links.archive(tmp_path, "lib.a", ["m.o"])
    # Outside of the archive is another one of that name: ld opens what a script names.
    random_links.assemble(tmp_path, {"m.o": MEMBER.replace("at_member", "at_file")})
    return ["a.o", "m.o", "lib.a"]


def outputs(script: str, files: list[str], folder: Path, *version: int) -> list[tuple[str, list[str]]]:
    """The output sections, each with its inputs that take room."""
    inputs = [section for name in files for section in input_sections(name, folder / name)]
    found: dict[int, tuple[str, list[str]]] = {}
    for one in assign(tree(script), inputs, None, "x86_64", Meant("gnu", version)):
        if one.input.size and one.output != "/DISCARD/" and one.input.flags:
            names = found.setdefault(one.position, (one.output, []))[1]
            names.append(one.input.member + one.input.name)
    return list(found.values())


NOTES = "SECTIONS { .text : { *(.text) } .rodata : { *(.rodata) } .data : { *(.more .tdata) } }"
TYPED = "SECTIONS { .tdata (INFO) : { *(.more) } .text : { *(.text) } .rodata : { *(.rodata*) } }"
NAMED = "SECTIONS { .m : { m.o(.text) } .l : { lib.a(.text) } .text : { *(.text) } }"
ARCHIVE = "SECTIONS { .l : { lib.a(.text) } .text : { *(.text) } }"


def test_notes_are_read_only_data_like_others(files: list[str], tmp_path: Path) -> None:
    # Where there is no .interp, they used to have a place of their own, behind all read-only data of that time. What
    # is put behind .rodata later comes ahead of them there, and behind them where they are in its place.
    orders = [[name for name, _ in outputs(NOTES, files, tmp_path, *version)] for version in ((2, 40), (2, 44), ())]
    before, after, usual = ([name for name in order if name not in (".text", ".data")] for order in orders)
    assert before == [".rodata", ".rodata.x", ".note.x"]
    assert after == [".rodata", ".note.x", ".rodata.x"]
    assert usual == before


def test_a_section_with_a_type_takes_every_orphan_of_its_name(files: list[str], tmp_path: Path) -> None:
    def typed(*version: int) -> list[list[str]]:
        return [inputs for name, inputs in outputs(TYPED, files, tmp_path, *version) if name == ".tdata"]

    assert typed(2, 44) == [[".more"], [".tdata"]]
    assert typed(2, 47) == [[".more", ".tdata"]]


def test_the_name_of_a_file_means_members_too(files: list[str], tmp_path: Path) -> None:
    def taker(script: str, *version: int) -> str:
        (found,) = (name for name, inputs in outputs(script, files, tmp_path, *version) if "m.o.text" in inputs)
        return found

    assert [taker(NAMED, 2, 40), taker(ARCHIVE, 2, 40)] == [".text", ".text"]
    assert [taker(NAMED, 2, 44), taker(ARCHIVE, 2, 44)] == [".m", ".l"]


REPEATED = "SECTIONS { .o : { *(.more) } .p : { *(.rodata*) } .o : { *(.rodata.x) } .text : { *(.text) } }"
LIMITED = "SECTIONS { .o : ONLY_IF_RO { *(.rodata) } .p : { *(.rodata*) } .o : { *(.rodata.x) } .text : { *(.text) } }"
FLAGS = "SECTIONS { .o : { INPUT_SECTION_FLAGS(SHF_WRITE) *(SORT(.rodata*)) } .text : { *(.text) } }"
# Not all names are literal up to the end.
FLAGS_APART = FLAGS.replace("SORT(.rodata*)", "SORT(.rod*) .*x")
MIXED = "SECTIONS { .o : { *(SORT_BY_ALIGNMENT(.rodata*) .more .text) } }"
PRIORITIES = "SECTIONS { .o : { *(SORT_BY_INIT_PRIORITY(.rodata*) SORT_BY_INIT_PRIORITY(.text)) } }"
ENDS = "SECTIONS { .o : { *(.rodata*data) } .text : { *(.text) } }"
DATA = "SECTIONS { .o : { LONG(1) } .text : { *(.text) } .data : { *(.more) } }"


@pytest.mark.parametrize(
    ("script", "before", "after"),
    [
        # The second section of a name is a part of the first.
        (
            REPEATED,
            {".o": [".more", ".rodata.x"], ".p": [".rodata"]},
            {".o": [".more"], ".p": [".rodata", ".rodata.x"]},
        ),
        (LIMITED, {".o": [".rodata", ".rodata.x"]}, {".o": [".rodata"], ".p": [".rodata.x"]}),
        # In a statement that is sorted by name throughout, flags were not looked at.
        (FLAGS, {".o": [".rodata", ".rodata.x"]}, {".rodata": [".rodata"], ".rodata.x": [".rodata.x"]}),
        (FLAGS_APART, {".rodata": [".rodata"]}, {".rodata": [".rodata"]}),
        # Both ends of a name may overlap since.
        (ENDS, {".rodata": [".rodata"]}, {".o": [".rodata"]}),
        (ARCHIVE, {".l": ["m.o.text"]}, {".text": ["m.o.text", ".text", ".text"]}),
    ],
)
def test_what_was_otherwise_before_2_40(
    files: list[str], tmp_path: Path, script: str, before: dict[str, list[str]], after: dict[str, list[str]]
) -> None:
    for version, wanted in (((2, 35), before), ((2, 40), after), ((), after)):
        found = dict(outputs(script, files, tmp_path, *version))
        assert {name: found.get(name) for name in wanted} == wanted, version


def test_a_section_of_nothing_but_data_was_no_read_only_data(files: list[str], tmp_path: Path) -> None:
    before, after = ([name for name, _ in outputs(DATA, files, tmp_path, *version)] for version in ((2, 35), (2, 40)))
    assert before == [".text", ".rodata", ".rodata.x", ".note.x", ".data", ".tdata"]
    assert after == [".note.x", ".text", ".rodata", ".rodata.x", ".data", ".tdata"]


SCRIPTS = {
    "notes": NOTES,
    "typed": TYPED,
    "named": NAMED,
    "archive": ARCHIVE,
    "repeated": REPEATED,
    "limited": LIMITED,
    "flags": FLAGS,
    "flags apart": FLAGS_APART,
    "mixed": MIXED,
    "priorities": PRIORITIES,
    "ends": ENDS,
    "data": DATA,
}


@pytest.mark.sweep
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("linker", [pytest.param(one, id=str(one)) for one in GNU])
def test_the_programs_do_so(linker: Linker, script: str, files: list[str], tmp_path: Path) -> None:
    assert command(linker)
    assert compare(tmp_path, script, files, linker=linker) == ""
