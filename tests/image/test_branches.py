"""No direct call or jump that capstone decodes is missed by what looks at the bytes."""

from __future__ import annotations

import random
from functools import partial
from operator import gt, le
from pathlib import Path

import pytest

from ldcheck.image.addends import EM_ARM, EM_X86_64
from ldcheck.image.branches import EM_AARCH64, branches
from ldcheck.image.direct_calls import _LEADS, _NUMBER, DirectCalls, _decoder
from ldcheck.image.maps import read_map
from tests.support.build import compile_c, link

BASE = 0x40000000
WITHIN = 0x30000000, 0x50000000
MACHINES = {EM_X86_64: 64, EM_AARCH64: 64, EM_ARM: 32}


def decoded(machine: int, code: bytes) -> list[tuple[int, int, int]]:
    """Address, size and target of each direct call and jump, as capstone reads the bytes from their start."""
    return [
        (address, size, int(number[1], 0))
        for address, size, name, operands in _decoder(machine, MACHINES[machine], False).disasm_lite(code, BASE)
        if _LEADS[machine].fullmatch(name) and (number := _NUMBER.search(operands))
    ]


@pytest.mark.parametrize("machine", MACHINES)
def test_none_of_random_bytes_is_missed(machine):
    chance = random.Random(machine)
    seen = 0
    for _ in range(40):
        code = chance.randbytes(8000)
        if machine == EM_X86_64:
            # Most of the random displacements would lead too far away.
            code = code.replace(b"\xe8", b"\xe8\x10\x20\x00\x00").replace(b"\x0f", b"\x66\x0f\x85\x00\x30\xff\xff")
        found = branches(machine, False, code, BASE, WITHIN)
        assert found is not None
        pairs = set(zip(found.places, found.targets, strict=True))
        for address, size, target in decoded(machine, code):
            if not WITHIN[0] <= target < WITHIN[1]:
                continue
            seen += 1
            near = abs(target - address) < found.near
            assert near or any((place, target) in pairs for place in range(address, address + size)), hex(address)
    assert seen > 5000


@pytest.mark.parametrize("machine", [EM_AARCH64, EM_ARM])
def test_words_are_what_they_look_like(machine):
    """Every word that is taken for a branch is one, except for a few encodings that have no meaning yet."""
    code = random.Random(7).randbytes(400_000)
    found = branches(machine, False, code, BASE, WITHIN)
    assert found is not None
    real = {(address, target) for address, _, target in decoded(machine, code)}
    pairs = set(zip(found.places, found.targets, strict=True))
    assert len(pairs & real) > 0.95 * len(pairs) > 1000


def test_instructions_of_several_lengths_have_to_be_decoded():
    assert branches(EM_ARM, True, bytes(100), BASE, WITHIN) is None
    assert branches(243, False, bytes(100), BASE, WITHIN) is None


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("size", range(8))
def test_code_that_is_cut_off(machine, size):
    for byte in (0xE8, 0x0F, 0x94, 0xEB):
        found = branches(machine, False, bytes([byte] * size), BASE, WITHIN)
        assert found is not None
        assert all(BASE <= place < BASE + size for place in found.places)


# Functions of several sections that call and jump to each other.
SCRIPT = """
SECTIONS {
  . = 0x400000;
  .text : { *(.text.a.*) *(.text.b.*) }
  .init : { init_start = .; *(.init.*) init_end = .; }
  /DISCARD/ : { *(.eh_frame .note.* .comment .ARM.* .gnu.*) }
}
"""


def source(chance: random.Random) -> str:
    names = [f"{kind}{number}" for kind in "abi" for number in range(12)]
    text = [f"int {name}(int);" for name in names] + ["extern volatile int away[]; volatile int away[4];"]
    for name in names:
        place = {"a": ".text.a.", "b": ".text.b.", "i": ".init."}[name[0]] + name
        body = "".join(
            f"if (x > {chance.randrange(100)}) {{ away[{chance.randrange(4)}] = x; "
            f"{chance.choice(['return', 'x +='])} {chance.choice(names)}(x + {chance.randrange(9)}); }}"
            for _ in range(chance.randint(1, 4))
        )
        text.append(f'__attribute__((noinline, section("{place}"))) int {name}(int x) {{ {body} return x; }}')
    return "\n".join(text)


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32", "riscv64"])
@pytest.mark.parametrize("options", [["-O2"], ["-Os"], ["-O0"]])
def test_what_is_asked_for_is_part_of_everything(tmp_path: Path, arch: str, options: list[str]) -> None:
    """By names and by addresses, a question is answered as if all had been decoded for it."""
    chance = random.Random(f"{arch}{options}")
    compile_c(tmp_path, source(chance), arch, "a.o", options)
    done = link(tmp_path, SCRIPT, [tmp_path / "a.o"], arch)
    assert done.elf is not None, done.output
    assert done.map is not None

    def calls() -> DirectCalls:
        return DirectCalls(str(done.elf), read_map(str(done.map)))

    every = calls().between(lambda _: True, lambda _: True)
    assert len(every) > 30
    names = sorted({one.section for one in every} | {one.target_section for one in every})
    for _ in range(60):
        some, others = (set(chance.sample(names, chance.randint(1, 12))) for _ in range(2))
        found = calls().between(some.__contains__, others.__contains__)
        assert found == [one for one in every if one.section in some and one.target_section in others]
    edge = sorted(one.target_address or 0 for one in every)[len(every) // 2]
    for wanted in (partial(gt, edge), partial(le, edge)):
        found = calls().between(lambda _: True, lambda _: True, partial(gt, edge), wanted)
        assert {(one.source, one.target) for one in found} == {
            (one.source, one.target) for one in every if gt(edge, one.address or 0) and wanted(one.target_address or 0)
        }
