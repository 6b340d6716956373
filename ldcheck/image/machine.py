"""For which architecture an ELF file is, by its first bytes alone: quick enough to ask before anything is read."""

from __future__ import annotations

from ldcheck.image.arches import from_machine


def machine_of(path: str) -> str:
    """The architecture of an ELF file; empty for any other file, one that cannot be read, or an unknown machine."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(20)
    except (OSError, ValueError):
        return ""
    if len(head) < 20 or head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        return ""
    return from_machine(int.from_bytes(head[18:20], "little" if head[5] == 1 else "big"), 32 * head[4])
