"""The syntax tree back to text: a script that parses to the same tree.

What a word is depends on the lexical state it is read in, so blanks are put where GNU ld needs them, and parentheses
around the few expressions whose first word would be read differently outside of an expression. Comments are not in the
tree and so are not printed.
"""

from __future__ import annotations

from collections.abc import Iterable

from ldcheck.script import lexer
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Binary,
    Call,
    Command,
    Conditional,
    Data,
    Expression,
    FilePattern,
    Fill,
    Include,
    InputFile,
    InputFiles,
    InputSectionDescription,
    Insert,
    Marker,
    Memory,
    MemoryRegion,
    Name,
    Node,
    Number,
    OutputSection,
    Overlay,
    ProgramHeader,
    ProgramHeaders,
    Script,
    SectionClass,
    SectionGroup,
    SectionPattern,
    Sections,
    SectionType,
    Unary,
    Version,
    VersionNode,
    VersionPattern,
    Word,
)

_PRIORITY = lexer.PRIORITY
_CONDITIONAL, _UNARY, _ATOM = 0, 11, 12
_INDENT = "    "


def print_tree(script: Script) -> str:
    """The script as text. Files that INCLUDE pulled in stay in their own files."""
    return "\n".join(_separated(script.statements, 0, in_body=False)) + "\n" if script.statements else ""


def print_expression(expression: Expression) -> str:
    """An expression as text, with the parentheses that it needs and no others. Any depth."""
    parts: list[str] = []
    pending: list[str | Expression | Word] = [expression]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            parts.append(item)
        elif isinstance(item, Word):
            parts.append(_word(item))
        elif isinstance(item, Number):
            parts.append(f"{item.value:#x}" if item.text[-1:] in "gG" else item.text)
        elif isinstance(item, Name):
            parts.append(f'"{item.name}"' if item.quoted else item.name)
        else:
            pending.extend(reversed(_operator_parts(item)))
    return "".join(parts)


def _operator_parts(node: Unary | Binary | Conditional | Call) -> list[str | Expression | Word]:
    """An expression as a row of texts and operands."""
    if isinstance(node, Binary):
        priority = _PRIORITY[node.operator]
        return [
            *_operand(node.left, priority),
            f" {node.operator} ",
            *_operand(node.right, priority + 1),
        ]
    if isinstance(node, Unary):
        return [node.operator, *_operand(node.operand, _UNARY)]
    if isinstance(node, Conditional):
        return [*_operand(node.test, _CONDITIONAL + 1), " ? ", node.yes, " : ", node.no]
    if not node.arguments:
        return [node.function]
    parts: list[str | Expression | Word] = [node.function, " ("]
    for number, argument in enumerate(node.arguments):
        if number:
            parts.append(" , " if _open_word(node.arguments[number - 1]) else ", ")
        parts.append(argument)
    parts.append(")")
    return parts


def _open_word(item: Expression | Word) -> bool:
    """Whether a comma directly behind it would be read as a part of it."""
    return isinstance(item, Word) and not item.quoted


def _operand(node: Expression, least: int) -> list[str | Expression | Word]:
    if isinstance(node, Binary):
        priority = _PRIORITY[node.operator]
    elif isinstance(node, Conditional):
        priority = _CONDITIONAL
    elif isinstance(node, Unary):
        priority = _UNARY
    else:
        priority = _ATOM
    return [node] if priority >= least else ["(", node, ")"]


def _word(word: Word) -> str:
    return f'"{word.text}"' if word.quoted else word.text


def _words(words: Iterable[Word]) -> str:
    return " ".join(map(_word, words))


def _header_address(address: Expression) -> str:
    """The address in a header, whose first token GNU ld reads in the state SCRIPT."""
    text = print_expression(address)
    first: Expression = address
    while isinstance(first, Binary | Conditional):
        first = first.left if isinstance(first, Binary) else first.test
    if text[0] == "(" or text[0] == '"':
        return text
    if isinstance(first, Unary):
        return f"{text[0]} {text[1:]}"
    matched = lexer.SCRIPT.match(text)
    if isinstance(first, Name):
        same = matched is not None and matched[1] == first.name and first.name not in lexer.SCRIPT_KEYWORDS
        return text if same else f"({text})"
    if isinstance(first, Number):
        return text if matched is not None and matched[3] == first.text else f"({text})"
    return text


def _separated(statements: Iterable[Node], depth: int, *, in_body: bool) -> list[str]:
    """The lines of statements. A comma ends a fill whose next word would be read as a part of it, or differently."""
    lines: list[str] = []
    open_end = False
    for statement in statements:
        printed = _statement(statement, depth, in_body)
        if open_end and not _safe_behind_expression(printed[0]):
            lines[-1] += ","
        lines.extend(printed)
        open_end = (isinstance(statement, OutputSection | Overlay) and statement.fill is not None) or isinstance(
            statement, MemoryRegion
        )
    return lines


