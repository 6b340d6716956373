"""What a preprocessor gave: the lines of text that are left of a script, each with its place, and the macros met.

Blank lines, line markers and definitions are taken out of the text, which makes it a third of the size for whoever
reads it next; `places` says for each line that is left where it stood.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from typing import NamedTuple

from ldcheck.record import dataclass, field

# `# 12 "file" 1 3`, also as `#line 12 "file"`.
_MARKER = re.compile(r'#(?:line)? (\d+) "((?:[^"\\]|\\.)*)"([ 0-9]*)')
_ENTERED = re.compile(r'^# [1-9]\d* "([^"\n]*)"', re.MULTILINE)
_ESCAPE = re.compile(r"\\([0-7]{1,3}|.)")
_DEFINITION = re.compile(r"#(define|undef) ([^\W\d]\w*)")


class Definition(NamedTuple):
    """A #define or #undef that was met: from which line of text on it counts, and where it stands.

    `line` is 0 for a macro of the compiler or of the command line.
    """

    before: int
    defined: bool
    file: str
    line: int


@dataclass(slots=True, eq=False, repr=False)
class Output:
    """The text of one configuration.

    `chains` are, by their number, the #include lines that lead into a file; `read` are the files that were included;
    `predefined` holds the definitions of the compiler and of the command line, as #define lines.
    """

    lines: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    chain: list[int] = field(default_factory=list)
    chains: list[tuple[tuple[str, int], ...]] = field(default_factory=lambda: [()])
    definitions: dict[str, list[Definition]] = field(default_factory=dict)
    read: dict[str, None] = field(default_factory=dict)
    predefined: str = ""

    @property
    def text(self) -> str:
        """The script's text."""
        return "\n".join(self.lines) + "\n" if self.lines else ""

    def add(self, text: str, file: str, number: int, chain: int) -> None:
        """Put another line behind those that are there."""
        self.lines.append(text)
        self.files.append(file)
        self.numbers.append(number)
        self.chain.append(chain)

    def define(self, name: str, defined: bool, file: str, number: int) -> None:
        """Note that a macro is defined or undefined from here on."""
        self.definitions.setdefault(name, []).append(Definition(len(self.lines), defined, file, number))

    def definition(self, name: str, line: int) -> Definition | None:
        """What holds for a macro at a line of text (0-based); None if it is not defined there."""
        known = self.definitions.get(name)
        if known is None:
            return None
        at = bisect_right(known, line, key=lambda definition: definition.before)
        return known[at - 1] if at and known[at - 1].defined else None


def parse_output(stream: str, directory: str = "") -> Output:
    """Read what a compiler wrote for -E -dD. Paths in it count from `directory`, if that is not the current one."""
    output = Output()
    file, number, chain = "", 1, 0
    # The line of an #include is exact once the marker of the return tells it.
    entered: list[tuple[str, int]] = []
    stack: list[int] = []
    names: dict[str, str] = {}
    known_chains: dict[tuple[int, ...], int] = {(): 0}
    define = output.definitions
    lines, files, numbers, chained = output.lines, output.files, output.numbers, output.chain
    for line in stream.split("\n"):
        if not line:
            number += 1
        elif line[0] != "#":
            if not line.isspace():
                lines.append(line)
                files.append(file)
                numbers.append(number)
                chained.append(chain)
            number += 1
        elif line[1:2] == " " and (match := _MARKER.match(line)):
            written, flags = match.group(2), match.group(3)
            if written not in names:
                names[written] = _file_name(written, directory)
            if " 1" in flags:
                stack.append(len(entered))
                entered.append((file, number - 1))
            file = names[written]
            number = int(match.group(1))
            if " 2" in flags and stack:
                entered[stack.pop()] = (file, number - 1)
            if flags:
                key = tuple(stack)
                chain = known_chains.setdefault(key, len(known_chains))
        else:
            if match := _DEFINITION.match(line):
                entry = Definition(len(lines), match.group(1) == "define", file, 0 if file[:1] in ("", "<") else number)
                if (name := match.group(2)) in define:
                    define[name].append(entry)
                else:
                    define[name] = [entry]
            number += 1
    output.predefined = stream[: _first_file(stream)]
    output.chains = [tuple(entered[at] for at in key) for key in known_chains]
    output.read = dict.fromkeys(name for name in names.values() if name[:1] != "<")
    return output


def _first_file(stream: str) -> int:
    """Where the first text of a file begins: behind what the compiler and the command line define."""
    at = 0
    for match in _ENTERED.finditer(stream):
        if match.group(1)[:1] != "<" and match.start():
            return match.start()
        at = match.start()
    return at


def _file_name(written: str, directory: str) -> str:
    if "\\" in written:
        written = _ESCAPE.sub(lambda found: _unescaped(found.group(1)), written)
    if written[:1] == "<" or not written:
        return written
    if directory and not os.path.isabs(written):
        written = os.path.join(directory, written)
    return os.path.normpath(written)


def _unescaped(code: str) -> str:
    if not code.isdigit():
        return code
    value = int(code, 8) & 0xFF
    return chr(value) if value < 0x80 else bytes((value,)).decode("utf-8", "surrogateescape")
