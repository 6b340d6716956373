"""SIZEOF() of an output section in its own body: for lld the size so far, for GNU ld that of the image."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.image.elf import read_elf
from ldcheck.image.maps import read_map
from ldcheck.layout.concrete import Concrete, evaluate_on
from ldcheck.layout.decided import Decided
from ldcheck.layout.interpret import interpret
from ldcheck.layout.result import Layout, Truth
from ldcheck.linker import Linker as Meant
from ldcheck.script.dialect import LLD as DIALECT
from ldcheck.script.parser import parse, parse_expression
from ldcheck.script.syntax import Script
from ldcheck.source import Source
from tests.script.test_expression_values import elf_symbols
from tests.support.build import assemble, link
from tests.support.linkers import LLD, Linker, as_params, command

# The branch that is not taken hangs on what comes later, so that the value is settled when all is laid out.
SCRIPT = """SECTIONS { . = 0x10000;
.one : { QUAD(0) now = SIZEOF(.one); late = 1 ? SIZEOF(.one) : ADDR(.two); %s QUAD(0) }
.two : { *(.text) } whole = SIZEOF(.one); }"""
HOLDS = ("SIZEOF(.one) < 10", "SIZEOF(.one) < 10 || ADDR(.two) < 8")
FAILS = ("SIZEOF(.one) > 10", "SIZEOF(.one) > 10 && ADDR(.two) > 8")


def tree_of(condition: str) -> Script:
    return parse(Source("t.lds", SCRIPT % f'ASSERT({condition}, "m")'), dialect=DIALECT).tree


def layout(linker: Linker, condition: str) -> Layout:
    return interpret(tree_of(condition), linker=Meant("lld", (int(linker.version),)))


def linked(linker: Linker, condition: str, folder: Path) -> tuple[dict[str, int], Concrete] | None:
    """The symbols of a link, and what the script's expressions come to on it; None if an ASSERT fails."""
    script = SCRIPT % f'ASSERT({condition}, "m")'
    done = link(folder, script, [assemble(folder, ".text\n.skip 16\n")], linker=command(linker))
    if done.elf is None or done.map is None:
        assert "error: m" in done.output
        return None
    meant = Meant("lld", (int(linker.version),))
    found = evaluate_on(tree_of(condition), read_elf(str(done.elf)), read_map(str(done.map)), linker=meant)
    return {name: value for name, (value, _) in elf_symbols(done.elf).items()}, found


@pytest.mark.parametrize("linker", as_params(LLD))
@pytest.mark.parametrize("condition", HOLDS)
def test_it_is_the_size_so_far(linker: Linker, condition: str, tmp_path: Path) -> None:
    made = linked(linker, condition, tmp_path)
    assert made is not None
    symbols, found = made
    assert [symbols[name] for name in ("now", "late", "whole")] == [8, 8, 16]
    # What lld makes of a condition with ADDR() in it is not computed.
    assert {symbol.name: symbol.agrees for symbol in found.symbols} == {"now": True, "late": None, "whole": True}
    assert [one.holds for one in found.assertions] == [True]
    said = layout(linker, condition)
    for name in ("now", "late", "whole"):
        known = said.symbol(name)
        assert known is not None
        assert known.number.holds(symbols[name])
    assert [fact.truth for fact in said.assertions()] == [Truth.UNKNOWN]
    # What such an ASSERT asks is nothing that holds of the image.
    expression = parse_expression("SIZEOF(.one) < 10").expression
    assert expression is not None
    decision = Decided(said).condition(expression)
    assert decision is None or not decision.truth


@pytest.mark.parametrize("linker", as_params(LLD))
@pytest.mark.parametrize("condition", FAILS)
def test_nothing_is_said_of_a_condition_that_fails(linker: Linker, condition: str, tmp_path: Path) -> None:
    assert linked(linker, condition, tmp_path) is None
    assert [fact.truth for fact in layout(linker, condition).assertions()] == [Truth.UNKNOWN]
