"""Finding the rules that take an input section, fast enough for tens of thousands of sections and hundreds of rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ldcheck.image.model import InputSection
from ldcheck.sections.rules import SHF_WRITE, InputRule


class Matcher:
    """Rules by the literal characters that their patterns begin with, and what was found for each name before."""

    def __init__(self, rules: Sequence[InputRule]) -> None:
        self.rules = rules
        self.literal: dict[str, list[InputRule]] = {}
        self.wild: dict[int, dict[str, list[InputRule]]] = {}
        for rule in rules:
            glob = rule.names
            if glob.literal is not None:
                self.literal.setdefault(glob.literal, []).append(rule)
            else:
                self.wild.setdefault(len(glob.prefix), {}).setdefault(glob.prefix, []).append(rule)
        self.tables = sorted(self.wild.items())
        self.known: dict[str, tuple[InputRule, ...]] = {}

    def named(self, name: str) -> tuple[InputRule, ...]:
        """The rules whose patterns match a section name, in the order in which they are tried."""
        known = self.known.get(name)
        if known is not None:
            return known
        found = list(self.literal.get(name, ()))
        for length, table in self.tables:
            near = table.get(name[:length])
            if near is not None:
                found += [rule for rule in near if rule.names.open_end or rule.names.matches(name)]
        found.sort(key=_index)
        result = self.known[name] = tuple(found)
        return result

    def taker(
        self, section: InputSection, dropped: frozenset[int] | set[int] = frozenset(), before: int | None = None
    ) -> InputRule | None:
        """The first rule that takes the section, among those with an index below `before`.

        `dropped` are the ids of the output sections that their ONLY_IF_RO or ONLY_IF_RW leaves out.
        """
        for rule in self.named(section.name):
            if before is not None and rule.index >= before:
                return None
            if takes(rule, section) and (not rule.constraint or id(rule.section) not in dropped):
                return rule
        return None


def _index(rule: InputRule) -> int:
    return rule.index


def takes(rule: InputRule, section: InputSection) -> bool:
    """Whether a rule whose pattern matches the section's name takes it from its file and with its flags."""
    if not in_files(rule, section):
        return False
    # What BFD made by itself has no flags of ELF, except those that the name implies.
    made = section.index < 0 or (section.name == "COMMON" and section.index == 0)
    flags = 0 if made and section.name != ".got" else section.flags
    return flags & rule.required == rule.required and not flags & rule.forbidden


def in_files(rule: InputRule, section: InputSection) -> bool:
    """Whether the rule takes sections of that file."""
    if rule.files.everything:
        return True
    if section.member:
        return rule.files.takes(section.member, section.file)
    return rule.files.takes(section.file)


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
    writable = [section for section in sections if section.flags & SHF_WRITE]
    for key, rules in constrained.items():
        first = rules[0].index
        own = {rule.index for rule in rules}
        found = any(
            any(rule.index in own and in_files(rule, section) for rule in matcher.named(section.name))
            and matcher.taker(section, dropped, first) is None
            for section in writable
        )
        if found == (rules[0].constraint == "ONLY_IF_RO"):
            dropped.add(key)
    return dropped
