"""Which names have no place in a script, by what it takes of their families."""

from __future__ import annotations

import pytest

from ldcheck.script.parser import parse
from ldcheck.sections.rules import input_rules
from ldcheck.sections.siblings import unplaced
from ldcheck.source import Source


def judged(body: str, *arches: str) -> dict[str, bool]:
    """Each name without a place, and whether it is likely to hurt."""
    script = parse(Source("x.lds", body if "SECTIONS" in body else f"SECTIONS {{ {body} }}"))
    assert not [problem for problem in script.problems if problem.severity == "error"]
    groups = unplaced(script.tree, input_rules(script.tree), arches)
    return {one.pattern: group.likely and one.likely for group in groups for one in group.missing}


def likely(body: str, *arches: str) -> set[str]:
    return {name for name, hurts in judged(body, *arches).items() if hurts}


WHOLE = ".text : { *(.text .text.*) } .rodata : { *(.rodata .rodata.*) } .data : { *(.data .data.*) } "
BSS = ".bss : { *(.bss .bss.* COMMON) } "
PLAIN_BSS = ".bss : { *(.bss COMMON) } "
SMALL = ".sdata : { *(.sdata .sdata.* .srodata .srodata.*) } .sbss : { *(.sbss .sbss.*) } "


@pytest.mark.parametrize("arch", ["", "x86_64", "arm64", "arm32", "ppc64", "s390x"])
def test_a_script_that_takes_all_of_its_families_is_left_alone(arch):
    assert likely(WHOLE + BSS + "_end = .;", *filter(None, [arch])) == set()


def test_half_a_family_under_split_sections():
    assert likely(WHOLE + ".bss : { *(.bss) *(COMMON) } __bss_end = .;") == {".bss.*"}


def test_half_a_family_is_harmless_where_nothing_marks_its_end():
    found = judged(WHOLE + ".bss : { *(.bss) *(COMMON) }")
    assert found == {".bss.*": False}


def test_half_a_family_is_only_possible_where_nothing_tells_of_split_sections():
    text = ".text : { *(.text .text.unlikely .text.startup .text.exit .text.hot) } .rodata : { *(.rodata .rodata.*) } "
    found = judged(text + ".data : { *(.data) } _edata = .; .bss : { *(.bss COMMON) } __bss_end = .;", "x86_64")
    assert found[".bss.*"] is False
    assert found[".data.*"] is False


def test_strings_and_cold_code_come_by_default():
    body = ".text : { *(.text) _etext = .; } .rodata : { *(.rodata) _erodata = .; } .data : { *(.data) } " + PLAIN_BSS
    found = likely(body, "x86_64")
    assert {".text.unlikely", ".text.startup", ".rodata.str*", ".rodata.cst*"} <= found
    assert ".data.*" not in found


@pytest.mark.parametrize("arch", ["riscv64", "riscv32"])
def test_small_data_of_riscv(arch):
    body = WHOLE + "_edata = .; " + BSS + "__bss_end = .;"
    assert {".sdata", ".sbss"} <= likely(body, arch)
    assert likely(body, "arm64") == set()
    assert likely(WHOLE + "_edata = .; " + BSS + "__bss_end = .; " + SMALL + "_end = .;", arch) == set()


def test_the_script_itself_may_tell_the_architecture():
    body = WHOLE + "__global_pointer$ = . + 0x800; _edata = .; " + BSS + "__bss_end = .;"
    assert {".sdata", ".sbss"} <= likely(body)


def test_a_script_for_two_families_of_architectures_has_to_do_for_both():
    body = WHOLE + "PROVIDE(__global_pointer$ = . + 0x800); _edata = .; " + BSS + "__bss_end = .; __exidx_start = .; "
    arm = ".ARM.exidx : { *(.ARM.exidx*) } __exidx_end = .;"
    assert {".sdata", ".sbss", ".ARM.extab"} <= set(judged(body + arm))
    assert {".sdata", ".sbss"} <= likely(body + arm)
    assert ".ARM.extab" not in judged(body + ".ARM.extab : { *(.ARM.extab*) } " + arm)


