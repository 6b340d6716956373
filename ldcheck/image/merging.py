"""What GNU ld keeps of mergeable strings and constants (bfd/merge.c, as of binutils 2.40).

Sections of one output section, one alignment and one size of entry are merged with each other. An entry stands in the
first section that has it; a string that another one ends with, is part of that. What is left of a section may be
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

SHF_MERGE, SHF_STRINGS = 0x10, 0x20


class _Entry:
    """A string with its end, or a constant; `owner` is the section that it stands in, `align` 0 what was taken out."""

    __slots__ = ("align", "owner", "text")

    def __init__(self, text: bytes, align: int, owner: int) -> None:
        self.text = text
        self.align = align
        self.owner = owner


def is_mergeable(flags: int, size: int, entry_size: int, align: int) -> bool:
    """Whether ld merges a section of these measures, which has no relocations (_bfd_add_merge_section)."""
    if not flags & SHF_MERGE or not size or not entry_size or size % entry_size or not align:
        return False
    if entry_size < align:
        return bool(flags & SHF_STRINGS) and not entry_size & (entry_size - 1)
    return not entry_size > align or not entry_size & (align - 1)


def merged_sizes(contents: Sequence[bytes], entry_size: int, align: int, *, strings: bool) -> list[int | None]:
    """The bytes that are left of each of these sections, in the order of the link; None for one that goes."""
    entries = _strings(contents, entry_size, align) if strings else _constants(contents, entry_size)
    if strings:
        _take_out_tails(entries, entry_size)
    sizes: list[int | None] = [None] * len(contents)
    last = None
    for entry in entries:
        if entry.align:
            size = sizes[entry.owner] or 0
            sizes[entry.owner] = -(-size // entry.align) * entry.align + len(entry.text)
        last = entry.owner
    if last is not None and all(len(content) % align == 0 for content in contents):
        # Sections that were padded to their alignment stay so.
        whole = sizes[last]
        sizes[last] = None if whole is None else -(-whole // align) * align
    return sizes


def _constants(contents: Sequence[bytes], entry_size: int) -> list[_Entry]:
    found: dict[bytes, _Entry] = {}
    for owner, content in enumerate(contents):
        for at in range(0, len(content), entry_size):
            text = content[at : at + entry_size]
            if text not in found:
                found[text] = _Entry(text, 1, owner)
    return [*found.values()]


class _Table:
    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self._known: dict[bytes, _Entry] = {}

    def add(self, text: bytes, align: int, owner: int) -> None:
        """Enter a string; a copy that is aligned less goes."""
        known = self._known.get(text)
        if known is not None:
            if known.align >= align:
                return
            known.align = 0
        self._known[text] = entry = _Entry(text, align, owner)
        self.entries.append(entry)


def _strings(contents: Sequence[bytes], entry_size: int, align: int) -> list[_Entry]:
    table = _Table()
    empty = bytes(entry_size)
    for owner, content in enumerate(contents):
        at, end, blank = 0, len(content), False
        while at < end:
            stop = _end(content, at, entry_size)
            own = min(at & -at, align) if at else align
            table.add(content[at:stop] + empty, own, owner)
            at = stop + entry_size
            while at < end and content[at : at + entry_size] == empty:
                if not blank and not at & (align - 1):
                    blank = True
                    table.add(empty, align, owner)
                at += entry_size
    return table.entries


def _end(content: bytes, at: int, entry_size: int) -> int:
    """Where the string at an offset ends, its terminator not counted."""
    if entry_size == 1:
        stop = content.find(0, at)
        return len(content) if stop < 0 else stop
    empty = bytes(entry_size)
    while at < len(content) and content[at : at + entry_size] != empty:
        at += entry_size
    return min(at, len(content))


def _take_out_tails(entries: Sequence[_Entry], entry_size: int) -> None:
    """Take out strings that others end with (merge_strings)."""
    left = [entry for entry in entries if entry.align]
    aligns = {entry.align for entry in left}
    step = aligns.pop() if len(aligns) == 1 else 0

    def key(entry: _Entry) -> tuple[int, bytes]:
        text = entry.text[: len(entry.text) - entry_size]
        return (len(text) & step - 1 if step > entry_size else 0), text[::-1]

    left.sort(key=key)
    longer = left.pop() if left else None
    while left:
        entry = left.pop()
        assert longer is not None
        apart = len(longer.text) - len(entry.text)
        fits = longer.align >= entry.align and not apart & entry.align - 1
        if fits and apart > 0 and longer.text.endswith(entry.text):
            entry.align = 0
        else:
            longer = entry
