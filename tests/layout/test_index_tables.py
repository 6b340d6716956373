"""The index tables of arm lose the entries that say what the one ahead says, and end: as the real ld has them."""

from __future__ import annotations

import os
from contextlib import chdir
from pathlib import Path
from random import Random

import pytest

from ldcheck.image.definitions import read_definitions
from ldcheck.image.maps import read_map
from ldcheck.image.objects import read_objects
from ldcheck.layout.knowledge import Options
from ldcheck.layout.player import play
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.layout.played_links import Tally, compare
from tests.support.build import assemble, link

# Another start tries other objects.
_FIRST = int(os.environ.get("LDCHECK_LAYOUT_SEED", "1"))
_QUIET = ("--noinhibit-exec", "--unresolved-symbols=ignore-all")

SCRIPT = """\
SECTIONS {
  . = 0x10000;
  .text : { *(.text.reset) *(.text .text.*) }
  .rodata : { *(.rodata .rodata.*) }
  .eh_frame : { KEEP(*(.eh_frame)) frames_end = .; }
  .ARM.extab : { *(.ARM.extab*) }
  .ARM.exidx : { exidx_start = .; *(.ARM.exidx*) exidx_end = .; }
  .data : { *(.data .data.*) }
  .bss : { *(.bss .bss.* COMMON) end = .; }
  /DISCARD/ : { *(.comment) *(.note*) }
}
"""


def indices(random: Random, number: int) -> str:
    """Functions with index table entries: inlined ones, some of them the same, ones without unwinding, and none."""
    lines = [".syntax unified", ".arm"]
    for count in range(random.randint(1, 6)):
        lines += [f'.section .text.f{number}_{count},"ax",%progbits', f".globl f{number}_{count}"]
        lines += [f".type f{number}_{count}, %function", f"f{number}_{count}:"]
        kind = random.choice(("inline", "inline", "none", "table", ""))
        lines += [".fnstart"] * bool(kind) + ["nop"] * random.randint(0, 2)
        lines += [f".save {{{random.choice(('r4, lr', 'r4, r5, lr'))}}}"] * (kind in ("inline", "table"))
        lines += [".cantunwind"] * (kind == "none") + ["nop"]
        lines += [".personalityindex 1", ".handlerdata", ".long 0"] * (kind == "table") + [".fnend"] * bool(kind)
    return "\n".join([*lines, ""])


@pytest.mark.parametrize("seed", range(_FIRST, _FIRST + 15))
def test_index_tables_of_arm(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    objects = [assemble(tmp_path, indices(random, number), "arm32", f"o{number}.o") for number in range(4)]
    script = SCRIPT.replace("*(.text.reset)", random.choice(("*(SORT(.text.*))", "o2.o(.text.*)", "")))
    if random.random() < 0.3:
        script = script.replace("/DISCARD/ : {", "/DISCARD/ : { *(.text.f1_0)")
    collects = random.random() < 0.4
    wanted = ("-e", "f0_0", "-u", "f2_1")
    done = link(tmp_path, script, objects, "arm32", ["--gc-sections"] * collects + [*wanted, *_QUIET])
    assert done.map is not None, done.output
    with chdir(tmp_path):
        options = Options(arch="arm32", collects=collects, entry="f0_0", undefined=("f2_1",))
        names = [path.name for path in objects]
        found = play(parse(Source("t.lds", script)).tree, read_objects(names), read_definitions(names), options)
    tally = Tally()
    compare(found, read_map(str(done.map)), script, tally)
    assert not tally.broken, tally.broken[0]
