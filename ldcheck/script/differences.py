"""Where one script means two things: what GNU ld and lld, by version, make of a construct.

A table and nothing else. What stands here was seen: the tests link a script for each row by every linker that they
have, and two of them give one image exactly where this table says that they do the same. A version between two of them
counts as the older one until release notes or a link say otherwise. Where a construct stands in a script, and whether
it matters there, is told by `ldcheck.judging.differing`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ldcheck.linker import Linker

REFUSES = "refuses the script"
READS = "reads it"
_GONE = "takes it for the name of a file, and goes on without it"
_NO_FILE = "takes it for the name of a file, and finds none"
# Ways of not reading a construct.
LOSES = frozenset((REFUSES, _GONE, _NO_FILE))


class Way(NamedTuple):
    """What a linker does with a construct, from a version on (empty: as far back as anybody looked)."""

    since: tuple[int, ...]
    does: str


class Difference(NamedTuple):
    """A construct that linkers differ in; `gnu` and `lld` have their ways with it, the oldest one first.

    `noun` is what messages call it, where `construct` shows it by examples.
    """

    name: str
    construct: str
    gnu: tuple[Way, ...]
    lld: tuple[Way, ...]
    noun: str = ""

    def __str__(self) -> str:
        return self.noun or self.construct

    def ways(self, linker: Linker) -> frozenset[str]:
        """What a linker may do: one thing if its version is known, else what any version does."""
        ways = self.gnu if linker.kind == "gnu" else self.lld
        if not linker.version:
            return frozenset(way.does for way in ways)
        return frozenset([way.does for way in ways if not way.since or way.since <= linker.version][-1:])

    def needs(self, linker: Linker) -> str:
        """From which version on a linker reads it at all, if this one does not; empty if it does, or none does."""
        ways = self.gnu if linker.kind == "gnu" else self.lld
        if not self.ways(linker) <= LOSES:
            return ""
        later = [way for way in ways if way.does not in LOSES and way.since > linker.version]
        return ".".join(map(str, later[0].since)) if later else ""

    def describe(self, linker: Linker) -> str:
        """What a linker does with it, as a clause without a subject; by version where that is not known."""
        ways = self.gnu if linker.kind == "gnu" else self.lld
        if linker.version:
            return next(iter(self.ways(linker)))
        first, *later = ways
        return first.does + "".join(f" ({'.'.join(map(str, way.since))} and newer: {way.does})" for way in later)


def _ways(*steps: str | tuple[str, str]) -> tuple[Way, ...]:
    """Ways from what is done at first, and from (version, what is done from then on)."""
    return tuple(
        Way((), step) if isinstance(step, str) else Way(tuple(map(int, step[0].split("."))), step[1]) for step in steps
    )


_NOTHING = "puts nothing there, without --enable-linker-version"
_MOVES = "moves the location counter over it"
_LEAVES = "leaves the location counter as it was"
_FROM_START = "counts from the start of the section"
_ADDRESS = "takes it for an address"

DIFFERENCES = (
    # Numbers in output sections ---------------------------------------------------------------------------------------
    Difference(
        "dot-number",
        "`. = 0x400` in an output section",
        _ways(_FROM_START),
        _ways(_ADDRESS),
        "a location counter that is set to a number in an output section",
    ),
    Difference(
        "dot-arithmetic",
        "`. = (. + 15) & ~15`, `. * 2`, `ALIGN(., n)`, `MAX(., n)` in an output section",
        _ways("calculates with the offset from the start of the section"),
        _ways("calculates with the address"),
        "a location counter that is calculated with in an output section",
    ),
    Difference(
        "symbol-number",
        "`x = 0x10`, `x = SIZEOF(.data)`, `x = . - start` in an output section",
        _ways("adds the address of the section"),
        _ways("leaves the number as it is"),
        "a symbol that is set to a number in an output section",
    ),
    Difference(
        "dot-address",
        "`. = ADDR(.text) + 0x40` in the output section .text",
        _ways(REFUSES),
        _ways("goes on at that address"),
        "a location counter that is set to the address of a section in an output section",
    ),
    Difference(
        "assert-dot",
        "ASSERT about the bits of `.` in an output section",
        _ways("asks about the offset from the start of the section"),
        _ways("asks about the address"),
    ),
    Difference(
        "own-size",
        "SIZEOF() of an output section in its own body, ahead of more content",
        _ways("gives the size in the end"),
        _ways("gives the size so far"),
    ),
    # The location counter, and what is empty --------------------------------------------------------------------------
    Difference("unallocated-dot", "a section that is not allocated, ahead of others", _ways(_MOVES), _ways(_LEAVES)),
    Difference("info-dot", "(COPY), (INFO), (OVERLAY) as a section's type", _ways(_MOVES), _ways(_LEAVES)),
    Difference(
        "region-address",
        "`.text . : {} > REGION`: the location counter as address of a section in a region",
        _ways("places the section at the location counter"),
        _ways("places the section behind the others in the region"),
        "the location counter as address of a section that goes to a region",
    ),
    Difference(
        "empty-aligned",
        "`.e ALIGN(4K) : { . = .; }` with nothing in it",
        _ways("drops the section and its alignment"),
        _ways("aligns the location counter for it"),
        "a section that is aligned and has nothing in it",
    ),
    Difference(
        "only-space",
        "a section in which `.` is moved, and that holds nothing else",
        _ways("makes it NOBITS, with no bytes in the file"),
        _ways("makes it PROGBITS, with zeros in the file"),
    ),
    Difference(
        "headers-size",
        "SIZEOF_HEADERS",
        _ways("counts the program headers that it expects"),
        _ways("counts the program headers that it makes, its PT_PHDR and PT_GNU_STACK among them"),
    ),
    Difference(
        "subalign",
        "SUBALIGN below what an input section asks for",
        _ways("aligns the output section as the inputs ask", ("2.44", "aligns the output section as SUBALIGN says")),
        _ways("aligns the output section as SUBALIGN says"),
    ),
    # Load addresses ---------------------------------------------------------------------------------------------------
    Difference(
        "load-inherited",
        "a section without AT> behind one with it, in one region",
        _ways("loads it behind the other one"),
        _ways("loads it where it runs"),
    ),
    Difference(
        "load-at-inherited",
        "a section without AT() behind one with it and with other permissions, in no region",
        _ways("loads it where it runs"),
        _ways("loads it behind the other one"),
    ),
    Difference(
        "load-alignment",
        "the load address of a section with an aligned input, by AT>",
        _ways("does not align it"),
        _ways("aligns it as the section is aligned"),
    ),
    # Which section goes where -----------------------------------------------------------------------------------------
    Difference(
        "read-only-orphan",
        "read-only data that no statement takes, where code stands first",
        _ways("places it behind the code"),
        _ways("places it ahead of the code"),
    ),
    Difference(
        "note-orphan",
        "notes that no statement takes, where code stands first",
        _ways("places them behind the read-only data", ("2.44", "places them among the read-only data")),
        _ways("places them ahead of the code", ("19", "places them behind the code")),
    ),
    Difference(
        "typed-orphan",
        "an input that no statement takes, of the name of a section with NOLOAD",
        _ways("makes a section of it beside that one", ("2.47", "puts it into that section")),
        _ways("puts it into that section"),
        "a section with a type, of the name of inputs that no statement takes",
    ),
    Difference(
        "exclude-outside",
        "`EXCLUDE_FILE(x) *(.a)`: outside of the parentheses",
        _ways("leaves the files out"),
        _ways("takes the sections of all files"),
        "EXCLUDE_FILE() outside of the parentheses",
    ),
    Difference(
        "exclude-kept",
        "`KEEP(EXCLUDE_FILE(x) *(.a))`: the same in KEEP",
        _ways("leaves the files out"),
        _ways(REFUSES),
        "EXCLUDE_FILE() outside of the parentheses, in KEEP()",
    ),
    Difference(
        "bare-file",
        "`KEEP(a.o)`, `INPUT_SECTION_FLAGS(f) a.o`: a file without patterns, in KEEP or behind flags",
        _ways(READS),
        _ways(REFUSES),
        "a file without patterns, in KEEP() or behind INPUT_SECTION_FLAGS()",
    ),
    Difference(
        "exclude-list",
        "`*(EXCLUDE_FILE(x) .a .b)`: ahead of several patterns",
        _ways("leaves the files out for the first pattern"),
        _ways("leaves the files out for all patterns"),
        "EXCLUDE_FILE() ahead of several patterns",
    ),
    Difference(
        "colon-file",
        "`:file` for one that is in no archive",
        _ways("means the file"),
        _ways("means no file", ("21", "means the file")),
        "a file pattern that begins with a colon",
    ),
    Difference(
        "file-of-member",
        "`b.o(.text)`, where an archive has a member of that name",
        _ways("means the file", ("2.44", "means the member as well")),
        _ways("means the file"),
        "the name of a file, which members of archives may have as well",
    ),
    Difference(
        "sorted-together",
        "`*(SORT(.b*) .a*)`: several patterns, of which one is sorted",
        _ways("puts what it sorts behind the others, or sorts all of them together"),
        _ways("sorts pattern by pattern"),
        "a statement with several patterns, of which one is sorted",
    ),
    Difference(
        "insert",
        "INSERT in a script given by -T",
        _ways(
            "reads its own script as well",
        ),
        _ways("has no script beside it"),
    ),
    Difference("discard-all", "`/DISCARD/ : { *(*) }`", _ways("throws away what is left"), _ways(REFUSES)),
    # Names and numbers ------------------------------------------------------------------------------------------------
    Difference(
        "quoted-name",
        "a name of an output section in quotes",
        _ways("takes the name"),
        _ways("takes the quotes for a part of the name", ("19", "takes the name")),
    ),
    Difference(
        "quoted-file",
        'the name of a file in quotes with a wildcard, `"a*"(.text)`',
        _ways("takes it for a pattern"),
        _ways("takes it for a name"),
        "the name of a file in quotes with a wildcard",
    ),
    Difference(
        "octal",
        "a number that begins with 0: `010`",
        _ways("means octal"),
        _ways("means decimal"),
        "a number that begins with 0",
    ),
    Difference(
        "dollar-number",
        "a number that begins with $: `$10`",
        _ways("means hexadecimal"),
        _ways(REFUSES),
        "a number that begins with $",
    ),
    Difference(
        "hexadecimal-name",
        "a name like a number: `dead`, `fab`",
        _ways("means a number", ("2.41", "means a symbol")),
        _ways("means a symbol"),
        "a name like a hexadecimal number",
    ),
    Difference(
        "comma-list",
        "a comma in a list of patterns, `*(.text,.rodata)`",
        _ways("takes it for a part of the name"),
        _ways("takes it for a blank"),
        "a comma in a list of patterns",
    ),
    Difference(
        "defined-later",
        "DEFINED(x) ahead of `x = ...`",
        _ways("finds it not defined"),
        _ways("finds it defined", ("19", "finds it not defined")),
    ),
    Difference(
        "assert-early",
        "ASSERT ahead of the assignment of a symbol that it asks about",
        _ways("asks when the link is done"),
        _ways("asks too early", ("21", "asks when the link is done")),
    ),
    Difference(
        "signed-division",
        "`-8 / 2`: division of a negative number",
        _ways("divides signed numbers"),
        _ways("divides unsigned numbers"),
        "the division of a negative number",
    ),
    Difference("missing-section", "SIZEOF() of a section that is not there", _ways(REFUSES), _ways("means 0")),
    Difference("undeclared-region", "`> R` without a region R in MEMORY", _ways("warns, and goes on"), _ways(REFUSES)),
    # What not every linker reads --------------------------------------------------------------------------------------
    Difference("align-with-input", "ALIGN_WITH_INPUT", _ways(READS), _ways(REFUSES)),
    Difference("block", "BLOCK()", _ways(READS), _ways(REFUSES)),
    Difference("next", "NEXT()", _ways(READS), _ways(REFUSES)),
    Difference("odd-align", "ALIGN() of a number that is no power of two", _ways(READS), _ways(REFUSES)),
    Difference("sorted-files", "SORT() around a file pattern", _ways(READS), _ways(REFUSES)),
    Difference("special", "SPECIAL", _ways(READS), _ways(REFUSES)),
    Difference("section-class", "CLASS()", _ways(REFUSES), _ways(REFUSES, ("21", READS))),
    Difference("overwrite-sections", "OVERWRITE_SECTIONS", _ways(REFUSES), _ways(READS)),
    Difference("group-sections", "GROUP in SECTIONS", _ways(READS), _ways(REFUSES)),
    Difference(
        "old-command", "STARTUP, FORCE_COMMON_ALLOCATION and the like", _ways(READS), _ways(REFUSES), "this command"
    ),
    Difference(
        "overlay-address", "OVERLAY without an address, or without AT()", _ways(READS), _ways(REFUSES, ("19", READS))
    ),
    Difference("overlay-keep", "KEEP() in an OVERLAY", _ways(READS), _ways(REFUSES, ("21", READS))),
    Difference("overlay-statements", "an assignment in an OVERLAY", _ways(READS), _ways(REFUSES)),
    Difference("overlay-nocrossrefs", "NOCROSSREFS of an OVERLAY", _ways(READS), _ways(REFUSES, ("21", READS))),
    Difference("nocrossrefs", "NOCROSSREFS()", _ways(READS), _ways(REFUSES, ("19", READS))),
    Difference("dsect", "(DSECT)", _ways(READS), _ways(REFUSES)),
    Difference("readonly-type", "(READONLY)", _ways(REFUSES, ("2.36", READS)), _ways(REFUSES)),
    Difference(
        "section-type",
        "(TYPE = SHT_NOBITS)",
        _ways(REFUSES, ("2.39", "goes by the content in spite of it")),
        _ways(REFUSES, ("16", "makes the section of that type")),
    ),
    Difference(
        "exclusive-or",
        "`^` in an expression",
        _ways(REFUSES, ("2.42", READS)),
        _ways(REFUSES, ("19", READS)),
    ),
    Difference(
        "exclusive-or-assignment",
        "`x ^= 3`",
        _ways("reads `x = 3`", ("2.42", READS)),
        _ways(REFUSES, ("19", READS)),
    ),
    Difference(
        "reverse",
        "REVERSE()",
        _ways(REFUSES, ("2.42", READS)),
        _ways("takes it for a pattern", ("16", REFUSES), ("19", READS)),
    ),
    Difference(
        "reverse-files",
        "REVERSE() around a file pattern",
        _ways(REFUSES, ("2.42", READS)),
        _ways("takes it for a pattern", ("16", REFUSES)),
    ),
    Difference("asciz", "ASCIZ", _ways(_NO_FILE, ("2.41", READS)), _ways(_GONE)),
    Difference("squad", "SQUAD", _ways(READS), _ways(_GONE)),
    Difference("linker-version", "LINKER_VERSION", _ways(_NO_FILE, ("2.41", _NOTHING)), _ways(_NOTHING)),
    Difference("hash-comment", "a comment that begins with #", _ways(REFUSES, ("2.40", READS)), _ways(READS)),
    Difference(
        "same-name-twice",
        "two output sections of one name",
        _ways("makes one section of them", ("2.40", "makes two sections")),
        _ways("makes two sections"),
    ),
)

BY_NAME = {one.name: one for one in DIFFERENCES}


def certain(difference: Difference, linkers: Iterable[Linker]) -> bool:
    """Whether two of some linkers surely do different things with a construct."""
    ways = [difference.ways(linker) for linker in linkers]
    return any(not one & other for at, one in enumerate(ways) for other in ways[at + 1 :])


def possible(difference: Difference, linkers: Iterable[Linker]) -> bool:
    """Whether two of some linkers, the versions of which may not be known, may do different things."""
    ways = [difference.ways(linker) for linker in linkers]
    return any(one != other for at, one in enumerate(ways) for other in ways[at + 1 :])


# Those that give numbers in a script other values.
OF_NUMBERS = frozenset(("octal", "hexadecimal-name"))
