"""Link maps of GNU ld (binutils 2.30 and newer): ldlang.c, `lang_map` and the `print_...` functions below it.

Written for maps of hundreds of megabytes. One regular expression reads an input section with everything that belongs to
it (the fill ahead, a wrapped name, its symbols) in one match, and whole runs of such matches are turned into columns;
only the other lines, the statements of the script, are looked at one by one. What ld prints is not quite what it
placed: `_placed` and `_gaps` correct that. Headings may be translated, so none is relied upon.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate, compress, repeat
from operator import add, itemgetter

from ldcheck.image.columns import InputColumns, MapSymbols, Numbers, addresses
from ldcheck.image.files import collector_paused
from ldcheck.image.model import LinkMap, MapSection, MapStatement, Padding
from ldcheck.image.padding import ASSIGNMENT, INPUT_ALIGNMENT

UNEXPLAINED = "unexplained"

# Groups: all of it, address and size of a fill, name, address, size, file, and the lines of relaxation and symbols; or
# any other line. A line of a symbol is told from an assignment by the "=".
_RECORD = re.compile(
    r"((?: \*fill\* +0x([0-9a-f]{1,16}+) +0x([0-9a-f]{1,16}+) .*+\n)?"
    r" ([^ \n*(][^ \n(]*+)(?:\n {16}| {1,15}+)0x([0-9a-f]{1,16}+) ++0x([0-9a-f]{1,16}+) (.++)\n"
    r"((?: {17,}+0x.++\n)?(?: {16}0x.{1,16} {16}(?!ASSERT |PROVIDE |\S++ = )\S.*+\n)*+)"
    r"|.*+\n)"
)
_SYMBOL = re.compile(r"^ {16}0x([0-9a-f]{1,16}) {16}([^ \n].*)$", re.MULTILINE)

_PLACE = re.compile(r" +0x([0-9a-f]{1,16}) +0x([0-9a-f]{1,16})(?: .*0x([0-9a-f]{1,16}))?")
_FILL = re.compile(r" \*fill\* +0x([0-9a-f]{1,16}) +0x([0-9a-f]{1,16})(?: |$)")
_DATA = re.compile(r" {16}0x([0-9a-f]{1,16}) +0x([0-9a-f]{1,16}) ((?:BYTE|SHORT|LONG|QUAD|SQUAD|ASCIZ|RELOC)\b.*)$")
_VALUE = re.compile(r" {16}(?:\[?0x([0-9a-f]{1,16})\]?|\[!provide\]|\[unresolved\]|\*undef\*) +(\S.*)$")
# Up to binutils 2.30, PROVIDE (symbol, value).
_ASSIGNED = re.compile(r"PROVIDE \((\S+?)(?:,| =) |(\S+) = ")

# The region that ld adds to every map ends the list of regions; the heading of the memory map follows.
_START = re.compile(r"\n\*default\* +0x[0-9a-f]+ +0x[0-9a-f]+.*\n\n.*\n\n")
_REGION = re.compile(r"(\S+) +0x([0-9a-f]{1,16}) +0x([0-9a-f]{1,16})(?: .*)?")
_NO_SECTION = ("LOAD ", "START GROUP", "END GROUP", "OUTPUT(", "TARGET(", "INSERT ", "Address of section ")

# How much of the map is matched at a time: the matches take several times its memory.
_PIECE = 1 << 17

_Row = tuple[str, str, str, str, str, str, str, str]


def looks_like_gnu_map(text: str) -> bool:
    """Whether this is a link map of GNU ld, whole or cut off behind the list of regions."""
    return _START.search(text) is not None


def read_gnu_map(path: str, text: str) -> LinkMap:
    """The model of a map. What is damaged or cut off is left out and said in `incomplete`."""
    begin = _START.search(text)
    if begin is None:
        return LinkMap(path, "GNU ld", (), incomplete=("the memory map is missing",))
    end = text.find("\nCross Reference Table\n", begin.end())
    end = len(text) if end < 0 else end + 1
    reader = _Reader(text.count("\n", 0, begin.end()) + 1)
    with collector_paused():
        for piece in _pieces(text, begin.end(), end):
            reader.read(_RECORD.findall(piece))
        reader.close_section()
    incomplete = []
    if not text.endswith("\n"):
        incomplete.append("the map ends in the middle of a line")
    if not reader.sections:
        incomplete.append("the map shows no output section")
    elif not reader.whole:
        # Ld ends the statements of every script with OUTPUT; orphans without an address may follow.
        incomplete.append(f"the map is cut off behind {reader.sections[-1].name}")
    return LinkMap(
        path=path,
        linker="GNU ld",
        sections=tuple(reader.sections),
        discarded=_discarded(text, begin.start()),
        symbols=MapSymbols(_SYMBOL, 1, 2, reader.symbol_lines, reader.assigned),
        incomplete=tuple(incomplete),
        statements=tuple(reader.statements),
        loaded=tuple(dict.fromkeys(reader.loaded)),
        output_format=reader.output_format,
        regions=tuple(_regions(text, begin.start())),
        assigned=reader.told,
    )


def _regions(text: str, end: int) -> Iterator[tuple[str, int, int]]:
    """The memory regions: the lines of that form right ahead of the one of ld's own."""
    lines = text[max(0, end - _PIECE) : end].split("\n")
    first = len(lines)
    while first and _REGION.fullmatch(lines[first - 1]):
        first -= 1
    for line in lines[first:]:
        if match := _REGION.fullmatch(line):
            yield match[1], int(match[2], 16), int(match[3], 16)


