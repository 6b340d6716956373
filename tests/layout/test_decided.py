"""What a script decides about the expressions of policies: by its addresses, and by what follows from its ASSERTs."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ldcheck.layout.decided import Decided
from ldcheck.layout.interpret import interpret
from ldcheck.script.environment import ABSOLUTE, Environment, Value
from ldcheck.script.expressions import evaluate
from ldcheck.script.parser import parse, parse_expression
from ldcheck.script.syntax import Expression
from ldcheck.source import Source
from tests.script.test_expression_values import elf_symbols
from tests.support.build import assemble, link

SCRIPT = """
PAGE = 4096;
MEMORY { RAM : ORIGIN = 0x1000, LENGTH = 64K }
REGION_ALIAS("REGION_TEXT", RAM)
SECTIONS
{
  .vectors : { *(.vectors) } > RAM
  . = 0x200000;
  _start = .;
  .boot : { *(.boot) _end_boot = .; }
  .text : { _stext = .; *(.text) . = ALIGN(8); _etext = .; }
  . = ALIGN(4);
  __bss = .;
  .bss : { *(.bss) __mark = .; *(.bss.*) __bss_end = .; }
  PROVIDE(_heap = .);
  _end = .;
  size = _end - _start;
  twice = 1; twice = _end;
}
"""

ASSERTED = [
    # What an ASSERT says, what follows from it, and what does not.
    ("_end_boot - _start <= PAGE", "_end_boot - _start <= 4096", "_end_boot - _start < 4096"),
    ("_end_boot - _start <= PAGE", "_end_boot < _start + 4097", "_end_boot - _start == 4096"),
    ("_end_boot <= _start + PAGE", "_end_boot - 0x200000 <= 8K", "_end_boot - _start <= 4095"),
    ("_end_boot - _start < PAGE", "_end_boot - _start + 1 <= 4K", "_end_boot - _start + 2 <= 4K"),
    ("size < 2M", "_end - _start <= 2M", "_end - _stext <= 1M"),
    ("!(size >= 2M)", "!(_end - _start > 2M)", "size < 1M"),
    ("(vectors & 127) == 0", "vectors % 64 == 0", "vectors % 256 == 0"),
    ("vectors % 256 == 0", "(vectors & 0x7f) == 0", "(vectors & 0x1ff) == 0"),
    ("ALIGN(vectors, 256) == vectors", "!(vectors & 255)", "!(vectors & 511)"),
    ("(vectors & 7) == 4", "(vectors - 4) % 4 == 0", "vectors % 8 == 0"),
    ("_heap >= _end", "_end <= _heap", "_end < _heap"),
    ("_heap > _end", "_end <= _heap", "_end + 1 < _heap"),
    ("_heap == _end", "!(_end < _heap)", "_heap == _start"),
    ("_stext == _end_boot && size < 1M", "_end_boot == _stext", "_stext == _start"),
    ("!(size > 1M || _heap < _end)", "_heap >= _end && size <= 1M", "size < 1M"),
    ("size < 1M || flag == 3", "flag == 3 || _end - _start < 1M", "flag == 3"),
    ("flag == 3", "flag != 4 && flag <= 3 && flag", "flags == 2"),
    ("flag >= 16", "flag > 15 && !(flag <= 8)", "flag > 16"),
    ("size / 2 < 16", "(_end - _start) / 2 <= 15", "size <= 30"),
    ("a * 2 <= 64", "a + a <= 64", "a <= 32"),
    ("a <= b", "!(a > b)", "a - b <= 0"),
    ("SIZEOF(.boot) <= 64", "SIZEOF(.boot) < 65", "SIZEOF(.boot) < 64"),
    ("SIZEOF(.text) == 0 || SIZEOF(.text) == 64", "SIZEOF(.text) == 64 || SIZEOF(.text) == 0", "SIZEOF(.text) == 0"),
    ("__bss_end - __mark <= 64", "__bss_end - __mark <= 65", "__bss_end - __bss <= 64"),
    # Relative to a section, these are not what they look like.
    ("__mark + __bss_end <= 64", "1", "__mark + __bss_end <= 64"),
    ("a + b <= 64", "1", "a + b <= 64"),
    ("(__mark & __bss_end) == 0", "1", "(__mark & __bss_end) == 0"),
    ("__mark <= SIZEOF(.bss)", "1", "__mark <= SIZEOF(.bss)"),
    # A value that changes.
    ("twice >= 64M", "1", "twice >= 64M"),
]  # fmt: skip


def decided(script: str) -> Decided:
    parsed = parse(Source("script.lds", script))
    assert parsed.ok
    return Decided(interpret(parsed.tree, orphans=False))


def expression(text: str) -> Expression:
    parsed = parse_expression(text, giga=True)
    assert parsed.expression is not None
    return parsed.expression


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("_start == 0x200000", True),
        ("_start != 0x200000", False),
        ("_etext % 8 == 0", True),
        ("_etext % 16 == 0", None),
        ("_start <= _end", True),
        ("_end_boot - _start <= 4K", None),
        ("_end < _start", False),
        ("SIZEOF(.vectors) <= 64K", True),
        ("SIZEOF(.vectors) <= 63K", None),
        ("LENGTH(REGION_TEXT) == 64K && ORIGIN(RAM) == 0x1000", True),
        ("PAGE == 4K", True),
        ("vectors == 0", None),
        ("_stext == _end_boot", None),
        ("_start == 1 || PAGE == 4K", True),
    ],
)
def test_addresses_regions_and_constants_decide(text: str, truth: bool | None) -> None:
    found = decided(SCRIPT).condition(expression(text))
    assert (None if found is None else found.truth) is truth


@pytest.mark.parametrize(("asserted", "follows", "open_"), ASSERTED)
def test_what_follows_from_an_assert(asserted: str, follows: str, open_: str) -> None:
    alone, judged = decided(SCRIPT), decided(f'{SCRIPT} ASSERT({asserted}, "")')
    assert judged.condition(expression(asserted)) is not None or follows == "1"
    found = judged.condition(expression(follows))
    assert found is not None
    assert found.truth
    contrary = judged.condition(expression(f"!({follows})"))
    assert contrary is not None
    assert not contrary.truth
    assert judged.condition(expression(open_)) is None
    assert follows == "1" or alone.condition(expression(follows)) is None


def test_the_assert_that_decides_is_told() -> None:
    found = decided(f'{SCRIPT} ASSERT(1, "") ASSERT(size < 1M, "")').condition(expression("_end - _start < 1M"))
    assert found is not None
    assert [node.condition for node in found.asserted] != []
    assert len(found.asserted) == 1


def test_an_assert_in_an_output_section_says_nothing() -> None:
    """There, GNU ld compares with the distance from the section's start."""
    script = 'SECTIONS { .a : { *(.a) x = .; ASSERT(x <= 64, ""); } }'
    assert decided(script).condition(expression("x <= 64")) is None


