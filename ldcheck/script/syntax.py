"""The syntax tree of a linker script, in the terms of the GNU ld manual's chapter "Linker Scripts".

Every node has `start` and `end`, offsets into the `SourceMap` of the parse. Names keep the text as written, without
quotes; whether there were quotes is kept, because linkers differ there. Blank statements (`;`) and parentheses leave no
node. Nodes are frozen: whatever is found out about a node is kept elsewhere, by identity.

The generated `__eq__` and `__repr__` of dataclasses are switched off throughout: generating them for forty classes took
a third of the start-up time of a hook, and recursive ones would overflow on a long expression.
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.record import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Node:
    """Anything that stands in a script. `start` and `end` are offsets, `end` behind the last character.

    Nodes are compared and hashed by identity; `same` compares trees.
    """

    start: int
    end: int

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in content(type(self)))
        return f"{type(self).__name__}({shown})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Word(Node):
    """A name, pattern or string as one token, without its quotes."""

    text: str
    quoted: bool = False


# Expressions ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Number(Node):
    """A number; `value` is what the linker reads (64 bits), `text` how it was written."""

    value: int
    text: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Name(Node):
    """A symbol's value, or the location counter (`.`)."""

    name: str
    quoted: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Unary(Node):
    """`-x`, `~x`, `!x`, `+x`."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Binary(Node):
    """Two operands and the operator between them, as in C."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Conditional(Node):
    """`test ? yes : no`."""

    test: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Call(Node):
    """A builtin function (manual: "Builtin Functions"), or ASSERT used as a value.

    Operands that name something (`SIZEOF(.text)`, `ORIGIN(ram)`, `CONSTANT(MAXPAGESIZE)`, `SEGMENT_START("text", x)`,
    ASSERT's message) are `Word`s, values are expressions. SIZEOF_HEADERS has no operands.
    """

    function: str
    arguments: tuple[Expression | Word, ...]


Expression = Number | Name | Unary | Binary | Conditional | Call


# Statements that may stand in several places --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Assignment(Node):
    """`symbol = expression`, with any operator of C; `keyword` is PROVIDE, HIDDEN, PROVIDE_HIDDEN or empty."""

    target: Word
    operator: str
    value: Expression
    keyword: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Assertion(Node):
    """`ASSERT(condition, message)` as a statement."""

    condition: Expression
    message: Word


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Command(Node):
    """A command whose operands are plain names: ENTRY, OUTPUT_FORMAT, EXTERN, NOCROSSREFS, REGION_ALIAS, ..."""

    keyword: str
    arguments: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Include(Node):
    """`INCLUDE path`. `statements` are those of the file (their spans lie in that file); None if it was not found."""

    path: Word
    statements: tuple[Node, ...] | None = None


