"""Archives of object files (`ar`): the System V form with GNU's long names, BSD's names, and thin archives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from ldcheck.image.files import Window

_MAGIC = (b"!<arch>\n", b"!<thin>\n")
_HEADER = 60
# The names of members that are tables of the archive itself.
_TABLES = ("/", "//", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED", "__.SYMDEF_64")


class Member(NamedTuple):
    """A member: its name, and where its bytes are. `window` is None in a thin archive, where `name` is a path."""

    name: str
    window: Window | None


def is_archive(window: Window) -> bool:
    """Whether a file begins as an archive does."""
    return window.read(0, 8) in _MAGIC


def members(window: Window, notes: list[str]) -> Iterator[Member]:
    """The members in their order, the archive's own tables left out; what is damaged is said in `notes`."""
    thin = window.read(0, 8) == _MAGIC[1]
    folder = os.path.dirname(window.path)
    long_names = b""
    at = 8
    while at < window.size:
        header = window.read(at, _HEADER)
        size_field = header[48:58].strip()
        if len(header) < _HEADER or header[58:] != b"`\n" or not size_field.isdigit():
            notes.append(f"{window.path}: the archive is damaged or cut off at byte {at:,}")
            return
        size, at = int(size_field), at + _HEADER
        name = os.fsdecode(header[:16]).rstrip(" ")
        if name == "//":
            long_names = window.read(at, size)
        elif name.startswith("#1/") and name[3:].isdigit():
            length = min(int(name[3:]), size)
            name = os.fsdecode(window.read(at, length).rstrip(b"\0"))
            at, size = at + length, size - length
        elif name[:1] == "/" and name[1:].isdigit():
            start = int(name[1:])
            end = long_names.find(b"\n", start)
            name = os.fsdecode(long_names[start : end if end >= 0 else None].removesuffix(b"/"))
        elif name not in _TABLES:
            name = name.removesuffix("/")
        if name in _TABLES:
            at += size + size % 2
        elif thin:
            yield Member(name if os.path.isabs(name) else os.path.join(folder, name), None)
        else:
            if at + size > window.size:
                notes.append(f"{window.path}: the archive ends within its member {name}")
            yield Member(name, window.part(at, size))
            at += size + size % 2
