"""Where one script means two things: what GNU ld and lld, by version, make of a construct.

A table and nothing else. What stands here was seen: the tests link a script for each row by every linker that they
have, and two of them give one image exactly where this table says that they do the same. A version between two of them
counts as the older one until release notes or a link say otherwise. Where a construct stands in a script, and whether
it matters there, is told by `ldcheck.judging.differing`.
"""

from __future__ import annotations

from ldcheck.script.difference import GONE, NO_FILE, READS, REFUSES, Difference, ways

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
        ways(_FROM_START),
        ways(_ADDRESS),
        "a location counter that is set to a number in an output section",
    ),
    Difference(
        "dot-arithmetic",
        "`. = (. + 15) & ~15`, `. * 2`, `ALIGN(., n)`, `MAX(., n)` in an output section",
        ways("calculates with the offset from the start of the section"),
        ways("calculates with the address"),
        "a location counter that is calculated with in an output section",
    ),
    Difference(
        "symbol-number",
        "`x = 0x10`, `x = SIZEOF(.data)`, `x = . - start` in an output section",
        ways("adds the address of the section"),
        ways("leaves the number as it is"),
        "a symbol that is set to a number in an output section",
    ),
    Difference(
        "dot-address",
        "`. = ADDR(.text) + 0x40` in the output section .text",
        ways(REFUSES),
        ways("goes on at that address"),
        "a location counter that is set to the address of a section in an output section",
    ),
    Difference(
        "assert-dot",
        "ASSERT about the bits of `.` in an output section",
        ways("asks about the offset from the start of the section"),
        ways("asks about the address"),
    ),
    Difference(
        "own-size",
        "SIZEOF() of an output section in its own body, ahead of more content",
        ways("gives the size in the end"),
        ways("gives the size so far"),
    ),
    # The location counter, and what is empty --------------------------------------------------------------------------
    Difference("unallocated-dot", "a section that is not allocated, ahead of others", ways(_MOVES), ways(_LEAVES)),
    Difference("info-dot", "(COPY), (INFO), (OVERLAY) as a section's type", ways(_MOVES), ways(_LEAVES)),
    Difference(
        "region-address",
        "`.text . : {} > REGION`: the location counter as address of a section in a region",
        ways("places the section at the location counter"),
        ways("places the section behind the others in the region"),
        "the location counter as address of a section that goes to a region",
    ),
    Difference(
        "empty-aligned",
        "`.e ALIGN(4K) : { . = .; }` with nothing in it",
        ways("drops the section and its alignment"),
        ways("aligns the location counter for it"),
        "a section that is aligned and has nothing in it",
    ),
    Difference(
        "only-space",
        "a section in which `.` is moved, and that holds nothing else",
        ways("makes it NOBITS, with no bytes in the file"),
        ways("makes it PROGBITS, with zeros in the file"),
    ),
    Difference(
        "headers-size",
        "SIZEOF_HEADERS",
        ways("counts the program headers that it expects"),
        ways("counts the program headers that it makes, its PT_PHDR and PT_GNU_STACK among them"),
    ),
    Difference(
        "subalign",
        "SUBALIGN below what an input section asks for",
        ways("aligns the output section as the inputs ask", ("2.44", "aligns the output section as SUBALIGN says")),
        ways("aligns the output section as SUBALIGN says"),
    ),
    # Load addresses ---------------------------------------------------------------------------------------------------
    Difference(
        "load-inherited",
        "a section without AT> behind one with it, in one region",
        ways("loads it behind the other one"),
        ways("loads it where it runs"),
    ),
    Difference(
        "load-at-inherited",
        "a section without AT() behind one with it and with other permissions, in no region",
        ways("loads it where it runs"),
        ways("loads it behind the other one"),
    ),
    Difference(
        "load-alignment",
        "the load address of a section with an aligned input, by AT>",
        ways("does not align it"),
        ways("aligns it as the section is aligned"),
    ),
    # Which section goes where -----------------------------------------------------------------------------------------
    Difference(
        "read-only-orphan",
        "read-only data that no statement takes, where code stands first",
        ways("places it behind the code"),
        ways("places it ahead of the code"),
    ),
    Difference(
        "note-orphan",
        "notes that no statement takes, where code stands first",
        ways("places them behind the read-only data", ("2.44", "places them among the read-only data")),
        ways("places them ahead of the code", ("19", "places them behind the code")),
    ),
    Difference(
        "typed-orphan",
        "an input that no statement takes, of the name of a section with NOLOAD",
        ways("makes a section of it beside that one", ("2.47", "puts it into that section")),
        ways("puts it into that section"),
        "a section with a type, of the name of inputs that no statement takes",
    ),
    Difference(
        "exclude-outside",
        "`EXCLUDE_FILE(x) *(.a)`: outside of the parentheses",
        ways("leaves the files out"),
        ways("takes the sections of all files"),
        "EXCLUDE_FILE() outside of the parentheses",
    ),
    Difference(
        "exclude-kept",
        "`KEEP(EXCLUDE_FILE(x) *(.a))`: the same in KEEP",
        ways("leaves the files out"),
        ways(REFUSES),
        "EXCLUDE_FILE() outside of the parentheses, in KEEP()",
    ),
    Difference(
        "bare-file",
        "`KEEP(a.o)`, `INPUT_SECTION_FLAGS(f) a.o`: a file without patterns, in KEEP or behind flags",
        ways(READS),
        ways(REFUSES),
        "a file without patterns, in KEEP() or behind INPUT_SECTION_FLAGS()",
    ),
    Difference(
        "exclude-list",
        "`*(EXCLUDE_FILE(x) .a .b)`: ahead of several patterns",
        ways("leaves the files out for the first pattern"),
        ways("leaves the files out for all patterns"),
        "EXCLUDE_FILE() ahead of several patterns",
    ),
    Difference(
        "flags-sorted",
        "`INPUT_SECTION_FLAGS(f) *(SORT(.a*))`: flags ahead of what is sorted by name",
        ways("takes sections with any flags", ("2.40", "takes sections with these flags")),
        ways("takes sections with these flags"),
        "INPUT_SECTION_FLAGS ahead of what is sorted by name",
    ),
    Difference(
        "colon-file",
        "`:file` for one that is in no archive",
        ways("means the file"),
        ways("means no file", ("21", "means the file")),
        "a file pattern that begins with a colon",
    ),
    Difference(
        "file-of-member",
        "`b.o(.text)`, where an archive has a member of that name",
        ways("means the file", ("2.44", "means the member as well")),
        ways("means the file"),
        "the name of a file, which members of archives may have as well",
    ),
    Difference(
        "sorted-together",
        "`*(SORT(.b*) .a*)`: several patterns, of which one is sorted",
        ways("puts what it sorts behind the others, or sorts all of them together"),
        ways("sorts pattern by pattern"),
        "a statement with several patterns, of which one is sorted",
    ),
    Difference(
        "insert",
        "INSERT in a script given by -T",
        ways(
            "reads its own script as well",
        ),
        ways("has no script beside it"),
    ),
    Difference("discard-all", "`/DISCARD/ : { *(*) }`", ways("throws away what is left"), ways(REFUSES)),
    # Names and numbers ------------------------------------------------------------------------------------------------
    Difference(
        "quoted-name",
        "a name of an output section in quotes",
        ways("takes the name"),
        ways("takes the quotes for a part of the name", ("19", "takes the name")),
    ),
    Difference(
        "quoted-region",
        'a region or segment declared without quotes and used with them, `> "RAM"`, `:"text"`',
        ways(READS),
        ways(REFUSES, ("21", READS)),
        "the name of a region or segment in quotes",
    ),
    Difference(
        "quoted-memory",
        'a region or segment declared in quotes, `"RAM" : ORIGIN = ...`, and used without',
        ways(READS),
        ways(REFUSES),
        "the name of a region or segment that is declared in quotes",
    ),
    Difference(
        "quoted-everywhere",
        "a region or segment declared in quotes and used in quotes",
        ways(READS),
        ways(READS, ("21", REFUSES)),
        "the name of a region or segment that is in quotes everywhere",
    ),
    Difference(
        "quoted-file",
        'the name of a file in quotes with a wildcard, `"a*"(.text)`',
        ways("takes it for a pattern"),
        ways("takes it for a name"),
        "the name of a file in quotes with a wildcard",
    ),
    Difference(
        "octal",
        "a number that begins with 0: `010`",
        ways("means octal"),
        ways("means decimal"),
        "a number that begins with 0",
    ),
    Difference(
        "dollar-number",
        "a number that begins with $: `$10`",
        ways("means hexadecimal"),
        ways(REFUSES),
        "a number that begins with $",
    ),
    Difference(
        "hexadecimal-name",
        "a name like a number: `dead`, `fab`",
        ways("means a number", ("2.41", "means a symbol")),
        ways("means a symbol"),
        "a name like a hexadecimal number",
    ),
    Difference(
        "comma-list",
        "a comma in a list of patterns, `*(.text,.rodata)`",
        ways("takes it for a part of the name"),
        ways("takes it for a blank"),
        "a comma in a list of patterns",
    ),
    Difference(
        "defined-later",
        "DEFINED(x) ahead of `x = ...`",
        ways("finds it not defined"),
        ways("finds it defined", ("19", "finds it not defined")),
    ),
    Difference(
        "assert-early",
        "ASSERT ahead of the assignment of a symbol that it asks about",
        ways("asks when the link is done"),
        ways("asks too early", ("21", "asks when the link is done")),
    ),
    Difference(
        "signed-division",
        "`-8 / 2`: division of a negative number",
        ways("divides signed numbers"),
        ways("divides unsigned numbers"),
        "the division of a negative number",
    ),
    Difference("missing-section", "SIZEOF() of a section that is not there", ways(REFUSES), ways("means 0")),
    Difference("undeclared-region", "`> R` without a region R in MEMORY", ways("warns, and goes on"), ways(REFUSES)),
    # What not every linker reads --------------------------------------------------------------------------------------
    Difference("align-with-input", "ALIGN_WITH_INPUT", ways(READS), ways(REFUSES)),
    Difference("block", "BLOCK()", ways(READS), ways(REFUSES)),
    Difference("next", "NEXT()", ways(READS), ways(REFUSES)),
    Difference("odd-align", "ALIGN() of a number that is no power of two", ways(READS), ways(REFUSES)),
    Difference("sorted-files", "SORT() around a file pattern", ways(READS), ways(REFUSES)),
    Difference("special", "SPECIAL", ways(READS), ways(REFUSES)),
    Difference("section-class", "CLASS()", ways(REFUSES), ways(REFUSES, ("21", READS))),
    Difference("overwrite-sections", "OVERWRITE_SECTIONS", ways(REFUSES), ways(READS)),
    Difference("group-sections", "GROUP in SECTIONS", ways(READS), ways(REFUSES)),
    Difference(
        "old-command", "STARTUP, FORCE_COMMON_ALLOCATION and the like", ways(READS), ways(REFUSES), "this command"
    ),
    Difference(
        "overlay-address", "OVERLAY without an address, or without AT()", ways(READS), ways(REFUSES, ("19", READS))
    ),
    Difference(
        "overlay-moving",
        "OVERLAY at an address that is not constant: `.`, `ALIGN(n)`",
        ways("starts all of its sections there"),
        ways("computes it anew for each section", ("19", "starts all of its sections there")),
        "an OVERLAY at an address that is not constant",
    ),
    Difference("overlay-region", "OVERLAY in a region: `> RAM` behind it", ways(READS), ways(REFUSES, ("21", READS))),
    Difference("overlay-data", "BYTE() and the like in an OVERLAY", ways(READS), ways(GONE)),
    Difference("overlay-assert", "ASSERT in an OVERLAY", ways(REFUSES), ways(READS)),
    Difference("overlay-keep", "KEEP() in an OVERLAY", ways(READS), ways(REFUSES, ("21", READS))),
    Difference("overlay-statements", "an assignment in an OVERLAY", ways(READS), ways(REFUSES)),
    Difference("overlay-nocrossrefs", "NOCROSSREFS of an OVERLAY", ways(READS), ways(REFUSES, ("21", READS))),
    Difference("nocrossrefs", "NOCROSSREFS()", ways(READS), ways(REFUSES, ("19", READS))),
    Difference("dsect", "(DSECT)", ways(READS), ways(REFUSES)),
    Difference("readonly-type", "(READONLY)", ways(REFUSES, ("2.36", READS)), ways(REFUSES)),
    Difference(
        "section-type",
        "(TYPE = SHT_NOBITS)",
        ways(REFUSES, ("2.39", "goes by the content in spite of it")),
        ways(REFUSES, ("16", "makes the section of that type")),
    ),
    Difference(
        "exclusive-or",
        "`^` in an expression",
        ways(REFUSES, ("2.42", READS)),
        ways(REFUSES, ("19", READS)),
    ),
    Difference(
        "exclusive-or-assignment",
        "`x ^= 3`",
        ways("reads `x = 3`", ("2.42", READS)),
        ways(REFUSES, ("19", READS)),
    ),
    Difference(
        "reverse",
        "REVERSE()",
        ways(REFUSES, ("2.42", READS)),
        ways("takes it for a pattern", ("16", REFUSES), ("19", READS)),
    ),
    Difference(
        "reverse-files",
        "REVERSE() around a file pattern",
        ways(REFUSES, ("2.42", READS)),
        ways("takes it for a pattern", ("16", REFUSES)),
    ),
    Difference("asciz", "ASCIZ", ways(NO_FILE, ("2.41", READS)), ways(GONE)),
    Difference("squad", "SQUAD", ways(READS), ways(GONE)),
    Difference("linker-version", "LINKER_VERSION", ways(NO_FILE, ("2.41", _NOTHING)), ways(_NOTHING)),
    Difference("hash-comment", "a comment that begins with #", ways(REFUSES, ("2.40", READS)), ways(READS)),
    Difference(
        "same-name-twice",
        "two output sections of one name",
        ways("makes one section of them", ("2.40", "makes two sections")),
        ways("makes two sections"),
    ),
)

BY_NAME = {one.name: one for one in DIFFERENCES}


# Those that give numbers in a script other values.
OF_NUMBERS = frozenset(("octal", "hexadecimal-name"))
