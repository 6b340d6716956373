"""What of the language not every linker reads, or reads as another number or name: where it stands in a script.

The words alone tell it; the names are those of `ldcheck.script.differences`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from ldcheck.script.environment import Environment
from ldcheck.script.expressions import constant, evaluate
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Binary,
    Call,
    Command,
    Data,
    InputSectionDescription,
    Insert,
    Marker,
    Node,
    Number,
    OutputSection,
    Overlay,
    SectionClass,
    SectionGroup,
    Sections,
    Unary,
    Word,
    children,
    walk,
)
from ldcheck.source import SourceMap

_OLD_COMMANDS = frozenset(("FORCE_COMMON_ALLOCATION", "HLL", "LD_FEATURE", "STARTUP", "SYSLIB"))
_TYPES = {"DSECT": "dsect", "READONLY": "readonly-type", "TYPE": "section-type"}
_FUNCTIONS = {"BLOCK": "block", "NEXT": "next"}
_DATA = {"ASCIZ": "asciz", "SQUAD": "squad"}
_COMMENTS = re.compile(r'/\*.*?\*/|"[^"\n]*"|(?<!\S)#[^\n]*', re.DOTALL)
_LINE_MARKER = re.compile(r"#(?:line)? [0-9]")
_NAMING = frozenset(("ADDR", "ALIGNOF", "LOADADDR", "SIZEOF"))
_WILD = frozenset("*?[")
_OCTAL = re.compile(r"0[0-7]+")
_NAME_LIKE = re.compile(r"[a-fA-F][0-9a-fA-F]*[bBdDhHoOxX]?")

# More statements than people write in one script, with all of its configurations.
_KEPT = 1 << 14

Found = tuple[str, Node]


@lru_cache(maxsize=_KEPT)
def constructs(statement: Node) -> tuple[Found, ...]:
    """The constructs of a statement by name, each with the part that it is; not those that stand in its body.

    What is kept is kept by the identity of the statement, which the configurations of a script share.
    """
    return tuple(_of_statement(statement))


def _of_statement(statement: Node) -> Iterator[Found]:
    if isinstance(statement, OutputSection):
        yield from _of_section(statement)
    elif isinstance(statement, Overlay):
        yield from _of_overlay(statement)
    elif isinstance(statement, SectionGroup):
        yield "group-sections", statement
    elif isinstance(statement, SectionClass):
        yield "section-class", statement.name
    elif isinstance(statement, Sections) and statement.keyword == "OVERWRITE_SECTIONS":
        yield "overwrite-sections", statement
    elif isinstance(statement, Insert):
        yield "insert", statement
    elif isinstance(statement, Command):
        if statement.keyword in _OLD_COMMANDS:
            yield "old-command", statement
        elif statement.keyword == "NOCROSSREFS":
            yield "nocrossrefs", statement
    elif isinstance(statement, Data) and statement.keyword in _DATA:
        yield _DATA[statement.keyword], statement
    elif isinstance(statement, Marker) and statement.keyword == "LINKER_VERSION":
        yield "linker-version", statement
    elif isinstance(statement, Assignment) and statement.operator == "^=":
        yield "exclusive-or-assignment", statement
    elif isinstance(statement, InputSectionDescription):
        yield from _of_inputs(statement)
    inside = getattr(statement, "sections" if isinstance(statement, Overlay) else "statements", None) or ()
    body = {id(node) for node in inside}
    for child in children(statement):
        if id(child) not in body:
            yield from _in_expression(child)


def hash_comment(sources: SourceMap) -> Word | None:
    """The first comment that begins with #; line markers of the preprocessor are none."""
    base = 0
    for source in sources.sources:
        if sources.find(base)[2] is None:
            for found in _COMMENTS.finditer(source.text):
                if found[0].startswith("#") and not _LINE_MARKER.match(found[0]):
                    return Word(found[0], start=base + found.start(), end=base + found.start() + 1)
        base += len(source.text) + 1
    return None


