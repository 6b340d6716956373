"""Where each input section of a link goes, and in which order, as GNU ld decides it.

Left out, because it needs more than the section headers of the inputs: --gc-sections, which members of an archive a
link pulls in (all members that are given count as linked), sections that ld makes itself (.plt, .dynsym; see `made`) or
rewrites (.gnu.attributes), relaxation and merging, which change sizes but no places. The common symbols of a file count
as if no other file defined them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ldcheck.image.frames import Key
from ldcheck.image.model import InputSection
from ldcheck.image.needs import bounded
from ldcheck.linker import GNU, Linker
from ldcheck.record import replace
from ldcheck.script.syntax import (
    Assignment,
    InputFiles,
    InputSectionDescription,
    OutputSection,
    Script,
    statements,
    walk,
)
from ldcheck.sections.file_words import is_by_member
from ldcheck.sections.globs import has_wildcard
from ldcheck.sections.made import with_made
from ldcheck.sections.mapping import Mapping as OutputMapping
from ldcheck.sections.matching import Matcher, in_files, left_out
from ldcheck.sections.older import is_in_a_tree, is_older, joined_sections, sort_by_insertion
from ldcheck.sections.orphans import Orphans
from ldcheck.sections.rules import DISCARD, InputRule, input_rules, used_classes
from ldcheck.sections.sorting import NONE, Order, order_of, sort_mixed, sort_uniform

SHF_ALLOC = 0x2
SHF_LINK_ORDER = 0x80
SHF_EXCLUDE = 0x80000000
# The first version that was seen to have rules of its own: see `Matcher`, `OutputMapping` and `Orphans`, and what is
# sorted in `mapped`.
_CHANGED = (2, 44)
# The indices of what stands for sections that go late.
_FIRST_EMPTY = -1_000_000
_ONCE_CODE = ".gnu.linkonce.t."
_ONCE_READ_ONLY = ".gnu.linkonce.r."

# Sections of an object file that are no input sections to ld.
_NOT_LINKED = frozenset({"NULL", "SYMTAB", "GROUP", "SYMTAB_SHNDX"})


class Placement(NamedTuple):
    """Where one input section goes.

    `output` is the output section's name, `/DISCARD/` for a section that is thrown away. `rule` is None for an orphan,
    and for a section that ld drops whatever the script says; `reason` tells which in words. `section` is the output
    section's statement, None for one that ld makes for orphans. `order` counts within the output section from 0,
    `position` counts the output sections (two of one name are two).
    """

    input: InputSection
    output: str
    rule: InputRule | None
    order: int
    section: OutputSection | None = None
    reason: str = ""
    position: int = 0

    def __repr__(self) -> str:
        return f"Placement({self.input!r}, {self.output!r}, {self.rule!r}, {self.order})"


Taken = tuple[InputSection, InputRule]
# What a link drops besides what is never linked (given by ids), by id, with the reason in words.
Sweep = Callable[[Sequence[InputSection], Matcher, Collection[int]], Mapping[int, str]]


class Mapped(NamedTuple):
    """The output sections of a link with what goes into them.

    `takers` are the rules that took sections, by the ids of those (None: an orphan); `thrown` is what is discarded,
    with the rule or the reason.
    """

    mapping: OutputMapping
    takers: dict[int, InputRule | None]
    thrown: list[tuple[InputSection, InputRule | None, str]]


def assign(
    tree: Script,
    inputs: Sequence[InputSection],
    sort_section: str | None = None,
    arch: str = "",
    linker: Linker = GNU,
) -> list[Placement]:
    """The place of every input section, in the order of the output sections and within them; discarded ones last.

    `inputs` come in the order of ld's command line, `-T script` first. `sort_section` is the operand of --sort-section:
    `name` or `alignment`. `arch` (as policies name it) says which sections ld adds by itself: they are not listed, but
    orphans may be placed next to them. `linker` is GNU ld of a version; without one it counts as 2.40.
    """
    mapping, takers, thrown = mapped(tree, inputs, sort_section, arch, linker=linker)
    placements: list[Placement] = []
    position = 0
    for position, output in enumerate(mapping.order):
        name, node = output.name, output.node
        listed = [section for section in output.inputs if section.index >= 0]
        placements += [
            Placement(section, name, (rule := takers[id(section)]), order, node, "" if rule else "orphan", position)
            for order, section in enumerate(listed)
        ]
    thrown = [item for item in thrown if item[0].index >= 0]
    for order, (section, rule, reason) in enumerate(thrown):
        node = rule.section if rule is not None else None
        placements.append(Placement(section, DISCARD, rule, order, node, reason, position + 1))
    return placements


def mapped(
    tree: Script,
    inputs: Sequence[InputSection],
    sort_section: str | None = None,
    arch: str = "",
    asking: Mapping[Key, Collection[str] | None] | None = None,
    linker: Linker = GNU,
    sweep: Sweep | None = None,
) -> Mapped:
    """The output sections with their input sections, as ld has them before it gives addresses; see `assign`.

    `asking` are the sections with relocations that make ld add sections, where it does that then only, and the symbols
    that it hangs on, None for any. `sweep` tells what goes because nothing refers to it.
    """
    is_new, older = not linker.may_be_before(*_CHANGED), is_older(linker)
    if older:
        tree = joined_sections(tree)
    matcher = Matcher(input_rules(tree, linker, sort_section), by_member=is_by_member(linker))
    sections = link_order(tree, [section for section in inputs if is_linked(section)])
    excluded = never_linked(sections)
    if sweep is not None:
        excluded.update(sweep(sections, matcher, excluded))
    sections = with_made(sections, arch, _asking(tree, sections, asking or {}, excluded), linker)
    live = [section for section in sections if id(section) not in excluded] if excluded else sections
    dropped = left_out(matcher, live) | _without_inputs(tree)
    classes = used_classes(tree)
    taken: dict[int, list[InputSection]] = {}
    thrown: list[tuple[InputSection, InputRule | None, str]] = []
    orphans: list[InputSection] = []
    takers = matcher.takers(live, dropped)
    dangling = linked_to(sections, takers, excluded)
    for section in live:
        rule = takers[id(section)]
        if dangling and id(section) in dangling:
            thrown.append((section, None, "linked to a section that is discarded"))
            if rule is not None and rule.section is not None and not rule.discards:
                # It goes after its output section was made for it, which stays.
                empty = replace(section, size=0, link=0, index=_FIRST_EMPTY - len(thrown))
                takers[id(empty)] = rule
                taken.setdefault(id(rule.statement), []).append(empty)
        elif rule is None or (rule.section is None and rule.output not in classes):
            orphans.append(section)
            takers[id(section)] = None
        elif rule.discards:
            thrown.append((section, rule, ""))
        else:
            statement = id(rule.statement)
            mine = taken.get(statement)
            if mine is None:
                taken[statement] = [section]
            else:
                mine.append(section)
    thrown.extend((section, None, excluded[id(section)]) for section in sections if id(section) in excluded)

    def filling(statement: InputSectionDescription) -> tuple[list[InputSection], list[InputSection]]:
        mine = taken.get(id(statement), [])
        order = order_of(statement, sort_section)
        if len(mine) < 2 or order.unsorted:
            return mine, mine
        pairs = [(section, rule) for section in mine if (rule := takers[id(section)]) is not None]
        if older and not is_in_a_tree(statement, order):
            return mine, _by_insertion(statement, pairs, order)
        asked = (
            [section for section in live if not _is_gone(statement, takers[id(section)], pairs)] if is_new else sections
        )
        ordered = in_order(statement, pairs, matcher, asked, order)
        # Of the patterns of one statement, another one than the first may have put it there.
        takers.update((id(section), rule) for section, rule in ordered)
        listed = [section for section, _ in ordered]
        return listed, listed

    mapping = OutputMapping(tree, dropped, linker)
    mapping.fill(filling)
    thrown.extend((section, None, "orphan") for section in Orphans(mapping, linker).place(orphans))
    return Mapped(mapping, takers, thrown)


def _by_insertion(statement: InputSectionDescription, taken: Sequence[Taken], order: Order) -> list[InputSection]:
    """What a statement takes as older GNU ld sorts it."""
    sorts = dict(zip(map(id, statement.patterns or ()), order.sorts, strict=False))
    items = [(section, section, sorts.get(id(rule.pattern), NONE)) for section, rule in taken]
    return sort_by_insertion(items, order.by_file)


def _is_gone(statement: InputSectionDescription, taker: InputRule | None, taken: Sequence[Taken]) -> bool:
    """Whether a section is in its place already when a statement that takes others comes to it."""
    return taker is not None and taker.statement is not statement and taker.index < taken[0][1].index


def _asking(
    tree: Script,
    sections: Sequence[InputSection],
    asking: Mapping[Key, Collection[str] | None],
    excluded: Collection[int],
) -> tuple[InputSection, list[InputSection]] | None:
    """The first section that might ask, whose file gets what ld adds, and the sections that ask; both are linked."""
    if not asking:
        return None
    names = {section.name for section in sections}
    assigned = {
        one.target.text
        for one in statements(tree)
        if isinstance(one, Assignment) and not one.keyword.startswith("PROVIDE")
    }
    # Bounds of sections have got a definition before ld looks who asks.
    made = {symbol for found in asking.values() for symbol in found or () if bounded(symbol) in names} - assigned
    linked = [
        (one, asking[key])
        for one in sections
        if id(one) not in excluded and (key := (one.file, one.member, one.index)) in asking
    ]
    wanting = [one for one, found in linked if found is None or not made.issuperset(found)]
    return (linked[0][0], wanting) if wanting else None


def _without_inputs(tree: Script) -> set[int]:
    """The ids of the output sections that ONLY_IF_RW leaves out as nothing in them can match."""
    return {
        id(node)
        for node in statements(tree)
        if isinstance(node, OutputSection)
        and node.constraint == "ONLY_IF_RW"
        and not any(isinstance(child, InputSectionDescription) for child in statements(node))
    }


def in_order(
    statement: InputSectionDescription,
    taken: list[Taken],
    matcher: Matcher,
    sections: Sequence[InputSection],
    order: Order,
) -> list[Taken]:
    """The sections that a statement takes in the order in which it puts them, which is one that sorts."""
    if order.uniform is not None and not (order.by_file and order.uniform == NONE and len(order.sorts) > 1):
        return sort_uniform(taken, _section, order)
    # The tree holds everything that the statement matches, also what was taken ahead of it.
    sorts = dict(zip(map(id, statement.patterns or ()), order.sorts, strict=False))
    matches = [
        ((section, rule), sorts[id(rule.pattern)])
        for section in sections
        for rule in matcher.named(section.name)
        if rule.statement is statement and in_files(rule, section, by_member=matcher.by_member)
    ]
    mine = {id(section) for section, _ in taken}
    found: list[Taken] = []
    for section, rule in sort_mixed(matches, _section, order):
        if id(section) in mine:
            mine.discard(id(section))
            found.append((section, rule))
    return found


def _section(taken: Taken) -> InputSection:
    return taken[0]


def is_linked(section: InputSection) -> bool:
    """Whether a section of an object file is an input section to ld at all."""
    if section.type in _NOT_LINKED:
        return False
    if section.type in ("REL", "RELA"):
        return bool(section.flags & SHF_ALLOC)
    return not (section.type == "STRTAB" and section.name in (".strtab", ".shstrtab"))


def never_linked(sections: Iterable[InputSection]) -> dict[int, str]:
    """Sections that ld drops whatever the script says, by id, with the reason in words.

    SHF_EXCLUDE, .gnu.warning.*, all property notes but the first, and all but the first of the groups of one signature
    and of the .gnu.linkonce sections of one name; constants also if their function was linked from another file
    (ldlang.c: section_already_linked, bfd/elflink.c: _bfd_elf_section_already_linked).
    """
    found: dict[int, str] = {}
    once: dict[str, tuple[str, str]] = {}
    groups: dict[str, tuple[str, str]] = {}
    for section in sections:
        name, file = section.name, (section.file, section.member)
        if section.flags & SHF_EXCLUDE:
            found[id(section)] = "SHF_EXCLUDE"
        elif name == ".note.gnu.property":
            if once.setdefault(name, file) != file:
                found[id(section)] = "merged into the note of the first file"
        elif section.group:
            if groups.setdefault(section.group, file) != file:
                found[id(section)] = f"the group {section.group} was linked already"
        elif name.startswith(".gnu.linkonce"):
            read_only = name.startswith(_ONCE_READ_ONLY)
            code = _ONCE_CODE + name[len(_ONCE_READ_ONLY) :] if read_only else ""
            if name in once or once.get(code, file) != file:
                found[id(section)] = f"{name if name in once else code} was linked already"
            once.setdefault(name, file)
        elif name.startswith(".gnu.warning."):
            found[id(section)] = "a warning for the linker"
    return found


def linked_to(
    sections: Iterable[InputSection], takers: Mapping[int, InputRule | None], excluded: Collection[int]
) -> set[int]:
    """The ids of sections that go because a section which they belong to goes (SHF_LINK_ORDER).

    Others go because a rule takes them that discards, or because they are `excluded` (ldelf.c:
    ldelf_before_place_orphans); both are given by ids.
    """
    ordered = [section for section in sections if section.flags & SHF_LINK_ORDER and section.link]
    if not ordered:
        return set()
    gone = {at for at, rule in takers.items() if rule is not None and rule.discards}.union(excluded)
    by_index = {(section.file, section.member, section.index): section for section in sections}
    dangling: set[int] = set()
    for section in ordered:
        at: InputSection | None = section
        seen: set[int] = set()
        while at is not None and at.flags & SHF_LINK_ORDER and id(at) not in seen:
            seen.add(id(at))
            at = by_index.get((at.file, at.member, at.link))
            if at is not None and id(at) in gone and id(section) not in gone:
                dangling.add(id(section))
                break
    return dangling


def link_order(tree: Script, sections: list[InputSection]) -> list[InputSection]:
    """The sections in the order in which ld loads their files: those first that the script names without a wildcard.

    ld opens such a file when it comes to the name, and the script comes ahead of the objects (ldlang.c: lookup_name).
    """
    named = {name: at for at, name in enumerate(named_files(tree))}
    if not named:
        return sections
    return sorted(sections, key=lambda section: named.get(section.archive or section.file, len(named)))


def named_files(tree: Script) -> tuple[str, ...]:
    """The files that a script names without a wildcard, which ld links because of that, in the order of the script."""
    named: dict[str, None] = {}
    for node in walk(tree):
        if isinstance(node, InputSectionDescription) and node.file is not None:
            name = node.file.pattern.text
            if ":" not in name and not has_wildcard(name):
                named[name] = None
        elif isinstance(node, InputFiles):
            named.update((file.name.text, None) for file in node.files)
    return tuple(named)
