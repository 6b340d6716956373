"""Damaged files: a worker that reads many of them under limits, and reports each that ends in anything but an answer.

Run as `python -m tests.image.damage FIRST COUNT FILE...`: each number is a seed, and takes one of the files. Prints a
line for each fault. The limits are those of the process: a run-away allocation or loop is a MemoryError or a signal.
"""

from __future__ import annotations

import os
import resource
import signal
import struct
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random

from ldcheck.findings import CheckError

MEMORY = 500 << 20
# Of CPU, for one file. It is a guard against loops without an end, not a measurement.
SECONDS = 20

_NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62, 1 << 63, (1 << 64) - 1)


def damage(data: bytes, random: Random) -> bytes:
    """One to twenty faults of the kinds that files really have, and of those that an attacker makes."""
    if random.random() < 0.25:
        return data[: random.randrange(len(data) + 1)]
    found = bytearray(data)
    text = b"\nLinker script and memory map\n" in data or data.lstrip().startswith(b"VMA")
    for _ in range(random.randint(1, 20)):
        if not found:
            break
        choice = random.random()
        # Headers are at the two ends of an ELF file.
        at = random.choice([random.randrange(len(found)), random.randrange(min(64, len(found)))])
        if random.random() < 0.4:
            at = max(0, len(found) - random.randint(1, 4096))
        if text and choice < 0.5:
            number = random.choice(_NUMBERS)
            place = found.find(b"0x", at)
            if place >= 0:
                found[place : place + 18] = b"0x%016x" % number
        elif choice < 0.6:
            size = random.choice([1, 2, 4, 8])
            number = random.choice(_NUMBERS) & ((1 << 8 * size) - 1)
            code = {1: "B", 2: "H", 4: "I", 8: "Q"}[size]
            order = random.choice("<>")
            at -= at % size
            found[at : at + size] = struct.pack(order + code, number)
        elif choice < 0.8:
            found[at] = random.randrange(256)
        elif choice < 0.9:
            end = min(len(found), at + random.randint(1, 2000))
            del found[at:end]
        else:
            end = min(len(found), at + random.randint(1, 2000))
            found[at:at] = found[at:end] * random.randint(1, 3)
    return bytes(found)


def use_elf(path: str) -> None:
    """Read an image and look at all of it."""
    from ldcheck.image.elf import read_elf

    elf = read_elf(path)
    for section in elf.sections:
        elf.load_address(section)
        assert section.end >= section.address
    for table in elf.tables:
        for symbol in table.entries():
            assert isinstance(symbol.name.encode("utf-8", "surrogateescape"), bytes)
    assert len(list(elf.symbols)) == len(elf.symbols)


def use_map(path: str) -> None:
    """Read a map and compute all that is computed from maps."""
    from ldcheck.cli.padding import dot_values
    from ldcheck.image.maps import read_map
    from ldcheck.image.orders import compute, places_as_linked
    from ldcheck.image.padding import spread

    found = read_map(path)
    assert len(list(found.symbols)) == len(found.symbols)
    compute(found, (), dot_values())
    spread(places_as_linked(found), 4096)


def use_objects(path: str) -> None:
    """Read an object or archive."""
    from ldcheck.image.objects import read_objects

    read_objects([path], [])


def reader(name: str) -> Callable[[str], None]:
    """What to do with a file of this name."""
    suffix = os.path.splitext(name)[1]
    return {".map": use_map, ".o": use_objects, ".a": use_objects}.get(suffix, use_elf)


def main(first: int, count: int, files: list[str]) -> int:
    """Read `count` damaged files; returns how many ended badly."""
    contents = [(name, Path(name).read_bytes()) for name in files]
    # Imported ahead of the limits.
    for name, _ in contents:
        reader(name)(name)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            random = Random(seed)
            name, data = random.choice(contents)
            path = os.path.join(folder, f"damaged{os.path.splitext(name)[1]}")
            Path(path).write_bytes(damage(data, random))
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            try:
                reader(name)(path)
            except CheckError as error:
                if not all(one.message and one.location.file for one in error.errors):
                    faults += 1
                    print(f"seed {seed}, {name}: an error that says nothing: {error!r}")
            except BaseException as fault:  # noqa: BLE001 - whatever it is, it is the fault that is looked for
                faults += 1
                where = traceback.format_exception(fault)[-3:]
                print(f"seed {seed}, {name}: {type(fault).__name__}: {fault}\n{''.join(where)}")
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return faults


class TooLongError(BaseException):
    """Raised in the middle of a run that does not end."""


def _too_long(*_: object) -> None:
    raise TooLongError


if __name__ == "__main__":
    signal.signal(signal.SIGVTALRM, _too_long)
    sys.exit(min(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]), 100))
