"""The profile of an arm object, from its build attributes (ABI for the ARM Architecture: "Build Attributes")."""

from __future__ import annotations

import struct
from collections.abc import Iterator

SHT_ARM_ATTRIBUTES = 0x70000003
_FILE, _PROFILE, _COMPATIBILITY = 1, 7, 32
# Below this tag, which attributes are strings is listed; above, the odd ones are.
_FIRST_BY_PARITY = 33
_STRINGS = (4, 5)


def arm_profile(data: bytes, order: str) -> str:
    """`A`, `R`, `M` or `S`; empty if the attributes do not say it. `order` is `<` or `>`."""
    if data[:1] != b"A":
        return ""
    at = 1
    while at + 4 <= len(data):
        (size,) = struct.unpack_from(f"{order}I", data, at)
        part = data[at + 4 : at + size]
        if size < 4:
            break
        vendor, _, rest = part.partition(b"\0")
        if vendor == b"aeabi":
            for tag, value in _attributes(rest, order):
                if tag == _PROFILE and 0 < value < 0x80:
                    return chr(value)
        at += size
    return ""


def _attributes(data: bytes, order: str) -> Iterator[tuple[int, int]]:
    """Tags and numbers of the attributes of the file; strings are skipped."""
    if data[:1] != bytes([_FILE]) or len(data) < 5:
        return
    (size,) = struct.unpack_from(f"{order}I", data, 1)
    at, end = 5, min(size, len(data))
    while at < end:
        tag, at = _number(data, at)
        value = 0
        named = tag in _STRINGS if tag < _FIRST_BY_PARITY else tag % 2
        if not named:
            value, at = _number(data, at)
        if named or tag == _COMPATIBILITY:
            stop = data.find(b"\0", at)
            at = end if stop < 0 else stop + 1
        yield tag, value


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, and where the next one begins."""
    value = shift = 0
    while at < len(data) and shift < 64:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            break
    return value, at
