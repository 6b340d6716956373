"""Names that want an output section of their own: what GNU ld makes of them there, and beside their sibling."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import ldcheck
from ldcheck.record import dataclass
from tests.support.build import TARGETS, assemble, link
from tests.support.tools import tool


@dataclass(frozen=True, slots=True)
class Case:
    """A section `name` that must not lie beside its `sibling`, for `target`: a program that has both.

    readelf with the arguments `asked` says `wanted` of a link that is right, and not of one that is broken; without
    `asked`, ld refuses to link what is broken.
    """

    target: str
    sibling: str
    name: str
    source: str
    asked: str = ""
    wanted: str = ""
    options: tuple[str, ...] = ()


_UNWIND = """
    .fnstart
    .save {r4, lr}
    push {r4, lr}
    .personality go
    .handlerdata
    .long 0
    .fnend
"""
_FRAMES = (
    ".cfi_startproc\n.cfi_lsda 0x1b, lsda\nnop\n.cfi_endproc\n" + '.section .gcc_except_table,"a"\nlsda: .long 1\n'
)
_PROPERTY = '.section .note.gnu.property,"a"\n.p2align 3\n.long 4, 16, 5\n.asciz "GNU"\n.long 0xc0000002, 4, 3, 0\n'
_COUNTERS = (
    '.quad __start___llvm_prf_data\n.section __llvm_prf_cnts,"aw"\n.quad 0\n.section __llvm_prf_data,"aw"\n.quad 0\n'
)
_UNIT = (
    '.section .debug_info,"",@progbits\n.long 2f-1f\n1: .short 4\n.long .debug_abbrev\n.byte 8, 1\n2:\n'
    '.section .debug_abbrev,"",@progbits\n.byte 1, 0x11, 0, 0, 0, 0\n'
)
_LARGE = '.section .lrodata,"al"\n.long 1\n.section .ldata,"awl"\n.long 1\n'
_SMALL = (
    'lwz 3, x@sda21(0)\nlwz 3, y@sda21(0)\n.section .sdata,"aw"\nx: .long 1\n.section .sbss,"aw",@nobits\ny: .zero 4\n'
)

CASES = (
    Case("arm32", ".ARM.exidx", ".ARM.extab", _UNWIND, "-u", "contains 2 entries"),
    Case("arm32", ".ARM.extab", ".ARM.exidx", _UNWIND, "-l", "EXIDX"),
    Case("x86_64", ".note.gnu.build-id", ".note.gnu.property", _PROPERTY, "-l", "GNU_PROPERTY", ("--build-id",)),
    Case("x86_64", ".eh_frame_hdr", ".eh_frame", _FRAMES, "-l", "GNU_EH_FRAME", ("--eh-frame-hdr",)),
    Case("x86_64", ".gcc_except_table", ".eh_frame", _FRAMES, "-S", "] .eh_frame "),
    Case("x86_64", "__llvm_prf_cnts", "__llvm_prf_data", _COUNTERS),
    Case("x86_64", ".debug_info", ".debug_abbrev", _UNIT, "-wi", "(DW_TAG_compile_unit)"),
    Case("x86_64", ".lrodata", ".ldata", _LARGE, "-S", " 00  Al "),
    Case("ppc32", ".data", ".sdata", _SMALL),
    Case("ppc32", ".bss", ".sbss", _SMALL),
)

PLACED = ".text : { *(.text .text.*) } .data : { *(.data) } .bss : { *(.bss) }"


def parameter(case: Case) -> object:
    marks = pytest.mark.sweep if TARGETS[case.target].rare else ()
    return pytest.param(case, marks=marks, id=f"{case.name}-{case.sibling}")


EACH_CASE = pytest.mark.parametrize("case", [parameter(case) for case in CASES])


def is_right(case: Case, body: str, folder: Path) -> bool:
    done = link(
        folder,
        f"SECTIONS {{ . = 0x10000; {body} }}",
        [assemble(folder, f".globl go\n.text\ngo:\n{case.source}", case.target)],
        case.target,
        ("-e", "go", "-z", "noexecstack", *case.options),
    )
    if not case.asked:
        return done.status == 0
    assert done.elf is not None, done.output
    command = [tool("readelf"), "-W", case.asked, str(done.elf)]
    shown = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=60)
    return case.wanted in shown.stdout


def scripts(case: Case) -> tuple[str, str, str]:
    """A script without a place for the name, one with it beside the sibling, and one with a section of its own."""
    if case.target == "ppc32":
        small = (".sdata", ".sbss")
        other = "".join(own(name) for name in small if name != case.name)
        shared = PLACED.replace(f"*({case.sibling})", f"*({case.sibling} {case.name})")
        return PLACED + other, shared + other, PLACED + "".join(own(name) for name in small)
    beside = f" {case.sibling} : {{ *({case.sibling}) *({case.name}) }}"
    return PLACED + own(case.sibling), PLACED + beside, PLACED + own(case.name) + own(case.sibling)


def own(name: str) -> str:
    return f" {name}{' 0' if name.startswith('.debug') else ''} : {{ *({name}) }}"


@EACH_CASE
def test_what_ld_makes_of_it(case: Case, tmp_path: Path) -> None:
    _, shared, apart = scripts(case)
    assert not is_right(case, shared, tmp_path)
    assert is_right(case, apart, tmp_path)


@EACH_CASE
def test_the_advice_is_an_output_section_of_its_own(case: Case, tmp_path: Path) -> None:
    machine = {"arm32": "arm", "x86_64": "i386:x86-64", "ppc32": "powerpc:common"}[case.target]
    path, policy = tmp_path / "x.lds", tmp_path / "policy.yaml"
    path.write_text(f"OUTPUT_ARCH({machine}) SECTIONS {{ {scripts(case)[0]} }}")
    policy.write_text("ldcheck: 1\nrules:\n  - lint: orphan-section\n")
    (found,) = ldcheck.check([str(path)], policies=[str(policy)]).findings
    assert found.help is not None
    told = [part for part in found.help.split("; ") if f"`{case.name}" in part or f" {case.name}" in part]
    assert told
    assert all("an output section of its " in part for part in told), told


@pytest.mark.sweep
def test_a_link_with_small_data_as_an_orphan_is_advised_alike(tmp_path: Path) -> None:
    (case,) = [case for case in CASES if case.name == ".sdata"]
    done = link(
        tmp_path,
        f"SECTIONS {{ . = 0x10000; {scripts(case)[0]} }}",
        [assemble(tmp_path, f".globl go\n.text\ngo:\n{case.source}", case.target)],
        case.target,
        ("-e", "go"),
    )
    assert done.status == 0, done.output
    policy = tmp_path / "policy.yaml"
    policy.write_text("ldcheck: 1\nrules:\n  - lint: placed-orphan\n")
    report = ldcheck.check([str(done.script)], policies=[str(policy)], elf=str(done.elf), map=str(done.map))
    assert f"give {case.name} an output section of its name" in str([one.help for one in report.findings])
