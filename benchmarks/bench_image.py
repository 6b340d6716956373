"""What was linked: the ELF file and the maps of a large link, which the real linkers made."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from benchmarks.paired import LOOP, PRINT_PEAK, Result, of_loop
from ldcheck.image.elf import read_elf
from ldcheck.image.maps import read_map
from tests.support.build import assemble, link

_OBJECTS = 200
_FUNCTIONS = 420
_SUBSYSTEMS = ("arch/x86/mm", "common/sched", "drivers/passthrough/vtd", "xsm/flask/ss", "net/ipv6/netfilter")
_WORDS = ("alloc", "domain", "event", "flush", "guest", "handle", "page", "queue", "region", "table", "update", "vcpu")
_SCRIPT = """
SECTIONS {
  . = 0x400000;
  .text : { *(.text .text.*) }
  . = ALIGN(4096);
  .rodata : { *(.rodata .rodata.*) }
  .data : { *(.data .data.*) }
  .bss : { *(.bss .bss.*) }
}
"""
# Prints the largest memory of the process, in kilobytes, when it holds the whole model.
_MEMORY = (
    """
import sys
from ldcheck.image.linked import read_linked
image = read_linked(sys.argv[1], sys.argv[2], ())
"""
    + PRINT_PEAK
)


def measure() -> Iterator[Result]:
    """Read the image and the maps of a link with 84,000 functions, all of them and much of the data in own sections."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        objects = [_object(folder, number) for number in range(_OBJECTS)]
        for linker in ("ld", "ld.lld"):
            options = ["--no-warn-rwx-segments"] if linker == "ld" else []
            done = link(folder, _SCRIPT, objects, options=["-e0", *options], linker=linker)
            if done.elf is None or done.map is None:
                sys.exit(done.output)
            elf, map_file = str(done.elf), str(done.map)
            if linker == "ld":
                count = len(list(read_elf(elf).symbols))
                yield of_loop(f"an ELF file with {count:,} symbols", partial(_names, elf), bar=5)
            count = sum(len(section.inputs) for section in read_map(map_file).sections)
            name = f"a map of {linker} with {count:,} input sections"
            # 60 megabytes a second where a step of the loop takes 30 nanoseconds.
            yield of_loop(name, partial(_inputs, map_file), bar=done.map.stat().st_size / 60e6 / (LOOP * 30e-9))
            memory = subprocess.run(
                [sys.executable, "-c", _MEMORY, elf, map_file], check=True, capture_output=True, text=True
            )
            yield Result("  its model and the image's, at most", int(memory.stdout) * 1024 / 1e6, "MB", 400)


def _names(elf: str) -> None:
    """Read an ELF file, and find symbols in it by their names."""
    symbols = read_elf(elf).symbols
    if "_nobody_defines_this" in symbols:
        sys.exit("a symbol that nobody defines is there")


def _inputs(map_file: str) -> None:
    """Read a map, and look at each input section."""
    deque(chain.from_iterable(section.inputs for section in read_map(map_file).sections), maxlen=0)


def _object(folder: Path, number: int) -> Path:
    """An object file in which each function has a section of its own, and constants, data or .bss beside it."""
    chance = random.Random(number)
    lines = []
    for at in range(_FUNCTIONS):
        name = "_".join([*chance.sample(_WORDS, chance.randint(1, 4)), f"{number}_{at}"])
        lines += [
            f'.section .text.{name},"ax"',
            f".balign {1 << chance.randrange(2, 6)}",
            f".globl {name}",
            f"{name}: .skip {chance.randint(1, 400)}",
        ]
        if at % 3 == 0:
            lines += [f'.section .rodata.{name}.str1.1,"aMS",@progbits,1', f'.asciz "{name}"']
        elif at % 3 == 1:
            lines += [f'.section .data.{name}_state,"aw"', ".balign 8", f"{name}_state: .skip {chance.randint(1, 70)}"]
        else:
            lines += [f'.section .bss.{name}_cache,"aw",@nobits', ".balign 16", f"{name}_cache: .skip 64"]
    place = folder / chance.choice(_SUBSYSTEMS)
    place.mkdir(parents=True, exist_ok=True)
    return assemble(place, "\n".join([*lines, ""]), name=f"unit{number}.o")