def test_deep_and_doubling_expressions_end() -> None:
    doubling = "x0 = y & z; " + " ".join(f"x{at} = x{at - 1} & (x{at - 1} * x{at - 1});" for at in range(1, 60))
    deep = "(" * 3000 + "a" + " + 1)" * 3000
    judged = decided(f'{doubling} ASSERT(x59 == 4, "") ASSERT({deep} == 4, "")')
    assert judged.condition(expression("x59 == 5")) is None


class _Given(Environment):
    """Symbols with values."""

    def __init__(self, values: dict[str, int]) -> None:
        self.values = values

    def symbol(self, name: str) -> Value | None:
        return Value(self.values[name], ABSOLUTE)


def test_nothing_follows_that_some_values_break() -> None:
    """Random ASSERTs on symbols of objects: what is said to follow from them is true wherever they are."""
    source = random.Random(20261)
    followed = 0
    for _ in range(600):
        asserted, asked = _condition(source), _condition(source)
        found = decided(f'ASSERT({asserted}, "")').condition(expression(asked))
        if found is None:
            continue
        followed += 1
        for _ in range(400):
            given = _Given({name: _number(source) for name in "abc"})
            if evaluate(expression(asserted), given).truth:
                assert evaluate(expression(asked), given).truth is found.truth, (asserted, asked, given.values)
    assert followed > 60


def _number(source: random.Random) -> int:
    return source.choice((source.randrange(24), source.randrange(1 << 64), (1 << 64) - source.randrange(1, 24)))


def _term(source: random.Random) -> str:
    return source.choice(
        ("a", "a", "b", "a - b", "b - a", "a + 4", "a - 4", "a * 2", "(a & 7)", "(a + b)", "ALIGN(a, 8)")
    )


def _comparison(source: random.Random) -> str:
    other = source.choice((str(source.choice((0, 1, 4, 5, 8, 12))), _term(source)))
    return f"{_term(source)} {source.choice(('<', '<=', '==', '!=', '>', '>='))} {other}"


def _condition(source: random.Random) -> str:
    first, second = _comparison(source), _comparison(source)
    shape = source.choice(("{0}", "{0}", "!({0})", "{0} && {1}", "{0} || {1}", "!({0} || {1})"))
    return shape.format(first, second)


# ld compares the address of a section with a number that it has counted, as a size is, by the distance from its start.
BESIDE_ADDRESSES = {
    "SIZEOF(.a) <= ADDR(.b)": None,
    "(ADDR(.b) > ADDR(.a)) <= ADDR(.b)": None,
    "(SIZEOF(.a) < 0x1000) <= ADDR(.b)": None,
    "8 <= ADDR(.b)": True,
    "ADDR(.b) - ADDR(.a) == 0x10000": True,
    "ADDR(.a) + 16 <= ADDR(.b)": True,
    "(ADDR(.b) & 0xfff) == 0": True,
}


def test_the_address_of_a_section_beside_a_number(tmp_path: Path) -> None:
    head = "SECTIONS { .a 0x10000 : { QUAD(1) QUAD(2) } .b 0x20000 : { QUAD(3) } "
    symbols = "".join(f"v{number} = {text}; " for number, text in enumerate(BESIDE_ADDRESSES))
    done = link(tmp_path, f"{head}{symbols}}}", [assemble(tmp_path, "")])
    assert done.elf is not None, done.output
    values = elf_symbols(done.elf)
    judged = decided(head + "}")
    for number, (text, wanted) in enumerate(BESIDE_ADDRESSES.items()):
        decision = judged.condition(expression(text))
        truth = None if decision is None else decision.truth
        assert truth in (None, values[f"v{number}"][0] == 1), text
        assert truth is wanted or wanted is None, text
