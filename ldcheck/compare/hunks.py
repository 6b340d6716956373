"""Where the sources of two scripts differ: stretches outside of which both say the same in all configurations.

Lines are those without comments, with continued ones joined. A macro that is defined otherwise makes a difference of
every line that uses it; one whose uses are not all in the script itself is not followed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from ldcheck.compare.lines import DEFINED, OPENING, Lines, reached

_WORD = re.compile(r"[A-Za-z_]\w*")
_LAST_WORD = re.compile(r"[A-Za-z_]\w*$")
# What the last line of a statement ends in.
_ENDING = (";", "{", "}", ")")
# What hangs on where it stands, or on what stands before it.
_POSITIONAL = frozenset(("__LINE__", "__COUNTER__"))
# Lines beyond which no two files are compared.
_MOST_LINES = 20_000


class Hunk(NamedTuple):
    """Lines of the old script and the lines of the new one that stand in their place; ends are behind the last."""

    old: tuple[int, int]
    new: tuple[int, int]


def hunks(
    old: Mapping[str, str],
    new: Mapping[str, str],
    scripts: tuple[str, str],
    *,
    first: tuple[Collection[str], Collection[str]] = ((), ()),
    joined: bool = False,
) -> list[Hunk] | None:
    """The hunks of two scripts; `old` and `new` are the code of all files by name. None where that is not decided.

    `scripts` are the names of the scripts themselves; headers are those of the same name, and `first` those that are
    included ahead of each script. `joined`: as one hunk.
    """
    before, after = Lines(old[scripts[0]]), Lines(new[scripts[1]])
    if max(len(before.all), len(after.all)) > _MOST_LINES:
        return None
    headers = {name: Lines(text) for name, text in old.items() if name != scripts[0]}
    others = {name: Lines(text) for name, text in new.items() if name != scripts[1]}
    matched = SequenceMatcher(None, before.keys, after.keys, autojunk=False).get_opcodes()
    found = _changed(headers, others)
    if found is None:
        return None
    changed, settled = found
    for side, beside, ahead, place in ((before, headers, first[0], 0), (after, others, first[1], 2)):
        differing = {at for tag, *ends in matched if tag != "equal" for at in range(*ends[place : place + 2])}
        differing |= side.decided(differing)
        changed |= {match[1] for at in differing if (match := DEFINED.match(side.all[at]))}
        brought = _brought(side, differing, beside, ahead)
        if brought is None:
            return None
        settled |= brought
        changed |= {name for one in brought for name in beside[one].defined}
    files = [*headers.values(), *others.values()]
    before.statements = after.statements = _statements([*files, before, after])
    positional = set(_POSITIONAL)
    for names in (changed, positional):
        _close(names, [*files, before, after])
    if any(_tells(side, positional) for side in (before, after)):
        return None
    open_ones = [lines for beside in (headers, others) for name, lines in beside.items() if name not in settled]
    if any(_asks(side, changed) for side in (*open_ones, before, after)):
        return None
    if any(_tells(side, changed) for side in open_ones):
        return None
    rows = _Rows(matched, before, changed)
    if joined:
        rows.join()
    return _widened(rows, before, after)


def _changed(old: Mapping[str, Lines], new: Mapping[str, Lines]) -> tuple[set[str], set[str]] | None:
    """The macros that headers define otherwise, and the headers of which nothing else counts; None if something does.

    Of a header in which conditions differ, all macros count: nobody asks which of them these decide.
    """
    changed: set[str] = set()
    settled: set[str] = set()
    nothing = Lines("")
    for name in {*old, *new}:
        one, other = old.get(name, nothing), new.get(name, nothing)
        ours, theirs = ([(key, at) for at, key in enumerate(side.keys) if key] for side in (one, other))
        if [key for key, _ in ours] == [key for key, _ in theirs]:
            continue
        keys = [key for key, _ in ours], [key for key, _ in theirs]
        for tag, *ends in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
            if tag == "equal":
                continue
            lines = [*keys[0][ends[0] : ends[1]], *keys[1][ends[2] : ends[3]]]
            defined = [match[1] for line in lines if (match := DEFINED.match(line))]
            changed.update(defined)
            if len(defined) < len(lines):
                if not (one.only_defines and other.only_defines):
                    return None
                settled.add(name)
    for name in settled:
        for side in (old, new):
            changed |= side[name].defined if name in side else set()
    return changed, settled


def _brought(
    script: Lines, differing: Collection[int], files: Mapping[str, Lines], first: Collection[str]
) -> set[str] | None:
    """The headers that only lines which differ include; None if one is not there, or has text and comes otherwise too.

    What such a header defines counts as changed, and its text is part of the hunk.
    """
    ways: tuple[list[str], list[str]] = [], []
    for at in range(len(script.all)):
        if script.keyword(at).startswith("include"):
            if (name := script.included(at)) is None and at in differing:
                return None
            ways[at in differing].append(name or "")
    brought = reached(ways[1], files)
    if not ways[1] or brought is None:
        return brought
    otherwise = reached(ways[0], files, first) or set(files)
    return None if any(not files[name].only_defines for name in brought & otherwise) else brought


def _close(changed: set[str], files: Sequence[Lines]) -> None:
    """Add the macros that use one of these."""
    users: dict[str, set[str]] = {}
    for file in files:
        for line in file.all:
            if match := DEFINED.match(line):
                for word in _WORD.findall(line[match.end() :]):
                    users.setdefault(word, set()).add(match[1])
    pending = [*changed]
    while pending:
        for name in users.get(pending.pop(), ()):
            if name not in changed:
                changed.add(name)
                pending.append(name)


def _statements(files: Sequence[Lines]) -> frozenset[str]:
    """The macros all of whose definitions end as statements do, or are empty."""
    ends: dict[str, set[str]] = {}
    for file in files:
        for key in file.keys:
            if match := DEFINED.match(key):
                ends.setdefault(match[1], set()).add(key[match.end() :].strip()[-1:])
    return frozenset(name for name, found in ends.items() if found <= set(_ENDING) | {""})


def _asks(file: Lines, changed: set[str]) -> bool:
    """Whether a condition hangs on one of these macros."""
    return any(
        file.keyword(at) in ("if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "include")
        and not changed.isdisjoint(_WORD.findall(file.all[at]))
        for at in range(len(file.all))
    )


def _tells(file: Lines, changed: set[str]) -> bool:
    """Whether the text of a file uses one of these macros."""
    return any(
        not file.keyword(at) and not changed.isdisjoint(_WORD.findall(file.all[at])) for at in range(len(file.all))
    )


class _Rows:
    """Both scripts side by side: a row is a line of both, of the old or of the new one.

    `old` and `new` are how many lines stand ahead of each row; `differs` tells rows that are not the same in both.
    """

    def __init__(self, matched: Sequence[tuple[str, int, int, int, int]], before: Lines, changed: set[str]) -> None:
        self.old, self.new = [0], [0]
        self.differs: list[bool] = []
        for tag, first, last, begin, end in matched:
            if tag == "equal":
                for at in range(first, last):
                    uses = not before.keyword(at) and not changed.isdisjoint(_WORD.findall(before.all[at]))
                    self._add(1, 1, uses, blank=not before.keys[at])
            else:
                for _ in range(first, last):
                    self._add(1, 0, True)
                for _ in range(begin, end):
                    self._add(0, 1, True)

    def _add(self, old: int, new: int, differs: bool, *, blank: bool = False) -> None:
        # A blank line behind what differs parts nothing.
        self.old.append(self.old[-1] + old)
        self.new.append(self.new[-1] + new)
        self.differs.append(differs or (blank and bool(self.differs) and self.differs[-1]))

    def join(self) -> None:
        """Take all that differs, and what stands between, for one."""
        if True in self.differs:
            first = self.differs.index(True)
            last = len(self.differs) - self.differs[::-1].index(True)
            self.differs[first:last] = [True] * (last - first)

    def hunk(self, first: int, last: int) -> Hunk:
        """The lines of rows."""
        return Hunk((self.old[first], self.old[last]), (self.new[first], self.new[last]))


def _widened(rows: _Rows, old: Lines, new: Lines) -> list[Hunk] | None:
    """The rows that differ with so many around them that each hunk holds whole statements and whole conditionals."""
    done: list[tuple[int, int]] = []
    at = 0
    while at < len(rows.differs):
        if not rows.differs[at]:
            at += 1
            continue
        first, last = at, at + 1
        while True:
            while first and rows.differs[first - 1]:
                first -= 1
            while last < len(rows.differs) and rows.differs[last]:
                last += 1
            hunk = rows.hunk(first, last)
            if all(_is_blank(side, *ends) for side, ends in ((old, hunk.old), (new, hunk.new))):
                break
            way = _open(old, *hunk.old) or _open(new, *hunk.new)
            if not way:
                break
            if (way == "up" and not first) or (way == "down" and last == len(rows.differs)):
                return None
            first, last = (first - 1, last) if way == "up" else (first, last + 1)
        while done and first <= done[-1][1]:
            first = min(first, done.pop()[0])
        done.append((first, last))
        at = last
    found = [rows.hunk(*ends) for ends in done]
    return [one for one in found if not (_is_blank(old, *one.old) and _is_blank(new, *one.new))]


def _is_blank(side: Lines, first: int, last: int) -> bool:
    """Whether there is nothing but blank lines and definitions, which stay where they are."""
    return all(not side.keys[at] or DEFINED.match(side.all[at]) for at in range(first, last))


def _open(side: Lines, first: int, last: int) -> str:
    """In which direction (`up`, `down`) lines have to grow to hold whole statements; empty if they do."""
    depth, lowest, conditional, under = 0, 0, 0, 0
    for at in range(first, last):
        keyword = side.keyword(at)
        if keyword:
            conditional += (keyword in OPENING) - (keyword == "endif")
            under = min(under, conditional - (keyword.startswith("el")))
            continue
        for letter in side.all[at]:
            depth += (letter in "({") - (letter in ")}")
            lowest = min(lowest, depth)
    if lowest < 0 or under < 0:
        return "up"
    if depth > 0 or conditional > 0:
        return "down"
    if not _ends(side, first):
        return "up"
    return "" if _ends(side, last) else "down"


def _ends(side: Lines, at: int) -> bool:
    """Whether a statement ends ahead of a line, or none has begun."""
    for back in range(at - 1, -1, -1):
        key = side.keys[back]
        if key:
            word = _LAST_WORD.search(key)
            return bool(side.keyword(back)) or key[-1] in _ENDING or (word is not None and word[0] in side.statements)
    return True


def alone(side: Lines, first: int, last: int, wrapper: tuple[str, str]) -> str:
    """The lines of a hunk with what decides what they are: all directives, without conditionals that hold nothing."""
    kept: list[tuple[str, str]] = []
    for at, line in enumerate(side.all):
        if at == first:
            kept.append(("", wrapper[0]))
        if at == last:
            kept.append(("", wrapper[1]))
        if first <= at < last or side.keyword(at):
            kept.append((side.keyword(at), line))
    if first == len(side.all):
        kept.append(("", wrapper[0]))
    if last == len(side.all):
        kept.append(("", wrapper[1]))
    out: list[tuple[str, str]] = []
    opened: list[int] = []
    for keyword, line in kept:
        out.append((keyword, line))
        if keyword in OPENING:
            opened.append(len(out) - 1)
        elif keyword == "endif" and opened:
            start = opened.pop()
            if all(word in OPENING or word.startswith(("el", "endif")) for word, _ in out[start:]):
                del out[start:]
    return "".join(f"{line}\n" for _, line in out)