# Top level ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InputFile(Node):
    """A file in INPUT or GROUP; `library` for the form `-lname`, `as_needed` inside AS_NEEDED()."""

    name: Word
    library: bool = False
    as_needed: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InputFiles(Node):
    """`INPUT(...)` or `GROUP(...)`."""

    keyword: str
    files: tuple[InputFile, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MemoryRegion(Node):
    """One line of MEMORY: `name (attributes) : ORIGIN = origin, LENGTH = length`."""

    name: Word
    attributes: Word | None
    origin: Expression
    length: Expression


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Memory(Node):
    """`MEMORY { ... }`."""

    statements: tuple[MemoryRegion | Include, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ProgramHeader(Node):
    """One line of PHDRS."""

    name: Word
    type: Expression
    filehdr: bool = False
    phdrs: bool = False
    at: Expression | None = None
    flags: Expression | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ProgramHeaders(Node):
    """`PHDRS { ... }`."""

    headers: tuple[ProgramHeader, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class VersionPattern(Node):
    """One symbol pattern of a version node; `language` is the `extern "C++"` it stands in, or empty."""

    pattern: Word
    language: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class VersionNode(Node):
    """A node of a VERSION script; an anonymous one has no name."""

    name: Word | None
    global_patterns: tuple[VersionPattern, ...]
    local_patterns: tuple[VersionPattern, ...]
    depends: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Version(Node):
    """`VERSION { ... }`."""

    nodes: tuple[VersionNode, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Insert(Node):
    """`INSERT AFTER section` or `INSERT BEFORE section`."""

    keyword: str
    section: Word


# Inside SECTIONS ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FilePattern(Node):
    """The file part of an input section description: `*`, `*b.o`, `lib.a:x.o`, `EXCLUDE_FILE(f) *`, `SORT(*)`.

    `sorts` are the keywords as written, outermost first.
    """

    pattern: Word
    exclude: tuple[Word, ...] = ()
    sorts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SectionPattern(Node):
    """One section pattern of an input section description; `sorts` are the keywords as written, outermost first."""

    pattern: Word
    exclude: tuple[Word, ...] = ()
    sorts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InputSectionDescription(Node):
    """`*(.text .text.*)`, `KEEP(...)`, a bare file name (`patterns` is None: all its sections), or `CLASS(name)`.

    `flags` are the operands of INPUT_SECTION_FLAGS, `!` included. For CLASS(name), `section_class` is the name, and
    `file` and `patterns` are None.
    """

    file: FilePattern | None
    patterns: tuple[SectionPattern, ...] | None
    keep: bool = False
    flags: tuple[Word, ...] = ()
    section_class: Word | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Data(Node):
    """BYTE, SHORT, LONG, QUAD, SQUAD with a value, or ASCIZ with a string."""

    keyword: str
    value: Expression | Word


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fill(Node):
    """`FILL(expression)`."""

    value: Expression


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Marker(Node):
    """CONSTRUCTORS, SORT_BY_NAME(CONSTRUCTORS), CREATE_OBJECT_SYMBOLS or LINKER_VERSION; `sorted` for the second."""

    keyword: str
    sorted: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SectionType(Node):
    """The part in parentheses of a header: NOLOAD, READONLY, DSECT, COPY, INFO, OVERLAY, and `TYPE = value`."""

    keyword: str
    value: Expression | None = None


Statement = Assignment | Assertion | InputSectionDescription | Data | Fill | Marker | Include | Command


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OutputSection(Node):
    """An output section description (manual: "Output Section Description"), also as a member of an OVERLAY.

    `constraint` is ONLY_IF_RO, ONLY_IF_RW, SPECIAL or empty. `body_start` and `body_end` are the offsets of the braces.
    """

    name: Word
    statements: tuple[Statement, ...]
    body_start: int
    body_end: int
    address: Expression | None = None
    type: SectionType | None = None
    load_address: Expression | None = None
    align: Expression | None = None
    align_with_input: bool = False
    subalign: Expression | None = None
    constraint: str = ""
    region: Word | None = None
    load_region: Word | None = None
    phdrs: tuple[Word, ...] = ()
    fill: Expression | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Overlay(Node):
    """`OVERLAY start : NOCROSSREFS AT(...) { section { ... } ... } >region`."""

    sections: tuple[OutputSection, ...]
    address: Expression | None = None
    nocrossrefs: bool = False
    load_address: Expression | None = None
    subalign: Expression | None = None
    region: Word | None = None
    load_region: Word | None = None
    phdrs: tuple[Word, ...] = ()
    fill: Expression | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SectionGroup(Node):
    """`GROUP address (type) : { ... }` inside SECTIONS, which GNU ld's grammar has and its manual does not."""

    statements: tuple[SectionsStatement, ...]
    address: Expression | None = None
    type: SectionType | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SectionClass(Node):
    """`CLASS(name) { input section descriptions }`, in the dialect of lld."""

    name: Word
    statements: tuple[InputSectionDescription | Include, ...]


SectionsStatement = OutputSection | Overlay | SectionGroup | SectionClass | Assignment | Assertion | Include | Command


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sections(Node):
    """`SECTIONS { ... }`, or lld's `OVERWRITE_SECTIONS { ... }`."""

    statements: tuple[SectionsStatement, ...]
    keyword: str = "SECTIONS"


TopLevel = (
    Sections | Memory | ProgramHeaders | Version | InputFiles | Insert | Assignment | Assertion | Include | Command
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Script(Node):
    """A whole linker script."""

    statements: tuple[TopLevel, ...]


# What does not count when trees are compared: where a node stands, and how a number was written.
_PLACES = frozenset({"start", "end", "body_start", "body_end"})


_CONTENTS: dict[type, tuple[str, ...]] = {}


def content(kind: type[Node]) -> tuple[str, ...]:
    """The names of the fields of a kind of node that hold what was said, in the order of the script."""
    names = _CONTENTS.get(kind)
    if names is None:
        names = tuple(declared.name for declared in fields(kind) if declared.name not in _PLACES)
        _CONTENTS[kind] = names
    return names


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below `node`, in the order of the declaration."""
    return reversed(_below(node))


def walk(node: Node) -> Iterator[Node]:
    """`node` and all nodes below it, parents first; any depth."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending += _below(current)


_INNER: dict[type, tuple[str, ...]] = {}


def _below(node: Node) -> list[Node]:
    """The nodes directly below `node`, the last one first."""
    kind = type(node)
    names = _INNER.get(kind)
    if names is None:
        plain = ("str", "bool", "int")
        names = tuple(one.name for one in reversed(fields(kind)) if one.name in content(kind) and one.type not in plain)
        _INNER[kind] = names
    found: list[Node] = []
    for name in names:
        value = getattr(node, name)
        if isinstance(value, tuple):
            found += [item for item in reversed(value) if isinstance(item, Node)]
        elif isinstance(value, Node):
            found.append(value)
    return found


def statements(node: Node) -> Iterator[Node]:
    """The statements below `node`, those of INCLUDEd files among them, in the order of the script; no expressions."""
    pending: list[Node] = [node]
    while pending:
        current = pending.pop()
        if current is not node:
            yield current
        below = getattr(current, "sections" if isinstance(current, Overlay) else "statements", None)
        if below:
            pending.extend(reversed(below))


def same(one: Node, other: Node) -> bool:
    """Whether two trees say the same: equal but for places and for how numbers were written; any depth."""
    pending: list[tuple[object, object]] = [(one, other)]
    while pending:
        left, right = pending.pop()
        if type(left) is not type(right):
            return False
        if isinstance(left, Number) and isinstance(right, Number):
            if left.value != right.value:
                return False
        elif isinstance(left, Node) and isinstance(right, Node):
            pending.extend((getattr(left, name), getattr(right, name)) for name in content(type(left)))
        elif isinstance(left, tuple) and isinstance(right, tuple):
            if len(left) != len(right):
                return False
            pending.extend(zip(left, right, strict=True))
        elif left != right:
            return False
    return True
