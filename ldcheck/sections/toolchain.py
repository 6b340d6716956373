"""The catalogue of the sections that compilers, assemblers and linkers emit, as this package's other modules read it.

The data is `toolchain_table`, which `python -m tools.toolchain` makes by asking the tools. An entry says what a
statement of a script must take, what is in such sections, and who emits them for which architecture under which
option. Left out are a project's own names.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ldcheck.record import dataclass

# What the columns of the table call those who emit.
MAKERS = {
    "armcc": "Arm Compiler",
    "clang": "Clang",
    "gcc": "GCC",
    "glibc": "glibc",
    "ld": "GNU ld",
    "lld": "lld",
    "rustc": "rustc",
}


@dataclass(frozen=True, slots=True)
class Emission:
    """Who emits a section, since which version, for which architectures (none: all), and under which options.

    `option` is a list of words: options, or what the source asks for (`C++`). Empty means by default, at -O0 or -O2.
    """

    maker: str
    since: str
    arches: frozenset[str]
    option: str

    @property
    def words(self) -> tuple[str, ...]:
        """The options one by one."""
        return tuple(self.option.split())


@dataclass(frozen=True, slots=True)
class Entry:
    """A pattern of names. `kind` is one of `KINDS`; `source` tells where an entry is from that was not observed."""

    pattern: str
    kind: str
    emissions: tuple[Emission, ...]
    source: str

    @property
    def allocated(self) -> bool:
        """Whether such sections take memory in the image."""
        return self.kind not in ("debug", "unallocated")

    @property
    def probe(self) -> str:
        """A name that the pattern matches and that no tool has a meaning of its own for."""
        return probe(self.pattern)


KINDS = ("code", "constant", "data", "zero", "relro", "tls", "tls zero", "unwind", "note", "debug", "unallocated")


def probe(pattern: str) -> str:
    """A name of a pattern of the catalogue, as a compiler might choose it."""
    if pattern.endswith((".str*", ".cst*")):
        return pattern.replace(".str*", ".str1.8").replace(".cst*", ".cst8")
    return pattern.replace("_array.*", "_array.00101").replace("tors.*", "tors.65434").replace("*", "q7")


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Entry]:
    """The entries by pattern."""
    from ldcheck.sections.toolchain_table import TABLE

    found = {}
    for line in TABLE.strip().splitlines():
        pattern, kind, emissions, *source = line.split("\t")
        who = tuple(_emission(text) for text in emissions.split("; "))
        found[pattern] = Entry(pattern, kind, who, "".join(source))
    return found


def _emission(text: str) -> Emission:
    """An emission as the table writes it: `gcc>=12 @arm32,arm64 -fdata-sections`."""
    who, *words = text.split(" ")
    maker, _, since = who.partition(">=")
    arches = words.pop(0)[1:].split(",") if words and words[0].startswith("@") else ()
    return Emission(maker, since, frozenset(arches), " ".join(words))


@lru_cache(maxsize=1)
def asked() -> dict[str, frozenset[str]]:
    """The architectures that each maker was asked for: what no architectures in an emission stands for."""
    from ldcheck.sections.toolchain_table import ASKED

    lines = (line.split("\t") for line in ASKED.strip().splitlines())
    return {maker: frozenset(arches.split()) for maker, arches in lines}


# Where nothing tells the architecture: what all of these have is to be expected.
_COMMON = frozenset(("x86_64", "arm64", "arm32", "riscv64"))


def emitted(
    entry: Entry, makers: Iterable[str], arches: frozenset[str], options: Iterable[str]
) -> tuple[Emission, ...]:
    """The emissions of the entry by the makers, if one or the other emits it with these options for all `arches`.

    Without architectures, for all that are common.
    """
    allowed = frozenset(options)
    wanted = frozenset(makers)
    every = arches or _COMMON
    found = [
        one
        for one in entry.emissions
        if one.maker in wanted and allowed.issuperset(one.words) and (not one.arches or one.arches & every)
    ]
    covered: set[str] = set()
    for one in found:
        covered |= one.arches or every
    return tuple(found) if covered >= every else ()


def arches_of(names: Iterable[str]) -> tuple[frozenset[str], ...]:
    """The architectures for which toolchains have names like these, one set a family; none where the names do not tell.

    `names` are names that a script spells out. A script with names of several families is most likely a copy of a
    linker's own script, which has everybody's; it is made for those whose symbols it defines.
    """
    found: frozenset[str] | None = None
    defined: dict[frozenset[str], None] = {}
    for name in names:
        own = _telling().get(name)
        if own is not None:
            found = own if found is None else found & own
        if name in _SYMBOLS:
            defined[_SYMBOLS[name]] = None
    return (found,) if found else tuple(defined)


# Symbols that only scripts for one architecture have, and architectures whose own names tell.
_SYMBOLS = {"__global_pointer$": frozenset(("riscv32", "riscv64")), "__exidx_start": frozenset(("arm32",))}
# Names that a tool gives for one architecture, and that programs or other tools have on any: the code of exception
# tables, and what assemblers made of -gstabs.
_SHARED = frozenset((".fixup", ".stab"))
_TOLD = frozenset(("arm32", "riscv32", "riscv64", "mips", "mips64", "ppc32", "ppc64", "xtensa", "avr"))


@lru_cache(maxsize=1)
def _telling() -> dict[str, frozenset[str]]:
    """Names that are emitted for one architecture, or for the two of one family, and by no tool for any other."""
    found = dict(_SYMBOLS)
    every = asked()
    for entry in catalogue().values():
        own = frozenset().union(*(one.arches or every.get(one.maker, _COMMON) for one in entry.emissions))
        if own <= _TOLD and entry.pattern not in _SHARED and len({arch.rstrip("0123456789") for arch in own}) == 1:
            found[entry.pattern] = own
    return found
