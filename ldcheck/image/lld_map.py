"""Link maps of lld (14 and newer): lld/ELF/MapFile.cpp.

Every line has VMA, LMA, size and alignment; how far the rest is indented says whether it is an output section or a
statement outside (0), an input section or a statement inside (8), or a symbol (16). There are no lines for fills and
patterns; what the lines leave out is padding. As for GNU ld, runs of input sections become columns in one go.
"""

from __future__ import annotations

import re
from itertools import accumulate, repeat
from operator import add, contains, itemgetter

from ldcheck.image.columns import InputColumns, MapSymbols, Numbers, addresses
from ldcheck.image.files import collector_paused
from ldcheck.image.model import LinkMap, MapSection, MapStatement, Padding
from ldcheck.image.padding import ASSIGNMENT, INPUT_ALIGNMENT

_NUMBERS = r" *([0-9a-f]{1,16}) +([0-9a-f]{1,16}) +([0-9a-f]{1,16}) +([0-9]{1,20}) "
_OUTER = re.compile(_NUMBERS + r"(?! )(.*)")
_INNER = re.compile(_NUMBERS + r" {8}(?! )(.*)")
_SYMBOL = re.compile(rf"^{_NUMBERS} {{16}}(\S.*)$", re.MULTILINE)
_STATEMENT = re.compile(r"\S+ (?:[-+*/&|^]|<<|>>)?= |(?:PROVIDE|HIDDEN|PROVIDE_HIDDEN) ?\(|ASSERT *\(")
_ASSIGNED = re.compile(r"(?:(?:PROVIDE|HIDDEN|PROVIDE_HIDDEN) ?\( ?)?(\S+) [^=]{0,2}= (.*)")
_DATA = re.compile(r"(?:BYTE|SHORT|LONG|QUAD) *\(")
# A piece of .eh_frame is named with its place in the section that it comes from.
_OFFSET = re.compile(r"\+0x[0-9a-f]+$")

# The names of the sections, as an input of the linker's own.
_NAMES = "<internal>:(.shstrtab)"

_PIECE = 1 << 17

_Row = tuple[str, str, str, str, str, str, str]


def _record(width: int) -> re.Pattern[str]:
    """An input section and its symbols, or any other line; addresses are padded to `width` columns."""
    return re.compile(
        rf"( *+[0-9a-f]{{1,16}}+) .{{{width}}} +([0-9a-f]{{1,16}}+) ++([0-9]{{1,20}}+) {{9}}"
        r"([^\s:][^\n:]*+):\((.*)\)\n"
        rf"((?:.{{{2 * width + 17}}} {{16}}[^ \n].*+\n)*+)|(.*+)\n"
    )


def read_lld_map(path: str, text: str, start: int) -> LinkMap:
    """The model of a map whose head line ends at `start`. What is damaged is left out and said in `incomplete`."""
    reader = _Reader(text.count("\n", 0, start) + 2)
    incomplete = []
    if not text.endswith("\n"):
        incomplete.append("the map ends in the middle of a line")
        text += "\n"
    record = _record(8 if text.rfind("VMA", 0, start) - text.rfind("\n", 0, start) < 10 else 16)
    at = start + 1
    with collector_paused():
        while at < len(text):
            end = text.find("\n", min(at + _PIECE, len(text) - 1)) + 1
            reader.read(record.findall(text, at, end))
            at = end
        incomplete += reader.close_section(last=True)
    if not reader.sections:
        incomplete.append("the map shows no output section")
    elif not incomplete and text.find(_NAMES, start) < 0:
        # lld has it in every file, behind all that has an address, unless it is told to write no section headers.
        incomplete.append(f"the map is cut off behind {reader.sections[-1].name}: .shstrtab is not in it")
    if reader.strange:
        incomplete.append(f"{reader.strange:,} lines of the map are not of the form that lld writes")
    return LinkMap(
        path=path,
        linker="lld",
        sections=tuple(reader.sections),
        symbols=MapSymbols(_SYMBOL, 1, 5, reader.symbol_lines, reader.assigned),
        incomplete=tuple(incomplete),
        statements=tuple(reader.statements),
        assigned=reader.assigned,
    )


