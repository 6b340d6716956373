"""Which sections of the catalogue have no place in a script, judged by what the script itself takes.

A catalogue hit alone says nothing: a kernel needs no place for what its options never let a compiler emit. What a
script takes or discards of a family tells what it expects. A name is *likely* if a compiler for the script's
architecture emits it with no other options than those that the script shows it is made for, and *possible* otherwise;
and it matters only where the script has something to say of the place that the linker gives to an orphan: a symbol
behind the statement that takes the sibling, or a discarded sibling.

Left out: fragments, scripts for `ld -r`, and statements that take sections of some files only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ldcheck.record import dataclass, replace
from ldcheck.script.marks import is_start_to_end, marks_a_place, names_a_start, names_an_end, range_of
from ldcheck.script.syntax import (
    Assignment,
    Call,
    InputSectionDescription,
    Insert,
    Node,
    Number,
    OutputSection,
    Script,
    Word,
)
from ldcheck.script.uses import leaves, statements_of
from ldcheck.sections.kinship import ALSO_DISCARDED, FAMILIES, PREFIXED, SHOWING, Family
from ldcheck.sections.rules import InputRule, flat
from ldcheck.sections.toolchain import MAKERS, Emission, Entry, arches_of, catalogue, emitted, probe
from ldcheck.words import listed


@dataclass(frozen=True, slots=True)
class Missing:
    """A name without a place, who emits it (in words), and whether that is to be expected of this script.

    `needs` are the options under which the name is emitted; there are none for what is emitted by default. `apart` is
    the family whose output section it must not share with the sibling; None if it may.
    """

    pattern: str
    who: str
    likely: bool
    needs: tuple[str, ...]
    apart: Family | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Names without a place that belong beside one statement.

    `sibling` is the rule that takes the rest of the family. `bound` is a symbol's assignment that orphans would lie
    behind; None if nothing marks the end. `shown` is a rule that tells which options the script is made for, where
    the names need one.
    """

    family: Family
    sibling: InputRule
    missing: tuple[Missing, ...]
    bound: Assignment | None
    shown: InputRule | None

    @property
    def likely(self) -> bool:
        """Whether a link is to be expected in which the place that the linker chooses is a wrong one."""
        matters = self.sibling.discards or (self.bound is not None and not self.family.anywhere)
        return matters and any(one.likely for one in self.missing)


def unplaced(tree: Script, rules: Sequence[InputRule], arches: Sequence[str] = ()) -> tuple[Group, ...]:
    """What has no place, in the order of the statements beside which it belongs; empty for what is no whole script.

    `arches` are those that the target may be; if there are none, the names that the script spells out may tell.
    """
    general = _General(rules)
    if not general.whole(tree):
        return ()
    # A script for several families of architectures has to do for each of them.
    ways = (frozenset(arches),) if arches else arches_of(general.spelt(tree)) or (frozenset(),)
    shown = general.shown()
    bounds = _Bounds(tree)
    told: set[str] = set()
    found = []
    for prefix, family in (*(("", family) for family in FAMILIES), *((own, PREFIXED) for own in general.prefixes())):
        sibling = next((rule for name in family.beside if (rule := general.naming(prefix + name)) is not None), None)
        if sibling is None:
            sibling = next((rule for name in family.always if (rule := general.naming(name)) is not None), None)
            # Of a family that the script does not know at all, only a wrong place is worth a word.
            if sibling is None or bounds.behind(sibling) is None:
                continue
        fitting = tuple(way for way in ways if not family.arches or (way and way <= family.arches))
        if not fitting:
            continue
        every_one = _missing(family, prefix, general, fitting, shown)
        missing = tuple(one for one in every_one if one.pattern not in told)
        if missing:
            told.update(one.pattern for one in missing)
            needed = {word for one in missing if one.likely for word in one.needs}
            telling = next((rule for option, rule in shown.items() if option in needed), None)
            # An orphan that may lie anywhere lies by its flags, and nobody knows where.
            bound = None if family.anywhere else bounds.behind(sibling)
            found.append(Group(family, sibling, _parted(family, sibling, missing, fitting), bound, telling))
    return tuple(sorted(found, key=lambda group: group.sibling.index))