def _safe_behind_expression(line: str) -> bool:
    matched = lexer.EXPRESSION.match(line)
    if matched is None:
        return False
    word = matched[1]
    return (word is not None and word not in lexer.EXPRESSION_KEYWORDS) or line.lstrip()[:1] == '"'


def _statement(node: Node, depth: int, in_body: bool) -> list[str]:
    pad = _INDENT * depth
    if isinstance(node, Assignment):
        text = f"{_word(node.target)} {node.operator} {print_expression(node.value)}"
        return [f"{pad}{node.keyword} ({text});" if node.keyword else f"{pad}{text};"]
    if isinstance(node, InputSectionDescription):
        return [pad + _input_sections(node)]
    if isinstance(node, OutputSection):
        return _output_section(node, depth)
    if isinstance(node, Assertion):
        end = ";" if in_body else ""
        return [f"{pad}ASSERT ({print_expression(node.condition)}, {_word(node.message)}){end}"]
    if isinstance(node, Data):
        if isinstance(node.value, Word):
            return [f"{pad}{node.keyword} {_word(node.value)}"]
        return [f"{pad}{node.keyword} ({print_expression(node.value)})"]
    if isinstance(node, Fill):
        return [f"{pad}FILL ({print_expression(node.value)})"]
    if isinstance(node, Marker):
        return [f"{pad}SORT_BY_NAME ({node.keyword})" if node.sorted else pad + node.keyword]
    if isinstance(node, Include):
        return [f"{pad}INCLUDE {_word(node.path)}"]
    if isinstance(node, Overlay):
        return _overlay(node, depth)
    if isinstance(node, Sections):
        return _block(node.keyword, node.statements, depth)
    if isinstance(node, SectionGroup):
        address = f" {print_expression(node.address)}" if node.address is not None else ""
        kind = f" {_section_type(node.type)}" if node.type is not None else ""
        return _block(f"GROUP{address}{kind} :", node.statements, depth)
    if isinstance(node, SectionClass):
        return _block(f"CLASS ({_word(node.name)})", node.statements, depth, in_body=True)
    return _top_level(node, depth)


def _top_level(node: Node, depth: int) -> list[str]:
    pad = _INDENT * depth
    if isinstance(node, Command):
        if node.keyword in ("NOCROSSREFS", "NOCROSSREFS_TO", "HLL", "SYSLIB"):
            blank = " , " if node.keyword == "SYSLIB" else " "
            first = ", " if node.keyword == "SYSLIB" and node.arguments else ""
            return [f"{pad}{node.keyword} ({first}{blank.join(map(_word, node.arguments))})"]
        if not node.arguments:
            return [pad + node.keyword + (" ()" if node.keyword in ("HLL", "SYSLIB") else "")]
        joint = " " if node.keyword == "EXTERN" else " , "
        return [f"{pad}{node.keyword} ({joint.join(map(_word, node.arguments))})"]
    if isinstance(node, InputFiles):
        return [f"{pad}{node.keyword} ({_files(node.files)})"]
    if isinstance(node, Insert):
        return [f"{pad}INSERT {node.keyword} {_word(node.section)}"]
    if isinstance(node, Memory):
        return _block("MEMORY", node.statements, depth)
    if isinstance(node, MemoryRegion):
        attributes = f" ({node.attributes.text})" if node.attributes is not None else ""
        origin, length = print_expression(node.origin), print_expression(node.length)
        return [f"{pad}{_word(node.name)}{attributes} : ORIGIN = {origin}, LENGTH = {length}"]
    if isinstance(node, ProgramHeaders):
        return [f"{pad}PHDRS", f"{pad}{{", *(_program_header(header, depth + 1) for header in node.headers), f"{pad}}}"]
    if isinstance(node, Version):
        return [
            f"{pad}VERSION",
            f"{pad}{{",
            *(line for item in node.nodes for line in _version_node(item, depth + 1)),
            f"{pad}}}",
        ]
    raise TypeError(f"no statement of a linker script: {type(node).__name__}")


def _block(head: str, statements: Iterable[Node], depth: int, *, in_body: bool = False) -> list[str]:
    pad = _INDENT * depth
    return [pad + head, f"{pad}{{", *_separated(statements, depth + 1, in_body=in_body), f"{pad}}}"]


def _output_section(node: OutputSection, depth: int) -> list[str]:
    pad = _INDENT * depth
    head = [_word(node.name)]
    if node.address is not None:
        head.append(_header_address(node.address))
    if node.type is not None:
        head.append(_section_type(node.type))
    head.append(":")
    if node.load_address is not None:
        head.append(f"AT ({print_expression(node.load_address)})")
    if node.align is not None:
        head.append(f"ALIGN ({print_expression(node.align)})")
    if node.align_with_input:
        head.append("ALIGN_WITH_INPUT")
    if node.subalign is not None:
        head.append(f"SUBALIGN ({print_expression(node.subalign)})")
    if node.constraint:
        head.append(node.constraint)
    return [
        pad + " ".join(head),
        f"{pad}{{",
        *_separated(node.statements, depth + 1, in_body=True),
        f"{pad}}}{_placement(node)}",
    ]