class _Reader:
    """Collects what the lines of the map say. `read` is called for one piece after the other."""

    def __init__(self, line: int) -> None:
        """`line` is the number of the first line behind the map's head."""
        self.sections: list[MapSection] = []
        self.statements: list[MapStatement] = []
        self.symbol_lines: list[str] = []
        self.assigned: dict[str, int] = {}
        self.strange = 0
        self._line = line
        self._files: dict[str, tuple[str, str]] = {}
        self._sizes = Numbers(16)
        self._aligns = Numbers(10)
        self._open_section("", (0, 0, 0, 0))

    def _open_section(self, name: str, place: tuple[int, int, int, int]) -> None:
        """Begin a section; `place` is its address, load address, size and alignment."""
        self._name = name
        self._place = place
        self._begin = self._line
        self._columns = InputColumns()
        self._paddings: list[Padding] = []
        self._data: list[tuple[int, int, int]] = []
        self._first_statement = len(self.statements)

    def read(self, rows: list[_Row]) -> None:
        """Take the matches of `_record` in one piece."""
        done = 0
        places = [*map(itemgetter(0), rows), ""]
        while done < len(rows):
            at = places.index("", done)
            if at > done:
                self._records(rows[done:at])
            if at < len(rows):
                self._other(rows[at][6])
                self._line += 1
            done = at + 1

    def _records(self, rows: list[_Row]) -> None:
        """Take a run of input sections."""
        places, sizes, aligns, files, names, tails, _ = zip(*rows, strict=True)
        heights = map(add, repeat(1), map(str.count, tails, repeat("\n")))
        lines = list(accumulate(heights, initial=self._line))
        self._line = lines.pop()
        self.symbol_lines += filter(None, tails)
        columns = self._columns
        if any(map(contains, names, repeat("+0x"))):
            names = tuple(_OFFSET.sub("", name) for name in names)
        columns.names += names
        columns.add_files(files, self._files)
        columns.addresses.extend(addresses(places))
        columns.sizes += map(self._sizes.__getitem__, sizes)
        columns.aligns += map(self._aligns.__getitem__, aligns)
        columns.lines.extend(lines)
        columns.patterns += repeat("", len(rows))

    def _other(self, text: str) -> None:
        """Take a line that is no ordinary input section."""
        if match := _OUTER.fullmatch(text):
            self.close_section()
            entry = match[5]
            if _STATEMENT.match(entry) or not entry.strip():
                self._statement(entry, int(match[1], 16), int(match[3], 16))
            else:
                self._open_section(entry, (int(match[1], 16), int(match[2], 16), int(match[3], 16), int(match[4])))
        elif match := _INNER.fullmatch(text):
            entry = match[5]
            file, bracket, name = entry.partition(":(")
            if bracket and entry.endswith(")") and " = " not in file:
                # A file whose path has a colon in it.
                self._records([(match[1], match[3], match[4], file, name[:-1], "", "")])
                self._line -= 1
            else:
                self._statement(entry, int(match[1], 16), int(match[3], 16))
        elif _SYMBOL.fullmatch(text):
            self.symbol_lines.append(text + "\n")
        elif text:
            self.strange += 1

    def _statement(self, text: str, address: int, size: int) -> None:
        """Take an assignment, assertion or datum, inside or outside an output section. The address is dot's."""
        if _DATA.match(text):
            self._data.append((address, size, self._line))
            self.statements.append(MapStatement("data", text, address, self._line, self._name, size))
        elif text.startswith("ASSERT") or not text.strip():
            # Assertions of some versions are lines without a text.
            self.statements.append(MapStatement("assert", text, None, self._line, self._name))
        else:
            value: int | None = None
            if text.startswith(". "):
                value = address + size
                if size and self._name:
                    self._paddings.append(Padding(address, size, ASSIGNMENT, self._line))
            elif match := _ASSIGNED.match(text):
                # Of several assignments, the last one counts; the value of other expressions is not in the map.
                self.assigned.pop(match[1], None)
                if match[2].rstrip(" )") == ".":
                    value = self.assigned[match[1]] = address
            self.statements.append(MapStatement("assignment", text, value, self._line, self._name))

    def close_section(self, *, last: bool = False) -> list[str]:
        """Make the section that was being read. Returns what is missing of it, if it is the last of the map."""
        if not self._name:
            return []
        address, load_address, size, align = self._place
        end = self._add_gaps(address, address + size)
        self.sections.append(
            MapSection(
                name=self._name,
                address=address,
                size=size,
                load_address=load_address,
                inputs=self._columns,
                paddings=tuple(self._paddings),
                line=self._begin,
                data=sum(size for _, size, _ in self._data),
                align=align,
                statements=tuple(self.statements[self._first_statement :]),
            )
        )
        cut_off = last and end < address + size
        problem = f"the inputs of {self._name}, the last section, end {address + size - end:,} bytes too early"
        self._name = ""
        return [problem] if cut_off else []

    def _add_gaps(self, start: int, end: int) -> int:
        """Add the padding that lld left for the alignment of inputs. Returns where what the map shows ends."""
        shown = [(padding.address, padding.size, padding.line) for padding in self._paddings]
        gaps, shown_end = self._columns.gaps(start, end, shown + self._data)
        self._paddings += [Padding(at, size, INPUT_ALIGNMENT, line or self._begin) for at, size, line in gaps]
        self._paddings.sort()
        return shown_end
