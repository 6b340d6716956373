"""What the link at hand shows: small images by the real linkers, each judged by a stock policy or a rule of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

import ldcheck
from ldcheck.findings import EvidenceKind, Severity, Verdict
from ldcheck.image.elf import read_elf
from ldcheck.report.model import Report
from tests.support.build import TARGETS, LinkResult, assemble, link

LINKERS = ("ld", "ld.lld-14", "ld.lld-16", "ld.lld-19")
EACH_LINKER = pytest.mark.parametrize("linker", LINKERS)


def linked(
    folder: Path,
    script: str,
    *sources: str,
    target: str = "x86_64",
    linker: str = "ld",
    options: tuple[str, ...] = (),
) -> LinkResult:
    """Assemble each source into an object of its own (a.o, b.o ...), and link them."""
    objects = [assemble(folder, source, target, f"{name}.o") for name, source in zip("abcdef", sources, strict=False)]
    emulation = {"arm32": ("-marmelf",), "riscv64": ("-melf64lriscv",)}.get(target, ()) if linker != "ld" else ()
    done = link(folder, script, objects, target, (*emulation, *options), linker)
    assert done.elf is not None, done.output
    assert done.map is not None
    return done


def judged(
    done: LinkResult,
    rule: str = "",
    *,
    policies: tuple[str, ...] = (),
    with_map: bool = True,
    with_script: bool = True,
    objects: tuple[Path, ...] = (),
    select: tuple[str, ...] = (),
) -> Report:
    """Judge a link by one rule (YAML) or by policies, with all that there is of it, or with less."""
    if rule:
        policy = done.script.with_name("policy.yaml")
        policy.write_text(f"ldcheck: 1\nrules:\n  - {{id: r, {rule}}}\n")
        policies = (str(policy),)
    return ldcheck.check(
        [str(done.script)] if with_script else [],
        policies=policies,
        elf=str(done.elf),
        map=str(done.map) if with_map else "",
        objects=[str(path) for path in objects],
        select=select,
    )


def said(report: Report) -> list[str]:
    """The findings that fail or warn, a line each."""
    assert not report.errors, report.errors
    return [f"{one.severity.value}: {one.message}" for one in report.findings if one.severity is not Severity.NOTE]


# Orphans, and which statement took what -----------------------------------------------------------------------------

PLAIN = "SECTIONS { . = 0x10000; .text : { *(.text .text.*) } .data : { *(.data .data.*) } .bss : { *(.bss .bss.*) } }"
START = ".globl _start\n.text\n_start: .long 0\n"


@EACH_LINKER
def test_what_a_statement_takes_is_no_orphan(tmp_path: Path, linker: str) -> None:
    strings = '.section .rodata.str1.1,"aMS",@progbits,1\n.asciz "x"\n'
    script = PLAIN.replace(".data :", ".rodata : { *(.rodata .rodata.*) } .data :")
    done = linked(tmp_path, script, f"{START}.data\n.long 1\n{strings}", linker=linker)
    assert judged(done, "orphans: none").rules[0].verdict is Verdict.HELD


@EACH_LINKER
@pytest.mark.parametrize("with_map", [True, False])
def test_an_orphan_is_found_in_the_map_as_in_the_elf(tmp_path: Path, linker: str, *, with_map: bool) -> None:
    done = linked(tmp_path, PLAIN, f'{START}.section .extra,"aw"\n.long 1\n', linker=linker)
    assert said(judged(done, "orphans: none", with_map=with_map)) == ["error: no statement takes .extra"]


@EACH_LINKER
def test_orphans_that_one_statement_should_take_are_one_finding(tmp_path: Path, linker: str) -> None:
    script = "SECTIONS { . = 0x10000; .text : { *(.text .text.part) } .data : { *(.data) } }"
    parts = "".join(f'.section .text.thunk_{name},"ax"\n.long 1\n' for name in "abcde")
    others = '.section .data.x,"aw"\n.long 1\n.section .extra,"aw"\n.long 1\n'
    report = judged(linked(tmp_path, script, START + parts + others, linker=linker), "orphans: none")
    assert sorted(said(report)) == [
        "error: no statement takes .data.x",
        "error: no statement takes .extra",
        "error: no statement takes .text.thunk_a, .text.thunk_b, .text.thunk_c and 2 more",
    ]
    thunks = next(one for one in report.findings if "thunk" in one.message)
    assert "in all 20 bytes in 5 sections" in str(thunks.facts)
    assert thunks.location is not None
    assert script[thunks.location.column - 1 :].startswith(".text .text.part")


@EACH_LINKER
@pytest.mark.parametrize(("files", "whose"), [(1, "a.o"), (2, "a.o and 1 other file"), (3, "a.o and 2 other files")])
def test_the_bytes_of_a_name_are_of_all_files_that_have_it(tmp_path: Path, linker: str, files: int, whose: str) -> None:
    extra = '.section .extra,"aw"\n.long 1, 2\n'
    done = linked(tmp_path, PLAIN, START + extra, *[extra] * (files - 1), linker=linker)
    (found,) = judged(done, "orphans: none").findings
    assert f"in the image: {8 * files} bytes of .extra, from {whose}, placed at 0x" in str(found.facts)


@EACH_LINKER
def test_what_is_told_of_a_name_is_told_of_all_its_sections(tmp_path: Path, linker: str) -> None:
    script = "SECTIONS { . = 0x10000; .text : { *(.text) } .a : { a.o(.x*) } .b : { *(.x*) } .c : { *(.x.c) } }"
    part = '.section .x.c,"aw"\n.long 1, 2\n'
    done = linked(tmp_path, script, START + part, part, part, linker=linker)
    (kept,) = judged(done, "discard: .x.c, evidence: map").findings
    assert "in the image: 24 bytes of .x.c are in .a and 1 other output section, the first at 0x" in str(kept.facts)
    (lost,) = judged(done, "lint: shadowed-pattern").findings
    assert "in the image: 16 bytes (2 input sections) are in .b, the first at 0x" in str(lost.facts)
    assert ", from b.o and 1 other file'" in str(lost.facts)


@EACH_LINKER
def test_an_orphan_that_joins_the_output_section_of_its_name(tmp_path: Path, linker: str) -> None:
    script = "SECTIONS { . = 0x10000; .text : { *(.text .text.*) } .data : { *(.mine) } }"
    done = linked(tmp_path, script, f'{START}.section .mine,"aw"\n.long 1\n.data\n.long 2\n', linker=linker)
    assert said(judged(done, "orphans: none")) == ["error: no statement takes .data"]


def test_a_map_of_lld_without_its_script_does_not_tell_orphans(tmp_path: Path) -> None:
    done = linked(tmp_path, PLAIN, START, linker="ld.lld-16")
    (result,) = judged(done, "orphans: none", with_script=False).rules
    assert (result.verdict, result.reason) == (
        Verdict.NOT_CHECKED,
        "a map of lld alone does not tell which sections were orphans, give the script",
    )


@pytest.mark.parametrize("taker", ["a.o(.head)", "*a.o(.head)", "a.o"])
def test_a_statement_for_one_file_takes_nothing_from_the_one_for_the_rest(tmp_path: Path, taker: str) -> None:
    script = f"SECTIONS {{ . = 0x10000; .text : {{ {taker} *(.text) }} .data : {{ *(.head) *(.data) }} }}"
    done = linked(tmp_path, script, f'{START}.section .head,"a"\n.long 7\n')
    assert said(judged(done, "lint: shadowed-pattern")) == []


def test_a_statement_for_all_files_takes_from_the_one_for_a_file(tmp_path: Path) -> None:
    script = "SECTIONS { . = 0x10000; .text : { *(.h*) *(.text) } .data : { a.o(.head) *(.data) } }"
    done = linked(tmp_path, script, f'{START}.section .head,"a"\n.long 7\n')
    assert said(judged(done, "lint: shadowed-pattern"))


def test_an_orphan_is_told_where_it_lies_beside_a_section_of_its_name(tmp_path: Path) -> None:
    script = "ENTRY(_start) SECTIONS { . = 0x10000; .text : { *(.text) } .t : { *(.u) } .t 0x20000 : { *(.v) } }"
    parts = "".join(f'.section {name},"a"\n.long 1\n' for name in (".u", ".v"))
    done = linked(tmp_path, script, f'{START}{parts}.section .t,"a"\n.long 1, 2\n')
    image = ldcheck.image(str(done.elf))
    assert image.elf is not None
    places = {(one.address, one.size) for one in image.elf.sections if one.name == ".t"}
    assert len(places) == 2
    (holding,) = (address for address, size in places if size == 12)
    for with_script in (True, False):
        (finding,) = judged(done, "orphans: none", with_script=with_script).findings
        assert f"8 bytes of .t, from a.o, placed at {holding + 4:#x}" in finding.facts[0]
    (both,) = judged(done, "limit: .t, to: 15").findings
    assert both.message == ".t is 16 bytes, 1 byte more than 15"


# Tables between two symbols -----------------------------------------------------------------------------------------

BRACKET = "bracket: .tab, with: [tab_from, tab_to], entry-size: 8"
TABLE = f'{START}.section .tab,"a"\n.quad 1, 2\n'


def bracketed(body: str) -> str:
    return f"ENTRY(_start) SECTIONS {{ . = 0x10000; .text : {{ *(.text) }} . = ALIGN(8); {body} }}"


@EACH_LINKER
@pytest.mark.parametrize("with_map", [True, False])
@pytest.mark.parametrize("with_script", [True, False])
@pytest.mark.parametrize(
    "body", [".tab : { tab_from = .; tab_to = .; }", "tab_from = .; tab_to = .; .tab : { *(.tab) }"]
)
def test_a_table_outside_of_its_symbols(
    tmp_path: Path, body: str, linker: str, *, with_map: bool, with_script: bool
) -> None:
    done = linked(tmp_path, bracketed(body), TABLE, linker=linker)
    report = judged(done, BRACKET, with_map=with_map, with_script=with_script)
    assert report.rules[0].verdict is Verdict.VIOLATED


@EACH_LINKER
@pytest.mark.parametrize("with_map", [True, False])
def test_a_table_between_its_symbols(tmp_path: Path, linker: str, *, with_map: bool) -> None:
    done = linked(tmp_path, bracketed(".tab : { tab_from = .; *(.tab) tab_to = .; }"), TABLE, linker=linker)
    assert judged(done, BRACKET, with_map=with_map).rules[0].verdict is Verdict.HELD


def test_an_empty_table_is_not_judged_on_an_elf_alone(tmp_path: Path) -> None:
    done = linked(tmp_path, bracketed(".tab : { tab_from = .; *(.tab) tab_to = .; }"), START)
    report = judged(done, BRACKET, with_map=False, with_script=False)
    assert report.rules[0].verdict is Verdict.NOT_CHECKED


@EACH_LINKER
def test_an_alignment_that_a_record_of_that_size_may_exceed_is_no_promise(tmp_path: Path, linker: str) -> None:
    body = ".tab : { *(.before) . = ALIGN(4); tab_from = .; *(.tab) tab_to = .; }"
    source = f'{START}.section .before,"a"\n.long 1\n.section .tab,"a"\n.balign 16\n.quad 1, 2\n'
    done = linked(tmp_path, bracketed(body), source, linker=linker)
    rule = "bracket: .tab, with: [tab_from, tab_to], entry-size: 16"
    assert "error: the first record is 12 bytes behind tab_from" in said(judged(done, rule, with_script=False))
    by_script = ldcheck.check([str(done.script)], policies=[str(tmp_path / "policy.yaml")])
    condition = "if records are aligned to more than 4"
    doubt = f"tab_from may lie ahead of the padding in front of the first record, {condition}"
    assert said(by_script) == [f"warning: {doubt}"]


def test_a_table_of_which_the_link_dropped_everything(tmp_path: Path) -> None:
    body = ".hooks : { from = .; *(.hooks) to = .; }"
    done = linked(tmp_path, bracketed(body), HOOKS, options=("--gc-sections",))
    lost = "error: the link dropped .hooks (16 bytes, a.o): nothing of the table is between from and to"
    for with_script in (True, False):
        report = judged(done, "bracket: .hooks, with: [from, to], entry-size: 8", with_script=with_script)
        assert said(report) == [lost]


@EACH_LINKER
def test_a_table_that_no_object_has_is_not_held_by_the_image(tmp_path: Path, linker: str) -> None:
    body = ".hooks : { from = .; KEEP(*(.hooks)) to = .; }"
    done = linked(tmp_path, bracketed(body), START, linker=linker)
    rule = "bracket: .hooks, with: [from, to], entry-size: 8"
    (by_script,) = judged(done, rule).rules
    assert (by_script.verdict, by_script.evidence) == (Verdict.HELD, (EvidenceKind.SCRIPT,))
    report = judged(done, f"{rule}, evidence: [map]")
    assert report.rules[0].verdict is Verdict.NOT_CHECKED
    assert "empty" in report.rules[0].reason


@EACH_LINKER
def test_what_takes_no_memory_lies_between_no_symbols(tmp_path: Path, linker: str) -> None:
    source = '.section .t,"a"\n.globl _start\n_start: .long 1\n.section .about,"",@progbits\n.long 2\n'
    script = "SECTIONS { .t : { from = .; *(.t) to = .; } }"
    done = linked(tmp_path, script, source, linker=linker)
    assert said(judged(done, "bracket: .t, with: [from, to]")) == []


@pytest.mark.parametrize("linker", LINKERS[1:])
def test_the_exception_index_of_arm_behind_its_symbols(tmp_path: Path, linker: str) -> None:
    source = (
        ".syntax unified\n.thumb\n.section .text.f\n.globl f\n.thumb_func\nf: .fnstart\nbx lr\n.cantunwind\n.fnend\n"
    )
    script = "SECTIONS { .text : { *(.text .text.*) } .ARM.exidx : { ex_from = .; ex_to = .; } }"
    done = linked(tmp_path, script, source, target="arm32", linker=linker)
    report = judged(done, "bracket: .ARM.exidx*, with: [ex_from, ex_to]")
    assert not any("attributes" in line for line in said(report))
    assert report.rules[0].verdict is Verdict.VIOLATED


@pytest.mark.parametrize("target", [name for name in ("x86_64", "arm64", "arm32", "riscv64") if name in TARGETS])
def test_a_script_with_the_symbols_of_a_table_and_nothing_that_takes_it(tmp_path: Path, target: str) -> None:
    done = linked(tmp_path, bracketed("tab_from = .; tab_to = .;"), START, target=target)
    report = judged(done, BRACKET)
    assert said(report) == ["error: nothing takes .tab: there is nothing between tab_from and tab_to"]


# Padding between a table and its symbols ------------------------------------------------------------------------------

GAP = "lint: boundary-gap"
DRIVERS = f'{START}.section .drivers,"a"\n.balign 32\n.quad 1, 2\n'


def with_drivers(body: str) -> str:
    return f"ENTRY(_start) SECTIONS {{ . = 0x10000; .text : {{ *(.text) }} {body} }}"


@EACH_LINKER
@pytest.mark.parametrize("with_elf", [True, False])
@pytest.mark.parametrize("flags", ["ax", "a"])
def test_only_an_elf_tells_a_page_of_code_from_a_table(
    tmp_path: Path, flags: str, linker: str, *, with_elf: bool
) -> None:
    pages = ". = ALIGN(4096); mapped_start = .; .mapped : { *(.mapped) } . = ALIGN(4096); mapped_end = .;"
    source = f'{START}.section .mapped,"{flags}"\n.long 1\n'
    done = linked(tmp_path, with_drivers(pages), source, linker=linker)
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"ldcheck: 1\nrules:\n  - {{id: r, {GAP}}}\n")
    elf = str(done.elf) if with_elf else ""
    report = ldcheck.check([str(done.script)], policies=[str(policy)], elf=elf, map=str(done.map))
    padded = "warning: the last record ends 4,092 bytes ahead of mapped_end"
    assert said(report) == ([padded] if with_elf and flags == "a" else [])
    assert (EvidenceKind.MAP in report.rules[0].evidence) is with_elf


@EACH_LINKER
@pytest.mark.parametrize("with_elf", [True, False])
@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (
            ".tables : { LONG(1) . = ALIGN(8); __start_drivers = .; KEEP(*(.drivers)) __stop_drivers = .; }",
            "error: the first record is 24 bytes behind __start_drivers",
        ),
        (
            ". = . + 1; __start_drivers = .; .drivers : { KEEP(*(.drivers)) } __stop_drivers = .;",
            "error: the first record is 27 bytes behind __start_drivers",
        ),
        (
            ". = . + 1; __start_drivers = .; .drivers : { KEEP(*(.drivers)) __stop_drivers = .; }",
            "error: the first record is 27 bytes behind __start_drivers",
        ),
        (
            ".drivers : { __start_drivers = .; KEEP(*(.drivers)) . = ALIGN(64); __stop_drivers = .; }",
            "warning: the last record ends 16 bytes ahead of __stop_drivers",
        ),
        (".drivers : { . = ALIGN(32); __start_drivers = .; KEEP(*(.drivers)) __stop_drivers = .; }", ""),
    ],
)
def test_padding_between_a_table_and_its_symbols(
    tmp_path: Path, body: str, wanted: str, linker: str, *, with_elf: bool
) -> None:
    done = linked(tmp_path, with_drivers(body), DRIVERS, linker=linker)
    judged(done, GAP)
    report = ldcheck.check(
        [str(done.script)],
        policies=[str(tmp_path / "policy.yaml")],
        elf=str(done.elf) if with_elf else "",
        map=str(done.map),
    )
    assert said(report) == ([wanted] if wanted else [])


@EACH_LINKER
def test_padding_that_the_end_symbol_itself_makes(tmp_path: Path, linker: str) -> None:
    body = ".drivers : { __start_drivers = .; KEEP(*(.drivers)) __stop_drivers = ALIGN(32); }"
    done = linked(tmp_path, with_drivers(body), DRIVERS, linker=linker)
    assert said(judged(done, GAP)) == ["warning: the last record ends 16 bytes ahead of __stop_drivers"]


@pytest.mark.parametrize(
    "body",
    [
        ".data : { data_start = .; *(.data) . = ALIGN(64); data_end = .; }",
        ".text.more : { . = . + 1; more_start = .; *(.code) more_end = .; }",
        ".drivers : { drivers_start = .; LONG(0) LONG(0) KEEP(*(.drivers)) LONG(0) drivers_end = .; }",
        ".drivers : { drivers_start = .; . = . + 32; KEEP(*(.drivers)) . = . + 16; drivers_end = .; }",
        ".image : { image_start = .; KEEP(*(.drivers .code)) . = ALIGN(64); image_end = .; }",
    ],
)
def test_what_is_no_padding_of_a_table(tmp_path: Path, body: str) -> None:
    source = f'{DRIVERS}.data\n.long 1\n.section .code,"ax"\n.balign 16\n.byte 1\n'
    done = linked(tmp_path, with_drivers(body), source)
    assert said(judged(done, GAP)) == []


def test_what_the_script_makes_likely_and_the_link_does_not_have(tmp_path: Path) -> None:
    body = ".tables : { *(.rodata.text) drivers_start = .; KEEP(*(.drivers)) drivers_end = .; }"
    for size, wanted in ((32, Severity.NOTE), (31, Severity.ERROR)):
        source = f'{DRIVERS}.section .rodata.text,"a"\n.skip {size}\n'
        done = linked(tmp_path, with_drivers(body), source)
        assert [one.severity for one in judged(done, GAP).findings] == [wanted]


def test_a_map_that_ends_within_a_table_tells_no_end_of_it(tmp_path: Path) -> None:
    body = ".drivers : { drivers_start = .; KEEP(*(.drivers)) drivers_end = .; }"
    done = linked(tmp_path, with_drivers(body), DRIVERS, DRIVERS.removeprefix(START))
    assert done.map is not None
    whole = done.map.read_text()
    rule = "bracket: .drivers, with: [drivers_start, drivers_end], entry-size: 16, aligned-to: 32"
    assert judged(done, GAP).rules[0].verdict is Verdict.HELD
    done.map.write_text(whole[: whole.index("b.o", whole.index("\n.drivers"))])
    for asked in (GAP, rule):
        assert said(judged(done, asked)) == []


# Where the linker put orphans ---------------------------------------------------------------------------------------

ORPHANS = "lint: placed-orphan"
BOUNDED = (
    "ENTRY(_start) SECTIONS { . = 0x10000; .text : { *(.text .text.*) }"
    " .data : { from = .; *(.data .data.*) to = .; } .bss : { zero_from = .; *(.bss .bss.*) zero_to = .; } }"
)


@EACH_LINKER
@pytest.mark.parametrize("with_map", [True, False])
def test_zeroed_data_behind_the_symbol_that_start_up_code_stops_at(
    tmp_path: Path, linker: str, *, with_map: bool
) -> None:
    source = f'{START}.bss\n.skip 4\n.section .sbss,"aw",@nobits\n.skip 4\n'
    done = linked(tmp_path, BOUNDED, source, target="riscv64", linker=linker)
    (line,) = said(judged(done, ORPHANS, with_map=with_map))
    whose = ", a.o" if with_map else ""
    assert line.startswith(f"error: .sbss (4 bytes{whose}) is an orphan behind ")


@EACH_LINKER
def test_data_in_memory_that_nothing_copies_is_a_warning(tmp_path: Path, linker: str) -> None:
    source = f'{START}.data\n.long 1\n.section .sdata,"aw"\n.long 2\n'
    done = linked(tmp_path, BOUNDED, source, target="riscv64", linker=linker)
    (line,) = said(judged(done, ORPHANS))
    assert line.startswith("warning: .sdata (4 bytes, a.o) is an orphan behind ")


def test_data_outside_of_what_is_copied_is_an_error(tmp_path: Path) -> None:
    regions = "MEMORY { F : ORIGIN = 0x10000, LENGTH = 64K R : ORIGIN = 0x80000, LENGTH = 64K } "
    script = regions + (
        "SECTIONS { .text : { *(.text .text.*) } > F .data : { from = .; *(.data .data.*) to = .; } > R AT> F }"
    )
    source = f'{START}.data\n.long 1\n.section .sdata,"aw"\n.long 2\n'
    done = linked(tmp_path, script, source, target="riscv64")
    assert [line.partition(" ")[0] for line in said(judged(done, ORPHANS))] == ["error:"]
    policy = tmp_path / "policy.yaml"
    by_map = ldcheck.check([str(done.script)], policies=[str(policy)], map=str(done.map))
    assert [line.partition(" ")[0] for line in said(by_map)] == ["error:"]


@EACH_LINKER
def test_orphans_of_one_family_are_one_finding(tmp_path: Path, linker: str) -> None:
    functions = "".join(f'.section .text.f{at},"ax"\n.long {at}\n' for at in range(40))
    script = "ENTRY(_start) SECTIONS { . = 0x10000; .text : { *(.text) etext = .; } }"
    done = linked(tmp_path, script, f"{START}{functions}", linker=linker)
    (line,) = said(judged(done, ORPHANS))
    assert line == "warning: .text.f0, .text.f1, .text.f2 and 37 more (160 bytes, a.o) are orphans behind etext"


def test_objects_alone_tell_what_would_be_an_orphan(tmp_path: Path) -> None:
    source = f'{START}.section .sbss,"aw",@nobits\n.skip 4\n.section .about,"",@progbits\n.long 1\n'
    done = linked(tmp_path, BOUNDED, f"{source}.bss\n.skip 4\n", target="riscv64")
    policy = tmp_path / "policy.yaml"
    policy.write_text("ldcheck: 1\nrules:\n  - lint: placed-orphan\n")
    report = ldcheck.check([str(done.script)], policies=[str(policy)], objects=[str(tmp_path / "a.o")])
    (line,) = said(report)
    assert line.startswith("warning: .sbss (4 bytes, ")
    assert line.endswith("a.o) would be an orphan behind .bss")


def test_an_orphan_between_the_symbols_of_its_family_is_noted_only(tmp_path: Path) -> None:
    script = "SECTIONS { . = 0x10000; .text : { *(.text) } zero_from = .; .bss : { a.o(.bss) } zero_to = .; }"
    done = linked(tmp_path, script, f"{START}.bss\n.skip 4\n", ".bss\n.skip 8\n")
    report = judged(done, ORPHANS)
    assert said(report) == []
    assert [finding.severity for finding in report.findings] == [Severity.NOTE]


def test_what_a_dynamic_loader_starts_has_orphans_of_its_own(tmp_path: Path) -> None:
    source = f'{START}.section .interp,"a"\n.asciz "/ld.so"\n'
    script = PLAIN.replace(".text :", ".interp : { *(.interp) } :interp :text .text :").replace(
        "SECTIONS", "PHDRS { interp PT_INTERP; text PT_LOAD; } SECTIONS"
    )
    done = linked(tmp_path, script, f'{source}.section .extra,"a"\n.long 1\n')
    assert said(judged(done, ORPHANS)) == []


def test_nothing_is_said_of_orphans_where_nothing_tells_them(tmp_path: Path) -> None:
    done = linked(tmp_path, PLAIN, START, linker="ld.lld-19")
    for with_map in (True, False):
        (result,) = judged(done, ORPHANS, with_map=with_map, with_script=False).rules
        assert result.verdict is Verdict.NOT_CHECKED


@EACH_LINKER
@pytest.mark.parametrize("text", [".text", ".text .text.*"], ids=["possible", "likely"])
def test_a_link_confirms_what_its_script_has_no_place_for(tmp_path: Path, linker: str, text: str) -> None:
    script = (
        f"SECTIONS {{ . = 0x10000; .text : {{ *({text}) }} .data : {{ *(.data) _edata = .; }} .bss : {{ *(.bss) }} }}"
    )
    report = judged(
        linked(tmp_path, script, f'{START}.section .data.a,"aw"\n.long 1\n', linker=linker), "lint: orphan-section"
    )
    (found,) = report.findings
    likely = text != ".text"
    assert (found.message, found.severity) == (
        "no statement takes `.data.a`",
        Severity.WARNING if likely else Severity.NOTE,
    )
    assert "in the image: 4 bytes of `.data.a`, the first from" in str(found.facts)
    assert "not so" not in str(found.facts)


@EACH_LINKER
@pytest.mark.parametrize("with_map", [True, False])
def test_an_orphan_in_an_output_section_of_its_name_leaves_no_trace_in_an_elf(
    tmp_path: Path, linker: str, *, with_map: bool
) -> None:
    script = "SECTIONS { . = 0x10000; .text : { *(.text .text.*) } .bss : { *(.bss) _end = .; } .bss.x : { *(.x) } }"
    zeroed = '.section .bss.x,"aw",@nobits\n.zero 4\n'
    done = linked(tmp_path, script, START + zeroed, linker=linker)
    (found,) = judged(done, "lint: orphan-section", with_map=with_map).findings
    assert found.severity is Severity.WARNING
    assert "not so" not in str(found.facts)


# What --gc-sections dropped -----------------------------------------------------------------------------------------

COLLECTED = "lint: collected-table"
HOOKS = (
    '.section .text.s,"ax"\n.globl _start\n_start: .long 0\n'
    '.section .hooks,"a"\n.quad 1, 2\n.section .text.unused,"ax"\n.long 0\n'
)


@EACH_LINKER
@pytest.mark.parametrize(("keep", "file"), [("KEEP(*(EXCLUDE_FILE(b.o) .hooks))", "b.o"), ("KEEP(a.o(.hooks))", "x.o")])
def test_a_keep_that_leaves_out_files_keeps_nothing_of_them(tmp_path: Path, keep: str, file: str, linker: str) -> None:
    table = '.section .hooks,"a"\n.long 1\n'
    script = f"ENTRY(_start) SECTIONS {{ . = 0x10000; .text : {{ {keep} *(.text) }} }}"
    done = linked(tmp_path, script, START + table, table, linker=linker, options=("--gc-sections",))
    report = judged(done, "keep: .hooks, evidence: script")
    orphan = f"no pattern takes .hooks of {file}: it would become an orphan section, which --gc-sections may drop"
    assert said(report) == [f"error: {orphan}"]
    if linker == "ld":
        # A map of lld does not list what is dropped.
        assert said(judged(done, "keep: .hooks, evidence: map")) == ["error: .hooks of b.o was dropped"]


@EACH_LINKER
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("body", ["from = .; {} to = .;", ". = ALIGN(8); from = .; {} . = ALIGN(8); to = .;"])
def test_a_table_that_was_collected(tmp_path: Path, linker: str, body: str, *, keep: bool) -> None:
    taking = "KEEP(*(.hooks))" if keep else "*(.hooks)"
    script = (
        "ENTRY(_start) SECTIONS { . = 0x10000; .text : { from_text = .; *(.text .text.*) to_text = .; }"
        f" .hooks : {{ {body.format(taking)} }} }}"
    )
    done = linked(tmp_path, script, HOOKS, linker=linker, options=("--gc-sections",))
    report = judged(done, COLLECTED, objects=(tmp_path / "a.o",))
    lost = "error: --gc-sections dropped .hooks (16 bytes, a.o): nothing is left between from and to"
    assert said(report) == ([] if keep else [lost])


def test_a_table_around_which_the_symbols_stand_outside(tmp_path: Path) -> None:
    script = "ENTRY(_start) SECTIONS { . = 0x10000; .text : { *(.text*) } from = .; .hooks : { *(.hooks) } to = .; }"
    done = linked(tmp_path, script, HOOKS, options=("--gc-sections",))
    assert len(said(judged(done, COLLECTED))) == 1


def test_a_table_whose_symbols_nobody_uses_is_not_missed(tmp_path: Path) -> None:
    body = "PROVIDE(from = .); *(.hooks) PROVIDE(to = .);"
    script = f"ENTRY(_start) SECTIONS {{ . = 0x10000; .text : {{ *(.text*) }} .hooks : {{ {body} }} }}"
    done = linked(tmp_path, script, HOOKS, options=("--gc-sections",))
    assert said(judged(done, COLLECTED)) == []


def test_a_table_of_which_part_is_used_is_noted(tmp_path: Path) -> None:
    script = "ENTRY(_start) SECTIONS { . = 0x10000; .text : { *(.text*) } .hooks : { from = .; *(.hooks) to = .; } }"
    used = '.section .hooks,"a"\n.globl used\nused: .quad 3\n'
    source = HOOKS.replace("_start: .long 0", "_start: .quad used")
    done = linked(tmp_path, script, source, used, options=("--gc-sections",))
    report = judged(done, COLLECTED)
    assert (said(report), len(report.findings)) == ([], 1)


def test_a_map_of_lld_needs_the_objects_to_tell_what_was_dropped(tmp_path: Path) -> None:
    done = linked(tmp_path, PLAIN, HOOKS, linker="ld.lld-16", options=("--gc-sections",))
    assert judged(done, COLLECTED).rules[0].verdict is Verdict.NOT_CHECKED


def test_constructors_of_the_compilers_start_up_files_are_not_missed(tmp_path: Path) -> None:
    script = "ENTRY(_start) SECTIONS { . = 0x10000; .text : { *(.text*) } .init_array : { *(.init_array) } }"
    constructor = '.section .init_array,"aw",@init_array\n.quad 0\n'
    done = linked(tmp_path, script, f"{START}{constructor}", options=("--gc-sections",))
    assert len(said(judged(done, COLLECTED))) == 1
    crt = assemble(tmp_path, constructor, name="crtbegin.o")
    done = link(tmp_path, script, [assemble(tmp_path, START), crt], options=("--gc-sections",))
    assert said(judged(done, COLLECTED)) == []


# Expressions of policies --------------------------------------------------------------------------------------------

ROM_AND_RAM = (
    "MEMORY { F (rx) : ORIGIN = 0x10000, LENGTH = 64K R (rw) : ORIGIN = 0x80000, LENGTH = 64K"
    " K (rw) : ORIGIN = 0x90000, LENGTH = 64K } "
)


@EACH_LINKER
def test_memory_regions_in_what_every_section_must_satisfy(tmp_path: Path, linker: str) -> None:
    script = ROM_AND_RAM + (
        "ENTRY(_start) SECTIONS { .text : { *(.text*) } > F .data : { *(.data) } > R AT> F .kept : { *(.kept) } > K }"
    )
    done = linked(tmp_path, script, f'{START}.data\n.long 1\n.section .kept,"aw"\n.long 2\n', linker=linker)
    inside = "load_address >= ORIGIN(F) && load_address + size <= ORIGIN(F) + LENGTH(F)"
    report = judged(done, f'every: output-section, where: allocated && size, require: "{inside}"')
    (line,) = said(report)
    assert line.startswith("error: output-section .kept at 0x")
    assert report.findings[0].facts == ("in the image: ORIGIN(F) is 0x10000 and LENGTH(F) is 0x10000",)


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("from == LOADADDR(.data)", "from is 0x10004 and LOADADDR(.data) is 0x10005"),
        ("ADDR(.data) == ORIGIN(R) + 1", "ADDR(.data) is 0x80000 and ORIGIN(R) is 0x80000"),
        ("SIZEOF(.data) > LENGTH(R)", "SIZEOF(.data) is 0x4 and LENGTH(R) is 0x10000"),
    ],
)
def test_the_values_of_an_assertion_are_named_for_what_they_are(tmp_path: Path, expression: str, values: str) -> None:
    script = ROM_AND_RAM + (
        "ENTRY(_start) SECTIONS { .text : { *(.text*) from = .; BYTE(0) } > F .data : { *(.data) } > R AT> F }"
    )
    done = linked(tmp_path, script, f"{START}.data\n.long 1\n")
    report = judged(done, f'assert: "{expression}"')
    assert report.findings[0].facts[-1] == f"in the image: {values}"


# From where data is loaded ------------------------------------------------------------------------------------------

DATA = ".data\n.balign 4\n.long 1\n"
ODD = '.globl _start\n.section .text.s,"ax"\n_start: .long 0\n.byte 0\n'


def rom(body: str, entry: str = "_start") -> str:
    return f"{ROM_AND_RAM}ENTRY({entry}) SECTIONS {{ .text : {{ *(.text .text.*) }} > F {body} }}"


@pytest.mark.parametrize("target", ["x86_64", "arm64", "arm32", "riscv64", "ppc64"])
def test_a_copy_that_starts_ahead_of_the_padding(tmp_path: Path, target: str) -> None:
    done = linked(tmp_path, rom("from = .; .data : ALIGN(4) { *(.data) } > R AT> F"), ODD + DATA, target=target)
    (line,) = said(judged(done, "lint: copy-source"))
    assert line.startswith("error: from is ")
    assert line.endswith("ahead of where .data is loaded")


@EACH_LINKER
@pytest.mark.parametrize(
    "body",
    [
        ".data : ALIGN(4) { *(.data) } > R AT> F from = LOADADDR(.data);",
        ". = ALIGN(4); from = .; .data : AT(from) { *(.data) } > R",
    ],
)
def test_a_copy_that_starts_where_the_data_is(tmp_path: Path, body: str, linker: str) -> None:
    done = linked(tmp_path, rom(body), ODD + DATA, linker=linker)
    assert said(judged(done, "lint: copy-source")) == []


@EACH_LINKER
def test_words_that_are_loaded_to_an_odd_address(tmp_path: Path, linker: str) -> None:
    done = linked(tmp_path, rom("from = .; .data : AT(from) { *(.data) } > R"), ODD + DATA, linker=linker)
    (line,) = said(judged(done, "lint: copy-source"))
    assert line == "warning: .data is loaded at 0x10005, which is no address of a word, and runs at 0x80000"


def test_an_image_that_is_moved_as_a_whole_copies_nothing(tmp_path: Path) -> None:
    script = (
        "ENTRY(_start) SECTIONS { . = 0xc0100000; .text : AT(ADDR(.text) - 0xc0000000) { *(.text*) }"
        " end = .; .data : AT(ADDR(.data) - 0xc0000000) { *(.data) } }"
    )
    done = linked(tmp_path, script, ODD + DATA)
    for lint in ("copy-source", "copied-together", "load-address-in-ram", "overlapping-load-address"):
        assert said(judged(done, f"lint: {lint}")) == []


@EACH_LINKER
def test_data_that_is_loaded_to_ram(tmp_path: Path, linker: str) -> None:
    body = ".data : { *(.data) } > R AT> F .kept : { *(.kept) } > K .bss : { *(.bss) } > K"
    source = f'{ODD}{DATA}.section .kept,"aw"\n.long 2\n.bss\n.skip 8\n'
    done = linked(tmp_path, rom(body), source, linker=linker)
    (line,) = said(judged(done, "lint: load-address-in-ram"))
    assert line == "error: .kept (4 bytes) is loaded to K, where nothing is when the device starts"


def test_an_orphan_that_is_loaded_to_ram_is_shown_in_the_script(tmp_path: Path) -> None:
    script = (
        "MEMORY { ROM (rx) : ORIGIN = 0x8000000, LENGTH = 64K RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 64K }\n"
        "SECTIONS {\n.text : { *(.text) } > ROM\n.data : { *(.data) } > RAM AT> ROM\n.bss : { *(.bss) } > RAM\n}\n"
    )
    own = '.data\n.long 1\n.section .mydata,"aw"\n.long 3\n.bss\n.skip 40\n'
    done = linked(tmp_path, script, f"{START}{own}", linker="ld.lld-19")
    for with_map in (False, True):
        report = judged(done, policies=("generic",), with_map=with_map, select=("load-address-in-ram",))
        (found,) = report.findings
        assert found.message == ".mydata (4 bytes) is loaded to RAM, where nothing is when the device starts"
        assert (found.location.file, found.location.line) == (str(done.script), 4)
        assert found.help.startswith("see that a statement takes .mydata")


@pytest.mark.parametrize("kind", ["(NOLOAD) :", ":"])
def test_memory_without_content_is_loaded_from_nowhere(tmp_path: Path, kind: str) -> None:
    body = f".data : {{ *(.data) }} > R AT> F .kept {kind} {{ *(.kept) }} > K"
    source = f'{ODD}{DATA}.section .kept,"aw",@nobits\n.skip 4\n'
    done = linked(tmp_path, rom(body), source)
    assert said(judged(done, "lint: load-address-in-ram")) == []


def test_an_image_in_ram_is_loaded_to_ram(tmp_path: Path) -> None:
    memory = "MEMORY { R (rwx) : ORIGIN = 0x80000, LENGTH = 64K } "
    script = memory + "SECTIONS { .text : { *(.text*) } > R .data : { *(.data) } > R }"
    done = linked(tmp_path, script, ODD + DATA)
    assert said(judged(done, "lint: load-address-in-ram")) == []


@EACH_LINKER
def test_the_size_of_thread_local_storage(tmp_path: Path, linker: str) -> None:
    script = (
        "ENTRY(_start) SECTIONS { . = 0x10000; .text : { *(.text*) } from = .; .tdata : { *(.tdata) }"
        " .tbss : { *(.tbss) } size = . - from; }"
    )
    source = f'{START}.section .tdata,"awT"\n.quad 1\n.section .tbss,"awT",@nobits\n.skip 200\n'
    done = linked(tmp_path, script, source, linker=linker)
    (line,) = said(judged(done, "lint: tls-size"))
    assert line == "error: size does not count .tbss, which does not move the location counter"


# What comes first in a flat image -----------------------------------------------------------------------------------

FLAT = (
    "OUTPUT_FORMAT(binary) ENTRY(go) "
    "SECTIONS {{ . = 0x8000; .text : {{ {} *(.text .text.*) }} .data : {{ *(.data) }} }}"
)
GO = '.section .text.go,"ax"\n.globl go\ngo: .long 0\n'


@pytest.mark.parametrize(("head", "wrong"), [("", True), ("*(.text.go)", False), ("LONG(0)", True)])
def test_a_flat_image_begins_with_its_entry(tmp_path: Path, head: str, *, wrong: bool) -> None:
    objects = [assemble(tmp_path, text, name=name) for name, text in (("a.o", ".text\n.long 1\n"), ("b.o", GO))]
    done = link(tmp_path, FLAT.format(head), objects)
    policy = tmp_path / "policy.yaml"
    policy.write_text("ldcheck: 1\nrules:\n  - lint: entry-not-first\n")
    report = ldcheck.check([str(done.script)], policies=[str(policy)], map=str(done.map))
    assert bool(said(report)) is wrong


@EACH_LINKER
@pytest.mark.parametrize(("notes", "wrong"), [("", True), (".notes : { *(.note.*) }", False)])
def test_a_note_in_front_of_the_entry(tmp_path: Path, linker: str, notes: str, *, wrong: bool) -> None:
    script = f"ENTRY(go) SECTIONS {{ . = 0x8000; .text : {{ *(.text.go) *(.text .text.*) }} {notes} }}"
    done = linked(tmp_path, script, GO, linker=linker, options=("--build-id",))
    report = judged(done, "lint: entry-not-first")
    assert bool(said(report)) is wrong


def test_a_file_with_its_headers_in_the_first_segment_is_for_a_loader(tmp_path: Path) -> None:
    script = "ENTRY(go) SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .text : { *(.text.go) *(.text .text.*) } }"
    done = linked(tmp_path, script, GO, options=("--build-id",))
    assert said(judged(done, "lint: entry-not-first")) == []


@EACH_LINKER
@pytest.mark.parametrize(("at", "loader"), [("0x8000", False), ("0x400000 + SIZEOF_HEADERS", True)])
@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("with_map", [True, False])
def test_an_entry_that_is_listed_with_the_code_of_every_object(
    tmp_path: Path, linker: str, at: str, *, loader: bool, late: bool, with_map: bool
) -> None:
    script = f"ENTRY(go) SECTIONS {{ . = {at}; .text : {{ *(.text.start .text) }} .data : {{ *(.data) }} }}"
    sources = (".text\n.long 1\n", GO.replace(".text.go", ".text.start"))
    done = linked(tmp_path, script, *(sources if late else sources[::-1]), linker=linker)
    report = judged(done, "lint: entry-not-first", with_map=with_map)
    told = "not so in the link at hand" in str(report.findings)
    assert bool(said(report)) is (not loader and (late or not with_map))
    assert told is (with_map and not late)


# More of the same kinds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("front", "size"),
    [
        ("from = .; {tdata} {tbss}", "size = ABSOLUTE(. - from);"),
        ("from = .; {tdata} {tbss} to = .;", "size = (to - from + 7) & ~7;"),
        ("{tdata} {tbss}", "size = . - ADDR(.tdata);"),
        (".tdata : {{ from = .; *(.tdata) }} {tbss}", "size = . - from;"),
        ("__tls_start = .; {tdata} {tbss}", "__tls_end = .;"),
    ],
)
@pytest.mark.parametrize("target", ["x86_64", "arm64", "riscv64"])
def test_sizes_of_thread_local_storage_by_the_location_counter(
    tmp_path: Path, front: str, size: str, target: str
) -> None:
    parts = front.format(tdata=".tdata : { *(.tdata) }", tbss=".tbss : { *(.tbss .tbss.*) }")
    script = f"ENTRY(_start) SECTIONS {{ . = 0x10000; .text : {{ *(.text*) }} {parts} {size} .data : {{ *(.data) }} }}"
    data = '.section .tdata,"awT"\n.quad 1\n'
    done = linked(tmp_path, script, f'{START}{data}.section .tbss.x,"awT",@nobits\n.skip 200\n', target=target)
    assert [line.partition(":")[0] for line in said(judged(done, "lint: tls-size"))] == ["error"]
    done = linked(tmp_path, script, START + data, target=target)
    assert said(judged(done, "lint: tls-size")) == []


@pytest.mark.parametrize(
    "body",
    [
        ".tdata : { from = .; *(.tdata) } .tbss : { *(.tbss) to = .; } size = to - from;",
        ".tdata : { *(.tdata) } .tbss : { *(.tbss) } size = SIZEOF(.tdata) + SIZEOF(.tbss);",
        "from = .; .tdata : { *(.tdata) } .tbss : { *(.tbss) } .data : { *(.data) } size = . - from;",
        ".tdata : { *(.tdata) } .tbss : { *(.tbss) } bss_end = .;",
    ],
)
def test_sizes_that_count_what_they_are_meant_to(tmp_path: Path, body: str) -> None:
    script = f"ENTRY(_start) SECTIONS {{ . = 0x10000; .text : {{ *(.text*) }} {body} }}"
    source = f'{START}.section .tdata,"awT"\n.quad 1\n.section .tbss,"awT",@nobits\n.skip 200\n.data\n.long 1\n'
    done = linked(tmp_path, script, source)
    assert said(judged(done, "lint: tls-size")) == []


TWO = '.section .ramro,"aw"\n.balign 16\n.byte 1\n.data\n.balign 32\n.byte 2\n'


@pytest.mark.parametrize(
    ("first", "second", "source"),
    [
        ("> R AT> F", "> R AT> F", "from = LOADADDR(.ramro);"),
        ("> R AT> F", "> R AT> F", ".table : { LONG(LOADADDR(.ramro)) } > F"),
    ],
)
def test_two_sections_that_are_copied_in_one_go(tmp_path: Path, first: str, second: str, source: str) -> None:
    body = f".ramro : {{ to = .; *(.ramro) }} {first} .data : {{ *(.data) to_end = .; }} {second} {source}"
    done = linked(tmp_path, rom(body), ODD + TWO)
    assert said(judged(done, "lint: copied-together")) == [
        "error: .data is copied with .ramro, and is not loaded in step with it"
    ]


def test_two_sections_whose_load_addresses_are_expressions(tmp_path: Path) -> None:
    body = (
        "from = .; .ramro : AT(from) { to = .; *(.ramro) } > R"
        " .data : AT(from + SIZEOF(.ramro)) { *(.data) to_end = .; } > R"
    )
    done = linked(tmp_path, rom(body), ODD + TWO)
    assert len(said(judged(done, "lint: copied-together"))) == 1


@pytest.mark.parametrize("own", ["from2 = LOADADDR(.data);", ".table : { LONG(LOADADDR(.data)) } > F"])
def test_two_sections_with_a_source_each(tmp_path: Path, own: str) -> None:
    body = f".ramro : {{ *(.ramro) }} > R AT> F .data : {{ *(.data) }} > R AT> F from = LOADADDR(.ramro); {own}"
    done = linked(tmp_path, rom(body), ODD + TWO)
    assert said(judged(done, "lint: copied-together")) == []


def test_data_without_any_source(tmp_path: Path) -> None:
    body = "early = .; .rodata : { *(.rodata) } > F .data : { *(.data) } > R AT> F"
    done = linked(tmp_path, rom(body), f'{ODD}{DATA}.section .rodata,"a"\n.skip 100\n')
    assert said(judged(done, "lint: copy-source"))[0] == "warning: no symbol tells from where .data is loaded"


def test_what_lies_in_step_is_copied_along(tmp_path: Path) -> None:
    body = ".ramro : { *(.ramro) } > R AT> F .data : ALIGN_WITH_INPUT { *(.data) } > R AT> F from = LOADADDR(.ramro);"
    done = linked(tmp_path, rom(body), f"{START}{TWO}")
    assert [line for line in said(judged(done, "lint: copy-source")) if "no symbol" in line] == []


@EACH_LINKER
@pytest.mark.parametrize(
    "memory",
    [
        "F : o = 0x10000, l = 64K R : o = 0x80000, l = 64K CCM : o = 0x90000, l = 4K",
        "F (rx) : o = 0x10000, l = 64K R (w) : o = 0x80000, l = 64K CCM (w) : o = ORIGIN(R) + LENGTH(R), l = 4K",
    ],
)
def test_regions_that_are_ram_by_their_attributes_or_names(tmp_path: Path, linker: str, memory: str) -> None:
    head = f"MEMORY {{ {memory} }} ENTRY(_start) SECTIONS {{ .text : {{ *(.text*) }} > F"
    script = f"{head} .data : {{ *(.data) }} > R AT> F .kept : {{ *(.kept) }} > CCM }}"
    done = linked(tmp_path, script, f'{ODD}{DATA}.section .kept,"aw"\n.long 2\n', linker=linker)
    assert len(said(judged(done, "lint: load-address-in-ram"))) == 1


def test_data_in_ram_without_regions(tmp_path: Path) -> None:
    script = (
        "ENTRY(_start) SECTIONS { . = 0x10000; .text : { *(.text*) } from = .;"
        " .kept 0x20001000 : { *(.kept) } .data 0x20000000 : AT(from) { *(.data) } }"
    )
    done = linked(tmp_path, script, f'{START}{DATA}.section .kept,"aw"\n.long 2\n')
    assert said(judged(done, "lint: load-address-in-ram")) == [
        "error: .kept (4 bytes) is loaded to RAM, where nothing is when the device starts"
    ]


@pytest.mark.parametrize("name", ["eeprom", "FUSES", "user_cfg"])
def test_regions_that_keep_what_is_programmed(tmp_path: Path, name: str) -> None:
    head = f"MEMORY {{ F (rx) : o = 0, l = 64K R (rw) : o = 0x80000, l = 64K {name} (rw) : o = 0x90000, l = 4K }}"
    body = f".text : {{ *(.text*) }} > F .data : {{ *(.data) }} > R AT> F .e : {{ *(.e) }} > {name}"
    script = f"{head} SECTIONS {{ {body} }}"
    done = linked(tmp_path, script, f'{ODD}{DATA}.section .e,"aw"\n.long 2\n')
    assert said(judged(done, "lint: load-address-in-ram")) == []


def test_sections_with_names_of_c_are_orphans_by_design(tmp_path: Path) -> None:
    source = f'{START}.section my_table,"a"\n.long 1\n.section .vendor,"a"\n.long 2\n'
    done = linked(tmp_path, PLAIN, source)
    report = judged(done, ORPHANS)
    assert [line.split(" ")[1] for line in said(report)] == [".vendor"]
    assert len(report.findings) == 2


def test_of_two_sections_that_exclude_each_other_neither_takes_from_the_other(tmp_path: Path) -> None:
    script = (
        "SECTIONS { . = 0x10000; .text : { *(.text .text.*) } .u : ONLY_IF_RO { *(.u) }"
        " .data : { *(.data) } .u : ONLY_IF_RW { *(.u) } }"
    )
    done = linked(tmp_path, script, f'{START}.section .u,"a"\n.long 1\n')
    assert said(judged(done, "lint: shadowed-pattern")) == []


# Load addresses -----------------------------------------------------------------------------------------------------

ODD_CODE = ".globl _start\n.text\n_start: .byte 1\n.data\n.balign 4\n.long 1\n"
COPIED = """\
MEMORY { F (rx) : ORIGIN = 0x10000, LENGTH = 64K R (rw) : ORIGIN = 0x20000, LENGTH = 4K }
SECTIONS {
  .text : { *(.text) *(.rodata) } > F
  .data : { . = ALIGN(4); _sdata = .; *(.data) } > R AT> F
  copy_from = LOADADDR(.data);
}
"""


@EACH_LINKER
def test_lld_aligns_a_load_address_for_the_inputs_and_gnu_ld_does_not(tmp_path: Path, linker: str) -> None:
    done = linked(tmp_path, COPIED, ODD_CODE, linker=linker)
    image = ldcheck.image(str(done.elf))
    assert image.elf is not None
    (section,) = (one for one in image.elf.sections if one.name == ".data")
    off = image.elf.load_address(section) % 4
    assert bool(off) is (linker == "ld")
    report = ldcheck.check(
        [str(done.script)], linker="gnu" if linker == "ld" else "lld", select=["unaligned-load-address"]
    )
    assert len(said(report)) == bool(off)
    odd = [one for one in said(judged(done, "lint: copy-source")) if "no address of a word" in one]
    assert len(odd) == bool(off)


# Padding ------------------------------------------------------------------------------------------------------------


@EACH_LINKER
def test_room_that_is_reserved_is_no_padding(tmp_path: Path, linker: str) -> None:
    body = "*(.a) . = ALIGN(16); . = . + 2048; . += 3; . = ALIGN(8); end = .; *(.b)"
    source = f'{START}.section .a,"aw"\n.byte 1\n.section .b,"aw"\n.balign 4\n.byte 1\n'
    script = f"SECTIONS {{ . = 0x10000; .text : {{ *(.text) }} . = 0x20000; .s : {{ {body} }} }}"
    done = linked(tmp_path, script, source, linker=linker)
    # 15 behind .a, 5 behind 3 of the room.
    (finding,) = judged(done, "padding: .s, at-most: 19").findings
    assert finding.message.startswith(".s loses 20 bytes (")
    assert judged(done, "padding: .s, at-most: 20").rules[0].verdict is Verdict.HELD


def test_gaps_that_a_map_does_not_explain_decide_nothing(tmp_path: Path) -> None:
    source = f'{START}.section .a,"aw"\n.byte 1\n.section .b,"aw"\n.balign 4\n.long 1, 2, 3, 4\n'
    script = "SECTIONS { .text : { *(.text) } .s : { *(.a) *(.b) } .t : { *(.t) } }"
    done = linked(tmp_path, script, source)
    assert done.map is not None
    text = done.map.read_text()
    line = next(line for line in text.splitlines() if line.startswith(" .b "))
    done.map.write_text(text.replace(line, ""))
    (result,) = judged(done, "padding: .s, at-most: 5").rules
    assert (result.verdict, result.reason) == (Verdict.NOT_CHECKED, "the map does not tell what 16 bytes of .s are")
    assert judged(done, "padding: .s, at-most: 2").rules[0].verdict is Verdict.VIOLATED
    assert judged(done, "padding: .s, at-most: 19").rules[0].verdict is Verdict.HELD


@EACH_LINKER
def test_a_start_symbol_ahead_of_a_section_is_not_in_its_memory_region(tmp_path: Path, linker: str) -> None:
    """The linkers go to a region when the section comes, and not ahead of it."""
    script = """
        MEMORY { FLASH (rx) : ORIGIN = 0x8000000, LENGTH = 64K RAM (rw) : ORIGIN = 0x20000000, LENGTH = 64K }
        SECTIONS {
          image = .;
          .text : { *(.text .text.*) } > FLASH
          _sdata = .;
          .data : { *(.data .data.*) } > RAM AT> FLASH
          _edata = .;
        }"""
    done = linked(tmp_path, script, START + ".data\n.quad 1\n", linker=linker)
    assert done.elf is not None
    elf = read_elf(str(done.elf))
    values = {name: elf.symbols[name].value for name in ("image", "_sdata", "_edata")}
    assert values["image"] == 0
    assert values["_sdata"] < 0x8001000
    assert values["_edata"] == 0x20000008
    found = judged(done, policies=("generic",), select=("start-outside-region",))
    assert [one.message.split()[0] for one in found.findings] == ["image", "_sdata"]
