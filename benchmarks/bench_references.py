"""Who refers to whom: an object like that of a kernel, and an image of it that kept its relocations."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.paired import LOOP, PRINT_PEAK, Result, of_loop
from ldcheck.image.linked_references import LinkedReferences
from ldcheck.image.maps import read_map
from ldcheck.image.references import References
from tests.support.build import assemble, link

_FUNCTIONS, _CALLS = 40_000, 12
_SCRIPT = """
SECTIONS {
  . = 0x400000;
  .text : { *(.text .text.*) }
  .data : { *(.data .data.*) }
  .init : { *(.init.text) }
}
"""
# Prints the largest memory of a process that asks for the references of an image, in kilobytes.
_MEMORY = (
    """
import sys
from benchmarks.bench_references import of_image
of_image(sys.argv[1], sys.argv[2])
"""
    + PRINT_PEAK
)


def measure() -> Iterator[Result]:
    """Look for what of 480,000 relocations leads to init code, of which every hundredth function is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = assemble(folder, _source(random.Random(1)))
        done = link(folder, _SCRIPT, [path], options=["-e0", "--emit-relocs", "--no-warn-rwx-segments"])
        if done.elf is None or done.map is None:
            sys.exit(done.output)
        elf, link_map = str(done.elf), str(done.map)
        count = _FUNCTIONS * _CALLS
        for what, work in (
            ("an object", partial(_of_object, str(path))),
            ("an image and its map", partial(of_image, elf, link_map)),
        ):
            # Six seconds for 500,000 relocations where a step of the loop takes 30 nanoseconds.
            found = of_loop(f"{what} with {count:,} relocations", work, bar=6 * count / 500_000 / (LOOP * 30e-9))
            yield found
            yield Result("  relocations in the time of 1,000 steps", 1000 * count / LOOP / found.value, "")
        memory = subprocess.run([sys.executable, "-c", _MEMORY, elf, link_map], check=True, capture_output=True)
        yield Result("  memory with the image", int(memory.stdout) * 1024 / 1e6, "MB", 400)


def _source(chosen: random.Random) -> str:
    lines = []
    for number in range(_FUNCTIONS):
        section = ".init.text" if number % 100 == 0 else f".text.f{number}"
        lines.append(f'.section {section},"ax"\n.type f{number},@function\nf{number}:')
        if number % 2:
            lines.append(f".globl f{number}")
        for call in range(_CALLS):
            other = chosen.randrange(_FUNCTIONS)
            lines.append(f"call f{other}" if call % 3 else f"lea d{other}(%rip),%rax")
        lines.append(f"ret\n.size f{number},.-f{number}")
    lines += [
        f'.section .data.d{number % 200},"aw"\n.type d{number},@object\nd{number}: .quad 0\n.size d{number},8'
        for number in range(_FUNCTIONS)
    ]
    return "\n".join(lines) + "\n"


def _of_object(path: str) -> None:
    found = References([path]).between(lambda name: name.startswith(".text"), lambda name: name == ".init.text")
    _expected(len(found))


def of_image(elf: str, link_map: str) -> None:
    """Those of an image; one that has too few ends the benchmark."""
    references = LinkedReferences(elf, read_map(link_map))
    found = references.between(lambda name: name.startswith(".text"), lambda name: name == ".init.text")
    _expected(len(found))


def _expected(found: int) -> None:
    # Calls are two thirds of what a function has, and one in a hundred leads to init code.
    if not found * 150 > _FUNCTIONS * _CALLS * 0.9:
        sys.exit(f"{found} references were found, which are too few")
