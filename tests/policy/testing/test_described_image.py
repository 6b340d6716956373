"""Images as tests describe them: what is filled in, and what comes out for checks to look at."""

from __future__ import annotations

import textwrap

import pytest

from ldcheck.documents.nodes import as_mapping
from ldcheck.documents.parser import load_document
from ldcheck.findings import CheckError
from ldcheck.image.model import Image
from ldcheck.policy.testing.described_image import image_of
from ldcheck.source import Source

PARAMS = {"BASE": 0x400000, "PAGE": 0x1000}


def image(text: str, arch: str = "x86_64") -> Image:
    return image_of(as_mapping(load_document(Source("p", textwrap.dedent(text))), "it"), PARAMS, arch)


def test_sections_follow_one_another():
    found = image("""\
        sections:
          .text: { at: BASE, size: 0x1234 }
          .rodata: { size: 8, align: PAGE }
          .comment: { size: 40 }
          .bss: { align: 64, size: 1M }
        """).elf
    assert found is not None
    assert [(s.name, s.address, s.size, s.type) for s in found.sections[1:]] == [
        (".text", 0x400000, 0x1234, "PROGBITS"),
        (".rodata", 0x402000, 8, "PROGBITS"),
        (".comment", 0x402008, 40, "PROGBITS"),
        (".bss", 0x402040, 1 << 20, "NOBITS"),
    ]
    assert [(s.allocated, s.writable, s.executable) for s in found.sections[1:]] == [
        (True, False, True),
        (True, False, False),
        (False, False, False),
        (True, True, False),
    ]
    assert [section.index for section in found.sections] == [0, 1, 2, 3, 4]


def test_flags_and_types_as_given():
    found = image("sections: { .odd: { at: 0, size: 1, flags: wax, type: nobits } }").elf
    assert found is not None
    odd = found.sections[1]
    assert (odd.writable, odd.allocated, odd.executable, odd.type, odd.occupies_file) == (
        True,
        True,
        True,
        "NOBITS",
        False,
    )


def test_each_section_has_a_segment_of_its_own():
    found = image("""\
        sections:
          .text: { at: BASE, size: 16, load-at: 0x1000 }
          .got: { at: BASE + PAGE, size: 0 }
          .bss: { at: BASE + 2 * PAGE, size: 32 }
        """).elf
    assert found is not None
    assert [
        (s.address, s.load_address, s.file_size, s.memory_size, s.writable, s.executable) for s in found.segments
    ] == [
        (0x400000, 0x1000, 16, 16, False, True),
        (0x402000, 0x402000, 0, 32, True, False),
    ]
    assert found.load_address(found.sections[1]) == 0x1000


def test_segments_as_given():
    found = image("""\
        sections: { .text: { at: 0x1000, size: 16 }, .data: { at: 0x1010, size: 16 }, .far: { at: 0x9000, size: 1 } }
        segments:
          - { at: 0x1000, size: PAGE, flags: RX, load-at: 0x8000, file-size: 32 }
          - { type: NOTE, at: 0, size: 0 }
        entry: 0x1004
        """).elf
    assert found is not None
    load, note = found.segments
    assert (load.type, load.sections, load.load_address, load.file_size) == ("LOAD", (1, 2), 0x8000, 32)
    assert (load.readable, load.writable, load.executable) == (True, False, True)
    assert (note.type, note.sections) == ("NOTE", ())
    assert found.load_address(found.sections[2]) == 0x8010
    assert found.entry == 0x1004


def test_symbols_lie_in_their_sections():
    found = image("""\
        sections: { .text: { at: 0x1000, size: 16 }, .data: { at: 0x1010, size: 16 } }
        symbols: { _start: 0x1000, _etext: 0x1010, _end: 0x1020, absolute: PAGE * 16 }
        """).elf
    assert found is not None
    sections = {name: symbol.section for name, symbol in found.symbols.items()}
    assert sections == {"_start": 1, "_etext": 2, "_end": 2, "absolute": None}
    assert found.symbols["absolute"].value == 0x10000


def test_input_sections_make_a_map():
    found = image("""\
        sections:
          .data:
            at: 0x1004
            inputs:
              - { name: .data, size: 5 }
              - { name: .data.x, file: lib.a, member: x.o, align: 16 }
            size: 64
        symbols: { _end: 0x1044 }
        discarded: [{ name: .comment, size: 3 }]
        """).map
    assert found is not None
    (section,) = found.sections
    assert [(i.name, i.file, i.member, i.address, i.size) for i in section.inputs] == [
        (".data", "a.o", "", 0x1004, 5),
        (".data.x", "lib.a", "x.o", 0x1010, 8),
    ]
    assert [(p.address, p.size, p.cause) for p in section.paddings] == [
        (0x1009, 7, "input alignment"),
        (0x1018, 0x2C, "assignment"),
    ]
    assert [part.name for part in found.discarded] == [".comment"]
    assert found.symbols == {"_end": 0x1044}


def test_the_size_is_that_of_the_inputs():
    found = image("sections: { .a: { at: 0x10, inputs: [{ name: .a, size: 3 }, { name: .b, align: 8, size: 1 }] } }")
    assert found.elf is not None
    assert found.elf.sections[1].size == 9


def test_objects():
    found = image("objects: [{ name: .text.f }, { name: .bss.b, align: 32 }, { name: .x, file: b.o, flags: A }]")
    assert found.elf is None
    assert found.map is None
    assert found.objects is not None
    assert [(o.file, o.name, o.index, o.type, o.executable, o.writable) for o in found.objects] == [
        ("a.o", ".text.f", 1, "PROGBITS", True, False),
        ("a.o", ".bss.b", 2, "NOBITS", False, True),
        ("b.o", ".x", 1, "PROGBITS", False, False),
    ]


@pytest.mark.parametrize(
    ("text", "elf", "map_", "objects"),
    [
        ("{}", False, False, False),
        ("sections: { .a: { size: 1 } }", True, False, False),
        ("{ sections: { .a: { size: 1 } }, map: true, elf: false }", False, True, False),
        ("{ elf: true }", True, False, False),
        ("{ objects: [] }", False, False, True),
    ],
)
def test_what_there_is(text, elf, map_, objects):
    found = image(text)
    assert (found.elf is not None, found.map is not None, found.objects is not None) == (elf, map_, objects)


@pytest.mark.parametrize(("arch", "bits"), [("x86_64", 64), ("arm32", 32), ("riscv32", 32), ("", 64)])
def test_bits(arch, bits):
    found = image("{ elf: true }", arch).elf
    assert found is not None
    assert (found.bits, found.arch) == (bits, arch)


def test_sizes_without_a_value_are_errors():
    with pytest.raises(CheckError, match="unknown param BASIS"):
        image("sections: { .a: { at: BASIS } }")