def _of_section(section: OutputSection) -> Iterator[Found]:
    if section.name.quoted:
        yield "quoted-name", section.name
    if section.type is not None and section.type.keyword in _TYPES:
        yield _TYPES[section.type.keyword], section.type
    if section.align_with_input:
        yield "align-with-input", section.name
    if section.constraint == "SPECIAL":
        yield "special", section.name


def _of_overlay(overlay: Overlay) -> Iterator[Found]:
    if overlay.nocrossrefs:
        yield "overlay-nocrossrefs", overlay
    if overlay.address is None or overlay.load_address is None:
        yield "overlay-address", overlay
    if overlay.address is not None and len(overlay.sections) > 1 and constant(overlay.address) is None:
        yield "overlay-moving", overlay.address
    if overlay.region is not None:
        yield "overlay-region", overlay.region
    for section in overlay.sections:
        for node in section.statements:
            if isinstance(node, Data):
                yield "overlay-data", node
            elif isinstance(node, Assertion):
                yield "overlay-assert", node
            elif not isinstance(node, InputSectionDescription):
                yield "overlay-statements", node
            elif node.keep:
                yield "overlay-keep", node


def _of_inputs(statement: InputSectionDescription) -> Iterator[Found]:
    file, patterns = statement.file, statement.patterns or ()
    of_files = (file.pattern, *file.exclude) if file is not None else ()
    for word in (*of_files, *(word for one in patterns for word in one.exclude)):
        if word.quoted and not _WILD.isdisjoint(word.text):
            yield "quoted-file", word
    if file is not None and file.sorts:
        yield ("reverse-files" if "REVERSE" in file.sorts else "sorted-files"), file
    if (statement.keep or statement.flags) and file is not None and not patterns:
        yield "bare-file", file
    if file is not None and file.exclude and patterns:
        yield ("exclude-kept" if statement.keep else "exclude-outside"), file
    if file is not None and file.pattern.text[:1] == ":" and not _WILD.intersection(file.pattern.text):
        yield "colon-file", file
    elif file is not None and patterns and not _WILD.intersection(file.pattern.text) and ":" not in file.pattern.text:
        yield "file-of-member", file
    for one, following in pairwise(patterns):
        if one.exclude and not following.exclude:
            yield "exclude-list", one
            break
    for one in patterns:
        if "REVERSE" in one.sorts:
            yield "reverse", one
        if "," in one.pattern.text and not one.pattern.quoted:
            yield "comma-list", one.pattern


def _in_expression(expression: Node) -> Iterator[Found]:
    for part in walk(expression):
        if isinstance(part, Number):
            yield from _of_number(part)
        elif isinstance(part, Binary):
            if part.operator == "^":
                yield "exclusive-or", part
            elif part.operator in ("/", "%") and (_is_negative(part.left) or _is_negative(part.right)):
                yield "signed-division", part
        elif isinstance(part, Call):
            yield from _of_call(part)


def _of_number(number: Number) -> Iterator[Found]:
    if _OCTAL.fullmatch(number.text):
        if int(number.text) != number.value:
            yield "octal", number
    elif number.text.startswith("$"):
        yield "dollar-number", number
    elif _NAME_LIKE.fullmatch(number.text):
        yield "hexadecimal-name", number


def _of_call(call: Call) -> Iterator[Found]:
    first, last = (call.arguments[0], call.arguments[-1]) if call.arguments else (None, None)
    if call.function in _FUNCTIONS:
        yield _FUNCTIONS[call.function], call
    elif call.function == "SIZEOF_HEADERS":
        yield "headers-size", call
    elif call.function in _NAMING and isinstance(first, Word) and first.quoted:
        yield "quoted-name", first
    elif call.function == "ALIGN" and last is not None and not isinstance(last, Word):
        value = evaluate(last, Environment()).number
        if value and value & (value - 1):
            yield "odd-align", call


def _is_negative(operand: Node) -> bool:
    return isinstance(operand, Unary) and operand.operator == "-" and isinstance(operand.operand, Number)