def test_names_of_two_families_tell_nothing_by_themselves():
    body = (
        WHOLE + "_edata = .; " + BSS + "__bss_end = .; .sdata2 : { *(.sdata2 .sdata2.*) } .srodata : { *(.srodata*) } "
    )
    assert likely(body + ".ARM.exidx : { *(.ARM.exidx* .ARM.extab*) } __exidx_end = .;") == set()


def test_small_data_of_mips_wants_evidence():
    body = WHOLE + "_edata = .; " + BSS + "__bss_end = .;"
    assert likely(body, "mips") == set()
    assert ".sbss" in likely(body + " .sdata : { *(.sdata .sdata.*) }", "mips")


def test_unwind_tables_of_arm_come_in_two_halves():
    discarded = WHOLE + BSS + "/DISCARD/ : { *(.ARM.exidx .ARM.exidx.*) }"
    assert likely(discarded) == {".ARM.extab", ".ARM.extab.*"}
    # The index leads to the tables wherever they are, but must be whole itself.
    placed = WHOLE + BSS + ".ARM.exidx : { __exidx_start = .; *(.ARM.exidx) } __exidx_end = .;"
    assert judged(placed) == {".ARM.exidx.*": True, ".ARM.extab": False, ".ARM.extab.*": False}
    assert likely(WHOLE + BSS + "/DISCARD/ : { *(.ARM.*) }") == set()


def test_destructors_are_discarded_under_both_names():
    body = WHOLE + BSS + "/DISCARD/ : { *(.dtors .dtors.*) }"
    assert likely(body, "arm64") == {".fini_array"}
    # Where GCC may still be configured for .dtors, nothing is said.
    assert likely(body, "m68k") == set()


def test_relocated_data_where_the_image_is_position_independent():
    body = ".text : { *(.text) } .rodata : { *(.rodata*) } .data : { *(.data) _edata = .; } " + PLAIN_BSS
    dynamic = ".rela.dyn : { *(.rela.dyn) } .dynamic : { *(.dynamic) }"
    assert {".data.rel", ".data.rel.local", ".data.rel.ro"} <= likely(body + dynamic, "arm64")
    assert not {".data.rel", ".data.rel.local"} & likely(body, "arm64")


def test_data_that_is_written_to_belongs_beside_data():
    body = ".text : { *(.text) } .ro : { *(.rodata*) *(.data.rel.ro) } .data : { *(.data) _edata = .; } " + PLAIN_BSS
    script = parse(Source("x.lds", f"SECTIONS {{ {body} .dynamic : {{ *(.dynamic) }} }}"))
    groups = unplaced(script.tree, input_rules(script.tree), ("arm64",))
    beside = {one.pattern: group.sibling.names.text for group in groups for one in group.missing}
    assert beside[".data.rel"] == beside[".data.rel.local"] == ".data"
    assert beside[".data.rel.ro.local"] == ".data.rel.ro"


@pytest.mark.parametrize(
    "body",
    [
        ".text : { *(.text) } _etext = .;",
        ".bss : { *(.bss) } _end = .;",
        ".text : { start.o(.text) } .data : { start.o(.data) } _edata = .;",
        "SECTIONS { .text : { *(.text) } .data : { *(.data) } _edata = .; } INSERT AFTER .init;",
        ".text 0 : { *(.text) } .data 0 : { *(.data) } .bss 0 : { *(.bss) } _end = .;",
        ".text : { *(.text .text$*) } .data : { *(.data) *(SORT(.data$*)) } _edata = .; .bss : { *(.bss) } _end = .;",
        ".text : { *(.text) } .data : { *(.data) } _edata = .; .all : { *(*) } .bss : { *(.bss) } _end = .;",
    ],
    ids=["code-alone", "zeroed-alone", "one-file", "insert", "relocatable", "objects-of-pe", "everything"],
)
def test_what_is_no_script_of_a_whole_link_or_takes_everything(body):
    assert likely(body, "riscv64") == set()


