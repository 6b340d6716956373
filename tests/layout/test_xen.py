"""Debian's Xen: what its scripts establish of what their own ASSERTs demand."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ldcheck.layout.assertions import aligned, demands
from ldcheck.layout.facts import Order
from ldcheck.layout.interpret import interpret
from ldcheck.layout.pages import section_extents, separations
from ldcheck.layout.result import Layout, Truth
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.parser import parse
from ldcheck.script.syntax import Expression
from ldcheck.source import Source, SourceMap
from tests.support.xen import xen


def read(arch: str) -> tuple[SourceMap, Layout]:
    parsed = parse(Source("xen.lds", xen(arch).preprocessed.read_text()))
    assert parsed.ok
    return parsed.sources, interpret(parsed.tree)


def constant(expression: Expression) -> int | None:
    return evaluate(expression, Environment()).number


def alignments(layout: Layout) -> tuple[dict[str, int], dict[str, str]]:
    """The symbols of which an ASSERT demands an alignment: those proved, with it, and what is missing for the rest."""
    proved: dict[str, int] = {}
    missing: dict[str, str] = {}
    for fact in layout.assertions():
        for demand in aligned(demands(fact.node.condition, constant)):
            known = layout.symbol(demand.name)
            if known is None:
                missing[demand.name] = "an object defines it"
            elif known.aligned_to(demand.number.modulus):
                assert fact.truth is Truth.TRUE
                proved[demand.name] = demand.number.modulus
            else:
                missing[demand.name] = known.obstacles[0].text
    return proved, missing


_ORPHAN = "an orphan section may be placed in front of it"
_EXPECTED = {
    "x86_64": (
        {
            "_start": 0x200000,
            "__2M_text_end": 4096,
            "__2M_rodata_start": 4096,
            "__2M_rodata_end": 4096,
            "__2M_init_start": 4096,
            "__2M_init_end": 4096,
            "__2M_rwdata_start": 4096,
            "__2M_rwdata_end": 4096,
            "__init_begin": 4096,
            "__init_end": 4096,
            "__bss_end": 8,
        },
        {
            "cpu0_stack": "an object defines it",
            "trampoline_start": "an object defines it",
            "trampoline_end": "an object defines it",
            "__bss_start": _ORPHAN,
        },
    ),
    "arm64": ({"__init_begin": 4, "__init_end": 4}, {}),
    "arm32": ({"__init_begin": 4, "__init_end": 4}, {}),
}


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32"])
def test_alignments_that_the_scripts_own_assertions_demand(arch, capsys):
    proved, missing = alignments(read(arch)[1])
    assert (proved, missing) == _EXPECTED[arch]
    with capsys.disabled():
        print(f"\n{arch}: {len(proved)} alignments proved, {len(missing)} not established by the script")


def test_the_reason_is_the_statement_that_establishes_it():
    sources, layout = read("arm64")
    known = layout.symbol("__init_end")
    assert known is not None
    assert known.aligned_to(0x8000)
    texts = [sources.text(reason.node.start, reason.node.end) for reason in known.reasons]
    assert texts == [". = ALIGN(((1 << 12) << 3))"]


def test_an_assertion_does_not_prove_itself_unless_asked():
    _, layout = read("x86_64")
    for name, boundary in (("__bss_start", 8), ("cpu0_stack", 0x8000)):
        known, demanded = layout.symbol(name), layout.symbol(name, with_assertions=True)
        assert known is None or not known.aligned_to(boundary)
        assert demanded is not None
        assert demanded.aligned_to(boundary)


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32"])
def test_boundaries_come_in_order(arch):
    _, layout = read(arch)
    names = ["_start", "_stext", "_etext", "_srodata", "_erodata", "__init_begin", "_sinittext", "_einittext"]
    names += ["__init_end", "__bss_start", "__bss_end", "_end"]
    assert [(one, other) for one, other in pairwise(names) if not _in_order(layout, one, other)] == []


def _in_order(layout: Layout, one: str, other: str) -> bool:
    return layout.order(one, other) in (Order.LESS, Order.LESS_OR_EQUAL, Order.EQUAL)


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32"])
def test_text_and_read_only_data_share_no_page(arch):
    _, layout = read(arch)
    text, rodata, data = (section_extents(layout, name)[0] for name in (".text", ".rodata", ".data"))
    assert [found.apart for found in separations(layout, [text], [rodata, data], 4096)] == [True, True]


def test_load_addresses_lie_a_constant_below_addresses():
    _, layout = read("x86_64")
    base = 0xFFFF82D040000000
    assert {layout.load_distance(name) for name in (".text", ".rodata", ".init.data", ".data", ".bss")} == {base}
    _, layout = read("arm64")
    assert {layout.load_distance(name) for name in (".text", ".rodata", ".init.data", ".data", ".bss")} == {0}
