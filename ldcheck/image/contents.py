"""The bytes at addresses of a linked ELF file, for telling whether two stretches of two images hold the same."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from hashlib import blake2b

from ldcheck.image.files import OpenFile
from ldcheck.image.model import Elf

# What is read of one image at most, in bytes.
_MOST = 64 << 20


def digests(elf: Elf, places: Iterable[tuple[int, int]]) -> list[bytes | None]:
    """A digest of the bytes of each stretch (address and size); None where the file has none, or they are too many.

    Raises CheckError where the file cannot be read any more.
    """
    stored = sorted(
        (section.address, section.end, section.offset)
        for section in elf.sections
        if section.allocated and section.occupies_file and section.size
    )
    starts = [start for start, _, _ in stored]
    room = _MOST
    found: list[bytes | None] = []
    with OpenFile(elf.path, "an ELF file") as window:
        for address, size in places:
            at = bisect_right(starts, address) - 1
            if at < 0 or address + size > stored[at][1] or size > room:
                found.append(None)
                continue
            room -= size
            data = window.read(stored[at][2] + address - starts[at], size)
            found.append(blake2b(data, digest_size=16).digest() if len(data) == size else None)
    return found
