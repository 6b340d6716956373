"""What a name means in a link: which of several symbols, a function of Thumb code, a memory region of the map."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck import check
from ldcheck.findings import Verdict
from ldcheck.report.model import Report
from tests.support.build import LinkResult, assemble, compile_c, link

HIDDEN = """
SECTIONS {
  . = 0x200000;
  .text : { *(.text .text.*) }
  .bss : { *(.bss .bss.* COMMON) }
  . = ALIGN(16) + 20;
  PROVIDE_HIDDEN(heap_start = .);
  . = . + 0x1000;
  heap_end = .;
  /DISCARD/ : { *(.comment .note* .eh_frame .data) }
}
"""
USES = "extern char heap_start[]; int _start(void) { return heap_start[0]; }"
STATIC = """
static char *volatile heap_start; static char big[200];
__attribute__((used)) char *alloc(int n) { heap_start += n; return heap_start + big[n]; }
"""
SIZE = "limit: heap_end - heap_start, to: 4K, evidence: image"
LINKERS = pytest.mark.parametrize("linker", ["ld", "ld.lld-19"])


def judged(done: LinkResult, *rules: str, script: bool = False, mapped: str = "", linker: str = "") -> Report:
    """The report on an image by some rules, with its map and its script if they are asked for."""
    policy = done.script.with_name("policy.yaml")
    policy.write_text("ldcheck: 1\nrules:\n" + "".join(f"  - {{id: r{at}, {rule}}}\n" for at, rule in enumerate(rules)))
    return check(
        [str(done.script)] if script else [], policies=[str(policy)], elf=str(done.elf), map=mapped, linker=linker
    )


def verdicts(report: Report) -> list[Verdict]:
    """One for each rule."""
    assert not [error for error in report.errors if "nothing was checked" not in error.message], report.errors
    return [result.verdict for result in report.rules]


RULES = [
    "align: heap_start, to: 16, evidence: image",
    SIZE,
    "assert: heap_end - heap_start == 0x1000, evidence: image",
    "order: [.bss, heap_start], evidence: image",
    "bracket: .bss, with: [heap_start, heap_end], evidence: image",
    "separate-pages: [.text, heap_start..heap_end], page: 1, evidence: image",
    "place: .text, never-between: [heap_start, heap_end], evidence: image",
]


@LINKERS
def test_which_of_two_local_symbols_the_script_made_only_the_map_tells(tmp_path: Path, linker: str) -> None:
    objects = [compile_c(tmp_path, STATIC), compile_c(tmp_path, USES, name="b.o")]
    done = link(tmp_path, HIDDEN, objects, linker=linker)
    assert verdicts(judged(done, *RULES)) == [Verdict.NOT_CHECKED] * len(RULES)
    told = judged(done, *RULES, mapped=str(done.map))
    violated, held = Verdict.VIOLATED, Verdict.HELD
    assert verdicts(told) == [violated, held, held, held, violated, held, held]
    # One that nobody else has is known by its name.
    done = link(tmp_path, HIDDEN, [objects[1]], linker=linker)
    assert verdicts(judged(done, SIZE)) == [held]


def test_the_symbol_of_an_object_that_the_script_need_not_provide(tmp_path: Path) -> None:
    done = link(tmp_path, HIDDEN, [assemble(tmp_path, ".globl heap_start\n.bss\n.skip 4\nheap_start: .skip 4")])
    assert verdicts(judged(done, "assert: heap_start == ADDR(.bss) + 4", mapped=str(done.map))) == [Verdict.HELD]


def test_an_assert_on_a_hidden_symbol_counts_the_value_that_the_script_gave_it(tmp_path: Path) -> None:
    script = HIDDEN.replace("heap_end = .;", 'ASSERT(heap_start == ADDR(.bss) + SIZEOF(.bss) + 4, "heap")')
    script = script.replace("PROVIDE_HIDDEN", "HIDDEN").replace("ALIGN(16) + 20", ". + 4")
    done = link(tmp_path, script, [compile_c(tmp_path, STATIC)])
    for mapped in ("", str(done.map)):
        assert verdicts(judged(done, "lint: failed-assert", script=True, mapped=mapped)) == [Verdict.HELD]


THUMB = """
.syntax unified
.thumb
.section .text.boot,"ax"
.globl _start
.thumb_func
.type _start, %function
_start: bx lr
nop
.globl end
.thumb_func
.type end, %function
end: bx lr
"""
FIRST = "SECTIONS { . = 0x8000; .text : { *(.text.boot) *(.text) } /DISCARD/ : { *(.ARM.*) } }\n"
CONDITIONS = ("_start == 0x8000", "(_start & 3) == 0", "end - _start == 4")


@LINKERS
@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_bit_of_thumb_code_counts_as_the_linker_counts_it(tmp_path: Path, linker: str, condition: str) -> None:
    objects = [assemble(tmp_path, THUMB, "arm32")]
    options = () if linker == "ld" else ("-marmelf",)
    text = FIRST + f'ASSERT({condition}, "first")\n'
    holds = link(tmp_path, text, objects, "arm32", options, linker).ok
    done = link(tmp_path, FIRST, objects, "arm32", options, linker)
    done.script.write_text(text)
    rules = (f"assert: {condition}, evidence: image", "lint: failed-assert", "align: _start, to: 4, evidence: image")
    wanted = Verdict.HELD if holds else Verdict.VIOLATED
    assert verdicts(judged(done, *rules, script=True, mapped=str(done.map))) == [wanted, wanted, Verdict.HELD]
    named = "gnu" if linker == "ld" else "lld"
    assert verdicts(judged(done, *rules, script=True, linker=named)) == [wanted, wanted, Verdict.HELD]
    # Where nothing says who made the image, both have to agree.
    open_verdict = Verdict.HELD if condition == CONDITIONS[2] else Verdict.NOT_CHECKED
    if ".comment" not in _sections(done):
        assert verdicts(judged(done, *rules, script=True)) == [open_verdict, open_verdict, Verdict.HELD]


def _sections(done: LinkResult) -> set[str]:
    from ldcheck.image.elf import read_elf

    return {section.name for section in read_elf(str(done.elf)).sections}


MEMORY = """
MEMORY { FLASH : ORIGIN = 0x1000, LENGTH = 4K RAM : ORIGIN = 0x8000, LENGTH = 4K }
SECTIONS { .text : { *(.text) } > FLASH .data : { *(.data) } > RAM }
"""


def test_memory_regions_are_those_of_the_map_where_there_is_no_script(tmp_path: Path) -> None:
    done = link(tmp_path, MEMORY, [assemble(tmp_path, ".text\n.long 1\n.data\n.long .data")], options=["--emit-relocs"])
    rules = (
        "assert: ADDR(.text) + SIZEOF(.text) <= ORIGIN(FLASH) + LENGTH(FLASH)",
        "load-address: .data, is: ORIGIN(RAM)",
        "no-reference: {from: {region: RAM}, to: {region: FLASH}}",
    )
    assert verdicts(judged(done, *rules, mapped=str(done.map))) == [Verdict.HELD] * 3
    assert verdicts(judged(done, *rules)) == [Verdict.NOT_CHECKED] * 3
    (error,) = judged(done, rules[0].replace("FLASH", "FLASSH"), mapped=str(done.map)).errors[:1]
    assert "the image has no FLASSH" in error.message


@pytest.mark.parametrize("script", [True, False])
def test_an_object_is_no_image(tmp_path: Path, *, script: bool) -> None:
    done = link(tmp_path, "SECTIONS { .data : { *(.data) } }", [assemble(tmp_path, ".data\n.long 1")], options=["-r"])
    report = judged(done, "align: .data, to: 4K, evidence: image", script=script)
    assert [error.message for error in report.errors] == ["this is an object that was not linked"]
    assert not report.rules
