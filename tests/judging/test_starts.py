"""Advice to align something, followed to the letter: for the linkers, the symbols that mark its start still do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ldcheck import checks
from ldcheck.image.elf import read_elf
from ldcheck.judging.edits import applied
from ldcheck.judging.gate import Asked, check_target
from ldcheck.project.target import Target
from ldcheck.source import Source
from tests.support.build import assemble, link

OBJECT = """
.globl _start
.text
_start: .fill 100
.section .table.a, "a"
.quad 1
.data
.long 1
"""

SHARED = "ldcheck: 1\nrules: [{lint: shared-page}]\n"
ALIGNED = "ldcheck: 1\nrules: [{id: a, align: .table, to: 4K}]\n"
APART = "ldcheck: 1\nrules: [{id: a, separate-pages: [.code, .table], page: 4K}]\n"
PHDRS = "PHDRS { code PT_LOAD FLAGS(5); ro PT_LOAD FLAGS(4); }\n"


def body(text: str) -> str:
    return f"SECTIONS {{\n. = 0x1000;\n{text}}}\n"


def in_memory(text: str) -> str:
    return f"MEMORY {{ ROM : ORIGIN = 0x8000, LENGTH = 64K }}\nSECTIONS {{\n{text}}}\n"


CODE = ".code : { *(.text) }"
TABLE = ".table : { KEEP(*(.table.*)) }"


@pytest.mark.parametrize(
    ("policy", "script"),
    [
        (SHARED, PHDRS + body(f"{CODE} :code\ncode_end = .;\ntable_begin = .;\n{TABLE} :ro\n")),
        (SHARED, PHDRS + body(f"{CODE} :code\ntable_begin = .;\ncode_end = .;\n. = ALIGN(16);\n{TABLE} :ro\n")),
        (ALIGNED, body(f"{CODE}\n_ecode = .;\ntable_begin = .;\n_stable = .;\n{TABLE}\n")),
        (ALIGNED, in_memory(f"{CODE} > ROM\ncode_end = .;\ntable_begin = .;\n{TABLE} > ROM\n")),
        (APART, body(f"{CODE}\ntable_begin = .;\ncode_size = . - 0x1000;\n{TABLE}\n")),
        (APART, in_memory(f"{CODE} > ROM\ntable_begin = ABSOLUTE(.);\n{TABLE} > ROM\n")),
    ],
)
@pytest.mark.parametrize("linker", ["ld", "ld.lld-19"])
def test_the_symbol_that_marks_a_start_moves_with_it(
    policy: str, script: str, linker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.lds").write_text(script)
    Path("policy.yaml").write_text(policy)
    checked = check_target(Target("t", "a.lds", policies=("policy.yaml",)), Asked(), checks, lambda _: None)
    (finding,) = checked.findings
    assert finding.fix is not None
    followed = applied(Source("a.lds", script), finding.fix.edits)
    assert followed is not None
    result = link(tmp_path, followed, [assemble(tmp_path, OBJECT)], linker=linker)
    assert result.elf is not None, result.output
    elf = read_elf(os.fspath(result.elf))
    table = elf.section(".table")
    assert table is not None
    assert table.address % 4096 == 0
    assert elf.symbols["table_begin"].value == table.address