def _pieces(text: str, at: int, end: int) -> Iterator[str]:
    """The text in pieces of whole lines that each begin with a line of an output section, or an input or a fill."""
    while at < end:
        cut = min(at + _PIECE, end)
        while cut < end:
            cut = text.find("\n", cut, end) + 1 or end
            # Neither a continuation, nor the input behind its fill.
            if not text.startswith("  ", cut) and not text.startswith(" *fill*", text.rfind("\n", 0, cut - 1) + 1):
                break
        piece = text[at:cut]
        yield piece if piece.endswith("\n") else piece + "\n"
        at = cut


def _discarded(text: str, end: int) -> InputColumns:
    """The inputs listed as discarded, ahead of the memory map. Their addresses mean nothing."""
    columns = InputColumns()
    files: dict[str, tuple[str, str]] = {}
    sizes = Numbers(16)
    line = 1
    for piece in _pieces(text, 0, end):
        rows = _RECORD.findall(piece)
        lines = list(accumulate(map(str.count, map(itemgetter(0), rows), repeat("\n")), initial=line))
        line = lines.pop()
        is_input = list(map(itemgetter(3), rows))
        listed = list(compress(rows, is_input))
        columns.names += map(itemgetter(3), listed)
        columns.sizes += map(sizes.__getitem__, map(itemgetter(5), listed))
        columns.add_files([row[6] for row in listed], files)
        columns.lines.extend(compress(lines, is_input))
    columns.addresses.extend(repeat(0, len(columns)))
    columns.patterns += repeat("", len(columns))
    return columns


