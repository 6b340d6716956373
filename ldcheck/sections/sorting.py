"""The order of the input sections of one statement (ldlang.c: wild, wild_sort, compare_section).

ld inserts the sections of a statement with any SORT into a binary tree, each compared in the way of the pattern that
matched it, and appends those of unsorted patterns at its right end. Where all patterns are sorted in one way that is a
stable sort; where they are not, the tree itself is built here, because its shape decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ldcheck.image.model import InputSection
from ldcheck.record import dataclass
from ldcheck.script.syntax import InputSectionDescription

T = TypeVar("T")

NONE = "none"
BY_NONE = "by_none"
BY_NAME = "by_name"
BY_ALIGNMENT = "by_alignment"
BY_NAME_ALIGNMENT = "by_name_alignment"
BY_ALIGNMENT_NAME = "by_alignment_name"
BY_INIT_PRIORITY = "by_init_priority"

# ld reads what a section's name ends in with strtoul, and keeps the value if it fits an int.
INT_MAX = 0x7FFFFFFF

_SORTS = {
    (): NONE,
    ("SORT_NONE",): BY_NONE,
    ("SORT_BY_NAME",): BY_NAME,
    ("SORT_BY_ALIGNMENT",): BY_ALIGNMENT,
    ("SORT_BY_INIT_PRIORITY",): BY_INIT_PRIORITY,
    ("SORT_BY_NAME", "SORT_BY_ALIGNMENT"): BY_NAME_ALIGNMENT,
    ("SORT_BY_NAME", "SORT_BY_NAME"): BY_NAME,
    ("SORT_BY_ALIGNMENT", "SORT_BY_NAME"): BY_ALIGNMENT_NAME,
    ("SORT_BY_ALIGNMENT", "SORT_BY_ALIGNMENT"): BY_ALIGNMENT,
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Order:
    """How a statement orders its sections: whether by file, and the sort of each of its patterns."""

    by_file: bool
    sorts: tuple[str, ...]

    @property
    def unsorted(self) -> bool:
        """Whether sections stay in the order of the link."""
        return not self.by_file and all(sort in (NONE, BY_NONE) for sort in self.sorts)

    @property
    def uniform(self) -> str | None:
        """The one sort of all patterns; None if they differ."""
        kinds = {NONE if sort == BY_NONE else sort for sort in self.sorts}
        return kinds.pop() if len(kinds) == 1 else None


def order_of(statement: InputSectionDescription, sort_section: str | None = None) -> Order:
    """How a statement orders its sections; `sort_section` is the operand of --sort-section (`name` or `alignment`)."""
    file = statement.file
    by_file = file is not None and bool(_canonical(file.sorts)) and _canonical(file.sorts)[0] == "SORT_BY_NAME"
    sorts = []
    for pattern in statement.patterns or ():
        sort = _SORTS.get(_canonical(pattern.sorts), NONE)
        if sort_section is not None and pattern.pattern.text not in (".init", ".fini"):
            sort = _with_option(sort, sort_section)
        sorts.append(sort)
    return Order(by_file, tuple(sorts) or (NONE,))


def _canonical(sorts: Sequence[str]) -> tuple[str, ...]:
    return tuple("SORT_BY_NAME" if sort == "SORT" else sort for sort in sorts)


def _with_option(sort: str, option: str) -> str:
    """ldlang.c: update_wild_statements."""
    wanted = BY_NAME if option == "name" else BY_ALIGNMENT
    if sort == NONE:
        return wanted
    if sort == BY_NAME and wanted == BY_ALIGNMENT:
        return BY_NAME_ALIGNMENT
    if sort == BY_ALIGNMENT and wanted == BY_NAME:
        return BY_ALIGNMENT_NAME
    return sort


def sort_uniform(items: list[T], section: Callable[[T], InputSection], order: Order) -> list[T]:
    """The items in the order of a statement whose patterns are all sorted in one way."""
    sort = order.uniform
    if sort == BY_INIT_PRIORITY and not order.by_file and _mixed_priorities(section(item) for item in items):
        return sort_mixed([(item, BY_INIT_PRIORITY) for item in items], section, order)
    key = _KEYS[sort or NONE]
    if order.by_file:
        return sorted(items, key=lambda item: (file_key(section(item)), key(section(item))))
    return sorted(items, key=lambda item: key(section(item)))


def _mixed_priorities(sections: object) -> bool:
    numbered = {priority(section.name) >= 0 for section in sections}  # type: ignore[attr-defined]
    return len(numbered) > 1


def sort_mixed(items: Sequence[tuple[T, str]], section: Callable[[T], InputSection], order: Order) -> list[T]:
    """The items, each with the sort of the pattern that matched it, in the order that ld's tree comes to."""
    tree = _Tree(order.by_file)
    for item, sort in items:
        tree.insert(_Node(item, section(item)), sort)
    return tree.listed()


