"""The output sections of a script in the order in which ld has them when it comes to the orphans.

An output section comes into being when something is put into it, when a symbol is assigned in it, or when ADDR() or
LOADADDR() asks for it (ldlang.c: map_input_to_output_sections, exp_init_os). INSERT then moves the ones ahead of it
(process_insert_statements). Orphans are put among the statements outside of output sections as well: `listing` is
the list that addresses are given by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ldcheck.image.model import InputSection
from ldcheck.linker import GNU, Linker
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Binary,
    Call,
    Data,
    Fill,
    InputSectionDescription,
    Insert,
    Marker,
    Node,
    OutputSection,
    Overlay,
    Script,
    SectionClass,
    SectionGroup,
    Sections,
    Word,
    walk,
)
from ldcheck.sections.older import is_older
from ldcheck.sections.outputs import ALLOC, NEVER_LOAD, READONLY, Chain, Output
from ldcheck.sections.rules import DISCARD, flat

# From then on GNU ld has rules of its own.
_NEW = (2, 44)
# What newer GNU ld knows of an output section of a type as soon as an expression makes it.
_FLAGS = {"NOLOAD": NEVER_LOAD, "READONLY": READONLY}

# What a statement takes, in the order in which it goes into the output section, and in which it stands there.
Fillings = Callable[[InputSectionDescription], tuple[Sequence[InputSection], Sequence[InputSection]]]


class Mapping:
    """The outputs of a script: `order` is that of the script's statements, `made` that of the sections of the file.

    `listing` has what stands outside of output sections among them: assignments and ASSERTs. `entered` are the outputs
    in the order in which they came about.
    """

    def __init__(self, tree: Script, dropped: set[int], linker: Linker = GNU) -> None:
        self.is_new = not linker.may_be_before(*_NEW)
        self._is_older = is_older(linker)
        self.order: Chain[Output] = Chain()
        self.made: Chain[Output] = Chain()
        self.listing: Chain[Output | Node] = Chain()
        self.entered: list[Output] = []
        self.by_name: dict[str, list[Output]] = {}
        self.common: Output | None = None
        self._members: set[int] = set()
        self._dropped = dropped
        self._steps = list(_top(tree.statements, self._members))
        self._outputs: dict[int, Output] = {}
        # The statements of section classes that no output section has asked for so far.
        self._classes: dict[str, list[InputSectionDescription]] = {}
        for node in self._steps:
            if isinstance(node, OutputSection):
                output = Output(node.name.text, node)
                self._outputs[id(node)] = output
                self.enter(output)
                if id(node) in self._members:
                    for symbol in overlay_symbols(node.name.text):
                        self.listing.append(symbol)
            elif isinstance(node, Assignment | Assertion):
                self.listing.append(node)
            elif isinstance(node, SectionClass):
                described = [child for child in flat(node.statements) if isinstance(child, InputSectionDescription)]
                self._classes.setdefault(node.name.text, []).extend(described)

    def enter(self, output: Output) -> None:
        """Add an output section statement behind the others."""
        self.order.append(output)
        self.entered.append(output)
        self.listing.append(output)
        named = self.by_name.setdefault(output.name, [])
        apart = output.node is None or output.node.constraint == "SPECIAL"
        # Older versions enter one that joins no other behind the first of its name.
        named.insert(1 if self._is_older and apart else len(named), output)

    def find(self, name: str) -> Output | None:
        """The first statement of that name that ONLY_IF_RO or ONLY_IF_RW did not leave out."""
        return next((output for output in self.by_name.get(name, ()) if output.constraint >= 0), None)

    def fill(self, fillings: Fillings) -> None:
        """Put input sections into the outputs, in the order of the script; `fillings` gives those of a statement."""
        for node in self._steps:
            if isinstance(node, OutputSection):
                output = self._outputs[id(node)]
                if id(node) in self._dropped:
                    # Up to here ADDR() and LOADADDR() found it.
                    output.constraint = -1
                else:
                    for statement in flat(node.statements):
                        self._count(output, statement, fillings)
                if id(node) in self._members:
                    # A member of an overlay is followed by symbols that ask for its load address.
                    self._make_named(output.name)
            elif isinstance(node, Assignment | Assertion):
                self._mention(node)
        self._insert()

    def add(self, output: Output, section: InputSection, keep: bool = False) -> None:
        """Put one input section into an output; `keep` if KEEP() named it."""
        created = output.created
        output.add(section, keep)
        if not created:
            self._entered(output)

    def _count(self, output: Output, statement: Node, fillings: Fillings) -> None:
        if isinstance(statement, InputSectionDescription):
            named = statement.section_class
            for source in [statement] if named is None else self._classes.pop(named.text, []):
                entering, sections = fillings(source)
                if entering:
                    self.add(output, entering[0], source.keep)
                    output.add_all(entering[1:], source.keep)
                    output.inputs[-len(sections) :] = sections
            patterns = statement.patterns or ()
            if self.common is None and any(pattern.pattern.text == "COMMON" for pattern in patterns):
                self.common = output
            return
        if isinstance(statement, Data):
            if output.name == DISCARD:
                return
            created = output.created
            self._mention(statement)
            output.put_data(writable=self._is_older)
            output.statements.append((len(output.inputs), statement))
            if not created:
                self._entered(output)
        elif isinstance(statement, Assignment | Assertion | Fill) or (
            isinstance(statement, Marker) and statement.keyword != "CONSTRUCTORS"
        ):
            self._make(output)
            self._mention(statement)
            output.statements.append((len(output.inputs), statement))

    def _make(self, output: Output) -> None:
        if not output.created and output.name != DISCARD:
            output.create(_FLAGS.get(output.kind, 0) if self.is_new else 0)
            self._entered(output)

    def _make_named(self, name: str) -> None:
        output = self.find(name)
        if output is not None:
            self._make(output)

    def _entered(self, output: Output) -> None:
        if output not in self.made:
            self.made.append(output)
        if output.node is not None:
            for expression in (output.node.address, output.node.load_address):
                if expression is not None:
                    self._mention(expression)

    def _mention(self, node: Node) -> None:
        for part in walk(node):
            if isinstance(part, Call) and part.function in ("ADDR", "LOADADDR"):
                for argument in part.arguments:
                    if isinstance(argument, Word):
                        self._make_named(argument.text)

    def _insert(self) -> None:
        """Move the outputs ahead of each INSERT to where it says."""
        moving: list[Output] = []
        for node in self._steps:
            if isinstance(node, OutputSection):
                moving.append(self._outputs[id(node)])
            elif isinstance(node, Insert):
                where = self._insertion_point(node, moving)
                if where is not False:
                    self._move(moving, where)
                moving = []

    def _insertion_point(self, node: Insert, moving: list[Output]) -> Output | bool | None:
        """The output to insert behind, None for the very beginning, False if ld does not find it."""
        ahead = set(moving)
        candidates = self.by_name.get(node.section.text, ())
        where = next((output for output in candidates if output.constraint >= 0 and output not in ahead), None)
        if where is None:
            return False
        if node.keyword.endswith("BEFORE"):
            found = self.order.before[where]
            while found is not None and (found.constraint < 0 or found in ahead):
                found = self.order.before[found]
            return found
        return where

    def _move(self, moving: list[Output], where: Output | bool | None) -> None:
        if not moving or isinstance(where, bool):
            return
        for output in moving:
            self.order.remove(output)
        behind = where
        for output in moving:
            self.order.insert(output, behind)
            behind = output
        made = [output for output in moving if output in self.made]
        anchor = self.last_made(where)
        if not made or (anchor is None and not self.is_new) or anchor is made[-1]:
            return
        for output in made:
            self.made.remove(output)
        at: Output | None = anchor
        for output in made:
            self.made.insert(output, at)
            at = output

    def insert(self, new: Output, behind: Output | None) -> None:
        """Put an orphan's output behind another one, and into the listing where ld takes that to end.

        Assignments to the location counter ahead of an output section are taken to belong to it, but for the first of
        all, and for those ahead of one that has no address (ldlang.c: insert_os_after).
        """
        self.order.insert(new, behind)
        first = behind is None
        chosen: Output | Node | None = None
        last: Output | Node | None = behind
        at = self.listing.after[behind]
        while at is not None and not isinstance(at, Output):
            if chosen is None and isinstance(at, Assignment) and at.target.text == ".":
                if not first:
                    chosen = at
                first = False
            last = at
            at = self.listing.after[at]
        if chosen is not None and at is not None and (not at.created or not at.has_input or at.flags & ALLOC):
            last = self.listing.before[chosen]
        self.listing.insert(new, last)

    def last_made(self, output: Output | None) -> Output | None:
        """The output itself if it was made, else the closest one ahead of it that was (output_prev_sec_find)."""
        if output is None or output.created:
            return output
        output = self.order.before[output]
        while output is not None and not (output.created and output.constraint >= 0):
            output = self.order.before[output]
        return output


def overlay_symbols(member: str) -> tuple[Assignment, Assignment]:
    """What ld puts behind a member of an overlay: PROVIDE of the ends of its load (lang_leave_overlay_section)."""
    clean = "".join(letter for letter in member if letter.isascii() and (letter.isalnum() or letter == "_"))
    place = Call("LOADADDR", (Word(member, start=0, end=0),), start=0, end=0)
    size = Call("SIZEOF", (Word(member, start=0, end=0),), start=0, end=0)
    end = Binary("+", place, size, start=0, end=0)
    return (
        Assignment(Word(f"__load_start_{clean}", start=0, end=0), "=", place, "PROVIDE", start=0, end=0),
        Assignment(Word(f"__load_stop_{clean}", start=0, end=0), "=", end, "PROVIDE", start=0, end=0),
    )


def _top(statements: Iterable[Node], members: set[int]) -> Iterator[Node]:
    """What stands at top level, in SECTIONS, in GROUPs and in OVERLAYs; ids of members of overlays go to `members`."""
    pending = [flat(statements)]
    while pending:
        node = next(pending[-1], None)
        if node is None:
            pending.pop()
        elif isinstance(node, Sections | SectionGroup):
            pending.append(flat(node.statements))
        elif isinstance(node, Overlay):
            members.update(map(id, node.sections))
            pending.append(iter(node.sections))
        else:
            yield node
