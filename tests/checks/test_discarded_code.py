"""What the linkers do with what refers to code that /DISCARD/ takes: that `missing-discard` tells no more than that."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ldcheck.report.model import Report
from tests.checks.test_linked import EACH_LINKER, judged, linked, said
from tests.support.build import assemble, link
from tests.support.tools import tool

KEPT = "{0} : {{ KEEP(*({0})) }} .debug_info 0 : {{ *(.debug_info) }}"
SCRIPT = "SECTIONS {{ . = 0x10000; .text : {{ *(.text) }} {} /DISCARD/ : {{ *(.text.exit) }} }}"
FUNCTION = ".cfi_startproc\nnop\n.cfi_endproc\n"
CODE = f'.globl _start\n.text\n_start: {FUNCTION}.section .text.exit,"ax",%progbits\nbye: {FUNCTION}'
ABOUT = '.section .debug_info,"",%progbits\n.quad bye\n'


def of_discards(report: Report) -> list[str]:
    return [line for line in said(report) if "discarded" in line]


def dumped(elf: Path, *options: str) -> str:
    command = [tool("readelf"), *options, str(elf)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@EACH_LINKER
@pytest.mark.parametrize("target", ["x86_64", "arm64"])
def test_unwind_tables_of_discarded_code_are_taken_out(tmp_path: Path, linker: str, target: str) -> None:
    script = SCRIPT.format(KEPT.format(".eh_frame"))
    done = linked(tmp_path, script, CODE + ABOUT, target=target, linker=linker)
    assert done.elf is not None
    assert dumped(done.elf, "--debug-dump=frames").count("FDE") == 1
    assert of_discards(judged(done, policies=("generic",), with_map=False)) == []


@EACH_LINKER
def test_a_table_of_discarded_code_is_refused_or_has_a_hole(tmp_path: Path, linker: str) -> None:
    table = '.section .fini_array,"aw",%fini_array\n.quad bye\n'
    built = assemble(tmp_path, CODE + table, "x86_64", "a.o")
    done = link(tmp_path, SCRIPT.format(KEPT.format(".fini_array")), [built], "x86_64", (), linker)
    if done.elf is None:
        assert "discarded section" in done.output
    else:
        assert "00000000 00000000" in dumped(done.elf, "-x", ".fini_array")
        assert of_discards(judged(done, policies=("generic",), with_map=False))


@EACH_LINKER
@pytest.mark.parametrize("first", [".text", ".text.exit"])
def test_the_index_of_discarded_code_must_not_come_first(tmp_path: Path, linker: str, first: str) -> None:
    function = ".fnstart\nbx lr\n.cantunwind\n.fnend\n"
    names = sorted((".text", ".text.exit"), reverse=first != ".text")
    source = "".join(f'.section {name},"ax",%progbits\n{function}' for name in names)
    built = assemble(tmp_path, f".syntax unified\n{source}", "arm32", "a.o")
    index = ".ARM.exidx : { *(.ARM.exidx .ARM.exidx.*) }"
    emulation = ("-marmelf",) if linker != "ld" else ()
    done = link(tmp_path, SCRIPT.format(index), [built], "arm32", emulation, linker)
    is_refused = linker == "ld" and first == ".text.exit"
    assert done.ok is not is_refused, done.output
