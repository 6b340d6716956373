"""A link that is played through comes to what the real ld makes of it: addresses, sizes, padding, symbols."""

from __future__ import annotations

import os
from contextlib import chdir
from pathlib import Path
from random import Random

import pytest

from ldcheck.image.definitions import read_definitions
from ldcheck.image.maps import read_map
from ldcheck.image.objects import read_objects
from ldcheck.layout.knowledge import NotPredicted, Options
from ldcheck.layout.played import Played
from ldcheck.layout.player import play
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.layout.played_links import Tally, compare, run
from tests.support.build import assemble, compile_c, link

# Another start tries other scripts and objects.
_FIRST = int(os.environ.get("LDCHECK_LAYOUT_SEED", "1"))
_LINKS = int(os.environ.get("LDCHECK_PLAYED_LINKS", "500"))


def judged(tally: Tally, share: float) -> None:
    """Nothing may differ, and enough has to be predicted of the links that ld makes."""
    assert not tally.broken, "\n\n".join(tally.broken[:3])
    made = tally.links - tally.refused["and so does ld"]
    assert tally.predicted > made * share > tally.links * share / 2, tally.refused


def test_random_links_are_predicted_to_the_byte(tmp_path: Path) -> None:
    tally = run(tmp_path, range(_FIRST, _FIRST + 60))
    judged(tally, 0.7)
    assert tally.sections > 500
    assert tally.symbols > 150


# The notes on the processor of RISC-V and arm, whose sizes only ld knows, stand in the way of many scripts.
@pytest.mark.parametrize(("target", "share"), [("arm64", 0.7), ("riscv64", 0.45), ("arm32", 0.35)])
def test_random_links_are_predicted_elsewhere(tmp_path: Path, target: str, share: float) -> None:
    judged(run(tmp_path, range(_FIRST, _FIRST + 20), target), share)


@pytest.mark.parametrize("target", ["x86_64", "arm64", "riscv64", "arm32"])
def test_random_links_of_a_firmware_are_predicted_to_the_byte(tmp_path: Path, target: str) -> None:
    judged(run(tmp_path, range(_FIRST, _FIRST + 15), target, firmware=True), 0.6)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("target", "firmware", "share"),
    [
        ("x86_64", False, 0.7), ("x86_64", True, 0.7), ("arm64", False, 0.7), ("arm64", True, 0.7),
        ("riscv64", False, 0.5), ("riscv64", True, 0.7), ("arm32", False, 0.4), ("arm32", True, 0.7),
    ],
)  # fmt: skip
def test_many_random_links(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str, firmware: bool, share: float
) -> None:
    tally = run(tmp_path, range(_FIRST + 1000, _FIRST + 1000 + _LINKS), target, firmware)
    with capsys.disabled():
        parts = f"{tally.sections:,} sections, {tally.inputs:,} inputs, {tally.symbols:,} symbols"
        print(f"\n{target}: {tally.predicted} of {tally.links} links are predicted: {parts}")
    judged(tally, share)


def played(folder: Path, script: str, objects: list[Path], target: str = "x86_64") -> Played:
    """Play a link, and compare it with ld's."""
    done = link(folder, script, objects, target, ["-e0"])
    assert done.map is not None, done.output
    with chdir(folder):
        names = [path.name for path in objects]
        inputs, symbols = read_objects(names), read_definitions(names)
    found = play(parse(Source("t.lds", script)).tree, inputs, symbols, Options(arch=target))
    tally = Tally()
    compare(found, read_map(str(done.map)), script, tally)
    assert not tally.broken, tally.broken[0]
    return found


def strings(random: Random, width: int) -> str:
    """Mergeable sections whose strings repeat each other, and each other's tails."""
    directive = {1: ".asciz", 2: ".string16", 4: ".string32"}[width]
    lines = []
    for _ in range(random.randint(1, 3)):
        align = random.choice((1, 1, 1, 4, 8)) * width
        name = random.choice((".rodata.a", ".rodata.b"))
        lines.append(f'.section {name}{width}{align},"aMS",@progbits,{width}\n.balign {align}')
        for _ in range(random.randint(0, 12)):
            text = "".join(random.choice("ab") for _ in range(random.choice((0, 1, 2, 2, 3, 5, 8))))
            lines.append(f'{directive} "{text}"')
            if random.random() < 0.3:
                lines.append(f".balign {align}")
    return "\n".join(lines) + "\n"


