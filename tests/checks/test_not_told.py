"""What maps and images do not tell, and no rule is held by: each is asked of small links by the real linkers."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.findings import EvidenceKind, Verdict
from ldcheck.report.model import Report
from tests.checks.test_linked import EACH_LINKER, HOOKS, PLAIN, START, judged, linked, said

LLD = "ld.lld-16"


def told(report: Report) -> tuple[Verdict, str]:
    """The verdict on the one rule, and why."""
    assert len(report.rules) == 1
    return report.rules[0].verdict, report.rules[0].reason


# A map of lld: no patterns, nothing of what was dropped or merged ----------------------------------------------------

SHADOWED = PLAIN.replace(".bss :", ".data.mine : { *(.data.mine) } .bss :")
MINE = f'{START}.section .data.mine,"aw"\n.long 1\n'


def test_a_map_of_lld_names_no_patterns(tmp_path: Path) -> None:
    rule = "no-wildcard-may-shadow: .data.mine"
    done = linked(tmp_path, SHADOWED, MINE, linker=LLD)
    assert told(judged(done, rule, with_script=False)) == (
        Verdict.NOT_CHECKED,
        "a map of lld names no patterns, give the script",
    )
    (found,) = judged(done, rule).findings
    assert "in the image: 4 bytes (1 input section) are in .data at 0x" in str(found.facts)


def test_a_map_of_lld_and_its_script_tell_what_took_a_section(tmp_path: Path) -> None:
    script = SHADOWED.replace("*(.data .data.*)", "a.o(.data .data.*)")
    done = linked(tmp_path, script, START, '.section .data.mine,"aw"\n.long 1\n', linker=LLD)
    report = judged(done, "no-wildcard-may-shadow: .data.mine, evidence: map")
    assert (told(report)[0], report.rules[0].evidence) == (Verdict.HELD, (EvidenceKind.MAP,))


COLLECTING = "ENTRY(_start) SECTIONS { . = 0x10000; .text : { *(.text*) } .hooks : { from = .; *(.hooks) to = .; } }"
USED = '.section .hooks,"a"\n.globl used\nused: .quad 3\n.section .text.other,"ax"\n.long 0\n'


def test_a_map_of_lld_does_not_list_what_was_dropped(tmp_path: Path) -> None:
    source = HOOKS.replace("_start: .long 0", "_start: .quad used")
    done = linked(tmp_path, COLLECTING, source, USED, linker=LLD, options=("--gc-sections",))
    objects = (tmp_path / "a.o", tmp_path / "b.o")
    for given, lacking in (((), "give --objects"), (objects[1:], "the objects lack a.o")):
        verdict, reason = told(judged(done, "keep: .hooks, evidence: map", objects=given))
        assert verdict is Verdict.NOT_CHECKED
        assert reason.endswith(lacking)
    assert said(judged(done, "keep: .hooks, evidence: map", objects=objects)) == [
        f"error: .hooks of {objects[0]} was dropped"
    ]
    done = linked(tmp_path, COLLECTING, source, USED, linker=LLD)
    assert told(judged(done, "keep: .hooks, evidence: map", objects=objects))[0] is Verdict.HELD


def test_what_may_not_have_been_linked_is_not_told_to_be_dropped(tmp_path: Path) -> None:
    source = HOOKS.replace("_start: .long 0", "_start: .quad used").partition(".section .hooks")[0]
    unused = '.section .hooks,"a"\n.quad 1\n'
    done = linked(tmp_path, COLLECTING, source, USED, unused, linker=LLD, options=("--gc-sections",))
    objects = tuple(tmp_path / name for name in ("a.o", "b.o", "c.o"))
    assert told(judged(done, "keep: .hooks, evidence: map", objects=objects)) == (
        Verdict.NOT_CHECKED,
        "a map of lld does not tell whether .hooks of c.o was dropped, merged or not linked at all",
    )


@pytest.mark.parametrize("linker", ["ld", LLD])
@pytest.mark.parametrize("keep", [True, False])
def test_an_empty_table_that_may_have_been_collected_is_not_held_by_its_script(
    tmp_path: Path, linker: str, *, keep: bool
) -> None:
    taking = "KEEP(*(.hooks))" if keep else "*(.hooks)"
    source = HOOKS.partition(".section .hooks")[0] if keep else HOOKS
    script = COLLECTING.replace("from = .; *(.hooks)", f"from = .; {taking}")
    # What comes behind it takes nothing of the table.
    script = script.replace("to = .; }", "to = .; } .rest : { *(.h*) }")
    done = linked(tmp_path, script, source, linker=linker, options=("--gc-sections",))
    rule = "bracket: .hooks, with: [from, to], aligned-to: 1"
    wanted = Verdict.HELD if keep else Verdict.NOT_CHECKED
    verdict, reason = told(judged(done, rule, with_map=False))
    assert (verdict, "from .. to is empty, and only a map" in reason) == (wanted, not keep)
    by_map, reason = told(judged(done, rule))
    if linker == "ld":
        assert by_map is (Verdict.HELD if keep else Verdict.VIOLATED)
        return
    assert (by_map, "from .. to is empty, and a map of lld does not list" in reason) == (wanted, not keep)
    assert told(judged(done, rule, objects=(tmp_path / "a.o",)))[0] is (Verdict.HELD if keep else Verdict.VIOLATED)


MERGED = (
    "SECTIONS { . = 0x10000; .text : { *(.text) }"
    " .rodata : { *(.rodata .rodata.*) from = .; *(.names) to = .; *(.init.rodata.*) } .data : { *(.data) } }"
)
STRINGS = "".join(
    f'.section {name},"aMS",@progbits,1\n.asciz "{name}"\n' for name in (".init.rodata.str1.1", ".names", ".rodata.str")
)


@pytest.mark.parametrize(
    "rule",
    [
        "discard: .init.rodata.str1.1, evidence: map",
        "place: .init.rodata.*, in: .init",
        "place: .init.rodata.str1.1, never-in: .rodata",
        "bracket: .names, with: [from, to], aligned-to: 1",
    ],
)
def test_what_lld_merged_has_no_name_in_its_map(tmp_path: Path, rule: str) -> None:
    plain = '.section .init.rodata.plain,"a"\n.long 1\n'
    done = linked(tmp_path, MERGED, START + STRINGS, STRINGS + plain, linker=LLD, options=("-O2",))
    for objects in (), (tmp_path / "a.o", tmp_path / "b.o"):
        with_script = rule.startswith("bracket")
        if "in: .init" in rule:
            # What has a name tells it already.
            assert said(judged(done, rule, with_script=with_script, objects=objects))
            continue
        verdict, reason = told(judged(done, rule, with_script=with_script, objects=objects))
        assert verdict is Verdict.NOT_CHECKED
        assert "may be part of what lld merged in .rodata" in reason


@pytest.mark.parametrize(
    ("rule", "with_script", "with_objects"),
    [
        ("discard: .init.data, evidence: map", False, False),
        ("discard: .eh_frame, evidence: map", False, False),
        ("discard: .exit, evidence: map", True, False),
        ("discard: .exit, evidence: map", False, True),
        ("place: .rodata.*, in: .rodata, evidence: map", False, False),
    ],
)
def test_what_cannot_be_among_what_lld_merged_is_held(
    tmp_path: Path, rule: str, *, with_script: bool, with_objects: bool
) -> None:
    script = MERGED.replace(".data :", "/DISCARD/ : { *(.exit) } .data :")
    sources = f'{START}{STRINGS}.section .exit,"a"\n.long 1\n', f'{STRINGS}.section .rodata.x,"a"\n.long 1\n'
    done = linked(tmp_path, script, *sources, linker=LLD, options=("-O2",))
    objects = (tmp_path / "a.o", tmp_path / "b.o") if with_objects else ()
    assert told(judged(done, rule, with_script=with_script, objects=objects))[0] is Verdict.HELD


CHOSEN = "SECTIONS {{ . = 0x10000; .text : {{ *(.text) }} .mine : {} .data : {{ *(.data) }} }}"


def test_an_orphan_among_what_lld_merged_is_told_by_the_objects(tmp_path: Path) -> None:
    script = CHOSEN.format("{ *b.o(.mine) }")
    strings = '.section .mine,"aMS",@progbits,1\n.asciz "text"\n'
    done = linked(tmp_path, script, START, strings, strings, linker=LLD, options=("-O2",))
    verdict, reason = told(judged(done, "orphans: none"))
    assert verdict is Verdict.NOT_CHECKED
    assert "lld merged what is in .mine, some of which a statement may not have taken" in reason
    objects = tuple(tmp_path / name for name in ("a.o", "b.o", "c.o"))
    assert said(judged(done, "orphans: none", objects=objects)) == ["error: no statement takes .mine"]
    done = linked(tmp_path, script, START, strings, linker=LLD, options=("-O2",))
    assert told(judged(done, "orphans: none", objects=objects[:2]))[0] is Verdict.HELD


# Flags that decide whether a statement takes a section ---------------------------------------------------------------

CODE, CONSTANT = '.section .mine,"ax"\n.long 1\n', '.section .mine,"a"\n.long 1\n'


@EACH_LINKER
@pytest.mark.parametrize(
    ("body", "sources", "is_orphan"),
    [
        ("{ INPUT_SECTION_FLAGS(SHF_EXECINSTR) *(.mine) }", (CODE, CODE), False),
        ("{ INPUT_SECTION_FLAGS(SHF_EXECINSTR) *(.mine) }", (CODE, CONSTANT), True),
        ("ONLY_IF_RO { *(.mine) }", (CODE, CONSTANT), False),
        ("ONLY_IF_RW { *(.mine) }", (CODE, CONSTANT), True),
    ],
)
def test_what_flags_decide_only_objects_tell(
    tmp_path: Path, linker: str, body: str, sources: tuple[str, ...], *, is_orphan: bool
) -> None:
    done = linked(tmp_path, CHOSEN.format(body), START, *sources, linker=linker)
    objects = tuple(tmp_path / name for name in ("a.o", "b.o", "c.o"))
    report = judged(done, "orphans: none", objects=objects)
    assert said(report) == (["error: no statement takes .mine"] if is_orphan else [])
    verdict, reason = told(judged(done, "orphans: none"))
    # An orphan that has an output section of its own is told by its place in a map of GNU ld.
    if is_orphan and "ONLY" in body and linker == "ld":
        assert verdict is Verdict.VIOLATED
        return
    assert verdict is Verdict.NOT_CHECKED
    assert "the flags of .mine decide whether a statement took it" in reason


@EACH_LINKER
def test_of_two_sections_for_what_can_be_written_and_what_cannot_a_link_has_one(tmp_path: Path, linker: str) -> None:
    body = "ONLY_IF_RO { *(.mine) } .mine : ONLY_IF_RW { *(.mine) }"
    done = linked(tmp_path, CHOSEN.format(body), START, CONSTANT, CODE, linker=linker)
    assert told(judged(done, "orphans: none"))[0] is Verdict.HELD


@pytest.mark.parametrize("taking", ["*b.o(.mine)", "*(EXCLUDE_FILE(*c.o) .mine)", "EXCLUDE_FILE(*c.o) *(.mine)"])
def test_a_map_of_gnu_ld_alone_tells_of_which_files_a_statement_takes(tmp_path: Path, taking: str) -> None:
    done = linked(tmp_path, CHOSEN.format(f"{{ {taking} }}"), START, CONSTANT, CONSTANT)
    assert said(judged(done, "orphans: none", with_script=False)) == ["error: no statement takes .mine"]
    done = linked(tmp_path, CHOSEN.format(f"{{ {taking} }}"), START, CONSTANT)
    assert told(judged(done, "orphans: none", with_script=False))[0] is Verdict.HELD


@pytest.mark.parametrize("linker", ["ld.lld-14", "ld.lld-16", "ld.lld-19"])
def test_a_map_of_lld_does_not_tell_where_frames_lie_behind_others(tmp_path: Path, linker: str) -> None:
    script = (
        "SECTIONS { . = 0x10000; .text : { *(.text) }"
        " .rodata : { . = ALIGN(8); from = .; *(.tab) to = .; *(.eh_frame) } }"
    )
    frames = ".text\n.globl _start\n_start: .cfi_startproc\nnop\n.cfi_endproc\n"
    done = linked(tmp_path, script, frames + '.section .tab,"a"\n.quad 1, 2\n', linker=linker)
    bracket = "bracket: .tab, with: [from, to], entry-size: 8"
    assert told(judged(done, bracket))[0] is Verdict.HELD
    untold = "a map of lld does not tell where .eh_frame lies in its section"
    assert told(judged(done, bracket, with_script=False)) == (Verdict.NOT_CHECKED, untold)
    never = "place: .eh_frame, never-between: [from, to], evidence: map"
    assert told(judged(done, never)) == (Verdict.NOT_CHECKED, untold)