def _section_type(node: SectionType) -> str:
    if node.value is None:
        return f"({node.keyword})"
    if node.keyword == "READONLY":
        return f"(READONLY (TYPE = {print_expression(node.value)}))"
    return f"(TYPE = {print_expression(node.value)})"


def _placement(node: OutputSection | Overlay) -> str:
    parts = []
    if node.region is not None:
        parts.append(f" > {_word(node.region)}")
    if node.load_region is not None:
        parts.append(f" AT> {_word(node.load_region)}")
    parts.extend(f" :{_word(header)}" for header in node.phdrs)
    if node.fill is not None:
        parts.append(f" = {print_expression(node.fill)}")
    return "".join(parts)


def _overlay(node: Overlay, depth: int) -> list[str]:
    pad, inner = _INDENT * depth, _INDENT * (depth + 1)
    head = ["OVERLAY"]
    if node.address is not None:
        head.append(print_expression(node.address))
    head.append(":")
    if node.nocrossrefs:
        head.append("NOCROSSREFS")
    if node.load_address is not None:
        head.append(f"AT ({print_expression(node.load_address)})")
    if node.subalign is not None:
        head.append(f"SUBALIGN ({print_expression(node.subalign)})")
    lines = [pad + " ".join(head), f"{pad}{{"]
    open_end = False
    for section in node.sections:
        name = _word(section.name)
        if open_end and not _safe_behind_expression(name):
            lines[-1] += ","
        lines += [
            inner + name,
            f"{inner}{{",
            *_separated(section.statements, depth + 2, in_body=True),
            f"{inner}}}{_placement(section)}",
        ]
        open_end = section.fill is not None
    lines.append(f"{pad}}}{_placement(node)}")
    return lines


def _input_sections(node: InputSectionDescription) -> str:
    flags = f"INPUT_SECTION_FLAGS ({' & '.join(map(_word, node.flags))}) " if node.flags else ""
    if node.section_class is not None:
        text = f"CLASS ({_word(node.section_class)})"
    else:
        patterns = " ".join(map(_pattern, node.patterns)) if node.patterns is not None else None
        if node.file is None:
            text = f"[ {patterns} ]"
        elif patterns is None:
            text = _pattern(node.file)
        else:
            text = f"{_pattern(node.file)}({patterns})"
    return f"KEEP ({flags}{text})" if node.keep else flags + text


def _pattern(node: SectionPattern | FilePattern) -> str:
    exclude = f"EXCLUDE_FILE ({_words(node.exclude)}) " if node.exclude else ""
    return "".join(f"{sort}(" for sort in node.sorts) + exclude + _word(node.pattern) + ")" * len(node.sorts)


def _files(files: Iterable[InputFile]) -> str:
    parts: list[str] = []
    inside = False
    for file in files:
        if file.as_needed != inside:
            parts.append("AS_NEEDED (" if file.as_needed else ")")
            inside = file.as_needed
        parts.append(("-l" if file.library else "") + _word(file.name))
    if inside:
        parts.append(")")
    return " ".join(parts)


def _program_header(node: ProgramHeader, depth: int) -> str:
    parts = [_word(node.name), print_expression(node.type)]
    if node.filehdr:
        parts.append("FILEHDR")
    if node.phdrs:
        parts.append("PHDRS")
    if node.at is not None:
        parts.append(f"AT ({print_expression(node.at)})")
    if node.flags is not None:
        parts.append(f"FLAGS ({print_expression(node.flags)})")
    return f"{_INDENT * depth}{' '.join(parts)};"


def _version_node(node: VersionNode, depth: int) -> list[str]:
    pad = _INDENT * depth
    name = f"{_word(node.name)} " if node.name is not None else ""
    depends = f" {_words(node.depends)}" if node.depends else ""
    lines = [f"{pad}{name}{{"]
    for label, patterns in (("global", node.global_patterns), ("local", node.local_patterns)):
        if patterns:
            lines.append(f"{pad}{_INDENT}{label}:")
            lines.extend(f"{pad}{_INDENT * 2}{line}" for line in _version_patterns(patterns))
    lines.append(f"{pad}}}{depends};")
    return lines


def _version_patterns(patterns: Iterable[VersionPattern]) -> list[str]:
    lines: list[str] = []
    for pattern in patterns:
        text = _word(pattern.pattern)
        lines.append(f'extern "{pattern.language}" {{ {text}; }};' if pattern.language else f"{text};")
    return lines
