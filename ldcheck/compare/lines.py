"""A file as lines of code: its directives, the macros that it defines, and where its includes lead."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(\w*)")
DEFINED = re.compile(r"[ \t]*#[ \t]*(?:define|undef)[ \t]+(\w+)")
OPENING = frozenset(("if", "ifdef", "ifndef"))
_INCLUDED = re.compile(r"[ \t]*#[ \t]*include\w*[ \t]*[<\"]([^>\"\n]+)[>\"]")
_ASKED = re.compile(r"[ \t]*#[ \t]*(ifdef|ifndef)[ \t]+(\w+)[ \t]*\Z")


class Lines:
    """A file as lines of code."""

    def __init__(self, code: str) -> None:
        self.all = code.replace("\\\n", " ").split("\n")
        self.keys = [line.strip() for line in self.all]
        # The macros that stand for whole statements.
        self.statements: frozenset[str] = frozenset()

    @cached_property
    def defined(self) -> frozenset[str]:
        """The macros that it defines or undefines somewhere."""
        return frozenset(match[1] for line in self.all if (match := DEFINED.match(line)))

    @cached_property
    def only_defines(self) -> bool:
        """Whether all that it can do is to define macros, or to be refused."""
        keywords = {self.keyword(at) for at, key in enumerate(self.keys) if key}
        return not any(word in ("", "#") or word.startswith("include") for word in keywords)

    def decided(self, chosen: Collection[int]) -> set[int]:
        """The lines of the conditionals of which these lines are an #if, an #else or an #endif."""
        found: set[int] = set()
        opened: list[tuple[int, bool]] = []
        for at in range(len(self.all)):
            keyword = self.keyword(at)
            if keyword in OPENING:
                opened.append((at, at in chosen))
            elif opened and keyword.startswith("el"):
                start, asked = opened.pop()
                opened.append((start, asked or at in chosen))
            elif opened and keyword == "endif":
                start, asked = opened.pop()
                if asked or at in chosen:
                    found.update(range(start, at + 1))
        return found

    def included(self, at: int) -> str | None:
        """The name in an #include line; None if it is a macro."""
        match = _INCLUDED.match(self.all[at])
        return match[1] if match else None

    def keyword(self, at: int) -> str:
        """The keyword of a directive; empty for a line of text."""
        match = DIRECTIVE.match(self.all[at])
        return match[1] or "#" if match else ""

    def dead(self, defined: Collection[str]) -> set[int]:
        """The lines that `#ifdef` and `#ifndef` leave out where these macros are defined."""
        found: set[int] = set()
        opened: list[bool] = []
        for at in range(len(self.all)):
            keyword = self.keyword(at)
            if keyword in OPENING:
                match = _ASKED.match(self.all[at])
                opened.append(match is not None and match[1] == "ifndef" and match[2] in defined)
            elif opened and keyword.startswith("el"):
                # What stands behind #else and #elif is taken to be alive.
                opened[-1] = False
            elif opened and keyword == "endif":
                opened.pop()
            elif True in opened:
                found.add(at)
        return found


def reached(names: Iterable[str], files: Mapping[str, Lines], first: Collection[str] = ()) -> set[str] | None:
    """The files that includes of these names, and the files `first`, may lead to; None if one is not there."""
    found: set[str] = set()
    pending = [file for file in first if file in files]
    waiting = [*names]
    while waiting or pending:
        if waiting:
            name = waiting.pop()
            there = [file for file in files if file == name or file.endswith(f"/{name}")]
            if not there:
                return None
            pending += there
            continue
        file = pending.pop()
        if file in found:
            continue
        found.add(file)
        lines = files[file]
        asked = [lines.included(at) for at in range(len(lines.all)) if lines.keyword(at).startswith("include")]
        if None in asked:
            return None
        waiting += [name for name in asked if name]
    return found


def alive(files: Mapping[str, Lines], first: Iterable[str], defined: Collection[str]) -> set[str]:
    """The files that some configuration may include, beginning with `first`, where these macros are defined."""
    fixed = {name for name in defined if not any(name in lines.defined for lines in files.values())}
    found: set[str] = set()
    pending = [file for file in first if file in files]
    while pending:
        file = pending.pop()
        if file in found:
            continue
        found.add(file)
        lines = files[file]
        dead = lines.dead(fixed)
        for at in range(len(lines.all)):
            if at not in dead and lines.keyword(at).startswith("include"):
                name = lines.included(at)
                # A name that is a macro may be any.
                pending += [file for file in files if name is None or file == name or file.endswith(f"/{name}")]
    return found
