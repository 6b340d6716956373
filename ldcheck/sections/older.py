"""What GNU ld before 2.40 makes otherwise of the statements of a script than the versions since (ldlang.c).

It has one output section for each name (lang_output_section_statement_lookup), sorts by insertion what a statement
takes (output_section_callback, wild_sort), and in a binary tree only where the statement is a simple one that sorts by
name (wild, analyze_walk_wild_section_handler); there it does not look at INPUT_SECTION_FLAGS. It reads the priorities
of constructors in names of their own only (get_init_priority).

Left out: members of overlays, which are not joined to sections of their name, and where orphans go beside sections of
one name that are not joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any, TypeVar

from ldcheck.image.model import InputSection
from ldcheck.linker import LLD, Linker
from ldcheck.record import replace
from ldcheck.script.syntax import (
    Include,
    InputSectionDescription,
    OutputSection,
    Script,
    SectionGroup,
    Sections,
    Statement,
)
from ldcheck.sections.globs import has_wildcard
from ldcheck.sections.sorting import BY_INIT_PRIORITY, BY_NAME, BY_NONE, NONE, Order, comes_before, file_key, name_key

# From here on it is as told in `sorting`, `matching` and `mapping`.
_SINCE = (2, 40)
_DISCARD = "/DISCARD/"
# Between two patterns it is no pattern, where a blank or a parenthesis stands on either side.
_COMMA = ","
# How many literal characters a simple pattern begins with, at least.
_LITERAL = 4
# Patterns with a wildcard that a simple statement has, by the number of its patterns.
_SIMPLE = {1: (0, 1), 2: (1,), 3: (2,), 4: (2,)}
_SPECIAL = re.compile(r"[*?[]|$")
_PRIORITY = re.compile(r"(\.init_array|\.fini_array|\.ctors|\.dtors)\.([0-9]+)")
_BITS_32 = 1 << 32


def is_older(linker: Linker) -> bool:
    """Whether GNU ld of a version that does all this is meant."""
    return linker.kind != LLD.kind and linker.is_before(*_SINCE)


def sharing(tree: Script) -> OutputSection | None:
    """An output section that the link puts into another one of its name, though the two are not joined; None if none.

    That is so where one has a condition that the other has not. How orphans stand beside them is not followed; of a
    pair with ONLY_IF_RO and ONLY_IF_RW, one is left out.
    """
    conditions: dict[str, set[str]] = {}
    for section in _sections(joined_sections(tree)):
        seen = conditions.setdefault(section.name.text, set())
        if seen and seen | {section.constraint} != {"ONLY_IF_RO", "ONLY_IF_RW"} and section.name.text != _DISCARD:
            return section
        seen.add(section.constraint)
    return None


@lru_cache(maxsize=16)
def joined_sections(tree: Script) -> Script:
    """The script with one output section for each name, which holds all statements of those of that name.

    It stands where the first one does, at its address if it has one; all else in its header is that of the last one.
    One without a condition joins the first that has any, one with a condition joins the one that has the same.
    """
    found: dict[str, list[list[OutputSection]]] = {}
    for section in _sections(tree):
        named = found.setdefault(section.name.text, [])
        known = next((parts for parts in named if section.constraint in ("", parts[0].constraint)), None)
        if known is not None and section.constraint != "SPECIAL":
            known.append(section)
        else:
            named.append([section])
    repeated = [parts for named in found.values() for parts in named if len(parts) > 1]
    if not repeated:
        return tree
    joined: dict[int, OutputSection | None] = {id(part): None for parts in repeated for part in parts}
    joined.update({id(parts[0]): _joined(parts) for parts in repeated})
    return replace(tree, statements=_rebuilt(tree.statements, joined))


def _joined(parts: Sequence[OutputSection]) -> OutputSection:
    first, last = parts[0], parts[-1]
    body: tuple[Statement, ...] = tuple(statement for part in parts for statement in part.statements)
    address = next((part.address for part in parts if part.address is not None), None)
    return replace(
        last,
        name=first.name,
        statements=body,
        address=address,
        constraint=first.constraint,
        body_start=first.body_start,
        body_end=first.body_end,
        start=first.start,
        end=first.end,
    )


def _sections(node: Script | Sections | SectionGroup | Include) -> list[OutputSection]:
    found: list[OutputSection] = []
    for one in node.statements or ():
        if isinstance(one, OutputSection):
            found.append(one)
        elif isinstance(one, Sections | SectionGroup | Include):
            found += _sections(one)
    return found


def _rebuilt(body: Iterable[object], joined: dict[int, OutputSection | None]) -> tuple[Any, ...]:
    found: list[object] = []
    for one in body:
        if isinstance(one, OutputSection):
            kept = joined.get(id(one), one)
            found += [kept] if kept is not None else []
        elif isinstance(one, Sections | SectionGroup) or (isinstance(one, Include) and one.statements is not None):
            found.append(replace(one, statements=_rebuilt(one.statements or (), joined)))
        else:
            found.append(one)
    return tuple(found)


def is_in_a_tree(statement: InputSectionDescription, order: Order) -> bool:
    """Whether a statement is a simple one that sorts by name: the first pattern without a wildcard does, or the first.

    No two of its patterns can match one section, and those with a wildcard are literal up to a `*` at the end.
    """
    if order.by_file or not is_simple(statement):
        return False
    names = [pattern.pattern.text for pattern in statement.patterns or ()]
    plain = next((at for at, name in enumerate(names) if name != _COMMA and not has_wildcard(name)), None)
    first = plain if plain is not None else next(at for at, name in enumerate(names) if name != _COMMA)
    return order.sorts[first] == BY_NAME


def is_simple(statement: InputSectionDescription) -> bool:
    """Whether a statement has few patterns of which no two can match one section.

    Those with a wildcard are literal up to a `*` at the end.
    """
    patterns = [pattern.pattern.text for pattern in statement.patterns or () if pattern.pattern.text != _COMMA]
    wild = [name for name in patterns if has_wildcard(name)]
    if len(wild) not in _SIMPLE.get(len(patterns), ()):
        return False
    if any(_literal(name) < _LITERAL or _literal(name) != len(name) - 1 or name[-1] != "*" for name in wild):
        return False
    return not any(_may_overlap(one, other) for one, other in combinations(patterns, 2))


def _literal(name: str) -> int:
    found = _SPECIAL.search(name)
    assert found is not None
    return found.start()


def _may_overlap(one: str, other: str) -> bool:
    """Whether the literal beginnings of two patterns agree, with the end of a name where there is no wildcard."""
    one, other = (name[: _literal(name)] + ("" if _literal(name) < len(name) else "\0") for name in (one, other))
    return one.startswith(other) or other.startswith(one)


Item = TypeVar("Item")


def sort_by_insertion(items: Sequence[tuple[Item, InputSection, str]], by_file: bool) -> list[Item]:
    """Items with their sections, in the order of the link, and the sorts of the patterns that took them, sorted.

    Each is put ahead of the first that is to stand behind it, by the sort of its own pattern; one that is not sorted
    stands at the end.
    """
    found: list[tuple[Item, InputSection]] = []
    for item, section, sort in items:
        found.insert(_place(found, section, sort, by_file), (item, section))
    return [item for item, _ in found]


def _place(found: Sequence[tuple[object, InputSection]], section: InputSection, sort: str, by_file: bool) -> int:
    sorts = sort not in (NONE, BY_NONE)
    if not (by_file or sorts):
        return len(found)
    for at, (_, other) in enumerate(found):
        if by_file and file_key(section) != file_key(other):
            if file_key(section) < file_key(other):
                return at
        elif sorts and is_ahead(section, other, sort):
            return at
    return len(found)


def is_ahead(new: InputSection, old: InputSection, sort: str) -> bool:
    """As `comes_before`, with the priorities that older versions read."""
    if sort != BY_INIT_PRIORITY:
        return comes_before(new, old, sort)
    one, other = _priority(new.name), _priority(old.name)
    # The difference is kept in 32 bits.
    difference = (one - other) % _BITS_32 if one and other else 0
    return difference >= _BITS_32 // 2 if difference else name_key(new) < name_key(old)


def _priority(name: str) -> int:
    """The priority that a name ends in; 0 without one (ldlang.c: get_init_priority)."""
    found = _PRIORITY.fullmatch(name)
    if found is None:
        return 0
    return int(found[2]) if found[1].endswith("array") else 65535 - int(found[2])
