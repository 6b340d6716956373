"""Opening what was given as an ELF file, a map or an object, and saying what it looks like when it is none.

Reads are bounded by the file: a header that asks for 2^63 bytes gets what is there. Nothing here knows a format beyond
its first bytes.
"""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from ldcheck.findings import CheckError, InputError
from ldcheck.source import Location, decode

# Maps of the largest links seen are a few hundred MB.
_LARGEST = 1 << 30
_HEAD = 1 << 12
_PIECE = 1 << 20

_MAGIC = (
    (b"\x7fELF", "an ELF file"),
    (b"!<arch>\n", "an archive of object files"),
    (b"!<thin>\n", "a thin archive of object files"),
    (b"MZ", "a PE/COFF image, such as an EFI file"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"\xfd7zXZ\x00", "xz-compressed data"),
    (b"BZh", "bzip2-compressed data"),
    (b"(\xb5/\xfd", "zstd-compressed data"),
    (b"BC\xc0\xde", "LLVM bitcode"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O file"),
    (b"\x27\x05\x19\x56", "a U-Boot image"),
    (b"\xd0\x0d\xfe\xed", "a flattened device tree"),
    (b":10", "an Intel HEX file"),
    (b"S0", "a Motorola S-record file"),
)


def refuse(path: str, message: str, advice: str = "", line: int = 0) -> CheckError:
    """The error to raise for a file that cannot be used; `message` is a whole sentence without a full stop."""
    return CheckError(InputError(message, Location(path, line), help=advice))


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector off a flood of new tuples, none of which is in a cycle: a third of a map's time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class Window:
    """A file, or an archive member in it, of which ranges are read; all offsets count from the window's start."""

    __slots__ = ("_base", "_file", "path", "size")

    def __init__(self, file: int, path: str, size: int, base: int = 0) -> None:
        self._file = file
        self._base = base
        self.path = path
        self.size = size

    def read(self, offset: int, size: int) -> bytes:
        """The bytes of a range, fewer where it reaches beyond the window."""
        if not 0 <= offset < self.size or size <= 0:
            return b""
        # Not `pread`, which Windows lacks.
        os.lseek(self._file, self._base + offset, os.SEEK_SET)
        return os.read(self._file, min(size, self.size - offset))

    def part(self, offset: int, size: int) -> Window:
        """A window on a range of this one, cut off where this one ends."""
        offset = min(max(offset, 0), self.size)
        return Window(self._file, self.path, min(max(size, 0), self.size - offset), self._base + offset)


class OpenFile:
    """A context manager around a regular file; enters as its `Window`. Raises CheckError where there is none."""

    __slots__ = ("_file", "_path", "_what")

    def __init__(self, path: str, what: str) -> None:
        self._path = path
        self._what = what
        self._file = -1

    def __enter__(self) -> Window:
        self._file, status = _open(self._path, self._what)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._file)
            raise refuse(self._path, f"expected {self._what}, this is not a regular file")
        return Window(self._file, self._path, status.st_size)

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def read_text(path: str, what: str) -> str:
    """The text of a file or pipe that was given as `what` ("a link map"); bytes that are no UTF-8 become surrogates.

    Raises CheckError where it cannot be read, is no text, or is larger than any map.
    """
    file, status = _open(path, what)
    with os.fdopen(file, "rb") as stream:
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISFIFO(status.st_mode):
            raise refuse(path, f"expected {what}, this is a device")
        head = stream.peek(_HEAD)[:_HEAD]
        if not head or b"\0" in head:
            raise refuse(path, f"expected {what}, this looks like {describe(head)}")
        # All of a file comes in one piece, which is then not copied; a pipe has no size to go by.
        at_once = max(_PIECE, min(status.st_size, _LARGEST))
        pieces, size = [], 0
        while piece := stream.read(at_once):
            pieces.append(piece)
            size += len(piece)
            if size > _LARGEST:
                raise refuse(path, f"expected {what}, this is more than 1 GB")
    return decode(b"".join(pieces))


def _open(path: str, what: str) -> tuple[int, os.stat_result]:
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise refuse(path, f"expected {what}, this is a directory")
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), status
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise refuse(path, f"cannot read {what}: {reason}") from None


def describe(head: bytes) -> str:
    """What a file looks like by its first kilobytes, as a noun with its article."""
    if not head:
        return "an empty file"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if b"\0" in head:
        return "binary data of an unknown kind"
    if b"Linker script and memory map" in head or b"Memory Configuration" in head:
        return "a link map of GNU ld"
    if b"SECTIONS" in head:
        return "a linker script or another text"
    return "a text file"