def _parted(
    family: Family, sibling: InputRule, missing: tuple[Missing, ...], ways: Sequence[frozenset[str]]
) -> tuple[Missing, ...]:
    """The names, each with whether it must have an output section apart from that of the sibling."""
    held = not family.apart_on or any(way & family.apart_on for way in ways)
    if not family.apart or sibling.discards or not held:
        return missing
    return tuple(
        one if sibling.names.matches(own_section(one.pattern)) else replace(one, apart=family) for one in missing
    )


def own_section(pattern: str) -> str:
    """The name that the output section of a pattern has where it needs one: `.ARM.extab` for `.ARM.extab.*`."""
    return pattern.removesuffix(".*")


def _missing(
    family: Family, prefix: str, general: _General, ways: Sequence[frozenset[str]], shown: dict[str, InputRule]
) -> Iterator[Missing]:
    """The names of a family that no statement takes; of those behind a project's prefix, the ones it has by default.

    A name counts that is to be expected in one of the `ways`, the architectures of one family each.
    """
    entries = catalogue()
    covered = ""
    expecting = not family.harmless and not any(general.naming(name) for name in family.unless)
    options = () if prefix else shown
    for pattern in family.patterns:
        entry = entries.get(pattern)
        if entry is None or general.taking(prefix + entry.probe) is not None:
            continue
        if covered and pattern.startswith(covered):
            continue
        likely = [way for way in ways if expecting and emitted(entry, _usual(way), way, options)]
        way = likely[0] if likely else ways[0]
        wanted = family.possible and not prefix
        anybody = likely or (emitted(entry, MAKERS, way, _words(entry)) if wanted else ())
        if not anybody:
            continue
        # Clang's word alone makes nothing likely, but it is told.
        told = emitted(entry, _TOLD if likely else MAKERS, way, options if likely else _words(entry))
        who, needs = _who(told, bool(way))
        yield Missing(prefix + pattern, who, bool(likely), needs)
        if likely and pattern.endswith(".*"):
            covered = pattern[:-1]


_TOLD = ("gcc", "clang", "ld")


def _usual(arches: frozenset[str]) -> tuple[str, ...]:
    """The makers whose word counts for what is likely. Clang where there is no GCC."""
    from ldcheck.sections.toolchain import asked

    known = arches & asked()["gcc"]
    return ("gcc", "ld") if known or not arches else ("clang", "gcc", "ld")


def _words(entry: Entry) -> tuple[str, ...]:
    return tuple(word for one in entry.emissions for word in one.words)


def _who(emissions: Sequence[Emission], known: bool) -> tuple[str, tuple[str, ...]]:
    """Who emits a section, as the beginning of a sentence (`by default, GCC and Clang`), and the options for it.

    Where the architecture is not `known`, what holds for all is worth more than what holds by default for a few.
    """
    least = min(emissions, key=lambda one: (bool(one.arches) and not known, len(one.words), one.maker != "gcc"))
    makers = sorted({MAKERS[one.maker] for one in emissions if one.option == least.option}, reverse=True)
    return f"{_under(least.option)}, {listed(makers)}", least.words


def _under(option: str) -> str:
    if option == "C++":
        return "for C++"
    return f"with {option}" if option else "by default"


