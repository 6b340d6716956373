"""Which output sections of an image a rule looks at: all of a name, those that are loaded, and their room in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.findings import Severity, Verdict
from tests.checks.test_linked import EACH_LINKER, START, judged, linked, said

# Several output sections of one name ---------------------------------------------------------------------------------

# lld makes an output section of each description, GNU ld one beside that with NOLOAD for the orphan of its name.
TWICE = (
    "SECTIONS { . = 0x10000; .text : { *(.text) } .mine : { *(.first) } .data : { *(.data) }"
    " .mine : { *(.second) } .bss : { *(.bss) } }"
)
NOLOAD = "SECTIONS { . = 0x10000; .text : { *(.text) } .data : { *(.data) } .mine (NOLOAD) : { *(.second) } }"
SECOND = '.section .second,"aw",@nobits\n.balign 16\n.space 16\n'
TWO = [
    pytest.param("ld.lld-16", TWICE, f'{START}.section .first,"awx"\n.long 1\n{SECOND}', id="lld"),
    pytest.param("ld", NOLOAD, f'{START}.section .mine,"awx"\n.long 1\n{SECOND}', id="ld"),
]


@pytest.mark.parametrize(("linker", "script", "source"), TWO)
def test_every_output_section_of_a_name_is_looked_at(tmp_path: Path, linker: str, script: str, source: str) -> None:
    done = linked(tmp_path, script, source, linker=linker)
    sizes = [found.partition("has ")[2] for found in said(judged(done, "empty: .mine"))]
    assert sizes == ["4 bytes", "16 bytes"]
    for wanted, actual in (("rw-", "rwx"), ("rwx", "rw-")):
        rule = f"permissions: .mine, are: {wanted}, evidence: image"
        assert said(judged(done, rule)) == [f"error: .mine is {actual}, and must be {wanted}"]
    assert len(said(judged(done, "load-address: .mine, is: . + 1, evidence: image"))) == 2
    (pages,) = judged(done, "separate-pages: [.data, .mine], page: 16, evidence: image").rules
    assert pages.verdict is Verdict.NOT_CHECKED
    shared = said(judged(done, "separate-pages: [.text, .mine], page: 4K, evidence: image"))
    assert shared == ["error: .mine and .text share the page at 0x10000"]


@pytest.mark.parametrize(("linker", "script", "source"), TWO)
@pytest.mark.parametrize(
    "rule",
    [
        "align: .mine, to: 2",
        "order: [.text, .mine, .data]",
        "assert: SIZEOF(.mine) > 0",
        "limit: SIZEOF(.mine), to: 1K",
        "load-address: .text, is: ADDR(.mine)",
    ],
)
def test_a_name_of_several_output_sections_has_no_one_address(
    tmp_path: Path, linker: str, script: str, source: str, rule: str
) -> None:
    done = linked(tmp_path, script, source, linker=linker)
    (result,) = judged(done, f"{rule}, evidence: image").rules
    assert result.verdict is Verdict.NOT_CHECKED
    assert "the image has 2 output sections .mine, at 0x" in result.reason


def test_one_with_content_beside_an_empty_one_of_its_name_is_the_one(tmp_path: Path) -> None:
    done = linked(tmp_path, TWICE, START + SECOND, linker="ld.lld-16")
    for rule in ("align: .mine, to: 16", "order: [.text, .mine]", "load-address: .mine, is: ."):
        assert judged(done, f"{rule}, evidence: image").rules[0].verdict is Verdict.HELD


# Room in memory ------------------------------------------------------------------------------------------------------

THREADS = (
    "SECTIONS { . = 0x10000; .text : { *(.text) } . = ALIGN(16); .tdata : { *(.tdata) } .tbss : { *(.tbss) }"
    " . = ALIGN(4K); from = .; .data : { *(.data) } to = .; }"
)
ZEROS = f'{START}.section .tdata,"awT",@progbits\n.long 1\n.section .tbss,"awT",@nobits\n.space 8192\n.data\n.long 2\n'


@EACH_LINKER
@pytest.mark.parametrize("with_map", [True, False])
def test_zeros_of_threads_take_no_memory_where_they_stand(tmp_path: Path, linker: str, *, with_map: bool) -> None:
    done = linked(tmp_path, THREADS, ZEROS, linker=linker)
    for rule in (
        "separate-pages: [[.tdata, .tbss], .data], page: 4K, evidence: image",
        "place: .tbss, never-between: [from, to], evidence: [image]",
        "bracket: .data, with: [from, to], entry-size: 4",
    ):
        assert judged(done, rule, with_map=with_map).rules[0].verdict is Verdict.HELD, rule
    (alone,) = judged(done, "separate-pages: [.tbss, .data], page: 4K", with_map=with_map).rules
    assert alone.verdict is Verdict.NOT_CHECKED
    assert "the image has content in fewer than two of the groups" in alone.reason


# What is not loaded --------------------------------------------------------------------------------------------------


@EACH_LINKER
@pytest.mark.parametrize("with_map", [True, False])
def test_relocations_that_were_processed_are_not_in_the_image_that_runs(
    tmp_path: Path, linker: str, *, with_map: bool
) -> None:
    script = "SECTIONS { . = 0x10000; .text : { *(.text) } .data : { *(.data) } }"
    source = f"{START}.data\n.quad _start\n"
    done = linked(tmp_path, script, source, linker=linker, options=("--emit-relocs",))
    for rule in ("empty: .rela.*", "load-address: '.*', is: ."):
        assert said(judged(done, rule, with_map=with_map)) == [], rule


@EACH_LINKER
def test_relocations_that_are_loaded_are_in_the_image_that_runs(tmp_path: Path, linker: str) -> None:
    script = "SECTIONS { . = 0x10000; .text : { *(.text) } .data : { *(.data) } .rela.dyn : { *(.rela.*) } }"
    done = linked(tmp_path, script, f"{START}.data\n.quad _start\n", linker=linker, options=("-pie",))
    assert len(said(judged(done, "empty: .rela.*", with_map=False))) == 1


# Flags of sections, and of the segments that load them ---------------------------------------------------------------

SEGMENTS = (
    "PHDRS { ro PT_LOAD; text PT_LOAD; data PT_LOAD; } SECTIONS { . = 0x10000; .rodata : { *(.rodata) } :ro"
    " . = ALIGN(4K); .text : { *(.text) } :text . = ALIGN(4K); .data : { *(.data) } :data }"
)


@EACH_LINKER
@pytest.mark.parametrize("is_filled", [True, False])
def test_a_segment_is_told_by_its_place_only_where_all_are_there(
    tmp_path: Path, linker: str, *, is_filled: bool
) -> None:
    constant = '.section .rodata,"a"\n.long 1\n' if is_filled else ""
    done = linked(tmp_path, SEGMENTS, f"{START}.data\n.long 2\n{constant}", linker=linker)
    right = judged(done, "permissions: text, are: r-x").rules[0]
    wrong = judged(done, "permissions: text, are: rw-").rules[0]
    if not is_filled and linker != "ld":
        assert (right.verdict, wrong.verdict) == (Verdict.NOT_CHECKED, Verdict.NOT_CHECKED)
        assert "the image has 2 program headers and PHDRS has 3: nothing tells which one is text" in right.reason
    else:
        assert (right.verdict, wrong.verdict) == (Verdict.HELD, Verdict.VIOLATED)


def test_a_section_that_its_segment_loads_with_more_rights(tmp_path: Path) -> None:
    source = f'{START}.data\n.long 2\n.section .rodata,"a"\n.long 1\n'
    script = "SECTIONS { . = 0x10000; .text : { *(.text) } .rodata : { *(.rodata) } .data : { *(.data) } }"
    report = judged(linked(tmp_path, script, source), "permissions: .text, are: r-x")
    assert (report.rules[0].verdict, report.rules[0].reason) == (
        Verdict.HELD,
        "by the flags of the section, in a segment that is rwx",
    )
    (note,) = report.findings
    assert (note.severity, note.message) == (
        Severity.NOTE,
        ".text is r-x by its own flags, and the segment at 0x10000 is rwx",
    )
    report = judged(linked(tmp_path, SEGMENTS, source), "permissions: .text, are: r-x")
    assert (report.rules[0].verdict, report.rules[0].reason, report.findings) == (Verdict.HELD, "", ())
