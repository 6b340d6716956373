"""Which rule takes which section: every rule of a script judged, and the sections of a large link assigned."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.paired import Result, cpu_ms, of_loop
from ldcheck.image.model import InputSection
from ldcheck.script.parser import parse
from ldcheck.script.syntax import Script
from ldcheck.sections import files, globs
from ldcheck.sections.assign import assign
from ldcheck.sections.budget import BUDGET
from ldcheck.sections.reach import reaches
from ldcheck.sections.rules import input_rules
from ldcheck.source import Source
from tests.support.xen import xen

_INPUTS = 80_000
_NAMES = (
    (".text.f{}", 0x6),
    (".text.unlikely.f{}", 0x6),
    (".init.text.f{}", 0x6),
    (".rodata.c{}", 0x2),
    (".rodata.str1.{}", 0x32),
    (".data.v{}", 0x3),
    (".data.rel.ro.v{}", 0x3),
    (".bss.b{}", 0x3),
    (".unknown.{}", 0x3),
)


def measure() -> Iterator[Result]:
    """Judge the rules of Xen's scripts and of a large one, and assign 80,000 input sections to some 200 patterns."""
    for arch in ("x86_64", "arm64"):
        script = _tree(xen(arch).preprocessed.read_text())
        yield cpu_ms(f"all rules of Xen's {arch} script", partial(_judge, script), bar=10, rounds=15)
    large = _tree(_large())
    count = len(input_rules(large))
    yield cpu_ms(f"all rules of a script with {count} patterns", lambda: _judge(large), bar=60, rounds=15)
    inputs = _inputs()
    yield of_loop(f"{len(inputs):,} sections to {count} patterns", lambda: assign(large, inputs), bar=33)


def _judge(script: Script) -> None:
    for cached in (globs.section_glob, globs.name_glob, globs.fnmatch_glob, files.files):
        cached.cache_clear()
    BUDGET.renew()
    reaches(input_rules(script))


def _tree(text: str) -> Script:
    return parse(Source("bench.lds", text)).tree


def _large() -> str:
    """The families of a hosted linker script with 20 subsystems each, what compilers split off, and EXCLUDE_FILEs."""
    lines = [
        "SECTIONS {",
        ".text.first : { *(.text.unlikely .text.*_unlikely .text.unlikely.*) *(.text.hot .text.hot.*) }",
    ]
    for family in (".init.text", ".init.data", ".text", ".rodata", ".data.rel.ro", ".data", ".bss", ".tdata"):
        lines.append(f"{family} : {{")
        lines += [f"*({family}.subsystem{number}.*)" for number in range(20)]
        lines.append(f"*(EXCLUDE_FILE(*crtbegin?.o *crtend.o) {family}.tables) KEEP(*(SORT({family}.sorted*)))")
        lines.append(f"*({family} {family}.*) }}")
    return "\n".join([*lines, ".eh : ONLY_IF_RO { *(.eh*) } .eh : ONLY_IF_RW { *(.eh*) } /DISCARD/ : { *(.note*) } }"])


def _inputs() -> list[InputSection]:
    chance = random.Random(1)
    found = []
    for number in range(_INPUTS):
        name, flags = chance.choice(_NAMES)
        if name.startswith(".unknown"):
            # Orphans of a few names, as real ones are.
            number %= 50
        kind = "NOBITS" if name.startswith(".bss") else "PROGBITS"
        file = f"{Path('build') / str(number // 20)}.o"
        found.append(
            InputSection(file, "", name.format(number), 1 + number % 20, 16, 1 << chance.randrange(6), kind, flags)
        )
    return found