class _General:
    """The rules of a script that take sections of any file, indexed."""

    def __init__(self, rules: Sequence[InputRule]) -> None:
        self.literal: dict[str, InputRule] = {}
        self.wild: list[InputRule] = []
        fitting: dict[int, bool] = {}
        for rule in rules:
            key = id(rule.files)
            if key not in fitting:
                fitting[key] = rule.files.takes("x.o") or rule.files.takes("x.o", "x.a")
            if not fitting[key]:
                continue
            if rule.names.literal is not None:
                self.literal.setdefault(rule.names.literal, rule)
            else:
                self.wild.append(rule)
        self.found: dict[str, InputRule | None] = {}

    def taking(self, name: str) -> InputRule | None:
        """The first rule that takes sections of that name."""
        if name not in self.found:
            exact = self.literal.get(name)
            others = (rule for rule in self.wild if rule.names.matches(name))
            wild = next(others, None)
            both = [rule for rule in (exact, wild) if rule is not None]
            self.found[name] = min(both, key=lambda rule: rule.index, default=None)
        return self.found[name]

    def naming(self, pattern: str) -> InputRule | None:
        """The rule that takes sections of a name, if it is meant for them: not a `*(*)`."""
        rule = self.taking(probe(pattern))
        stem = pattern.partition("*")[0].rstrip(".")[:5]
        return rule if rule is not None and rule.names.prefix.startswith(stem) else None

    def shown(self) -> dict[str, InputRule]:
        """The options that the script is made for, each with a rule that tells."""
        found: dict[str, InputRule] = {}
        for options, stem, names in SHOWING:
            for name in names:
                rule = self.taking(name)
                if rule is None or not rule.names.prefix.startswith(stem):
                    continue
                if not rule.discards or stem in ALSO_DISCARDED:
                    for option in options.split():
                        found.setdefault(option, rule)
        return found

    def prefixes(self) -> tuple[str, ...]:
        """What the project puts in front of compilers' names, where it has mergeable constants behind it: `.init`."""
        every = (*self.literal, *(rule.names.prefix for rule in self.wild))
        found = (name.partition(part)[0] for name in every for part in (".rodata.str", ".rodata.cst") if part in name)
        return tuple(dict.fromkeys(prefix for prefix in found if prefix))

    def whole(self, tree: Script) -> bool:
        """Whether the script tells of its families: it places several, of ELF, inserts nothing, and is not for -r."""
        if any(isinstance(node, Insert) for node in tree.statements):
            return False
        # Objects of PE have other names, and sort them by what stands behind a dollar.
        if any("$" in rule.names.prefix for rule in self.wild):
            return False
        found = [self.naming(name) or self.naming(f"{name}.*") for name in (".text", ".rodata", ".data", ".bss")]
        kept = [rule for rule in found if rule is not None and not rule.discards]
        sections = {id(rule.section) for rule in kept if _at_zero(rule)}
        return len(kept) > 1 and len(sections) < 2

    def spelt(self, tree: Script) -> Iterator[str]:
        """The names that the script spells out: of sections, and of symbols that it assigns."""
        yield from self.literal
        yield from (f"{rule.names.prefix.rstrip('.')}.*" for rule in self.wild)
        yield from (node.target.text for node in statements_of(tree) if isinstance(node, Assignment))


def _at_zero(rule: InputRule) -> bool:
    address = rule.section.address if rule.section is not None else None
    return isinstance(address, Number) and address.value == 0


class _Bounds:
    """What a script says of the end of each output section."""

    def __init__(self, tree: Script) -> None:
        self.after: dict[int, list[Assignment]] = {}
        self.sized: dict[str, Assignment] = {}
        section: OutputSection | None = None
        inside: set[int] = set()
        for node in statements_of(tree):
            if isinstance(node, OutputSection):
                inside = {id(part) for part in flat(node.statements)}
                section = node
                self.after[id(node)] = []
            elif isinstance(node, Assignment) and section is not None and id(node) not in inside:
                self.after[id(section)].append(node)
        for node in statements_of(tree):
            # Where the location counter goes by a size, what comes behind moves with it, and no range ends there.
            if isinstance(node, Assignment) and node.target.text != ".":
                for part in leaves(node.value):
                    if isinstance(part, Call) and part.function == "SIZEOF" and isinstance(part.arguments[0], Word):
                        self.sized.setdefault(part.arguments[0].text, node)

    def behind(self, rule: InputRule) -> Assignment | None:
        """The symbol that the script puts behind the sections of a rule, and that orphans beside them are behind."""
        section = rule.section
        if section is None or rule.discards:
            return None
        inside = list(flat(section.statements))
        at = next((at for at, node in enumerate(inside) if node is rule.statement), len(inside))
        behind = (*inside[at:], *self.after.get(id(section), ()))
        begun: set[str] = set()
        for number, node in enumerate(behind):
            if not isinstance(node, Assignment) or node.target.text == "." or not marks_a_place(node):
                continue
            name = node.target.text
            if names_a_start(name):
                begun.add(range_of(name))
            elif end := _end_of_table(node, behind[number + 1 :]):
                begun.add(range_of(end))
            elif range_of(name) not in begun:
                return node
        return self.sized.get(section.name.text)


def _end_of_table(start: Assignment, behind: Sequence[Node]) -> str:
    """The symbol that ends what a symbol begins that is called no start (`__CTORS_LIST__`, `_sctors`); or empty."""
    name = start.target.text
    if names_an_end(name):
        return ""
    takes = False
    for node in behind:
        takes = takes or isinstance(node, InputSectionDescription)
        if takes and isinstance(node, Assignment) and node.target.text != ".":
            end = node.target.text
            called = names_an_end(end) and range_of(end) and range_of(name).startswith(range_of(end))
            if called or is_start_to_end(start, node):
                return end
    return ""
