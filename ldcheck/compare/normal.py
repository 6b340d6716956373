"""A normal form of what a script does: two scripts of one form give the same image for every set of inputs.

A script becomes a list of items, each with a text that is made to be compared and the node that it stands for. What has
no effect is left out, and what may stand in any order stands in one:

* a pattern whose sections all went to statements ahead of it, unless it is under KEEP or names a file to be loaded
* of one statement that sorts nothing, the order of its patterns, for ld places what it takes by the order in the files
* assignments to different symbols in a row, none of which speaks of another's symbol (asked for apart: it decides the
  order of symbols in the symbol tables, one of which is part of a dynamic image)
* an assignment of a place to a symbol that is assigned once more, where nothing speaks of it before that
* an alignment of the location counter right behind the same one, in an output section
* an output section's alignment of 1, in an ELF file
* where ENTRY, OUTPUT_ARCH and their like stand, and how a script is cut into SECTIONS and INCLUDEd files

Nothing else is known to be the same: what is not listed here is taken to differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ldcheck.compare.expressions import canonical, sum_of
from ldcheck.compare.items import Item
from ldcheck.compare.overwritten import overwritten
from ldcheck.layout.traits import keeps
from ldcheck.record import replace
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Call,
    Command,
    Data,
    Expression,
    FilePattern,
    Fill,
    Include,
    InputSectionDescription,
    Marker,
    Memory,
    MemoryRegion,
    Name,
    Node,
    Number,
    OutputSection,
    Overlay,
    ProgramHeaders,
    Script,
    SectionGroup,
    SectionPattern,
    Sections,
    SectionType,
    Word,
    content,
    statements,
    walk,
)
from ldcheck.sections.globs import has_wildcard
from ldcheck.sections.left import State
from ldcheck.sections.reach import reaches
from ldcheck.sections.rules import flat, input_rules

# Commands that do the same wherever they stand. Of several ENTRYs one counts, so that their order is kept.
_ANYWHERE = frozenset(("ENTRY", "OUTPUT_ARCH", "OUTPUT_FORMAT", "OUTPUT", "SEARCH_DIR"))


def normal(tree: Script, known: dict[int, Item] | None = None) -> tuple[Item, ...]:
    """The normal form of a script: what may stand anywhere first, then all else in its order.

    `known` keeps the forms of assignments by the identity of their nodes, which the configurations of a script share;
    the nodes have to outlive it.
    """
    return tuple(_Forms(tree, known).items())


def taken_alone(tree: Script) -> tuple[Item, ...]:
    """The form of statements that stand in some other script: nothing counts that hangs on others."""
    return tuple(_Forms(tree, alone=True).items())


def in_one_order(items: Iterable[Item]) -> tuple[Item, ...]:
    """A normal form with assignments that do not depend on each other in one order, and without those in vain."""
    every = tuple(items)
    vain = overwritten(every)
    return tuple(_ordered(item for at, item in enumerate(every) if at not in vain))


class _Forms:
    def __init__(self, tree: Script, known: dict[int, Item] | None = None, *, alone: bool = False) -> None:
        self._tree = tree
        self._known = {} if known is None else known
        self._alone = alone
        rules = () if alone else input_rules(tree)
        every = [] if alone else [*statements(tree)]
        self._names = Counter(node.name.text for node in every if isinstance(node, OutputSection))
        formats = [node for node in every if isinstance(node, Command) and node.keyword in ("OUTPUT_FORMAT", "TARGET")]
        self._elf = all(word.text.startswith("elf") for node in formats for word in node.arguments)
        # By identity, for a pattern is a node.
        self._dead = {
            id(reach.rule.node)
            for reach in reaches(rules)
            if reach.state is State.DEAD and reach.earlier and not reach.rule.constraint
        }

    def items(self) -> Iterator[Item]:
        flow: list[Item] = []
        for node in self._flat(self._tree.statements):
            if isinstance(node, Command) and node.keyword in _ANYWHERE:
                yield Item(_plain(node), node, "", node.keyword)
            else:
                flow += self._outside(node)
        yield from flow

    def _flat(self, statements: Iterable[Node]) -> Iterator[Node]:
        for node in flat(statements):
            if (isinstance(node, Sections) and node.keyword == "SECTIONS") or isinstance(node, Memory):
                yield from flat(node.statements)
            else:
                yield node

    def _outside(self, node: Node) -> Iterator[Item]:
        """A statement outside of output sections."""
        if isinstance(node, Assignment | Assertion):
            yield self._assigned(node)
        elif isinstance(node, OutputSection):
            yield from self._section(node)
        elif isinstance(node, Overlay | SectionGroup):
            members = node.sections if isinstance(node, Overlay) else tuple(flat(node.statements))
            yield Item(f"begin {_header(node)}", node)
            for member in members:
                yield from self._outside(member)
            yield Item(f"end {_tail(node)}", node)
        elif isinstance(node, MemoryRegion):
            attributes = node.attributes.text if node.attributes is not None else ""
            text = f"region {node.name.text} ({attributes}) {canonical(node.origin)} {canonical(node.length)}"
            yield Item(text, node, "", f"region {node.name.text}")
        elif isinstance(node, ProgramHeaders):
            for header in node.headers:
                yield Item(f"header {_plain(header)}", header, "", f"header {header.name.text}")
        else:
            yield Item(_plain(node), node)

    def _assigned(self, node: Assignment | Assertion) -> Item:
        found = self._known.get(id(node))
        if found is None:
            found = self._known[id(node)] = _assigned(node)
        return found

    def _section(self, node: OutputSection) -> Iterator[Item]:
        name = node.name.text
        yield Item(f"begin {_header(self._unaligned(node))}", node, name, f"section {name}")
        last = ""
        body: list[Item] = []
        for statement in flat(node.statements):
            item = self._inside(statement, name)
            if item is None or (item.text == last and _only_aligns(statement) and not self._alone):
                continue
            last = item.text
            body.append(item)
        yield from body
        yield Item(f"end {_tail(node)}", node, name, f"section {name}")

    def _unaligned(self, node: OutputSection) -> OutputSection:
        """An output section without an alignment of 1, which is what every section of an ELF file has at first."""
        asked = node.align is not None and canonical(node.align) == "0x1"
        return replace(node, align=None) if asked and self._elf and self._names[node.name.text] == 1 else node

    def _inside(self, node: Node, output: str) -> Item | None:
        """A statement in an output section; None if it does nothing."""
        if isinstance(node, Assertion):
            return self._assigned(node)._replace(output=output)
        if isinstance(node, Assignment):
            # How it is written decides whether it keeps a section that is empty otherwise.
            item = self._assigned(node)
            return item._replace(text=f"{item.text} {'kept' if keeps(node) else ''}", output=output)
        if isinstance(node, InputSectionDescription):
            text = self._input(node)
            return None if text is None else Item(text, node, output)
        if isinstance(node, Data) and not isinstance(node.value, Word):
            return Item(f"{node.keyword} {canonical(node.value)}", node, output)
        if isinstance(node, Fill):
            return Item(f"FILL {canonical(node.value)}", node, output)
        if isinstance(node, Marker):
            return Item(f"{node.keyword} {node.sorted}", node, output)
        return Item(_plain(node), node, output)

    def _input(self, node: InputSectionDescription) -> str | None:
        file, patterns = node.file, node.patterns
        if file is None or patterns is None:
            return _plain(node)
        # A file that is named is loaded, whatever is taken of it.
        if not node.keep and has_wildcard(file.pattern.text):
            patterns = tuple(pattern for pattern in patterns if id(pattern) not in self._dead)
            if not patterns:
                return None
        shown = [_pattern(pattern) for pattern in patterns]
        if not file.sorts and not any(pattern.sorts for pattern in patterns):
            shown = sorted(set(shown))
        flags = " ".join(sorted({word.text for word in node.flags}))
        return f"{'KEEP ' if node.keep else ''}[{flags}] {_pattern(file)} ({'; '.join(shown)})"


def _assigned(node: Assignment | Assertion) -> Item:
    if isinstance(node, Assertion):
        return Item(f"ASSERT {canonical(node.condition)}", node, "", "ASSERT")
    name = node.target.text
    operator = node.operator[:-1]
    value = sum_of(name, operator, node.value) if operator else canonical(node.value)
    return Item(f"{node.keyword} `{name}` = {value}", node, "", "" if name == "." else f"symbol {name}")


def _pattern(node: FilePattern | SectionPattern) -> str:
    sorts = " ".join("SORT_BY_NAME" if keyword == "SORT" else keyword for keyword in node.sorts)
    return f"{sorts} {node.pattern.text} !{' '.join(sorted({word.text for word in node.exclude}))}"


_HEAD = ("address", "type", "load_address", "align", "align_with_input", "subalign", "constraint", "nocrossrefs")
_TAIL = ("region", "load_region", "phdrs", "fill")


def _header(node: OutputSection | Overlay | SectionGroup) -> str:
    """What stands in front of a body, by the names of the parts, so that none is taken for another."""
    name = node.name.text if isinstance(node, OutputSection) else ""
    return " ".join((type(node).__name__, name, *(f"{part} {_shown(getattr(node, part, None))}" for part in _HEAD)))


def _tail(node: OutputSection | Overlay | SectionGroup) -> str:
    name = node.name.text if isinstance(node, OutputSection) else ""
    return " ".join((name, *(f"{part} {_shown(getattr(node, part, None))}" for part in _TAIL)))


def _shown(value: object) -> str:
    if isinstance(value, SectionType):
        return f"{value.keyword} {_shown(value.value)}"
    if isinstance(value, Word):
        return repr(value.text)
    if isinstance(value, Node):
        return canonical(value) if isinstance(value, Expression) else _plain(value)
    if isinstance(value, tuple):
        return f"<{' '.join(map(_shown, value))}>"
    return repr(value)


def _plain(node: Node) -> str:
    """Any other node: its kind and all that was said, expressions in their form."""
    if isinstance(node, Include):
        return f"INCLUDE {node.path.text!r}"
    return f"{type(node).__name__} {' '.join(_shown(getattr(node, name)) for name in content(type(node)))}"


def _only_aligns(node: Node) -> bool:
    """Whether a statement does nothing where it was just done: `. = ALIGN(16)`."""
    return (
        isinstance(node, Assignment)
        and node.target.text == "."
        and node.operator == "="
        and isinstance(node.value, Call)
        and node.value.function == "ALIGN"
        and len(node.value.arguments) == 1
        and isinstance(node.value.arguments[0], Number)
    )


def _ordered(items: Iterable[Item]) -> Iterator[Item]:
    """The items, with assignments that do not depend on each other in one order."""
    run: list[Item] = []
    # The symbols that the run assigns, and those that it speaks of.
    targets: set[str] = set()
    words: set[str] = set()
    for item in items:
        node = item.node
        assigned = isinstance(node, Assignment) and node.target.text != "."
        spoken = _spoken(node) if isinstance(node, Assignment) and assigned else frozenset[str]()
        target = node.target.text if isinstance(node, Assignment) else ""
        if run and (not assigned or target in words or not targets.isdisjoint(spoken)):
            yield from sorted(run, key=lambda item: item.text)
            run, targets, words = [], set(), set()
        if assigned:
            run.append(item)
            targets.add(target)
            words |= spoken
        else:
            yield item
    yield from sorted(run, key=lambda item: item.text)


def _spoken(node: Assignment) -> frozenset[str]:
    """The symbols that an assignment speaks of, its own included."""
    names = {part.name for part in walk(node.value) if isinstance(part, Name)}
    # DEFINED() has a word.
    names |= {part.text for part in walk(node.value) if isinstance(part, Word)}
    return frozenset((*names, node.target.text))
