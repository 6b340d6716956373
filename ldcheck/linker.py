"""Which linker is meant: GNU ld or lld, of a version or of any.

Scripts, placement and addresses mean what that linker makes of them, so every room may ask. Who says which one is meant
is decided in `ldcheck.judging.meant`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ldcheck.record import dataclass

# What people write, and what the linker is called; `BOTH` stands for all of them.
NAMES = {"gnu": "GNU ld", "lld": "lld"}
BOTH = "both"
_VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,8}){0,3}")


@dataclass(frozen=True, slots=True)
class Linker:
    """One linker. `version` is empty where any is meant, and may be shorter than the program's own (2.40, 19)."""

    kind: str
    version: tuple[int, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.name, ".".join(map(str, self.version))]).strip()

    @property
    def name(self) -> str:
        """What it is called: `GNU ld` or `lld`."""
        return NAMES[self.kind]

    def is_before(self, *version: int) -> bool:
        """Whether it is known to be older than a version; a version that is shorter counts as its first."""
        return bool(self.version) and self.version < version

    def may_be_before(self, *version: int) -> bool:
        """Whether it may be older than a version: it is, or its own is not known."""
        return not self.version or self.version < version

    def agrees(self, other: Linker) -> bool:
        """Whether both can be one program, whose version one of them knows with fewer numbers or not at all."""
        known = min(len(self.version), len(other.version))
        return self.kind == other.kind and self.version[:known] == other.version[:known]


GNU = Linker("gnu")
LLD = Linker("lld")


def only_lld(linkers: Iterable[Linker]) -> bool:
    """Whether lld is meant and GNU ld is not."""
    kinds = {linker.kind for linker in linkers}
    return kinds == {LLD.kind}


def read_linkers(text: str) -> tuple[Linker, ...]:
    """The linkers that `gnu`, `lld=19`, `gnu=2.40,lld` or `both` mean. Raises ValueError, in words for people."""
    found: dict[Linker, None] = {}
    for word in text.split(","):
        kind, equals, version = word.strip().partition("=")
        if kind == BOTH and not equals:
            found.update({GNU: None, LLD: None})
            continue
        if kind not in NAMES:
            raise ValueError(f"`{word.strip()[:40]}` is no linker; there are gnu, lld and both, gnu=2.40 and lld=19")
        if equals and not _VERSION.fullmatch(version):
            raise ValueError(f"`{version[:40]}` is no version of {NAMES[kind]}, such as {_EXAMPLES[kind]}")
        found[Linker(kind, _numbers(version))] = None
    return tuple(found)


_EXAMPLES = {"gnu": "2.40", "lld": "19"}


def version_of(text: str) -> tuple[int, ...]:
    """The version that a text begins with, as far as linkers are told apart by it: `2.40`, `19.1.7`."""
    found = _VERSION.match(text)
    return _numbers(found[0]) if found else ()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("."))) if version else ()
