"""Values of random expressions, by the linker that is meant: GNU ld of other years, and lld by its own rules."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ldcheck.layout.interpret import interpret
from ldcheck.linker import Linker as Meant
from ldcheck.script.dialect import LLD as DIALECT
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.script import generated
from tests.script.test_expression_values import PLACES, check, elf_symbols
from tests.support.build import assemble, link
from tests.support.linkers import GNU, LLD, Linker, as_params, command

# Everything in it has a place: no input section, and every output section kept by what it holds.
LAYOUT = """
MEMORY {{ ram (rwx) : ORIGIN = 0x10000, LENGTH = 64K
         rom (r) : org = 0x800000, l = 0x123 }}
early = 0x45;
SECTIONS
{{
  . = 0x1234;
  top = .;
  {before}
  .one 0x4000 : {{ begin = .; LONG(1) {in_text} BYTE(1) }} >ram
  {between}
  .two 0x8008 : AT(0x9000) {{ inner = . + 4; QUAD(2) {in_data} . = ALIGN(8); }} >ram
  {after}
  last = .;
  high = 0xffff800000000000;
}}
"""
NAMES = (
    "top", "begin", "inner", "early", "last", "high", "ADDR(.one)", "ADDR(.two)", "LOADADDR(.two)", "SIZEOF(.one)",
    "SIZEOF(.two)", "ORIGIN(ram)", "LENGTH(rom)", "DEFINED(early)",
)  # fmt: skip
NUMBERS = ("0", "1", "7", "0x10", "0x1000", "4K", "1M", "017", "010", "09", "10h", "0ffh", "3k", "0xffffffffffffffff",
           "0x8000000000000000", "18446744073709551615", "0X1f")  # fmt: skip


@pytest.mark.sweep
@pytest.mark.parametrize("linker", [pytest.param(one, id=str(one)) for one in GNU if not one.every_run])
def test_gnu_ld_of_other_years_computes_the_same(
    linker: Linker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Since 2.41 what looks like a name is one.
    numbers = [number for number in generated.NUMBERS if not number.isalpha()]
    monkeypatch.setattr(generated, "NUMBERS", numbers)
    compared = sum(check(tmp_path, seed, 100, command(linker)) for seed in range(12))
    with capsys.disabled():
        print(f"\n{linker}: {compared} values, none otherwise")
    assert compared > 700


def compared_with_lld(linker: Linker, seeds: range, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How many random expressions had their value from ldcheck, exactly and in all; some that are wrong fail."""
    monkeypatch.setattr(generated, "NUMBERS", NUMBERS)
    object_file = assemble(folder, "")
    exact = linked = 0
    wrong = []
    for seed in seeds:
        chance = random.Random(seed)
        place = chance.choice(PLACES)
        while True:
            text = generated.expression(chance, NAMES, chance.randint(1, 3))
            if not any(word in text for word in ("BLOCK", "NEXT", "!+", "-+", "~+", "+ +", "++")):
                break
        script = LAYOUT.format(**{name: f"v = {text};" if name == place else "" for name in PLACES})
        done = link(folder, script, [object_file], options=["--noinhibit-exec"], linker=command(linker))
        parsed = parse(Source("t.lds", script), dialect=DIALECT)
        assert parsed.ok, (text, parsed.problems)
        if done.elf is None or "error" in done.output:
            continue
        linked += 1
        meant = Meant(linker.kind, (int(linker.version),))
        known = interpret(parsed.tree, linker=meant, orphans=False).symbol("v")
        value = elf_symbols(done.elf)["v"][0]
        assert known is not None
        if not known.number.holds(value):
            wrong.append(f"seed {seed}: {text} is {value:#x} {place}, said to be {known}")
        exact += known.value is not None
    assert not wrong, "\n".join(wrong)
    return exact, linked


@pytest.mark.parametrize("linker", as_params(LLD))
def test_lld_computes_what_is_said(linker: Linker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exact, linked = compared_with_lld(linker, range(150), tmp_path, monkeypatch)
    assert linked > 60
    assert exact > linked // 2


@pytest.mark.sweep
@pytest.mark.parametrize("linker", [pytest.param(one, id=str(one)) for one in LLD])
def test_lld_computes_what_is_said_of_many(
    linker: Linker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exact, linked = compared_with_lld(linker, range(1000, 3000), tmp_path, monkeypatch)
    with capsys.disabled():
        print(f"\n{linker}: {linked} values, {exact} of them known exactly, none otherwise")
    assert linked > 800
    assert exact > linked // 2
