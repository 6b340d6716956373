"""Damaged files: a worker that reads many of them under limits, and reports each that ends in anything but an answer.

Run as `python -m tests.image.damage FIRST COUNT FILE...`, each number is a seed, and takes one of the files; with
`hostile FILE...` the files are taken as they are. Prints each fault. The limits are those of the process: a run-away
allocation or loop is a MemoryError or a signal.
"""

from __future__ import annotations

import os
import resource
import signal
import struct
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
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
    from ldcheck.image.direct_calls import DirectCalls
    from ldcheck.image.elf import read_elf
    from ldcheck.image.lines import Lines
    from ldcheck.image.linked_references import LinkedReferences

    elf = read_elf(path)
    for section in elf.sections:
        elf.load_address(section)
        assert section.end >= section.address
    for table in elf.tables:
        for symbol in table.entries():
            assert isinstance(symbol.name.encode("utf-8", "surrogateescape"), bytes)
    assert len(list(elf.symbols)) == len(elf.symbols)
    lines = Lines()
    for references in (LinkedReferences(path, None), DirectCalls(path, None)):
        for one in references.between(lambda _: True, lambda _: True)[:50]:
            lines.at_address(path, one.address or 0)


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


def use_pe(path: str) -> None:
    """Read an EFI image."""
    from ldcheck.image.pe import read_pe

    found = read_pe(path)
    assert len(list(found.image.symbols)) == len(found.image.symbols)


def use_objects(path: str) -> None:
    """Read an object or archive, the object's relocations, and who refers to whom at which lines."""
    from ldcheck.image.lines import Lines
    from ldcheck.image.objects import read_objects
    from ldcheck.image.references import References
    from ldcheck.image.relocations import read_relocations

    read_objects([path], [])
    found = References([path]).between(lambda _: True, lambda _: True)
    lines = Lines()
    for one in found[:50]:
        lines.at(one.file, one.member, one.number, one.offset)
    if path.endswith(".o"):
        read_relocations(path)


def reader(name: str) -> Callable[[str], None]:
    """What to do with a file of this name."""
    suffix = os.path.splitext(name)[1]
    return {".map": use_map, ".o": use_objects, ".a": use_objects, ".efi": use_pe}.get(suffix, use_elf)


def limited() -> None:
    """Set the limits, with all that the readers import there already."""
    import ldcheck.cli.padding
    import ldcheck.image.direct_calls
    import ldcheck.image.elf
    import ldcheck.image.gnu_map
    import ldcheck.image.lines
    import ldcheck.image.linked_references
    import ldcheck.image.lld_map
    import ldcheck.image.objects
    import ldcheck.image.orders
    import ldcheck.image.pe
    import ldcheck.image.references
    import ldcheck.image.relocations
    import ldcheck.script.parser  # noqa: F401 - all of them are for what they load

    with suppress(ModuleNotFoundError):
        import pefile  # noqa: F401 - as above
    with suppress(ModuleNotFoundError):
        import capstone  # noqa: F401 - as above
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGVTALRM, _too_long)


def fault_of(name: str, path: str) -> str:
    """Read one file as what `name` says; what is wrong about how that ends, or empty."""
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        reader(name)(path)
    except CheckError as error:
        if not all(one.message and one.location.file for one in error.errors):
            return f"an error that says nothing: {error!r}"
    except BaseException as fault:  # noqa: BLE001 - whatever it is, it is the fault that is looked for
        return "".join([f"{type(fault).__name__}: {fault}\n", *traceback.format_exception(fault)[-3:]])
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return ""


def main(arguments: list[str]) -> int:
    """`FIRST COUNT FILE...`: damaged forms of these files. `hostile FILE...`: these files as they are."""
    faults = 0
    limited()
    if arguments[0] == "hostile":
        cases = iter([(path, path, path) for path in arguments[1:]])
    else:
        first, count, *names = arguments
        contents = [(name, Path(name).read_bytes()) for name in names]
        cases = _damaged(range(int(first), int(first) + int(count)), contents)
    for label, path, name in cases:
        if fault := fault_of(name, path):
            print(f"{label}: {fault}")
            faults += 1
    return min(faults, 100)


def _damaged(seeds: range, contents: list[tuple[str, bytes]]) -> Iterator[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            random = Random(seed)
            name, data = random.choice(contents)
            path = os.path.join(folder, f"damaged{os.path.splitext(name)[1]}")
            Path(path).write_bytes(damage(data, random))
            yield f"seed {seed}, {name}", path, name


class TooLongError(BaseException):
    """Raised in the middle of a run that does not end."""


def _too_long(*_: object) -> None:
    raise TooLongError


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