class _Node:
    __slots__ = ("item", "left", "right", "section")

    def __init__(self, item: object, section: InputSection) -> None:
        self.item = item
        self.section = section
        self.left: _Node | None = None
        self.right: _Node | None = None


class _Tree:
    def __init__(self, by_file: bool) -> None:
        self.by_file = by_file
        self.root: _Node | None = None
        self.last: _Node | None = None

    def insert(self, new: _Node, sort: str) -> None:
        if self.root is None:
            self.root = self.last = new
            return
        if not self.by_file and sort in (NONE, BY_NONE):
            assert self.last is not None
            self.last.right = self.last = new
            return
        at = self.root
        while True:
            if self.before(new, at, sort):
                if at.left is None:
                    at.left = new
                    return
                at = at.left
            elif at.right is None:
                at.right = new
                if at is self.last:
                    self.last = new
                return
            else:
                at = at.right

    def before(self, new: _Node, old: _Node, sort: str) -> bool:
        if self.by_file:
            one, other = file_key(new.section), file_key(old.section)
            if one != other:
                return one < other
        return comes_before(new.section, old.section, sort)

    def listed(self) -> list[T]:
        found: list[T] = []
        pending: list[_Node] = []
        at = self.root
        while at is not None or pending:
            while at is not None:
                pending.append(at)
                at = at.left
            at = pending.pop()
            found.append(at.item)  # type: ignore[arg-type]  # the items that were inserted
            at = at.right
        return found


def comes_before(new: InputSection, old: InputSection, sort: str) -> bool:
    """Whether `new` is put ahead of `old`. Where GNU ld 2.40 aborts (files sorted, sections not), order is kept."""
    if sort == BY_INIT_PRIORITY:
        one, other = priority(new.name), priority(old.name)
        if one < 0 or other < 0 or one == other:
            return name_key(new) < name_key(old)
        return one < other
    key = _KEYS[sort]
    return bool(key(new) < key(old))


def priority(name: str) -> int:
    """The init priority that a section's name ends in, -1 without one (ldlang.c: get_init_priority)."""
    dot = name.rfind(".")
    digits = name[dot + 1 :]
    if dot < 0 or not digits.isascii() or not digits.isdigit():
        return -1
    # A number that long overflows whatever it is.
    value = int(digits) if len(digits.lstrip("0")) < 20 else INT_MAX + 1
    if dot == 6 and name[:6] in (".ctors", ".dtors"):
        value = 65535 - value
    return value if 0 <= value <= INT_MAX else -1


def name_key(section: InputSection) -> bytes:
    """What sections are compared by that are sorted by name."""
    return section.name.encode("utf-8", "surrogateescape")


def _alignment(section: InputSection) -> int:
    return -(section.align & -section.align).bit_length() if section.align > 1 else -1


def file_key(section: InputSection) -> tuple[bytes, bytes]:
    """Archives sort among the files by their own names, members within them by theirs."""
    names = (section.archive, section.file) if section.archive else (section.file, section.member)
    return names[0].encode("utf-8", "surrogateescape"), names[1].encode("utf-8", "surrogateescape")


_KEYS: dict[str, Callable[[InputSection], Any]] = {
    NONE: lambda section: 0,  # noqa: ARG005  # every section is equal
    BY_NONE: lambda section: 0,  # noqa: ARG005  # as above
    BY_NAME: name_key,
    BY_ALIGNMENT: _alignment,
    BY_NAME_ALIGNMENT: lambda section: (name_key(section), _alignment(section)),
    BY_ALIGNMENT_NAME: lambda section: (_alignment(section), name_key(section)),
    BY_INIT_PRIORITY: lambda section: (priority(section.name), name_key(section)),
}