class _Reader:
    """Collects what the lines of the memory map say. `read` is called for one piece after the other."""

    def __init__(self, line: int) -> None:
        """`line` is the number of the first line of the memory map."""
        self.sections: list[MapSection] = []
        self.statements: list[MapStatement] = []
        self.loaded: list[str] = []
        self.symbol_lines: list[str] = []
        self.assigned: dict[str, int] = {}
        self.told: dict[str, int | None] = {}
        self.whole = False
        self.output_format = ""
        self._line = line
        self._files: dict[str, tuple[str, str]] = {}
        self._sizes = Numbers(16)
        # The line of an assignment to dot, to know the cause of a fill behind it; the last line that was not an input.
        self._dot_line = 0
        self._last = ""
        self._open_section("", line)

    def read(self, rows: list[_Row]) -> None:
        """Take the matches of `_RECORD` in one piece."""
        names = [*map(itemgetter(3), rows), ""]
        done = 0
        while done < len(rows):
            at = names.index("", done)
            if at > done:
                self._records(rows[done:at])
            if at < len(rows):
                self._statement(rows[at][0][:-1])
            done = at + 1

    def _records(self, rows: list[_Row]) -> None:
        """Take a run of input sections, all under one pattern."""
        texts, fills, fill_sizes, names, places, sizes, files, tails = zip(*rows, strict=True)
        has_fill = list(map(bool, fills))
        lines = list(accumulate(map(str.count, texts, repeat("\n")), initial=self._line))
        self._line = lines.pop()
        self._last = " "
        columns = self._columns
        columns.addresses.extend(addresses(places))
        columns.sizes += map(self._sizes.__getitem__, sizes)
        columns.lines.extend(map(add, lines, has_fill))
        columns.patterns += repeat(self._pattern, len(rows))
        columns.names += names
        columns.add_files(files, self._files)
        self.symbol_lines += filter(None, tails)
        if any(has_fill):
            if fills[0]:
                self._fill(fills[0], fill_sizes[0], lines[0])
            self._fills += map(
                tuple.__new__,
                repeat(Padding),
                zip(
                    addresses(list(filter(None, fills[1:]))),
                    map(self._sizes.__getitem__, filter(None, fill_sizes[1:])),
                    repeat(INPUT_ALIGNMENT),
                    compress(lines[1:], has_fill[1:]),
                    strict=False,
                ),
            )

    def _fill(self, address: str, size: str, line: int) -> None:
        cause = ASSIGNMENT if line == self._dot_line + 1 else INPUT_ALIGNMENT
        self._fills.append(Padding(int(address, 16), int(size, 16), cause, line))

    def _statement(self, text: str) -> None:
        """Take a line that is no input section: of an output section, of a statement, or empty."""
        line, last = self._line, self._last
        self._line += 1
        self._last = text
        if not text:
            return
        if text[0] != " ":
            if text.startswith("LOAD "):
                self.loaded.append(text[5:])
            elif text.startswith("OUTPUT("):
                self.whole = True
                self.output_format = text.rstrip(")").rpartition(" ")[2]
            elif not last and not text.startswith(_NO_SECTION):
                self.close_section()
                self._open_section(text, line)
        elif text[1:2] != " ":
            if match := _FILL.match(text):
                self._fill(match[1], match[2], line)
            elif text.endswith(")"):
                self._pattern = text[1:]
                self._state("pattern", text[1:], None, line)
        elif last == self._name and self._place is None and (place := _PLACE.fullmatch(text)):
            self._set_place(place)
        elif match := _DATA.match(text):
            size = int(match[2], 16)
            self._data.append((int(match[1], 16), size))
            self._state("data", match[3], int(match[1], 16), line, size)
        elif match := _VALUE.match(text):
            self._value(match[2], int(match[1], 16) if match[1] else None, text, line)

    def _open_section(self, text: str, line: int) -> None:
        """Begin the section whose header line this is; the place of one with a long name follows on the next line."""
        self._name, space, rest = text.partition(" ")
        self._begin = line
        self._place: tuple[int, int, int] | None = None
        self._columns = InputColumns()
        self._fills: list[Padding] = []
        self._data: list[tuple[int, int]] = []
        self._first_statement = len(self.statements)
        self._pattern = ""
        if space and (place := _PLACE.fullmatch(space + rest)):
            self._set_place(place)

    def _set_place(self, place: re.Match[str]) -> None:
        address = int(place[1], 16)
        self._place = address, int(place[2], 16), int(place[3], 16) if place[3] else address

    def _state(self, kind: str, text: str, address: int | None, line: int, size: int = 0) -> None:
        self.statements.append(MapStatement(kind, text, address, line, self._name, size))

    def _value(self, text: str, address: int | None, whole: str, line: int) -> None:
        """Take an assignment or assertion, or a symbol whose name has an "=" in it."""
        if text.startswith("ASSERT ("):
            self._state("assert", text, address, line)
        elif match := _ASSIGNED.match(text):
            self._pattern = ""
            self._state("assignment", text, address, line)
            name = match[1] or match[2]
            if name == ".":
                self._dot_line = line
            elif address is not None:
                # Of several assignments, the last one counts.
                self.assigned[name] = self.told[name] = address
            else:
                self.told.setdefault(name, None)
        else:
            self.symbol_lines.append(whole + "\n")

    def close_section(self) -> None:
        """Make the section that was being read."""
        if not self._name or self._name == "/DISCARD/":
            return
        address, size, load_address = self._place or (0, 0, 0)
        # Ld prints fills of no bytes too.
        self._fills = list(filter(itemgetter(1), self._fills))
        if self._told() != size:
            self._drop_merged(address + size)
        if self._told() != size:
            self._add_gaps(address, address + size)
        self.sections.append(
            MapSection(
                name=self._name,
                address=address,
                size=size,
                load_address=load_address,
                inputs=self._columns,
                paddings=tuple(self._fills),
                line=self._begin,
                data=sum(size for _, size in self._data),
                present=self._place is not None,
                statements=tuple(self.statements[self._first_statement :]),
            )
        )
        self._name = ""

    def _told(self) -> int:
        """The bytes that the lines of the section account for."""
        sized = itemgetter(1)
        told: int = sum(self._columns.sizes) + sum(map(sized, self._fills)) + sum(map(sized, self._data))
        return told

    def _drop_merged(self, end: int) -> None:
        """Take the sizes from inputs that merged into others altogether.

        Such a one is printed with the size that it had, at an address where the next entry begins too, or so that it
        would end behind its output section (as most of .ARM.attributes do).
        """
        columns = self._columns
        others = sorted([fill.address for fill in self._fills] + [address for address, _ in self._data])
        others.append(1 << 65)
        following = [*columns.addresses[1:], end]
        columns.sizes = [
            size if address + size <= min(limit, end, others[bisect_left(others, address)]) else 0
            for address, size, limit in zip(columns.addresses, columns.sizes, following, strict=False)
        ]

    def _add_gaps(self, start: int, end: int) -> None:
        """Add what no line of the map accounts for, such as the room around the stubs of errata.

        Where stubs moved what follows them, ld prints the fills as they were before.
        """
        statements = self.statements[self._first_statement :]
        values = {found.address for found in statements if found.text.startswith(". = ")}
        others = [(fill.address, fill.size, self._begin) for fill in self._fills]
        others += [(address, size, self._begin) for address, size in self._data]
        for address, size, line in self._columns.gaps(start, end, others)[0]:
            cause = ASSIGNMENT if address + size in values else UNEXPLAINED
            self._fills.append(Padding(address, size, cause, line or self._begin))
        self._fills.sort()
