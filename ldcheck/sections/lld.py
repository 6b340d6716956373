"""Where each input section of a link goes, and in which order, as lld decides it (LinkerScript.cpp, Writer.cpp).

lld goes through the statements of a script, each of which collects what no earlier one took; GNU ld goes the same way,
so the first match is the same where both understand a pattern alike. What differs is the order within a statement
(each sorted pattern is sorted by itself), the names of files, and where orphans go (`lld_orphans`).

Left out: --gc-sections, which members of an archive a link pulls in, sections that lld makes itself, INSERT, and
OVERWRITE_SECTIONS beside a section of the same name. A wildcard that takes what lld makes itself (.symtab, .rela.dyn)
may move an orphan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ldcheck.image.model import InputSection
from ldcheck.linker import Linker
from ldcheck.script.syntax import (
    Call,
    Memory,
    OutputSection,
    Overlay,
    ProgramHeaders,
    Script,
    walk,
)
from ldcheck.script.uses import sections_addressed
from ldcheck.sections.assign import Placement, is_linked, never_linked
from ldcheck.sections.file_words import has_colons, in_file_of_lld
from ldcheck.sections.globs import fnmatch_glob
from ldcheck.sections.lld_orphans import LldOutput, Orphanage
from ldcheck.sections.outputs import SHF_ALLOC, SHF_WRITE, is_common
from ldcheck.sections.rules import DISCARD, InputRule, input_rules

_PRIORITY = re.compile(r"\.(init_array|fini_array|ctors|dtors)\.([0-9]{1,9})")
_LAST = 65536
# Since when KEEP() in an OVERLAY is one. `KEEP(a.o)` meant sections a.o of a file KEEP, and all else was refused.
_KEEP = (21,)
_NAMES = {"SORT": "SORT_BY_NAME"}

# Sections of its own that lld makes in any case, and takes away where they turn out to be of no use. Until then they
# are writable, and some leave their flags and type behind.
_MADE = tuple(
    InputSection("<internal>", "", name, -1, 0, 1, kind, SHF_ALLOC | SHF_WRITE)
    for name, kind in ((".bss", "NOBITS"), (".bss.rel.ro", "NOBITS"), (".got", "PROGBITS"), (".got.plt", "PROGBITS"))
)

_COMMENT = InputSection("<internal>", "", ".comment", -1, 0, 1, "PROGBITS", 0x30)
_KEPT = frozenset((".bss", ".comment"))

Key = Callable[[InputSection], int | str]


def assign_lld(
    tree: Script, inputs: Sequence[InputSection], sort_section: str | None, linker: Linker
) -> list[Placement]:
    """As `ldcheck.sections.assign.assign`: the place of every input section, in order; discarded ones last."""
    linked = [section for section in inputs if is_linked(section)]
    # Common symbols become sections ahead of all others (Driver.cpp: replaceCommonSymbols).
    sections = [one for one in linked if is_common(one)] + [one for one in linked if not is_common(one)]
    excluded = {at: why for at, why in never_linked(sections).items() if "linkonce" not in why}
    live = [section for section in sections if id(section) not in excluded]
    taking = _Taking([_COMMENT, *live, *_MADE], sort_section, linker)
    outputs: list[LldOutput] = []
    # An expression that speaks of a section keeps it, be it empty: the first of its name (isDiscardable).
    kept = {name for node in walk(tree) if isinstance(node, Call) for name in sections_addressed(node)}
    thrown: list[tuple[InputSection, InputRule | None, str]] = []
    rules = input_rules(tree)
    if linker.is_before(*_KEEP):
        overlaid = {id(one) for node in walk(tree) if isinstance(node, Overlay) for one in node.sections}
        rules = tuple(
            rule for rule in rules if not (rule.keep and rule.pattern is None and id(rule.section) in overlaid)
        )
    for node, statements in _by_section(rules):
        found = [taking.take(rules) for rules in statements]
        if node.name.text == DISCARD:
            thrown += [(section, rule, "") for taken in found for section, rule in taken if section.index >= 0]
            continue
        output = LldOutput(node.name.text, node)
        taken = [pair for pairs in found for pair in pairs]
        if _is_wanted(node, [section for section, _ in taken]):
            for section, rule in taken:
                if section.index >= 0:
                    output.add(section, rule)
                elif section.name in _KEPT:
                    output.count(section)
                    output.is_neighbour = output.is_neighbour or section is _COMMENT
        else:
            output.is_left_out = True
            output.is_neighbour = node.name.text in kept
            taking.give_back([section for section, _ in taken])
        kept.discard(node.name.text)
        outputs.append(output)
    bounded = any(isinstance(one, Memory | ProgramHeaders) for one in tree.statements)
    orphans = [section for section in live if not taking.is_taken(section)]
    ordered = Orphanage(outputs, linker, bounded=bounded).place(orphans)
    placements = [
        Placement(section, output.name, rule, order, output.node, "" if rule else "orphan", position)
        for position, output in enumerate(ordered)
        for order, (section, rule) in enumerate(output.taken)
    ]
    thrown += [(section, None, excluded[id(section)]) for section in sections if id(section) in excluded]
    placements += [
        Placement(section, DISCARD, rule, order, rule.section if rule else None, reason, len(ordered))
        for order, (section, rule, reason) in enumerate(thrown)
    ]
    return placements


def _by_section(rules: Sequence[InputRule]) -> list[tuple[OutputSection, list[list[InputRule]]]]:
    """The rules of each statement of each output section, in the order of the script."""
    found: list[tuple[OutputSection, list[list[InputRule]]]] = []
    for rule in rules:
        if rule.section is None:
            continue
        if not found or found[-1][0] is not rule.section:
            found.append((rule.section, []))
        statements = found[-1][1]
        if not statements or statements[-1][0].statement is not rule.statement:
            statements.append([])
        statements[-1].append(rule)
    return found


def _is_wanted(node: OutputSection, taken: Sequence[InputSection]) -> bool:
    """Whether ONLY_IF_RO or ONLY_IF_RW lets an output section be."""
    if node.constraint not in ("ONLY_IF_RO", "ONLY_IF_RW"):
        return True
    return any(section.flags & SHF_WRITE for section in taken) is (node.constraint == "ONLY_IF_RW")


class _Taking:
    """What statements take, one after the other, of the sections that are still there."""

    def __init__(self, live: Sequence[InputSection], sort_section: str | None, linker: Linker) -> None:
        self._live = live
        self._option = {"name": "SORT_BY_NAME", "alignment": "SORT_BY_ALIGNMENT"}.get(sort_section or "", "")
        self._colons = has_colons(linker)
        self._taken: set[int] = set()
        self._matches: dict[str, frozenset[str]] = {}

    def is_taken(self, section: InputSection) -> bool:
        """Whether some statement has it."""
        return id(section) in self._taken

    def give_back(self, sections: Sequence[InputSection]) -> None:
        """Let later statements have them after all."""
        self._taken.difference_update(map(id, sections))

    def take(self, rules: Sequence[InputRule]) -> list[tuple[InputSection, InputRule]]:
        """What the patterns of one statement take, in its order; `rules` are those patterns.

        Each sorted pattern is sorted by itself. What unsorted ones take between two of them stays in the order of the
        link (LinkerScript.cpp: computeInputSections).
        """
        found: list[tuple[int, InputSection, InputRule]] = []
        unsorted = 0
        for rule in rules:
            begin = len(found)
            for at, section in enumerate(self._live):
                if id(section) not in self._taken and self._takes(rule, section):
                    self._taken.add(id(section))
                    found.append((at, section, rule))
            sorts = [_NAMES.get(sort, sort) for sort in rule.pattern.sorts] if rule.pattern is not None else []
            if sorts:
                found[unsorted:begin] = self._unsorted(found[unsorted:begin])
                found[begin:] = self._sorted(found[begin:], sorts)
                unsorted = len(found)
        found[unsorted:] = self._unsorted(found[unsorted:])
        return [(section, rule) for _, section, rule in found]

    def _unsorted(self, found: list[tuple[int, InputSection, InputRule]]) -> list[tuple[int, InputSection, InputRule]]:
        found = sorted(found, key=lambda item: item[0])
        key = _KEYS.get(self._option)
        return sorted(found, key=lambda item: key(item[1])) if key is not None else found

    def _sorted(
        self, found: list[tuple[int, InputSection, InputRule]], sorts: Sequence[str]
    ) -> list[tuple[int, InputSection, InputRule]]:
        outer, inner = sorts[0], sorts[1] if len(sorts) > 1 else self._option
        if outer == "SORT_NONE":
            return found
        for sort in (inner, outer):
            key = _KEYS.get(sort)
            if key is not None:
                found = sorted(found, key=lambda item: key(item[1]))
        return found

    def _takes(self, rule: InputRule, section: InputSection) -> bool:
        if section.flags & rule.required != rule.required or section.flags & rule.forbidden:
            return False
        pattern, file = rule.pattern, rule.statement.file
        if pattern is not None and not fnmatch_glob(pattern.pattern.text).matches(section.name):
            return False
        every = file is None or file.pattern.text == "*"
        if file is not None and not every and not in_file_of_lld(file.pattern, section, colons=self._colons):
            return False
        return pattern is None or not any(in_file_of_lld(word, section, colons=False) for word in pattern.exclude)


def _priority(section: InputSection) -> int:
    """LinkerScript.cpp: getPriority; what has none comes last."""
    found = _PRIORITY.fullmatch(section.name)
    if found is None:
        return _LAST
    number = int(found[2])
    return number if found[1].endswith("array") else _LAST - 1 - number


_KEYS: dict[str, Key] = {
    "SORT_BY_NAME": lambda section: section.name,
    "SORT_BY_ALIGNMENT": lambda section: -section.align,
    "SORT_BY_INIT_PRIORITY": _priority,
}
