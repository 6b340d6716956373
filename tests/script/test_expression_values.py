"""Values of expressions against what GNU ld computed: random ones in every place of a script, and real links."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ldcheck.script.environment import ABSOLUTE, Environment, Value
from ldcheck.script.expressions import absolute, assigned, evaluate
from ldcheck.script.parser import parse_expression
from tests.script.generated import expression
from tests.support.build import assemble, link

OBJECT = """
    .globl fn, obj, absy
    .set absy, 0x777
    .text
    .skip 5
fn: .skip 30
    .data
    .balign 4
    .long 0
obj: .skip 13
"""
LAYOUT = """
MEMORY {{ ram (rwx) : ORIGIN = 0x10000, LENGTH = 64K
         "rom.2" : org = 0x800000, l = 0x123 }}
SECTIONS
{{
  . = 0x1234;
  {before}
  .text 0x4000 : {{ *(.text) {in_text} BYTE(1) }}
  {between}
  .data 0x8008 : AT(0x9000) {{ *(.data) {in_data} . = ALIGN(8); }}
  {after}
}}
"""
PLACES = ("before", "in_text", "between", "in_data", "after")
SECTION = {"in_text": ".text", "in_data": ".data"}
# What the layout above fixes, whatever symbols are assigned in it.
DOT = {"before": 0x1234, "in_text": 0x4023, "between": 0x4024, "in_data": 0x8019, "after": 0x8020}
ADDRESS = {".text": 0x4000, ".data": 0x8008}
LOAD = {".text": 0x4000, ".data": 0x9000}
SIZE = {".text": 0x24, ".data": 0x18}
ALIGNMENT = {".text": 1, ".data": 4}
NAMES = (
    "fn", "obj", "absy", "early", "ADDR(.text)", "ADDR(.data)", "LOADADDR(.data)", "SIZEOF(.text)", "SIZEOF(.data)",
    "ALIGNOF(.data)", "ORIGIN(ram)", "LENGTH(ram)", 'ORIGIN("rom.2")', "LENGTH(rom.2)", "CONSTANT(MAXPAGESIZE)",
    "DEFINED(fn)", "DEFINED(nothing)", "DEFINED(early)",
)  # fmt: skip


@dataclass
class Linked(Environment):
    """What is known of the link at a place of the script."""

    section: str | None = None
    location: int = 0
    symbols: dict[str, Value] = field(default_factory=dict)

    @property
    def dot(self) -> int:
        return self.location

    def symbol(self, name: str) -> Value | None:
        return self.symbols.get(name)

    def defined(self, name: str) -> bool:
        return name in self.symbols

    def addr(self, section: str) -> int:
        return ADDRESS[section]

    def loadaddr(self, section: str) -> int:
        return LOAD[section]

    def sizeof(self, section: str) -> int:
        return SIZE[section]

    def alignof(self, section: str) -> int:
        return ALIGNMENT[section]

    def origin(self, region: str) -> int:
        return {"ram": 0x10000, "rom.2": 0x800000}[region]

    def length(self, region: str) -> int:
        return {"ram": 0x10000, "rom.2": 0x123}[region]

    def constant(self, name: str) -> int:
        return {"MAXPAGESIZE": 0x1000, "COMMONPAGESIZE": 0x1000}[name]


def elf_symbols(path: Path) -> dict[str, tuple[int, str]]:
    """Address and section of every symbol of an ELF file."""
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    with path.open("rb") as stream:
        elf = ELFFile(stream)
        names = [section.name for section in elf.iter_sections()]
        table = elf.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        return {
            symbol.name: (symbol["st_value"], section_name(symbol["st_shndx"], names))
            for symbol in table.iter_symbols()
            if symbol.name
        }


def section_name(index: int | str, names: list[str]) -> str:
    return names[index] if isinstance(index, int) else ABSOLUTE if index == "SHN_ABS" else str(index)


def link_text(definitions: dict[str, list[tuple[str, str]]]) -> str:
    lines = {place: " ".join(f"{name} = {text};" for name, text in definitions.get(place, [])) for place in PLACES}
    lines["before"] = "early = 0x40 + fn;" + lines["before"]
    return LAYOUT.format(**lines)


def known_symbols() -> dict[str, Value]:
    return {
        "fn": Value(5, ".text"),
        "obj": Value(4, ".data"),
        "absy": Value(0x777, ABSOLUTE),
        "early": Value(0x40 + 0x4005, ABSOLUTE),
    }


def check(folder: Path, seed: int, count: int, linker: str = "ld") -> int:
    """Link `count` random expressions in one script; returns how many were compared with ld's values."""
    chance = random.Random(seed)
    object_file = assemble(folder, OBJECT)
    definitions: dict[str, list[tuple[str, str]]] = {}
    expected: dict[str, tuple[str, Value, str | None]] = {}
    for number in range(count):
        place = chance.choice(PLACES)
        text = expression(chance, NAMES, chance.randint(1, 4))
        parsed = parse_expression(text)
        assert parsed.expression is not None, (text, parsed.problems)
        environment = Linked(SECTION.get(place), DOT[place], known_symbols())
        value = assigned(evaluate(parsed.expression, environment), environment)
        if value.number is None:
            assert value.reason in ("division by zero", "GNU ld crashes on this division"), (text, value)
            continue
        name = f"v{number}"
        definitions.setdefault(place, []).append((name, text))
        expected[name] = (f"{place}: {text}", value, absolute(value, environment).section and value.section)
    linked = link(folder, link_text(definitions), [object_file], linker=linker)
    assert linked.elf is not None, linked.output
    symbols = elf_symbols(linked.elf)
    wrong = []
    for name, (text, value, _) in expected.items():
        address = absolute(value, Linked()).number
        if symbols[name][0] != address:
            wrong.append(f"{text}\n  ld {symbols[name]}\n  we {address and hex(address)} {value}")
        elif value.section != ABSOLUTE and symbols[name][1] != value.section:
            wrong.append(f"{text}\n  ld {symbols[name]}\n  we {value}")
    assert not wrong, "\n".join(wrong)
    return len(expected)


@pytest.mark.parametrize("seed", range(int(os.environ.get("LDCHECK_SEEDS", "8"))))
def test_random_expressions_have_the_values_that_ld_computes(tmp_path: Path, seed: int) -> None:
    assert check(tmp_path, seed, 100) > 60
