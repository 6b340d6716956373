"""An image as a picture shows it: plain data between what was linked and the report that draws it."""

from __future__ import annotations

from ldcheck.record import dataclass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stretch:
    """A stretch of memory: an output section, or padding. `start` and `end` are addresses.

    `kind` is one of "code", "read-only", "data", "zero", "padding"; `permissions` are the ELF's (`r-x`), empty for
    padding; `init` says that it is freed after boot.
    """

    name: str
    start: int
    end: int
    kind: str
    permissions: str = ""
    init: bool = False
    file_size: int = 0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mark:
    """A symbol that the script assigns. `constant` says that its value is a number, and no place in the image."""

    name: str
    address: int
    constant: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Picture:
    """The memory of one image. `page` is the page size in bytes."""

    target: str
    file: str
    page: int
    stretches: tuple[Stretch, ...]
    paddings: tuple[Stretch, ...] = ()
    marks: tuple[Mark, ...] = ()
