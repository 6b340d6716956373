"""How much of a memory region is used, by a map alone: what `ld --print-memory-usage` says, or a range around it."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

import ldcheck
from ldcheck.findings import CheckError, Verdict
from ldcheck.image.linked import read_image
from ldcheck.judging.scripts import parse_script
from ldcheck.layout.regions import occupied, used, without_content
from tests.support.build import LinkResult, assemble, link

MEMORY = """\
MEMORY { FLASH (rx) : ORIGIN = 0x8000000, LENGTH = 8K  RAM (rw) : ORIGIN = 0x20000000, LENGTH = 32K }
"""
SOURCE = """\
.globl _start
.text
_start: .long 0
.data
.long 1, 2
.bss
.skip 16
.section .heap,"aw",%nobits
.skip 8
.section .dma,"aw",%progbits
.skip 8
"""
START = """\
  .text : { *(.text .text.* .rodata*) } > FLASH
  .data : { *(.data*) } > RAM AT> FLASH
"""
# What stands behind the data in RAM, and would be loaded from FLASH if it had content.
BODIES = {
    "zeros": ".z (NOLOAD) : { *(.bss* COMMON) } > RAM",
    "zeros of another name": ".stackheap : { *(.bss* COMMON) . = . + 0x3000; } > RAM",
    "an input of another name": ".h (NOLOAD) : { *(.heap) . = . + 0x3000; } > RAM",
    "content that is dropped": ".h (NOLOAD) : { *(.dma) . = . + 0x3000; } > RAM",
    "room alone": "._user_heap_stack : { . = ALIGN(8); . = . + 0x3000; } > RAM",
    "room with a fill": ".stack : { . = . + 0x3000; } > RAM =0xff",
    "a number": ".stack : { LONG(1) . = . + 0x1000; } > RAM",
    "data of another name": ".bss : { *(.data.late) *(.bss*) LONG(0) . = . + 0x1000; } > RAM",
}
UNKNOWN = {
    "zeros by the source": ".h : { *(.heap) . = . + 0x3000; } > RAM",
    "content by the source": ".h : { *(.dma) . = . + 0x300; } > RAM",
}
RULE = "ldcheck: 1\nrules:\n  - {id: r, limit: region FLASH, to: 95%}\n"


def linked(folder: Path, body: str) -> LinkResult:
    script = f"{MEMORY}SECTIONS {{\n{START}  {body}\n  /DISCARD/ : {{ *(*) }}\n}}\n"
    obj = assemble(folder, SOURCE, "arm32", "a.o")
    done = link(folder, script, [obj], "arm32", ("--print-memory-usage",))
    assert done.elf is not None, done.output
    assert done.map is not None
    return done


def told(done: LinkResult) -> dict[str, int]:
    """What ld prints of each region, in bytes."""
    units = {"B": 1, "KB": 1 << 10}
    found = re.findall(r"(\w+):\s+(\d+) (B|KB)\s+\d+ KB\s+[\d.]+%", done.output)
    return {name: int(number) * units[unit] for name, number, unit in found}


def counted(done: LinkResult) -> dict[str, tuple[int, int]]:
    image = read_image("", str(done.map), ())
    assert image.map is not None
    places = occupied(None, image.map, without_content(parse_script(str(done.script)).tree))
    return {name: used(origin, length, places) for name, origin, length in image.map.regions if name != "*default*"}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_map_tells_what_ld_prints(tmp_path: Path, body: str) -> None:
    done = linked(tmp_path, body)
    real = told(done)
    assert len(real) == 2
    assert counted(done) == {name: (number, number) for name, number in real.items()}


@pytest.mark.parametrize("body", UNKNOWN.values(), ids=UNKNOWN)
def test_what_a_map_does_not_tell_is_a_range_around_what_ld_prints(tmp_path: Path, body: str) -> None:
    done = linked(tmp_path, body)
    for name, number in told(done).items():
        least, most = counted(done)[name]
        assert least <= number <= most


def test_a_limit_that_turns_on_it_is_not_checked(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(RULE)
    verdicts = {}
    for name, body in {**BODIES, **UNKNOWN}.items():
        done = linked(tmp_path, body)
        scripts = [str(done.script)]
        verdicts[name] = ldcheck.check(scripts, policies=[str(tmp_path / "p.yaml")], map=str(done.map)).rules[0].verdict
        with_elf = ldcheck.check(scripts, policies=[str(tmp_path / "p.yaml")], map=str(done.map), elf=str(done.elf))
        assert with_elf.rules[0].verdict is Verdict.HELD
    assert {name for name, verdict in verdicts.items() if verdict is not Verdict.HELD} == {"zeros by the source"}
    assert verdicts["zeros by the source"] is Verdict.NOT_CHECKED


def test_a_budget_that_turns_on_it_is_refused(tmp_path: Path) -> None:
    done = linked(tmp_path, UNKNOWN["zeros by the source"])
    diff = partial(ldcheck.diff, old_map=str(done.map), new_map=str(done.map))
    with pytest.raises(CheckError, match="a map does not tell"):
        diff(budgets=["FLASH=95%"])
    assert diff(budgets=["FLASH=2000%"]).unmet == ()
    assert diff(no_growth=True).unmet == ()
    assert diff(budgets=["FLASH=+0"]).unmet == ()
    assert len(diff(budgets=["FLASH=1"]).unmet) == 1
