"""Link maps of lld (14 and newer): lld/ELF/MapFile.cpp.

Every line has VMA, LMA, size and alignment; how far the rest is indented says whether it is an output section or a
statement outside (0), an input section or a statement inside (8), or a symbol (16). There are no lines for fills and
patterns; what the lines leave out is padding.
"""

from __future__ import annotations

import re

from ldcheck.image.files import collector_paused
from ldcheck.image.gnu_map import ASSIGNMENT, INPUT_ALIGNMENT, split_member
from ldcheck.image.model import LinkMap, MapInput, MapSection, MapStatement, Padding

_LINE = re.compile(
    r" *([0-9a-f]{1,16}) +([0-9a-f]{1,16}) +([0-9a-f]{1,16}) +([0-9]{1,20}) (?:( {16})(.*)|( {8})(.*)|(.*))\n|(.*)\n"
)
_STATEMENT = re.compile(r"\S+ (?:[-+*/&|^]|<<|>>)?= |(?:PROVIDE|HIDDEN|PROVIDE_HIDDEN) \(|ASSERT *\(")
_DATA = re.compile(r"(?:BYTE|SHORT|LONG|QUAD) \(")
# An .eh_frame piece is named with its place in the section that it comes from.
_OFFSET = re.compile(r"\+0x[0-9a-f]+$")

_Row = tuple[str, ...]


def read_lld_map(path: str, text: str, start: int) -> LinkMap:
    """The model of a map whose head line ends at `start`. What is damaged is left out and said in `incomplete`."""
    reader = _Reader(text.count("\n", 0, start) + 1)
    body = text[start + 1 :]
    if not body.endswith("\n"):
        body += "\n"
        reader.incomplete.append("the map ends in the middle of a line")
    with collector_paused():
        reader.read(body)
        reader.close_section()
    if not reader.sections:
        reader.incomplete.append("the map shows no output section")
    if reader.strange:
        reader.incomplete.append(f"{reader.strange:,} lines of the map are not of the form that lld writes")
    return LinkMap(
        path=path,
        linker="lld",
        sections=tuple(reader.sections),
        symbols=reader.symbols,
        incomplete=tuple(reader.incomplete),
        statements=tuple(reader.statements),
    )


class _Reader:
    """Collects what the lines of the map say."""

    def __init__(self, line: int) -> None:
        """`line` is the number of the map's head line."""
        self.sections: list[MapSection] = []
        self.statements: list[MapStatement] = []
        self.symbols: dict[str, int] = {}
        self.incomplete: list[str] = []
        self.strange = 0
        self._line = line
        self._names: dict[str, tuple[str, str, str]] = {}
        self._open("", ("", "", "", ""))

    def _open(self, name: str, place: _Row) -> None:
        self._name = name
        self._place = place
        self._begin = self._line
        self._inputs: list[tuple[str, str, str, int, int, int, int, str]] = []
        self._paddings: list[Padding] = []
        self._data: list[tuple[int, int, int]] = []
        self._first_statement = len(self.statements)

    def read(self, body: str) -> None:
        """Take all lines behind the head."""
        symbols, names = self.symbols, self._names
        at = 0
        while at < len(body):
            end = body.find("\n", min(at + (1 << 18), len(body) - 1)) + 1
            for row in _LINE.findall(body, at, end):
                self._line += 1
                address, _, size, align, deep, symbol, inner, entry, outer, other = row
                if deep:
                    symbols.setdefault(symbol, int(address, 16))
                elif inner:
                    known = names.get(entry) or self._name_of(entry)
                    if known is not None:
                        self._inputs.append((*known, int(address, 16), int(size, 16), int(align), self._line, ""))
                    else:
                        self._statement(entry, row)
                elif outer:
                    self._outer(outer, row)
                elif other:
                    self.strange += 1
            at = end

    def _name_of(self, entry: str) -> tuple[str, str, str] | None:
        """Section name, file and member of an input's line; None for a statement."""
        file, bracket, name = entry.partition(":(")
        if not bracket or not entry.endswith(")") or (_STATEMENT.match(entry) and " = " in file):
            return None
        known = (_OFFSET.sub("", name[:-1]), *split_member(file))
        self._names[entry] = known
        return known

    def _statement(self, text: str, row: _Row) -> None:
        """An assignment, assertion or datum, inside or outside an output section."""
        address, size = int(row[0], 16), int(row[2], 16)
        kind = "assignment"
        if _DATA.match(text):
            kind = "data"
            self._data.append((address, size, self._line))
        elif text.startswith("ASSERT") or not text.strip():
            kind = "assert"
        elif size and self._name:
            self._paddings.append(Padding(address, size, ASSIGNMENT, self._line))
        value: int | None = address + size if text.startswith(". ") else address
        if kind == "assignment" and not text.startswith(". "):
            match = re.match(r"(?:(?:PROVIDE|HIDDEN|PROVIDE_HIDDEN) ?\( ?)?(\S+) ", text)
            # The column is dot: it is the symbol's value where dot is what is assigned.
            if match and re.search(r"= \.\s*\)?$", text):
                self.symbols.setdefault(match[1], address)
            else:
                value = None
        self.statements.append(MapStatement(kind, text, value, self._line, self._name, size))

    def _outer(self, text: str, row: _Row) -> None:
        self.close_section()
        if _STATEMENT.match(text) or not text.strip():
            self._statement(text, row)
        else:
            self._open(text, row)

    def close_section(self) -> None:
        """Make the section that was being read."""
        if not self._name:
            return
        address, load_address, size = (int(number, 16) for number in self._place[:3])
        self._add_gaps(address, address + size)
        self.sections.append(
            MapSection(
                name=self._name,
                address=address,
                size=size,
                load_address=load_address,
                inputs=tuple(map(MapInput._make, self._inputs)),
                paddings=tuple(self._paddings),
                line=self._begin,
                data=sum(size for _, size, _ in self._data),
                align=int(self._place[3]),
                statements=tuple(self.statements[self._first_statement :]),
            )
        )
        self._name = ""

    def _add_gaps(self, start: int, end: int) -> None:
        """Between what the lines tell, lld has padded for the alignment of inputs."""
        entries = [(entry[3], entry[4], entry[6]) for entry in self._inputs]
        entries += [(padding.address, padding.size, padding.line) for padding in self._paddings]
        entries += self._data
        entries.sort()
        at = start
        for address, size, line in entries:
            if at < address <= end:
                self._paddings.append(Padding(at, address - at, INPUT_ALIGNMENT, line))
            at = max(at, address + size)
        if at < end:
            self._paddings.append(Padding(at, end - at, INPUT_ALIGNMENT, self._begin))
        self._paddings.sort()
