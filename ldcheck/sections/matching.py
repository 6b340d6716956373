"""Finding the rules that take an input section, fast enough for tens of thousands of sections and hundreds of rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ldcheck.image.model import InputSection
from ldcheck.sections.files import EVERY_FILE
from ldcheck.sections.rules import SHF_WRITE, InputRule

# Names are looked up by so many characters first, which tells `.text` from `.data` and keeps the tables few.
_BEGINNING = 3
_Tables = list[tuple[int, dict[str, list[InputRule]]]]


class Matcher:
    """Rules by the literal characters that their patterns begin with, and what was found for each name before.

    With `by_member` the plain name of a file means members and archives of that name as well.
    """

    def __init__(self, rules: Sequence[InputRule], *, by_member: bool = False) -> None:
        self.rules = rules
        self.by_member = by_member
        self.literal: dict[str, list[InputRule]] = {}
        # By the first characters of their literal beginnings; those with shorter ones stand in any case.
        self.wild: dict[str, list[InputRule]] = {}
        for rule in rules:
            glob = rule.names
            if glob.literal is not None:
                self.literal.setdefault(glob.literal, []).append(rule)
            else:
                self.wild.setdefault(glob.prefix[:_BEGINNING], []).append(rule)
        self.short = [rule for start, rules in self.wild.items() if len(start) < _BEGINNING for rule in rules]
        self.known: dict[str, tuple[InputRule, ...]] = {}
        self.alone = {rule.index: (rule,) for rule in rules}
        self.tables: dict[str, _Tables] = {}
        # The rules that take whatever their pattern matches.
        self.plain = frozenset(rule.index for rule in rules if rule.files is EVERY_FILE and rule.is_unconditional)

    def named(self, name: str) -> tuple[InputRule, ...]:
        """The rules whose patterns match a section name, in the order in which they are tried."""
        known = self.known.get(name)
        return self._look_up(name) if known is None else known

    def _look_up(self, name: str) -> tuple[InputRule, ...]:
        found = [*self.literal.get(name, ())]
        start = name[:_BEGINNING]
        tables = self.tables.get(start)
        if tables is None:
            tables = self.tables[start] = self._tables(start)
        for length, table in tables:
            near = table.get(name[:length])
            if near is None:
                break
            for rule in near:
                # Mostly it is one, where a list of its own costs more.
                if rule.names.open_end or rule.names.matches(name):
                    found.append(rule)  # noqa: PERF401
        # Most names have one rule, and share what tells that.
        if len(found) == 1:
            result = self.alone[found[0].index]
        else:
            found.sort(key=_index)
            result = tuple(found)
        self.known[name] = result
        return result

    def _tables(self, start: str) -> _Tables:
        """By length, the shortest first, the patterns that may match names with this beginning.

        In each table are also, without rules, the beginnings of the longer ones: behind one that is missing, none is.
        """
        found: dict[int, dict[str, list[InputRule]]] = {}
        for rule in [*self.short, *(self.wild.get(start, ()) if len(start) == _BEGINNING else ())]:
            prefix = rule.names.prefix
            if start.startswith(prefix[:_BEGINNING]):
                found.setdefault(len(prefix), {}).setdefault(prefix, []).append(rule)
        lengths = sorted(found)
        for number, length in enumerate(lengths):
            for longer in lengths[number + 1 :]:
                for prefix in found[longer]:
                    found[length].setdefault(prefix[:length], [])
        return [(length, found[length]) for length in lengths]

    def takers(
        self, sections: Iterable[InputSection], dropped: frozenset[int] | set[int] = frozenset()
    ) -> dict[int, InputRule | None]:
        """The `taker` of each section, by the section's id."""
        look_up, known, plain, taker = self._look_up, self.known, self.plain, self.taker
        found: dict[int, InputRule | None] = {}
        for section in sections:
            name = section.name
            rules = known.get(name)
            if rules is None:
                rules = look_up(name)
            first = rules[0] if rules else None
            found[id(section)] = first if first is None or first.index in plain else taker(section, dropped)
        return found

    def taker(
        self, section: InputSection, dropped: frozenset[int] | set[int] = frozenset(), before: int | None = None
    ) -> InputRule | None:
        """The first rule that takes the section, among those with an index below `before`.

        `dropped` are the ids of the output sections that their ONLY_IF_RO or ONLY_IF_RW leaves out.
        """
        for rule in self.named(section.name):
            if before is not None and rule.index >= before:
                return None
            if rule.index in self.plain:
                return rule
            if takes(rule, section, by_member=self.by_member) and (
                not rule.constraint or id(rule.section) not in dropped
            ):
                return rule
        return None


def _index(rule: InputRule) -> int:
    return rule.index


def takes(rule: InputRule, section: InputSection, *, by_member: bool = False) -> bool:
    """Whether a rule whose pattern matches the section's name takes it from its file and with its flags."""
    if not in_files(rule, section, by_member=by_member):
        return False
    # What BFD made by itself has no flags of ELF, except those that the name implies.
    made = section.index < 0 or (section.name == "COMMON" and section.index == 0)
    flags = 0 if made and section.name != ".got" else section.flags
    return flags & rule.required == rule.required and not flags & rule.forbidden


def in_files(rule: InputRule, section: InputSection, *, by_member: bool = False) -> bool:
    """Whether the rule takes sections of that file."""
    if rule.files.everything:
        return True
    if section.member:
        if by_member and rule.files.takes_by_name(section.member, section.file):
            return True
        return rule.files.takes(section.member, section.file)
    return rule.files.takes(section.file, section.archive or None)


def left_out(matcher: Matcher, sections: Iterable[InputSection]) -> set[int]:
    """The ids of the output sections that ONLY_IF_RO or ONLY_IF_RW leaves out (ldlang.c: check_input_sections).

    One with ONLY_IF_RO is left out if a writable section that nothing took so far matches any of its statements, one
    with ONLY_IF_RW if none does. INPUT_SECTION_FLAGS is not looked at here.
    """
    constrained: dict[int, list[InputRule]] = {}
    for rule in matcher.rules:
        if rule.constraint:
            constrained.setdefault(id(rule.section), []).append(rule)
    dropped: set[int] = set()
    if not constrained:
        return dropped
    by_member = matcher.by_member
    asking = Matcher([rule for rules in constrained.values() for rule in rules], by_member=by_member)
    writable = [
        (section, {id(rule.section) for rule in named if in_files(rule, section, by_member=by_member)})
        for section in sections
        if section.flags & SHF_WRITE and (named := asking.named(section.name))
    ]
    for key, rules in constrained.items():
        first = rules[0].index
        found = any(key in keys and matcher.taker(section, dropped, first) is None for section, keys in writable)
        if found == (rules[0].constraint == "ONLY_IF_RO"):
            dropped.add(key)
    return dropped