def test_a_statement_for_one_file_takes_nothing_for_the_others():
    body = ".text : { start.o *(.text .text.*) } .rodata : { *(.rodata*) } .data : { *(.data .data.*) } "
    assert likely(body + ".bss : { *(.bss) } _end = .;") == {".bss.*"}


def test_a_start_behind_the_sibling_is_no_end_of_it():
    body = WHOLE + ".bss : { *(.bss COMMON) } heap_start = .;"
    assert likely(body) == set()


def test_constants_behind_a_prefix_of_the_project():
    init = ".init : { *(.init.rodata) *(.init.rodata.str*) *(.init.data) _einit = .; } "
    assert likely(WHOLE + BSS + init, "x86_64") == {".init.rodata.cst*"}
    assert likely(WHOLE + BSS + init.replace(".str*", ".*"), "x86_64") == set()


def test_who_lists_parts_of_the_code_has_no_main():
    body = ".text : { *(.text .text.unlikely) _etext = .; } .rodata : { *(.rodata*) } .data : { *(.data) } " + PLAIN_BSS
    assert likely(body, "x86_64") == set()
    assert likely(body.replace(" .text.unlikely", ""), "x86_64") == {".text.unlikely", ".text.startup"}


def test_the_end_of_a_table_is_no_end_of_what_stands_ahead_of_its_start():
    table = ".bss : { *(.bss COMMON) } table_start = .; .table : { *(.table) } table_end = .;"
    assert likely(WHOLE + table) == set()
    assert likely(WHOLE + table.replace("} table_start", "} _ebss = .; table_start")) == {".bss.*"}


@pytest.mark.parametrize("symbols", ["__CTORS_LIST__ __CTORS_END__", "_sctors _ectors", "ctors_table ctors_table_end"])
def test_the_start_of_a_table_is_no_end_of_what_stands_ahead_of_it(symbols):
    start, end = symbols.split()
    data = f".data : {{ *(.data .data.*) . = ALIGN(8); {start} = .; KEEP(*(.ctors .ctors.*)) {end} = .; }} "
    body = WHOLE.replace(".data : { *(.data .data.*) } ", data) + ".bss : { *(.bss .bss.* COMMON) } "
    assert not {name for name in likely(body, "ppc32") if name.startswith(".sdata")}
    assert ".sdata" in likely(body.replace(f"{end} = .; }}", f"{end} = .; _edata = .; }}"), "ppc32")


def test_a_size_that_moves_the_location_counter_ends_no_range():
    body = "_start_rx = .; " + WHOLE.replace(".data :", ". = ALIGN(1 << LOG2CEIL(SIZEOF(.rodata))); .data :") + BSS
    assert not {name for name in likely(body, "riscv64") if name.startswith(".srodata")}
    assert ".srodata" in likely(body.replace("_start_rx = .;", "size = SIZEOF(.rodata);"), "riscv64")


@pytest.mark.parametrize("name", [".fixup", ".stab"])
def test_what_programs_have_on_any_architecture_tells_none(name):
    body = WHOLE + BSS + f"_end = .; .own : {{ *({name}) }}"
    assert not likely(body)


def test_a_note_matters_only_beside_one_that_is_discarded():
    assert likely(WHOLE + BSS + ".notes : { *(.note.gnu.build-id) } _enotes = .;", "x86_64") == set()
    assert likely(WHOLE + BSS + "/DISCARD/ : { *(.note.gnu.build-id) }", "x86_64") == {".note.gnu.property"}


def test_what_one_of_two_architectures_has_is_not_to_be_expected():
    # OUTPUT_ARCH(powerpc) leaves both open, and only one of them has small data by default.
    body = WHOLE + "_edata = .; " + BSS + "_end = .;"
    assert ".sbss" not in likely(body, "ppc32", "ppc64")
    assert ".sbss" in likely(body, "ppc32")


def test_sections_without_memory_are_never_likely():
    body = WHOLE + BSS + "_end = .; .debug_info 0 : { *(.debug_info) } .debug_line 0 : { *(.debug_line) }"
    found = judged(body, "x86_64")
    assert ".debug_rnglists" in found
    assert not any(found.values())