def constants(random: Random) -> str:
    size = random.choice((4, 8, 16))
    values = "\n".join(f".balign {size}\n.4byte {random.randint(0, 3)}\n.skip {size - 4}" for _ in range(6))
    return f'.section .rodata.cst{size},"aM",@progbits,{size}\n.balign {size}\n{values}\n'


@pytest.mark.parametrize("seed", range(_FIRST, _FIRST + 12))
def test_strings_and_constants_are_merged_as_ld_merges_them(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    objects = []
    for number in range(4):
        source = "".join(strings(random, random.choice((1, 1, 2, 4))) + constants(random) for _ in range(3))
        objects.append(assemble(tmp_path, source, name=f"m{number}.o"))
    script = (
        "SECTIONS { . = 0x1000; .text : { *(.text) } .ro : { *(.rodata.a*) *(.rodata.b*) } .c : { *(.rodata.c*) } }"
    )
    found = played(tmp_path, script, objects)
    assert sum(section.size for section in found.sections) > 0


COMMON = (
    "int alone[5]; int shared[4]; int defined[3] = {1};",
    "int shared[9]; extern int alone[]; int defined[3];",
    "char other[64]; int use(void) { return other[0]; }",
)


def test_common_symbols_stand_in_the_file_that_has_the_largest(tmp_path: Path) -> None:
    objects = [compile_c(tmp_path, source, name=f"c{at}.o", options=["-fcommon"]) for at, source in enumerate(COMMON)]
    script = "SECTIONS { . = 0x1000; .text : { *(.text*) } .data : { *(.data*) } .bss : { *(.bss* COMMON) } }"
    found = played(tmp_path, script, objects)
    (bss,) = (section for section in found.sections if section.name == ".bss")
    assert [(one.input.file, one.size) for one in bss.inputs if one.size] == [("c0.o", 20), ("c1.o", 36), ("c2.o", 64)]


FIRMWARE = """\
ENTRY(reset)
MEMORY { FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 64K
         RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 20K }
top = ORIGIN(RAM) + LENGTH(RAM);
SECTIONS {
  .vectors : { . = ALIGN(4); KEEP(*(.vectors)) . = ALIGN(4); } > FLASH
  .text : { . = ALIGN(4); *(.text .text*) *(.glue_7 .glue_7t) KEEP(*(.init)) . = ALIGN(4); text_end = .; } > FLASH
  .rodata : { . = ALIGN(4); *(.rodata .rodata*) . = ALIGN(4); } > FLASH
  .ARM : { exidx_start = .; *(.ARM.exidx*) exidx_end = .; } > FLASH
  data_load = LOADADDR(.data);
  .data : { . = ALIGN(4); data_start = .; *(.data .data*) . = ALIGN(4); data_end = .; } > RAM AT> FLASH
  .bss : { bss_start = .; *(.bss .bss* COMMON) . = ALIGN(4); bss_end = .; } > RAM
  ._stack : { . = ALIGN(8); PROVIDE(end = .); . = . + 0x200; . = . + 0x400; . = ALIGN(8); } > RAM
  .ARM.attributes 0 : { *(.ARM.attributes) }
}
"""
CORTEX = (
    "-mthumb",
    "-mfloat-abi=soft",
    "-ffunction-sections",
    "-fno-unwind-tables",
    "-Wno-builtin-declaration-mismatch",
)


@pytest.mark.parametrize("processor", ["cortex-m4", "cortex-m0"])
def test_a_firmware_in_thumb_code_is_predicted_to_the_byte(tmp_path: Path, processor: str) -> None:
    sources = (
        "int table[8] = {1}; char bss[101]; int g(int); int f(int x) { return g(bss[x]) + table[2]; }",
        'int g(int x) { return x * 3; } const char *name = "name"; void reset(void) { for (;;) g(2); }',
    )
    options = [f"-mcpu={processor}", *CORTEX]
    objects = [compile_c(tmp_path, one, "arm32", f"f{at}.o", options) for at, one in enumerate(sources)]
    found = played(tmp_path, FIRMWARE, objects, "arm32")
    assert found.symbols["bss_end"] > found.symbols["data_end"] > 0x20000000
    # Nobody asks for it.
    assert "end" not in found.symbols


def test_thumb_code_of_other_processors_is_refused(tmp_path: Path) -> None:
    options = ["-mcpu=cortex-a8", *CORTEX[:2]]
    path = compile_c(tmp_path, "int g(int); int f(int x) { return g(x) + 1; }", "arm32", "f.o", options)
    names = [str(path)]
    with pytest.raises(NotPredicted, match="Thumb code"):
        play(parse(Source("t", FIRMWARE)).tree, read_objects(names), read_definitions(names), Options(arch="arm32"))


def test_branches_that_may_not_reach_are_refused(tmp_path: Path) -> None:
    path = compile_c(tmp_path, "int g(void); int f(void) { return g() + 1; }", "arm64", "f.o", ["-fno-unwind-tables"])
    names = [str(path)]
    script = "SECTIONS { . = 0x80000000; .text : { *(.text) } g = %s; }"
    inputs, symbols = read_objects(names), read_definitions(names)
    near = parse(Source("t", script % ". + 0x1000")).tree
    assert play(near, inputs, symbols, Options(arch="arm64")).symbols["g"] == 0x80001000 + inputs[0].size
    far = parse(Source("t", script % "0x1000")).tree
    with pytest.raises(NotPredicted, match="reach further"):
        play(far, inputs, symbols, Options(arch="arm64"))


SCRIPTS = {
    "load addresses that overlap in a declared segment": """
        PHDRS { all PT_LOAD; tls PT_TLS; note PT_NOTE; }
        SECTIONS { . = 0x10000;
          .text : AT(0x8000) { *(.text) } :all
          .data : AT(0x8001) { *(.data) }
          .tdata : { *(.tdata) } :all :tls  .tbss : { *(.tbss) }
          .note : { *(.note.x) } :all :note
          .bss : AT(0x7000) { *(.bss) } :all }""",
    "headers that are declared": """
        PHDRS { head PT_PHDR PHDRS; text PT_LOAD FILEHDR PHDRS; data PT_LOAD; }
        SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .text : { *(.text) } :text
          . = ALIGN(4096); .data : { *(.data) } :data .bss : { *(.bss) } end = SIZEOF_HEADERS; }""",
    "headers that ld counts": """
        SECTIONS { . = 0x400000 + SIZEOF_HEADERS; .note.x : { *(.note.x) } .text : { *(.text) }
          . = ALIGN(4096); .tdata : { *(.tdata) } .tbss : { *(.tbss) } .data : { *(.data) } .bss : { *(.bss) } }""",
    "symbols that are asked for": """
        EXTERN(asked) SECTIONS { PROVIDE(asked = 0x30); PROVIDE(idle = 0x40); . = DEFINED(asked) ? asked : 0x1000;
          .text : { *(.text) PROVIDE(later = .); } x = later; y = DEFINED(idle); }""",
    "overlays in regions": """
        MEMORY { rom : ORIGIN = 0x1000, LENGTH = 64K  ram : ORIGIN = 0x20000, LENGTH = 64K }
        SECTIONS { .text : { *(.text) } > rom
          OVERLAY : NOCROSSREFS { .one { *(.data) } .two { *(.tdata) . += 9; } } > ram AT> rom
          .bss : { *(.bss) a = __load_start_two; b = LOADADDR(.one); } > ram AT> rom
          .rest : ALIGN_WITH_INPUT { *(.note.x) } > ram AT> rom }""",
    "what comes later": """
        SECTIONS { . = 0x1000; .text : { *(.text) . = ALIGN(SIZEOF(.data)); } . = MAX(., 0x1000 + SIZEOF(.bss));
          .data : { *(.data) . += SIZEOF(.late); } .bss : { *(.bss) } .late : { BYTE(1) . = ALIGN(16); }
          x = x2; x2 = 5; }""",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("target", ["x86_64", "arm64", "riscv64"])
def test_what_random_scripts_lack(tmp_path: Path, script: str, target: str) -> None:
    source = """
    .text\n.balign 4\n.skip 36\n.data\n.balign 8\n.skip 40\n.bss\n.balign 16\n.skip 90
    .section .tdata,"awT"\n.balign 4\n.skip 12\n.section .tbss,"awT",%nobits\n.balign 32\n.skip 7
    .section .note.x,"a",%note\n.balign 4\n.long 4, 0, 1\n.asciz "abc"
    """
    if target == "riscv64":
        source = f".option norelax\n{source}"
    found = played(tmp_path, script, [assemble(tmp_path, source, target)], target)
    assert len(found.sections) > 3


def test_an_orphan_of_notes_goes_behind_notes_that_are_data_alone(tmp_path: Path) -> None:
    path = assemble(tmp_path, '.text\n.long 1\n.section .note.orphan,"a",%note\n.byte 1, 2, 3\n')
    script = "SECTIONS { . = 0x1000; .text : { *(.text) } .note.n : { BYTE(1) } . = ALIGN(64); }"
    names = [section.name for section in played(tmp_path, script, [path]).sections]
    assert names.index(".note.n") < names.index(".note.orphan")


REFUSED = [
    ("SECTIONS { .text : { *(.text) } } INSERT AFTER .data;", "", "INSERT"),
    ("SECTIONS { .text : { *(.text) } > nowhere }", "", "memory region nowhere is not declared"),
    ("SECTIONS { .text : { *(.text) . = 0x10; . = 0x8; } }", "", "refuses to move the location counter back"),
    ("SECTIONS { .text : { *(.text) } x = missing; }", "", "refuses to assign to x"),
    ("SECTIONS { .text : { *(.text) } }", ".comm a,4,4\n.comm b,24,16", "common symbols"),
    ("SECTIONS { .text : { *(.text) } }", "mov got@GOTPCREL(%rip), %rax", "relocations of type"),
    ("SECTIONS { .text : { *(.text) } }", '.section .eh_frame,"a"\n.long 8, 99, 0', "eh_frame"),
    (
        "SECTIONS { .s0 : AT(0x10) { BYTE(1) } "
        + " ".join(f".s{at} : AT(LOADADDR(.s{at - 1}) + LOADADDR(.s{at - 1})) {{ BYTE(1) }}" for at in range(1, 40))
        + " }",
        "",
        "load addresses are given by each other",
    ),
    ("SECTIONS { x = 1 / 0 * missing; }", "", "divide by zero"),
    ("SECTIONS { .a : AT(LOADADDR(.b)) { *(.text) } .b : AT(LOADADDR(.a)) { BYTE(1) } }", "", "not known where"),
]


@pytest.mark.parametrize(("script", "source", "reason"), REFUSED)
def test_what_is_not_known_is_refused_by_name(tmp_path: Path, script: str, source: str, reason: str) -> None:
    path = assemble(tmp_path, f".text\n.long 1\n{source}\n")
    inputs, symbols = read_objects([str(path)]), read_definitions([str(path)])
    parsed = parse(Source("t.lds", script))
    with pytest.raises(NotPredicted, match=reason):
        play(parsed.tree, inputs, symbols, Options(arch="x86_64"))


def test_what_ld_complains_of_is_told(tmp_path: Path) -> None:
    path = assemble(tmp_path, ".text\n.skip 100\n")
    script = """
    MEMORY { rom : ORIGIN = 0x1000, LENGTH = 64 }
    SECTIONS { .text : { *(.text) } > rom ASSERT(SIZEOF(.text) < 64, "too large") }
    """
    found = play(
        parse(Source("t.lds", script)).tree, read_objects([str(path)]), read_definitions([str(path)]), Options("x86_64")
    )
    assert found.complaints == ("section `.text' will not fit in region `rom'", "too large")
