"""The files that a script includes: read once, however many configurations are looked at.

Only regular files of a bounded size are read: a device or a pipe that a hostile tree names must neither block nor
fill the memory. Files that do not exist but are given a text (a configuration, the stub of a generated header) are
`virtual`: they are read like all others here, and written to a temporary folder for a compiler.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from functools import cached_property

from ldcheck.findings import CheckError, InputError
from ldcheck.preprocess.lexer import Directive, Unbalanced, directives, without_comments
from ldcheck.source import Location, Source, decode

MAX_BYTES = 16 << 20


class SourceFile:
    """One file's text and directives."""

    def __init__(self, name: str, text: str, virtual: bool = False) -> None:
        self.name = name
        self.source = Source(name, text)
        self.virtual = virtual

    @property
    def text(self) -> str:
        """The text as it stands in the file."""
        return self.source.text

    @cached_property
    def code(self) -> str:
        """The text with comments blanked; offsets are those of `text`."""
        return without_comments(self.text)

    @cached_property
    def _directives(self) -> tuple[list[Directive], list[Unbalanced]]:
        return directives(self.code, self.source.line_starts)

    @property
    def directives(self) -> list[Directive]:
        """All directives, in order."""
        return self._directives[0]

    @property
    def unbalanced(self) -> list[Unbalanced]:
        """The conditionals that are not closed, and the ends that close nothing."""
        return self._directives[1]

    @cached_property
    def stretches(self) -> dict[int, tuple[int, int]]:
        """The stretches of text that are not blank, by the index of the directive behind them: start and end."""
        found = {}
        start = 0
        for at, directive in enumerate(self.directives):
            stop = self.code.rfind("#", start, directive.start)
            if self.code[start:stop].strip():
                found[at] = (start, stop)
            start = directive.end
        if self.code[start:].strip():
            found[len(self.directives)] = (start, len(self.code))
        return found

    def around(self, at: int) -> Iterator[int]:
        """The branches of conditionals that the directive `at` stands in, innermost first, each after those before it.

        An #else asks nothing and is left out.
        """
        lines = self.directives
        while (at := lines[at].within) >= 0:
            if lines[at].keyword != "else":
                yield at

    def location(self, directive: Directive) -> Location:
        """The place of a directive."""
        line = self.source.line(directive.line)
        start = len(line) - len(line.lstrip())
        return Location(self.name, directive.line, start + 1, directive.line, len(line.rstrip()) + 1, line)


class Files:
    """What was read so far, by the path under which it was asked for."""

    def __init__(self, virtual: Mapping[str, str] | None = None, other: Files | None = None) -> None:
        """`virtual` are texts by path; what `other` has read already is not read again."""
        self._read: dict[str, SourceFile | None] = dict(other._read) if other is not None else {}
        self.edited: frozenset[str] = other.edited if other is not None else frozenset()
        for name, text in (virtual or {}).items():
            self._read[name] = SourceFile(name, text, virtual=True)

    def with_edits(self, texts: Mapping[str, str]) -> Files:
        """What was read, as it would be if some files had another text; stubs of an earlier run are left out."""
        files = Files()
        files._read = {name: file for name, file in self._read.items() if file is None or not file.virtual}
        files._read.update({name: SourceFile(name, text) for name, text in texts.items()})
        files.edited = frozenset(texts)
        return files

    def get(self, path: str) -> SourceFile | None:
        """The file at `path`, or None where there is no regular file. Raises CheckError for what cannot be read."""
        path = os.path.normpath(path)
        if path not in self._read:
            self._read[path] = _read(path)
        return self._read[path]

    def all(self) -> tuple[SourceFile, ...]:
        """Every file that was found."""
        return tuple(file for file in self._read.values() if file is not None)


def _read(path: str) -> SourceFile | None:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size > MAX_BYTES:
            raise CheckError(InputError(f"the file is larger than {MAX_BYTES >> 20} MiB", Location(path)))
        with open(path, "rb") as stream:
            return SourceFile(path, decode(stream.read(MAX_BYTES)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", "") or str(error)).lower()
        raise CheckError(InputError(f"the file cannot be read: {reason}", Location(path))) from None
