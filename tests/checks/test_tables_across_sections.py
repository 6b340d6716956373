"""Tables whose symbols stand outside of their output section: by the script alone, and as real links have it."""

from __future__ import annotations

from pathlib import Path

import pytest

import ldcheck
from ldcheck.findings import Severity, Verdict
from ldcheck.report.model import Report
from tests.support.build import assemble, link

SCRIPT = "a.lds"
RULE = "{id: r, bracket: [.tab, .tab.*, .tbss], with: [s, e], entry-size: 8}"
RECORDS = '.section .tab,"a"\n.balign 8\n.quad 1\n.section .tab.x,"a"\n.balign 8\n.quad 2\n'
TEXT = ".globl _start\n.text\n_start: .byte 1\n"
MEMORY = "MEMORY { R : ORIGIN = 0x2000, LENGTH = 64K Q : ORIGIN = 0x90000, LENGTH = 64K }"
BEFORE = ".text : { *(.text) } . = ALIGN(8);"
BOTH = "{ KEEP(*(.tab .tab.*)) }"

APART = {
    "ALIGN of its own": f"{BEFORE} s = .; .tab : ALIGN(64) {BOTH} e = .;",
    "an aligned address": f"{BEFORE} s = .; .tab ALIGN(64) : {BOTH} e = .;",
    "an address": f"{BEFORE} s = .; .tab 0x4000 : {BOTH} e = .;",
    "another region": f".text : {{ *(.text) }} > R . = ALIGN(8); s = .; .tab : {BOTH} > Q e = .;",
    "the same region": f".text : {{ *(.text) }} > R . = ALIGN(512); s = .; .tab : {BOTH} > R e = .;",
    "the second at an address": f"{BEFORE} s = .; .tab : {{ *(.tab) }} .tab2 0x2000 : {{ *(.tab.*) }} e = .;",
    "SUBALIGN": f"{BEFORE} .tab : SUBALIGN(32) {{ s = .; *(.tab .tab.*) e = .; }}",
    "zeros of threads": f"{BEFORE} .tbss : {{ s = .; *(.tbss) }} e = .;",
}
TOGETHER = {
    "aligned alike": f". = 0x1000; .text : {{ *(.text) }} . = ALIGN(64); s = .; .tab : ALIGN(64) {BOTH} e = .;",
    "aligned to less": f". = 0x1000; {BEFORE} s = .; .tab : ALIGN(4) {BOTH} e = .;",
    "at the location counter": f". = 0x1000; {BEFORE} s = .; .tab . : {BOTH} e = .;",
    "as its inputs are aligned": f". = 0x1000; {BEFORE} .tab : {{ s = .; KEEP(*(.tab .tab.*)) }} e = .;",
    "SUBALIGN of a record": f". = 0x1000; {BEFORE} .tab : SUBALIGN(8) {{ s = .; *(.tab .tab.*) e = .; }}",
    "/DISCARD/ between": f". = 0x1000; {BEFORE} .tab : {{ s = .; KEEP(*(.tab)) }} "
    "/DISCARD/ : { *(.junk) } .tab.x : { *(.tab.*) e = .; }",
}


def by_script(script: Path, *, orphans: bool = True, linker: str = "") -> Report:
    """What the script alone says, where a rule refuses orphans or none does."""
    policy = script.with_name("policy.yaml")
    none = "" if orphans else "  - {id: o, orphans: none}\n"
    policy.write_text(f"ldcheck: 1\nrules:\n  - {RULE}\n{none}")
    return ldcheck.check([str(script)], policies=[str(policy)], linker=linker)


def is_tight(folder: Path, body: str, source: str, linker: str = "ld") -> bool:
    """Whether the symbols of a link enclose the records and nothing else, as its map shows."""
    memory = f"{MEMORY} " if "> R" in body else ""
    done = link(folder, f"{memory}SECTIONS {{ {body} }}", [assemble(folder, TEXT + source, name="a.o")], linker=linker)
    assert done.map is not None, done.output
    policy = folder / "image.yaml"
    policy.write_text(f"ldcheck: 1\nrules:\n  - {RULE[:-1]}, evidence: [image, map]}}\n")
    report = ldcheck.check([str(done.script)], policies=[str(policy)], elf=str(done.elf), map=str(done.map))
    assert not report.errors, report.errors
    return report.rules[0].verdict is Verdict.HELD


@pytest.mark.parametrize("linker", ["ld", "ld.lld-19"])
@pytest.mark.parametrize("case", APART)
def test_a_section_that_need_not_begin_or_end_at_the_symbol_is_not_held(tmp_path: Path, case: str, linker: str) -> None:
    source = '.section .tbss,"awT",@nobits\n.zero 64\n' if "tbss" in APART[case] else RECORDS
    # By lld the location counter follows a region, which only goes on where the symbol is.
    assert not is_tight(tmp_path, APART[case], source, linker) or (linker != "ld" and case == "the same region")
    report = by_script(tmp_path / SCRIPT, linker="lld" if linker != "ld" else "")
    assert report.rules[0].verdict is Verdict.VIOLATED
    assert [one for one in report.findings if one.severity is Severity.ERROR]


@pytest.mark.parametrize("linker", ["ld", "ld.lld-19"])
@pytest.mark.parametrize("case", TOGETHER)
def test_a_section_that_begins_and_ends_at_the_symbols_in_every_link_is_held(
    tmp_path: Path, case: str, linker: str
) -> None:
    assert is_tight(tmp_path, TOGETHER[case], RECORDS, linker)
    report = by_script(tmp_path / SCRIPT, orphans="DISCARD" not in case, linker="lld" if linker != "ld" else "")
    assert report.rules[0].verdict is Verdict.HELD


def test_an_orphan_between_two_sections_of_a_table_is_a_note(tmp_path: Path) -> None:
    body = f". = 0x1000; {BEFORE} s = .; .tab : {{ *(.tab) }} .tab2 : {{ *(.tab.*) }} e = .;"
    records = RECORDS.replace('.x,"a"', '.x,"aw"')
    assert is_tight(tmp_path, body, records)
    assert not is_tight(tmp_path, body, f'{records}.section .orph,"a"\n.byte 1\n')
    (first, second) = by_script(tmp_path / SCRIPT).findings
    assert first.message == (
        ".tab2 begins where the records in front of it end unless an orphan section comes in between"
    )
    assert {first.severity, second.severity} == {Severity.NOTE}
    assert by_script(tmp_path / SCRIPT, orphans=False).rules[0].verdict is Verdict.HELD


def test_records_that_may_be_shorter_than_their_first_boundary_do_not_fill_it(tmp_path: Path) -> None:
    rule = RULE.replace("entry-size: 8", "entry-size: 8, aligned-to: 64")
    script, policy = tmp_path / SCRIPT, tmp_path / "policy.yaml"
    before = ".text : { *(.text) } . = ALIGN(64); s = .;"
    script.write_text(f"SECTIONS {{ {before} .tab : {{ *(.tab) }} .t2 : ALIGN(64) {{ *(.tab.*) }} e = .; }}")
    policy.write_text(f"ldcheck: 1\nrules:\n  - {rule}\n  - {{id: o, orphans: none}}\n")
    report = ldcheck.check([str(script)], policies=[str(policy)])
    assert [one.message for one in report.findings if one.rule == "r"] == [
        ".t2 need not begin where the records in front of it end"
    ]
