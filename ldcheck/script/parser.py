"""The parser of linker scripts: text to syntax tree, in the language of GNU ld up to binutils 2.45.

What counts here, in this order: the same verdict as GNU ld on every text; all errors in one run, each with what was
expected; speed. It is a recursive descent along ldgram.y. Each step says in which lexical state the next token is to
be read, and these are the states that GNU ld is in at that moment, down to where its parser has read one token ahead
before it changes the state. Expressions are parsed with a stack of their own, so that no nesting and no length of a
chain makes the parser recurse.

It leaves out what GNU ld finds wrong only when it links (an undefined symbol, a missing region), and scripts in
MRI form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ldcheck.script import hints, lexer
from ldcheck.script.dialect import GNU, Dialect
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
from ldcheck.script.versions import Versions
from ldcheck.source import Origin, Source, SourceMap

Includer = Callable[[str, str], Source | None]

# GNU ld's own limits: YYMAXDEPTH of its parser, MAX_INCLUDE_DEPTH of its lexer (the script itself is the first).
_MAX_DEPTH = 9_980
_MAX_INCLUDES = 10
# GNU ld nests GROUP deeper; nobody does.
_MAX_GROUPS = 100
# A text that is no script at all is not reported token by token.
_MAX_PROBLEMS = 200

# Kinds of tokens that are not their own text.
_NAME, _NUMBER, _END = "name", "number", "end of file"
_ATOMS = frozenset({_NAME, _NUMBER})

_ASSIGNMENTS = frozenset({"=", "+=", "-=", "*=", "/=", "<<=", ">>=", "&=", "|=", "^="})
_PRIORITY = lexer.PRIORITY
_UNARY = frozenset("-+!~")
# Functions of values with the least and the greatest number of operands, and functions of a name.
_VALUE_FUNCTIONS = {
    "ABSOLUTE": (1, 1),
    "ALIGN": (1, 2),
    "BLOCK": (1, 1),
    "DATA_SEGMENT_ALIGN": (2, 2),
    "DATA_SEGMENT_END": (1, 1),
    "DATA_SEGMENT_RELRO_END": (2, 2),
    "LOG2CEIL": (1, 1),
    "MAX": (2, 2),
    "MIN": (2, 2),
    "NEXT": (1, 1),
}
_SCRIPT_NAME_FUNCTIONS = frozenset({"ADDR", "ALIGNOF", "LENGTH", "LOADADDR", "ORIGIN", "SIZEOF"})
_SYMBOL_FUNCTIONS = frozenset({"CONSTANT", "DEFINED"})
_OPERAND_KEYWORDS = (
    _VALUE_FUNCTIONS.keys() | _SCRIPT_NAME_FUNCTIONS | _SYMBOL_FUNCTIONS | {"ASSERT", "SEGMENT_START", "SIZEOF_HEADERS"}
)
_TYPES = frozenset({"NOLOAD", "DSECT", "COPY", "INFO", "OVERLAY", "READONLY", "TYPE"})
_CONSTRAINTS = frozenset({"ONLY_IF_RO", "ONLY_IF_RW", "SPECIAL"})
_PROVIDES = frozenset({"PROVIDE", "PROVIDE_HIDDEN", "HIDDEN"})
_DATA = frozenset({"BYTE", "SHORT", "LONG", "QUAD", "SQUAD"})
_SORTS = frozenset({"SORT_BY_NAME", "SORT_BY_ALIGNMENT", "SORT_NONE", "SORT_BY_INIT_PRIORITY"})
_TOP_KEYWORDS = frozenset({"SECTIONS", "MEMORY", "PHDRS"})
# PT_ names and what they mean (ELF specification, and GNU's own).
_HEADER_TYPES = {
    "PT_NULL": 0,
    "PT_LOAD": 1,
    "PT_DYNAMIC": 2,
    "PT_INTERP": 3,
    "PT_NOTE": 4,
    "PT_SHLIB": 5,
    "PT_PHDR": 6,
    "PT_TLS": 7,
    "PT_GNU_EH_FRAME": 0x6474E550,
    "PT_GNU_STACK": 0x6474E551,
    "PT_GNU_RELRO": 0x6474E552,
    "PT_GNU_PROPERTY": 0x6474E553,
}
_REGION_ATTRIBUTES = frozenset("!AaRrWwXxLlIi")


@dataclass(frozen=True, slots=True, eq=False)
class Diagnostic:
    """An error or a warning on a script, with the span that it is about.

    `expected` is what could have stood there; `hint` says what to do; `since` is the binutils version that learned the
    construct, for those that GNU ld 2.40 does not have. `related` are spans that explain it, with a label each.
    """

    start: int
    end: int
    message: str
    expected: str = ""
    hint: str = ""
    severity: str = "error"
    since: str = ""
    related: tuple[tuple[int, int, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Parse:
    """A parsed script. The tree holds what could be understood, also of a text with errors."""

    tree: Script
    sources: SourceMap
    problems: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """Whether GNU ld would read the script: no problem is an error."""
        return all(problem.severity != "error" for problem in self.problems)


@dataclass(frozen=True, slots=True, eq=False)
class ParsedExpression:
    """An expression that stood alone, such as one in a policy. None if it has an error."""

    expression: Expression | None
    sources: SourceMap
    problems: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """Whether it is an expression of the linker's language."""
        return self.expression is not None and all(problem.severity != "error" for problem in self.problems)


def parse(
    source: Source,
    *,
    origin: Origin | None = None,
    sources: SourceMap | None = None,
    include: Includer | None = None,
    dialect: Dialect = GNU,
) -> Parse:
    """Parse a linker script. Never raises; what is wrong is in the result.

    `include` is asked for each INCLUDE with the path and the name of the including file, and returns the file or None.
    `sources` is the address space that the spans are to lie in; a new one if not given.
    """
    sources = SourceMap() if sources is None else sources
    base = sources.add(source, origin)
    parser = _Parser(source, base, sources, include, dialect)
    return Parse(parser.script(), sources, tuple(parser.problems))


def parse_expression(text: str, *, giga: bool = False, name: str = "<expression>") -> ParsedExpression:
    """Parse one expression, such as the operand of a policy. With `giga`, numbers may end in G. Never raises."""
    sources = SourceMap()
    source = Source(name, text)
    parser = _Parser(source, sources.add(source), sources, None, GNU, giga=giga)
    expression = parser.lone_expression()
    return ParsedExpression(expression, sources, tuple(parser.problems))


class _SyntaxError(Exception):
    """Unwinds to where the parser goes on; what is wrong has been noted."""


class _Parser:
    """The state of one parse: the text, the current token, and what was found wrong.

    `kind` is the kind of the current token: its text for punctuation and keywords, else one of _NAME, _NUMBER, _END.
    `start` and `end` are its span, `last` the end of the token before it. `_text`, `_base` and `_at` are the file being
    read, its offset in the source map, and where the next token is looked for.
    """

    __slots__ = (
        "_at",
        "_bare_load",
        "_base",
        "_depth",
        "_dialect",
        "_folded",
        "_giga",
        "_include",
        "_includes",
        "_regions",
        "_script_keywords",
        "_source",
        "_sources",
        "_startup",
        "_text",
        "_versions",
        "_wild_keywords",
        "end",
        "kind",
        "last",
        "problems",
        "quoted",
        "start",
        "word",
    )

    def __init__(
        self,
        source: Source,
        base: int,
        sources: SourceMap,
        include: Includer | None,
        dialect: Dialect,
        *,
        giga: bool = False,
    ) -> None:
        self.problems: list[Diagnostic] = []
        self._sources = sources
        self._source = source
        self._text = source.text
        self._base = base
        self._at = 0
        self._include = include
        self._includes = 1
        self._dialect = dialect
        self._giga = giga
        self._regions: set[str] = set()
        self._folded: dict[int, int | None] = {}
        self._versions = Versions()
        self._bare_load = False
        self._startup = False
        self._depth = 0
        self._script_keywords = lexer.SCRIPT_KEYWORDS
        self._wild_keywords = lexer.WILD_KEYWORDS
        if dialect.commands:
            extra = {word: word for word in dialect.commands}
            self._script_keywords = lexer.SCRIPT_KEYWORDS | extra
            self._wild_keywords = lexer.WILD_KEYWORDS | {word: word for word in dialect.commands & {"CLASS"}}
        self.kind = _END
        self.word = ""
        self.quoted = False
        self.start = self.end = self.last = base

    # Tokens -----------------------------------------------------------------------------------------------------------

    def _read(self, pattern: lexer.State, keywords: dict[str, str]) -> None:
        """Make the next token the current one, read in the given lexical state."""
        while True:
            matched = pattern.match(self._text, self._at)
            assert matched is not None  # Every state matches anything, if only one character.
            group = matched.lastindex
            if group == 1:
                self.word = word = matched[1]
                self.kind = keywords.get(word, _NAME)
                self.quoted = False
            elif group == 2:
                self.word = self.kind = matched[2]
                self.quoted = False
            elif group is None:
                self.kind, self.word = _END, ""
                self.last = self.end
                self._at = matched.end()
                self.start = self.end = self._base + self._at
                return
            elif group == 3:
                self.kind, self.word = _NUMBER, matched[3]
            elif group == 4:
                self.kind, self.word = _NAME, matched[4]
                self.quoted = True
                self._at = matched.end()
                self.last = self.end
                self.start = self._base + matched.start(4) - 1
                self.end = self._base + self._at
                return
            elif group == 5:
                self._skipped(matched.start(5))
                self._at = matched.end()
                continue
            else:
                self._unclosed(matched.start(6))
                continue
            self.last = self.end
            self._at = at = matched.end()
            self.end = self._base + at
            self.start = self._base + matched.start(group)
            return

    def _script(self) -> None:
        self._read(lexer.SCRIPT, self._script_keywords)

    def _expression(self) -> None:
        self._read(lexer.EXPRESSION, lexer.EXPRESSION_KEYWORDS)
        while self.kind == "^":
            self._skipped(self.start - self._base)
            self._read(lexer.EXPRESSION, lexer.EXPRESSION_KEYWORDS)

    def _operator(self) -> None:
        """Read what stands behind an operand. There `^` is an operator if an operand follows."""
        self._read(lexer.EXPRESSION, lexer.EXPRESSION_KEYWORDS)
        if self.kind == "^" and not self._operand_follows():
            self._skipped(self.start - self._base)
            self._expression()

    def _operand_follows(self) -> bool:
        matched = lexer.EXPRESSION.match(self._text, self._at)
        if matched is None:
            return False
        group = matched.lastindex
        if group == lexer.NAME:
            word = matched[1]
            return lexer.EXPRESSION_KEYWORDS.get(word, "ABSOLUTE") in _OPERAND_KEYWORDS
        return group in (lexer.NUMBER, lexer.QUOTED) or (group == lexer.PUNCTUATION and matched[2] in "(-+!~")

    def _wild(self) -> None:
        self._read(lexer.WILD, self._wild_keywords)

    def _reread_name(self, read: Callable[[], None]) -> None:
        """Read the current token again in another state if it is a name: GNU ld read it ahead in the wrong one."""
        if self.kind == _NAME:
            self._at = self.start - self._base
            self.end = self.last
            read()

    # Problems ---------------------------------------------------------------------------------------------------------

    def _report(
        self,
        start: int,
        end: int,
        message: str,
        *,
        expected: str = "",
        hint: str = "",
        severity: str = "error",
        since: str = "",
        related: tuple[tuple[int, int, str], ...] = (),
    ) -> None:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(Diagnostic(start, end, message, expected, hint, severity, since, related))

    def _warn(self, start: int, end: int, message: str, *, hint: str = "", since: str = "") -> None:
        self._report(start, end, message, hint=hint, severity="warning", since=since)

    def _fail(self, expected: str, *, hint: str = "", related: tuple[tuple[int, int, str], ...] = ()) -> _SyntaxError:
        """Note a syntax error at the current token, and return the exception to raise."""
        shown = "end of the file" if self.kind == _END else f"`{hints.shorten(self._token())}`"
        message = f"syntax error at {shown}: expected {expected}"
        hint = hint or hints.for_error(self._text, self.start - self._base, self.end - self._base)
        self._report(self.start, self.end, message, expected=expected, hint=hint, related=related)
        return _SyntaxError()

    def _token(self) -> str:
        return self._text[self.start - self._base : self.end - self._base]

    def _skipped(self, at: int) -> None:
        """A character that the lexical state has no rule for: GNU ld skips it, in a list of files without a word."""
        start = self._base + at
        if self.problems:
            before = self.problems[-1]
            if before.end == start and before.message.startswith("GNU ld skips"):
                self.problems[-1] = Diagnostic(before.start, start + 1, before.message, severity="warning")
                return
        self._warn(start, start + 1, "GNU ld skips what it cannot read here", hint=hints.for_skipped(self._text, at))

    def _unclosed(self, at: int) -> None:
        """A comment without an end: GNU ld reads no further."""
        nul = self._text.find("\0", at)
        hint = "a NUL character ends a comment's text" if nul >= 0 else ""
        start = self._base + at
        self._report(start, start + 2, "the comment has no end", expected="`*/`", hint=hint)
        self._at = len(self._text)

    def _want(self, kind: str, read: Callable[[], None], expected: str = "") -> None:
        """The current token must be `kind`; go on to the next one."""
        if self.kind != kind:
            raise self._fail(expected or f"`{kind}`")
        read()

    def _take_word(self, read: Callable[[], None], expected: str) -> Word:
        """The current token must be a name; go on to the next one."""
        if self.kind != _NAME:
            raise self._fail(expected)
        word = Word(self.word, self.quoted, start=self.start, end=self.end)
        read()
        return word

    def _recover(self, read: Callable[[], None], inside: bool) -> None:
        """Skip to where a statement can begin: behind `;` or a body, at the `}` that closes the list (`inside`)."""
        depth = 0
        while self.kind != _END:
            kind = self.kind
            if kind == ";" and not depth:
                read()
                return
            if kind == "{":
                depth += 1
            elif kind == "}":
                if not depth and inside:
                    return
                depth -= 1
                if depth <= 0:
                    read()
                    return
            elif not depth and not inside and kind in _TOP_KEYWORDS:
                return
            read()

    # Top level --------------------------------------------------------------------------------------------------------

    def script(self) -> Script:
        """The whole text as a script."""
        statements: list[Node] = []
        self._script()
        self._top_level(statements)
        return Script(tuple(statements), start=self._base, end=self._base + len(self._text))  # type: ignore[arg-type]

    def lone_expression(self) -> Expression | None:
        """The whole text as one expression."""
        self._expression()
        try:
            value = self._value()
            if self.kind != _END:
                raise self._fail("an operator or the end of the expression")
        except _SyntaxError:
            return None
        return value

    def _top_level(self, statements: list[Node]) -> None:
        """Statements up to the end of the file."""
        while self.kind != _END:
            if self.kind == ";":
                self._script()
                continue
            before = self._at
            try:
                statements.append(self._top_statement())
            except _SyntaxError:
                self._recover(self._script, inside=False)
                if self._at == before and self.kind != _END:
                    self._script()

    def _top_statement(self) -> Node:
        kind, start = self.kind, self.start
        statement = self._anywhere()
        if statement is not None:
            return statement
        if kind == "SECTIONS" or kind == "OVERWRITE_SECTIONS":
            return self._sections()
        if kind == "MEMORY":
            return self._memory()
        if kind == "PHDRS":
            return self._program_headers()
        if kind == "VERSION":
            return self._version()
        if kind in ("INPUT", "GROUP"):
            self._script()
            return self._input_files(kind, start)
        if kind == "INCLUDE":
            return self._include_here(self._script, self._top_level)
        if kind == "INSERT":
            self._script()
            keyword = self.kind
            if keyword not in ("AFTER", "BEFORE"):
                raise self._fail("AFTER or BEFORE")
            self._script()
            section = self._take_word(self._script, "the name of an output section")
            return Insert(keyword, section, start=start, end=section.end)
        handler = _TOP_COMMANDS.get(kind)
        if handler is None:
            raise self._fail("a command or an assignment")
        return handler(self, kind, start)

    def _no_operand(self, keyword: str, start: int) -> Command:
        self._script()
        return Command(keyword, (), start=start, end=self.last)

    def _one_operand(self, keyword: str, start: int) -> Command:
        self._script()
        self._want("(", self._script)
        operand = self._take_word(self._script, "a name")
        self._want(")", self._script)
        if keyword == "STARTUP":
            if self._startup:
                self._report(start, self.last, "GNU ld refuses a second STARTUP")
            self._startup = True
        elif keyword == "LD_FEATURE":
            for feature in operand.text.replace(",", " ").split():
                if feature.upper() != "SANE_EXPR":
                    self._report(operand.start, operand.end, f"GNU ld knows no feature `{hints.shorten(feature)}`")
        return Command(keyword, (operand,), start=start, end=self.last)

    def _output_format(self, keyword: str, start: int) -> Command:
        self._script()
        self._want("(", self._script)
        operands = [self._take_word(self._script, "the name of a format")]
        if self.kind == ",":
            self._script()
            operands.append(self._take_word(self._script, "the name of the big-endian format"))
            self._want(",", self._script)
            operands.append(self._take_word(self._script, "the name of the little-endian format"))
        self._want(")", self._script, "`,` or `)`")
        return Command(keyword, tuple(operands), start=start, end=self.last)

    def _region_alias(self, keyword: str, start: int) -> Command:
        self._script()
        self._want("(", self._script)
        alias = self._take_word(self._script, "the alias")
        self._want(",", self._script)
        region = self._take_word(self._script, "the name of a memory region")
        self._want(")", self._script)
        if "*default*" in (alias.text, region.text):
            self._report(alias.start, region.end, "there is no alias of the default memory region")
        elif alias.text in self._regions:
            self._report(alias.start, alias.end, f"there is a memory region `{hints.shorten(alias.text)}` already")
        elif region.text not in self._regions:
            self._warn(
                region.start,
                region.end,
                f"memory region `{region.text}` is not declared above: GNU ld refuses the alias",
            )
        self._regions.add(alias.text)
        return Command(keyword, (alias, region), start=start, end=self.last)

    def _name_list(self, keyword: str, start: int) -> Command:
        """NOCROSSREFS, NOCROSSREFS_TO, HLL and SYSLIB: names with commas between them, or none."""
        self._script()
        self._want("(", self._script)
        operands: list[Word] = []
        leading_comma = keyword == "SYSLIB"
        while self.kind == _NAME or (self.kind == "," and (operands or leading_comma)):
            if self.kind == ",":
                self._script()
                if self.kind != _NAME and (keyword == "SYSLIB" or keyword == "HLL" or self.kind == ","):
                    raise self._fail("a name")
                continue
            operands.append(self._take_word(self._script, "a name"))
        self._want(")", self._script, "a name or `)`")
        return Command(keyword, tuple(operands), start=start, end=self.last)

    def _extern(self, keyword: str, start: int) -> Command:
        self._script()
        self._want("(", self._expression)
        operands = [self._take_word(self._expression, "a symbol")]
        while self.kind != ")":
            if self.kind == ",":
                self._expression()
            operands.append(self._take_word(self._expression, "a symbol or `)`"))
        self._script()
        return Command(keyword, tuple(operands), start=start, end=self.last)

    def _input_files(self, keyword: str, start: int) -> InputFiles:
        if self.kind != "(":
            raise self._fail("`(`")
        self._list()
        files: list[InputFile] = []
        nested = 0
        fresh = True  # Nothing stands in this list yet.
        while True:
            if self.kind == "," and not fresh:
                self._list()
                if self.kind not in (_NAME, "AS_NEEDED"):
                    raise self._fail("a file")
            if self.kind == _NAME:
                text = self.word
                library = not self.quoted and text.startswith("-l")
                name = Word(text[2:] if library else text, self.quoted, start=self.start, end=self.end)
                files.append(InputFile(name, library, nested > 0, start=self.start, end=self.end))
                fresh = False
                self._list()
            elif self.kind == "AS_NEEDED":
                self._list()
                self._want("(", self._list)
                nested += 1
                fresh = True
                if nested * 3 > _MAX_DEPTH:
                    raise self._fail("less nesting", hint="GNU ld's parser runs out of memory here")
            elif self.kind == ")" and not fresh:
                if not nested:
                    self._script()
                    return InputFiles(keyword, tuple(files), start=start, end=self.last)
                nested -= 1
                self._list()
            else:
                raise self._fail("a file" if fresh else "a file or `)`")

    def _list(self) -> None:
        self._read(lexer.INPUTLIST, lexer.INPUTLIST_KEYWORDS)

    def _include_here(self, read: Callable[[], None], statements: Callable[[list[Node]], None]) -> Include:
        """INCLUDE: `statements` reads the other file to its end, `read` the token behind the path."""
        start = self.start
        read()
        if self.kind != _NAME:
            raise self._fail("the path of a file")
        path = Word(self.word, self.quoted, start=self.start, end=self.end)
        found = self._include(path.text, self._source.name) if self._include is not None else None
        content: tuple[Node, ...] | None = None
        if found is None:
            self._warn(path.start, path.end, f"cannot find the file `{hints.shorten(path.text)}`")
        elif self._includes >= _MAX_INCLUDES:
            self._report(path.start, path.end, "files include each other too deeply: GNU ld reads 10 at a time")
        else:
            saved = (self._source, self._text, self._base, self._at, self.end)
            self._source, self._text, self._at = found, found.text, 0
            self._base = self._sources.add(found)
            self._includes += 1
            self.end = self._base
            collected: list[Node] = []
            read()
            statements(collected)
            self._includes -= 1
            self._source, self._text, self._base, self._at, self.end = saved
            content = tuple(collected)
        read()
        return Include(path, content, start=start, end=path.end)

    # MEMORY, PHDRS, VERSION -------------------------------------------------------------------------------------------

    def _memory(self) -> Memory:
        start = self.start
        self._script()
        self._want("{", self._script)
        statements: list[Node] = []
        self._memory_list(statements)
        self._want("}", self._script, "a memory region or `}`")
        return Memory(tuple(statements), start=start, end=self.last)  # type: ignore[arg-type]

    def _memory_list(self, statements: list[Node]) -> None:
        """Regions up to `}` or the end of the file."""
        while self.kind not in ("}", _END):
            before = self._at
            try:
                if self.kind == "," and statements:
                    self._script()
                    if self.kind not in (_NAME, "INCLUDE"):
                        raise self._fail("a memory region")
                if self.kind == "INCLUDE":
                    statements.append(self._include_here(self._script, self._memory_list))
                else:
                    statements.append(self._memory_region())
            except _SyntaxError:
                self._recover(self._script, inside=True)
                if self._at == before and self.kind not in ("}", _END):
                    self._script()

    def _memory_region(self) -> MemoryRegion:
        name = self._take_word(self._script, "the name of a memory region")
        self._regions.add(name.text)
        attributes = self._region_attributes() if self.kind == "(" else None
        self._want(":", self._script, "`:`" if attributes else "`(` or `:`")
        self._want("ORIGIN", self._script)
        self._want("=", self._expression)
        origin = self._value()
        if self.kind == ",":
            self._script()
        self._want("LENGTH", self._script, "LENGTH")
        self._want("=", self._expression)
        length = self._value()
        end = self.last
        self._reread_name(self._script)
        return MemoryRegion(name, attributes, origin, length, start=name.start, end=end)

    def _region_attributes(self) -> Word:
        self._script()
        start = self.start
        parts: list[str] = []
        while True:
            sign = ""
            if self.kind == "!":
                sign = "!"
                self._script()
            if self.kind != _NAME:
                raise self._fail("attributes of the region" if sign or not parts else "attributes or `)`")
            if not _REGION_ATTRIBUTES.issuperset(self.word):
                wrong = next(letter for letter in self.word if letter not in _REGION_ATTRIBUTES)
                self._report(
                    self.start, self.end, f"`{wrong}` is no attribute of a region", expected="letters of RWXAIL!"
                )
            parts.append(sign + self.word)
            self._script()
            if self.kind == ")":
                break
        word = Word(" ".join(parts), False, start=start, end=self.last)
        self._script()
        return word

    def _program_headers(self) -> ProgramHeaders:
        start = self.start
        self._script()
        self._want("{", self._script)
        headers: list[ProgramHeader] = []
        while self.kind not in ("}", _END):
            before = self._at
            try:
                headers.append(self._program_header())
            except _SyntaxError:
                self._recover(self._script, inside=True)
                if self._at == before and self.kind not in ("}", _END):
                    self._script()
        self._want("}", self._script, "a program header or `}`")
        return ProgramHeaders(tuple(headers), start=start, end=self.last)

    def _program_header(self) -> ProgramHeader:
        name = self._take_word(self._expression, "the name of a program header")
        kind = self._value()
        self._check_header_type(kind)
        filehdr = phdrs = False
        at: Expression | None = None
        flags: Expression | None = None
        while self.kind in (_NAME, "AT"):
            word, start, end = self.word, self.start, self.end
            is_at = self.kind == "AT"
            self._expression()
            value: Expression | None = None
            if is_at or self.kind == "(":
                self._want("(", self._expression)
                value = self._value()
                self._want(")", self._expression)
            if is_at:
                at = value if at is None else at
            elif word == "FILEHDR" and value is None:
                filehdr = True
            elif word == "PHDRS" and value is None:
                phdrs = True
            elif word == "FLAGS" and value is not None:
                flags = value if flags is None else flags
            else:
                self._report(
                    start,
                    end,
                    f"`{hints.shorten(word)}` is no option of a program header",
                    expected="FILEHDR, PHDRS, AT(address) or FLAGS(flags)",
                )
        end = self.last
        self._want(";", self._script, "FILEHDR, PHDRS, AT(address), FLAGS(flags) or `;`")
        if _header_number(kind) == 1:
            if (filehdr or phdrs) and self._bare_load:
                message = "PT_LOAD cannot have FILEHDR or PHDRS when one above has neither"
                self._report(name.start, end, message)
            self._bare_load = self._bare_load or not (filehdr or phdrs)
        return ProgramHeader(name, kind, filehdr, phdrs, at, flags, start=name.start, end=end)

    def _check_header_type(self, kind: Expression) -> None:
        """The type of a program header: GNU ld wants to know it while it reads."""
        if isinstance(kind, Name):
            if kind.name not in _HEADER_TYPES:
                message = f"`{hints.shorten(kind.name)}` is no type of a program header"
                self._report(kind.start, kind.end, message, expected="PT_LOAD, another PT_ name of ELF, or a number")
        elif not isinstance(kind, Number):
            self._check_known(kind, "the type of a program header")

    def _version(self) -> Version:
        start = self.start
        self._read(lexer.VERSION_START, {})
        self._want("{", self._version_script)
        nodes: list[VersionNode] = []
        while True:
            before = self._at
            try:
                node = self._version_node()
                nodes.append(node)
                for place, message in self._versions.add(node):
                    self._report(place.start, place.end, message)
            except _SyntaxError:
                self._recover(self._version_script, inside=True)
                if self._at == before and self.kind not in ("}", _END):
                    self._version_script()
            if self.kind in ("}", _END):
                break
        self._want("}", self._script, "a version node or `}`")
        return Version(tuple(nodes), start=start, end=self.last)

    def _version_script(self) -> None:
        self._read(lexer.VERSION_SCRIPT, {})

    def _version_names(self) -> None:
        self._read(lexer.VERSION_NODE, lexer.VERSION_NODE_KEYWORDS)

    def _version_node(self) -> VersionNode:
        start, name = self.start, None
        if self.kind == _NAME:
            name = self._take_word(self._version_script, "")
        self._want("{", self._version_names, "a version node" if name is None else "`{`")
        exported: list[VersionPattern] = []
        local: list[VersionPattern] = []
        if self.kind == "global":
            keyword = (self.start, self.end)
            self._version_names()
            if self.kind == ":":
                self._version_names()
                self._version_patterns(exported)
                if self.kind == "local":
                    self._version_names()
                    self._want(":", self._version_names)
                    self._version_patterns(local)
            else:
                self._version_patterns(
                    exported,
                    VersionPattern(Word("global", start=keyword[0], end=keyword[1]), start=keyword[0], end=keyword[1]),
                )
        elif self.kind == "local":
            keyword = (self.start, self.end)
            self._version_names()
            if self.kind == ":":
                self._version_names()
                self._version_patterns(local)
            else:
                self._version_patterns(
                    exported,
                    VersionPattern(Word("local", start=keyword[0], end=keyword[1]), start=keyword[0], end=keyword[1]),
                )
        elif self.kind != "}":
            self._version_patterns(exported)
        self._want("}", self._version_script, "`}`")
        depends: list[Word] = []
        while name is not None and self.kind == _NAME:
            depends.append(self._take_word(self._version_script, ""))
        end = self.last
        self._want(";", self._version_script, "`;`" if depends or name is None else "`;` or the name of a version")
        return VersionNode(name, tuple(exported), tuple(local), tuple(depends), start=start, end=end)

    def _version_patterns(self, patterns: list[VersionPattern], first: VersionPattern | None = None) -> None:
        """Patterns up to what is none, the `;` behind the last one included. `first` has been read already."""
        languages: list[str] = []
        fresh = True
        if first is not None:
            patterns.append(first)
            fresh = False
        while True:
            if fresh:
                kind = self.kind
                if kind == "extern":
                    start, end = self.start, self.end
                    self._version_names()
                    if self.kind == _NAME and self.quoted:
                        languages.append(self.word)
                        if len(languages) * 5 > _MAX_DEPTH:
                            raise self._fail("less nesting", hint="GNU ld's parser runs out of memory here")
                        self._version_names()
                        self._want("{", self._version_names)
                        continue
                    word = Word("extern", start=start, end=end)
                elif kind in (_NAME, "global", "local"):
                    word = Word(self.word, self.quoted, start=self.start, end=self.end)
                    self._version_names()
                else:
                    raise self._fail("a symbol")
                language = languages[-1] if languages else ""
                patterns.append(VersionPattern(word, language, start=word.start, end=word.end))
                fresh = False
            elif self.kind == ";":
                self._version_names()
                if self.kind == "}" and languages:
                    continue
                if not languages and (self.kind == "}" or self._is_local_label()):
                    return
                fresh = True
            elif self.kind == "}" and languages:
                languages.pop()
                self._version_names()
            else:
                raise self._fail("`;`" if not languages else "`;` or `}`")

    def _is_local_label(self) -> bool:
        """Whether the current token is the `local` of `local:`."""
        if self.kind != "local":
            return False
        matched = lexer.VERSION_NODE.match(self._text, self._at)
        return matched is not None and matched[2] == ":"

    # Statements of several places -------------------------------------------------------------------------------------

    def _anywhere(self) -> Node | None:
        """ENTRY, ASSERT or an assignment at top level or directly in SECTIONS; None if it is something else."""
        kind, start = self.kind, self.start
        if kind == _NAME:
            name = Word(self.word, self.quoted, start=start, end=self.end)
            self._script()
            if self.kind in _ASSIGNMENTS:
                return self._assignment(name, self._script)
            raise self._fail("an assignment operator", hint=hints.for_name(name.text))
        if kind == "ASSERT":
            self._expression()
            return self._assertion(start, self._script)
        if kind in _PROVIDES:
            return self._provide(self._script)
        if kind == "ENTRY":
            return self._one_operand(kind, start)
        return None

    def _assignment(self, target: Word, read: Callable[[], None]) -> Assignment:
        """`target` has been read; the current token is the operator."""
        operator = self.kind
        if operator == "^=":
            self._warn(self.start, self.end, "`^=` needs binutils 2.42: older ones skip the `^`", since="2.42")
        self._expression()
        value = self._value()
        end = self.last
        self._separator(read)
        return Assignment(target, operator, value, "", start=target.start, end=end)

    def _separator(self, read: Callable[[], None]) -> None:
        """The `;` or `,` behind a statement. If it is missing at the end of a line, it is noted, and all goes on."""
        if self.kind == ";" or self.kind == ",":
            read()
            return
        error = self._fail("`;`")
        at = self.start - self._base
        if self.kind == _END or "\n" in self._text[self.last - self._base : at]:
            self._at = at
            self.end = self.last
            read()
            return
        raise error

    def _provide(self, read: Callable[[], None]) -> Assignment:
        keyword, start = self.kind, self.start
        read()
        self._want("(", read)
        target = self._take_word(read, "a symbol")
        self._want("=", self._expression)
        value = self._value()
        self._want(")", read, "an operator or `)`")
        end = self.last
        self._separator(read)
        return Assignment(target, "=", value, keyword, start=start, end=end)

    def _assertion(self, start: int, read: Callable[[], None]) -> Assertion:
        """The current token is the one behind ASSERT; `read` reads the one behind the `)`."""
        self._want("(", self._expression)
        condition = self._value()
        self._want(",", self._expression, "an operator or `,`")
        message = self._take_word(self._expression, "a message in quotes")
        if self.kind != ")":
            raise self._fail("`)`")
        read()
        return Assertion(condition, message, start=start, end=self.last)

    # SECTIONS ---------------------------------------------------------------------------------------------------------

    def _sections(self) -> Sections:
        start, keyword = self.start, self.kind
        self._script()
        self._want("{", self._script)
        statements: list[Node] = []
        self._sections_list(statements)
        self._want("}", self._script, "an output section or `}`")
        return Sections(tuple(statements), keyword, start=start, end=self.last)  # type: ignore[arg-type]

    def _sections_list(self, statements: list[Node]) -> None:
        """Statements up to `}` or the end of the file."""
        while self.kind not in ("}", _END):
            before = self._at
            try:
                statements.append(self._sections_statement())
            except _SyntaxError:
                self._recover(self._script, inside=True)
                if self._at == before and self.kind not in ("}", _END):
                    self._script()

    def _sections_statement(self) -> Node:
        kind = self.kind
        if kind == _NAME:
            name = Word(self.word, self.quoted, start=self.start, end=self.end)
            self._script()
            if self.kind in _ASSIGNMENTS:
                return self._assignment(name, self._script)
            return self._output_section(name)
        if kind == "OVERLAY":
            return self._overlay()
        if kind == "INCLUDE":
            return self._include_here(self._script, self._sections_list)
        if kind == "GROUP":
            return self._section_group()
        if kind == "CLASS":
            return self._section_class()
        statement = self._anywhere()
        if statement is None:
            hint = ""
            if kind == ";":
                hint = "no `;` may stand here: GNU ld takes it only behind an assignment, or inside an output section"
            raise self._fail("an output section, an assignment or `}`", hint=hint)
        return statement

    def _output_section(self, name: Word) -> OutputSection:
        """`name` has been read, and the token behind it in the state SCRIPT; all further ones are an expression's."""
        address, section_type = self._address_and_type(name)
        load_address = align = subalign = None
        with_input = False
        constraint = ""
        if self.kind == "AT":
            load_address = self._operand()
        if self.kind == "ALIGN":
            align = self._operand()
        if self.kind == "ALIGN_WITH_INPUT":
            with_input = True
            if align is not None:
                self._report(self.start, self.end, "ALIGN and ALIGN_WITH_INPUT exclude each other")
            self._expression()
        if self.kind == "SUBALIGN":
            subalign = self._operand()
        if self.kind in _CONSTRAINTS:
            constraint = self.kind
            self._wild()
        body_start = self.start
        if self.kind != "{":
            raise self._fail("`{`", hint=hints.HEADER)
        self._wild()
        statements: list[Node] = []
        self._body(statements)
        body_end = self.end
        self._want("}", self._script, "a statement or `}`")
        region, load_region, phdrs, fill, end = self._placement(with_regions=True)
        self._check_load_address(load_address, load_region)
        return OutputSection(
            name,
            tuple(statements),  # type: ignore[arg-type]
            body_start,
            body_end,
            address,
            section_type,
            load_address,
            align,
            with_input,
            subalign,
            constraint,
            region,
            load_region,
            phdrs,
            fill,
            start=name.start,
            end=end,
        )

    def _address_and_type(self, name: Word | None) -> tuple[Expression | None, SectionType | None]:
        """The header up to its colon: `address (TYPE) :`."""
        if self.kind == ":":
            self._expression()
            return None, None
        address: Expression | None = None
        section_type: SectionType | None = None
        if self.kind == "(":
            open_start = self.start
            self._expression()
            if self.kind in _TYPES or self.kind == ")":
                section_type = self._section_type(open_start)
                self._want(":", self._expression)
                return None, section_type
            address = self._value(opened=open_start)
        elif self.kind == "BIND":
            address = self._operand()
            if self.kind == "BLOCK":
                self._operand()
        else:
            if name is not None and self.kind == "{" and name.text.endswith(":") and not name.quoted:
                self._report(
                    self.start,
                    self.end,
                    "syntax error at `{`: expected `:`",
                    expected="`:`",
                    hint=f"write `{hints.shorten(name.text[:-1])} :`: outside of expressions `:` is part of a name",
                )
                return None, None
            address = self._value(hint=hints.for_name(name.text if name else ""))
        if self.kind == "(":
            open_start = self.start
            self._expression()
            section_type = self._section_type(open_start)
        self._want(":", self._expression, "an operator or `:`")
        return address, section_type

    def _section_type(self, start: int) -> SectionType | None:
        """The current token is the one behind the `(`."""
        if self.kind == ")":
            self._expression()
            return None
        keyword = self.kind
        if keyword not in _TYPES:
            raise self._fail("the type of an output section")
        self._expression()
        value: Expression | None = None
        if keyword == "TYPE":
            self._want("=", self._expression)
            value = self._value()
        elif keyword == "READONLY" and self.kind == "(":
            self._expression()
            self._want("TYPE", self._expression)
            self._want("=", self._expression)
            value = self._value()
            self._want(")", self._expression)
        self._want(")", self._expression)
        return SectionType(keyword, value, start=start, end=self.last)

    def _operand(self) -> Expression:
        """The current token is a keyword with one operand, as in AT(address)."""
        self._expression()
        self._want("(", self._expression)
        value = self._value()
        self._want(")", self._expression, "an operator or `)`")
        return value

    def _placement(
        self, *, with_regions: bool
    ) -> tuple[Word | None, Word | None, tuple[Word, ...], Expression | None, int]:
        """What stands behind a body: `>region AT>region :header =fill`, and the optional comma. Also where it ends."""
        region = load_region = None
        end = self.last
        if with_regions:
            if self.kind == ">":
                self._script()
                region = self._take_word(self._script, "the name of a memory region")
                self._regions.add(region.text)
                end = region.end
            if self.kind == "AT":
                self._script()
                self._want(">", self._script)
                load_region = self._take_word(self._script, "the name of a memory region")
                self._regions.add(load_region.text)
                end = load_region.end
        phdrs: list[Word] = []
        while self.kind == ":":
            self._script()
            phdrs.append(self._take_word(self._script, "the name of a program header"))
            end = phdrs[-1].end
        fill: Expression | None = None
        if self.kind == "=":
            self._expression()
            fill = self._fill()
            end = self.last
            self._reread_name(self._script)
        if self.kind == ",":
            self._script()
        elif self.kind in (">", ":", "=", "AT"):
            raise self._fail("the next statement", hint=hints.AFTER_BODY)
        return region, load_region, tuple(phdrs), fill, end

    def _check_load_address(self, address: Expression | None, region: Word | None) -> None:
        if address is not None and region is not None:
            self._report(region.start, region.end, "AT() and AT> exclude each other: there is one load address")

    def _fill(self) -> Expression:
        """The value of a fill, which GNU ld wants to know while it reads."""
        value = self._value()
        if type(value) is not Number:
            self._check_known(value, "the fill")
        return value

    def _check_known(self, value: Expression, what: str) -> None:
        """Note an error if the value is not known while the script is read."""
        from ldcheck.script.expressions import while_reading

        reason = while_reading(value, self._regions)
        if reason:
            self._report(value.start, value.end, f"{what} must be a constant: {reason}")

    def _overlay(self) -> Overlay:
        start = self.start
        self._expression()
        address = None if self.kind == ":" else self._value()
        self._want(":", self._expression, "an operator or `:`")
        nocrossrefs = False
        load_address = subalign = None
        if self.kind == "NOCROSSREFS":
            nocrossrefs = True
            self._expression()
        if self.kind == "AT":
            load_address = self._operand()
        if self.kind == "SUBALIGN":
            subalign = self._operand()
        self._want("{", self._script)
        sections: list[OutputSection] = []
        while self.kind not in ("}", _END):
            before = self._at
            try:
                sections.append(self._overlay_section())
            except _SyntaxError:
                self._recover(self._script, inside=True)
                if self._at == before and self.kind not in ("}", _END):
                    self._script()
        self._want("}", self._script, "an output section or `}`")
        region, load_region, phdrs, fill, end = self._placement(with_regions=True)
        self._check_load_address(load_address, load_region)
        return Overlay(
            tuple(sections),
            address,
            nocrossrefs,
            load_address,
            subalign,
            region,
            load_region,
            phdrs,
            fill,
            start=start,
            end=end,
        )

    def _overlay_section(self) -> OutputSection:
        name = self._take_word(self._wild, "the name of an output section")
        body_start = self.start
        self._want("{", self._wild)
        statements: list[Node] = []
        self._body(statements)
        body_end = self.end
        self._want("}", self._script, "a statement or `}`")
        _, _, phdrs, fill, end = self._placement(with_regions=False)
        return OutputSection(
            name,
            tuple(statements),  # type: ignore[arg-type]
            body_start,
            body_end,
            phdrs=phdrs,
            fill=fill,
            start=name.start,
            end=end,
        )

    def _section_group(self) -> SectionGroup:
        start = self.start
        self._depth += 1
        if self._depth > _MAX_GROUPS:
            raise self._fail("less nesting of GROUP")
        self._expression()
        address, section_type = self._address_and_type(None)
        # The token behind the colon is read as a script's again; it is a brace in either state.
        if address is None:
            self._report(start, self.last, "GROUP in SECTIONS needs an address: GNU ld crashes without one")
        self._want("{", self._script)
        statements: list[Node] = []
        self._sections_list(statements)
        self._want("}", self._script, "an output section or `}`")
        self._depth -= 1
        return SectionGroup(tuple(statements), address, section_type, start=start, end=self.last)  # type: ignore[arg-type]

    def _section_class(self) -> SectionClass:
        """CLASS(name) { input section descriptions }, of lld."""
        start = self.start
        self._script()
        self._want("(", self._script)
        name = self._take_word(self._script, "the name of a section class")
        self._want(")", self._script)
        if self.kind != "{":
            raise self._fail("`{`")
        self._wild()
        statements: list[Node] = []
        self._body(statements)
        self._want("}", self._script, "a statement or `}`")
        return SectionClass(name, tuple(statements), start=start, end=self.last)  # type: ignore[arg-type]

    # Inside an output section -----------------------------------------------------------------------------------------

    def _body(self, statements: list[Node]) -> None:
        """Statements up to `}` or the end of the file."""
        while True:
            kind = self.kind
            if kind == ";":
                self._wild()
                continue
            if kind == "}" or kind == _END:
                return
            before = self._at
            try:
                statements.append(self._statement(kind))
            except _SyntaxError:
                self._recover(self._wild, inside=True)
                if self._at == before and self.kind not in ("}", _END):
                    self._wild()

    def _statement(self, kind: str) -> Node:
        start = self.start
        if kind == _NAME:
            word, quoted, end = self.word, self.quoted, self.end
            self._wild()
            following = self.kind
            name = Word(word, quoted, start=start, end=end)
            if following == "(":
                if word == "REVERSE" and not quoted:
                    return self._reversed_files(name, (), start)
                file = FilePattern(name, start=start, end=end)
                return self._sections_of(file, (), start)
            if following in _ASSIGNMENTS:
                return self._assignment(name, self._wild)
            if following == _NAME and self.word == "^=" and not self.quoted:
                self.kind = "^="
                return self._assignment(name, self._wild)
            if word in _LATER and not quoted:
                later = self._later(name)
                if later is not None:
                    return later
            return self._whole_file(name, (), start)
        if kind == "KEEP":
            return self._keep()
        if kind in _PROVIDES:
            return self._provide(self._wild)
        if kind in _DATA:
            self._wild()
            self._want("(", self._expression)
            value = self._value()
            self._want(")", self._wild, "an operator or `)`")
            return Data(kind, value, start=start, end=self.last)
        if kind == "ASSERT":
            self._expression()
            assertion = self._assertion(start, self._expression)
            self._separator(self._wild)
            return assertion
        if kind == "FILL":
            self._wild()
            self._want("(", self._expression)
            value = self._fill()
            self._want(")", self._wild, "an operator or `)`")
            return Fill(value, start=start, end=self.last)
        if kind in ("CONSTRUCTORS", "CREATE_OBJECT_SYMBOLS"):
            self._wild()
            return Marker(kind, start=start, end=self.last)
        if kind == "INCLUDE":
            return self._include_here(self._wild, self._body)
        return self._input_sections(constructors=True)

    def _keep(self) -> InputSectionDescription:
        start = self.start
        self._wild()
        self._want("(", self._wild)
        kept = self._input_sections(constructors=False)
        assert isinstance(kept, InputSectionDescription)
        if self.kind != ")":
            raise self._fail("`)`", hint=hints.for_keep(self.kind))
        self._wild()
        return InputSectionDescription(
            kept.file, kept.patterns, True, kept.flags, kept.section_class, start=start, end=self.last
        )

    def _input_sections(self, *, constructors: bool) -> Node:
        """An input section description; with `constructors` also SORT(CONSTRUCTORS)."""
        start = self.start
        flags: tuple[Word, ...] = ()
        if self.kind == "INPUT_SECTION_FLAGS":
            flags = self._section_flags()
            constructors = False
        kind = self.kind
        if kind == "[":
            self._wild()
            patterns = self._patterns("]")
            return InputSectionDescription(None, patterns, False, flags, start=start, end=self.last)
        if kind == _NAME:
            name = self._take_word(self._wild, "")
            if self.kind == "(" and name.text == "REVERSE" and not name.quoted:
                return self._reversed_files(name, flags, start)
            if self.kind == "(":
                return self._sections_of(FilePattern(name, start=name.start, end=name.end), flags, start)
            return self._whole_file(name, flags, start)
        if kind == "EXCLUDE_FILE":
            file_start = self.start
            exclude = self._exclude()
            name = self._take_word(self._wild, "a file pattern")
            file = FilePattern(name, exclude, start=file_start, end=name.end)
            return self._sections_of(file, flags, start)
        if kind in ("SORT_BY_NAME", "SORT_NONE"):
            file_start, sort = self.start, self.word
            self._wild()
            self._want("(", self._wild)
            if constructors and kind == "SORT_BY_NAME" and self.kind == "CONSTRUCTORS":
                self._wild()
                self._want(")", self._wild)
                return Marker("CONSTRUCTORS", True, start=start, end=self.last)
            sorts: tuple[str, ...] = (sort,)
            if self._reverse_follows():
                self._reverse()
                sorts = (sort, "REVERSE")
            exclude = self._exclude() if self.kind == "EXCLUDE_FILE" else ()
            name = self._take_word(self._wild, "a file pattern")
            for _ in sorts:
                self._want(")", self._wild)
            file = FilePattern(name, exclude, sorts, start=file_start, end=self.last)
            return self._sections_of(file, flags, start)
        if kind == "CLASS":
            self._wild()
            self._want("(", self._wild)
            name = self._take_word(self._wild, "the name of a section class")
            self._want(")", self._wild)
            return InputSectionDescription(None, None, False, flags, name, start=start, end=self.last)
        raise self._fail("a statement" if constructors else "an input section description")

    def _reverse_follows(self) -> bool:
        """Whether the current token is REVERSE with a parenthesis behind it, which no older linker takes there."""
        if self.kind != _NAME or self.word != "REVERSE" or self.quoted:
            return False
        matched = lexer.WILD.match(self._text, self._at)
        return matched is not None and matched[2] == "("

    def _reverse(self) -> None:
        """The current token is the REVERSE of a pattern; go on behind its parenthesis."""
        self._warn(self.start, self.end, "REVERSE needs binutils 2.42", since="2.42")
        self._wild()
        self._wild()

    def _reversed_files(self, name: Word, flags: tuple[Word, ...], start: int) -> InputSectionDescription:
        """REVERSE(files)(sections); `name` is the REVERSE, the current token the parenthesis.

        Up to binutils 2.41, REVERSE(sections) is the sections of a file of that name.
        """
        saved = (self._at, self.end, self.last, len(self.problems))
        self._wild()
        sorts = ["REVERSE"]
        if self.kind == "SORT_BY_NAME":
            sorts.append(self.word)
            self._wild()
            self._want("(", self._wild)
        exclude = self._exclude() if self.kind == "EXCLUDE_FILE" else ()
        if self.kind == _NAME:
            pattern = self._take_word(self._wild, "")
            if self.kind == ")":
                for _ in sorts:
                    self._want(")", self._wild)
                if self.kind == "(":
                    self._warn(name.start, name.end, "REVERSE needs binutils 2.42", since="2.42")
                    file = FilePattern(pattern, exclude, tuple(sorts), start=name.start, end=self.last)
                    return self._sections_of(file, flags, start)
        self._at, self.end, self.last, problems = saved
        del self.problems[problems:]
        self.kind = "("
        return self._sections_of(FilePattern(name, start=name.start, end=name.end), flags, start)

    def _later(self, name: Word) -> Node | None:
        """ASCIZ and LINKER_VERSION, which binutils 2.40 and older take for files. `name` has been read."""
        if name.text == "LINKER_VERSION":
            self._warn(name.start, name.end, "LINKER_VERSION needs binutils 2.41: older ones read a file", since="2.41")
            return Marker(name.text, start=name.start, end=name.end)
        if self.kind != _NAME:
            return None
        self._warn(name.start, name.end, "ASCIZ needs binutils 2.41: older ones read files", since="2.41")
        text = self._take_word(self._wild, "")
        return Data(name.text, text, start=name.start, end=text.end)

    def _whole_file(self, name: Word, flags: tuple[Word, ...], start: int) -> InputSectionDescription:
        """A file of which all sections are meant."""
        if not name.quoted:
            hint = hints.for_file(name.text)
            if hint:
                self._warn(
                    name.start, name.end, f"`{hints.shorten(name.text)}` is read as the name of a file", hint=hint
                )
        file = FilePattern(name, start=name.start, end=name.end)
        return InputSectionDescription(file, None, False, flags, start=start, end=name.end)

    def _section_flags(self) -> tuple[Word, ...]:
        self._wild()
        self._want("(", self._wild)
        flags = [self._take_word(self._wild, "a section flag")]
        while self.kind == "&":
            self._wild()
            flags.append(self._take_word(self._wild, "a section flag"))
        self._want(")", self._wild, "`&` or `)`")
        return tuple(flags)

    def _exclude(self) -> tuple[Word, ...]:
        self._wild()
        self._want("(", self._wild)
        names = [self._take_word(self._wild, "a file pattern")]
        while self.kind == _NAME:
            names.append(self._take_word(self._wild, ""))
        self._want(")", self._wild, "a file pattern or `)`")
        return tuple(names)

    def _sections_of(self, file: FilePattern, flags: tuple[Word, ...], start: int) -> InputSectionDescription:
        self._want("(", self._wild, "`(`")
        patterns = self._patterns(")")
        return InputSectionDescription(file, patterns, False, flags, start=start, end=self.last)

    def _patterns(self, close: str) -> tuple[SectionPattern, ...]:
        """Section patterns up to `close`."""
        patterns: list[SectionPattern] = []
        while True:
            kind = self.kind
            if kind == _NAME:
                if self.word == "REVERSE" and self._reverse_follows():
                    patterns.append(self._section_pattern())
                    continue
                start, end = self.start, self.end
                patterns.append(
                    SectionPattern(Word(self.word, self.quoted, start=start, end=end), start=start, end=end)
                )
                self._wild()
            elif kind == close and patterns:
                self._wild()
                return tuple(patterns)
            elif kind == "EXCLUDE_FILE" or kind in _SORTS:
                patterns.append(self._section_pattern())
            else:
                raise self._fail(f"a section pattern or `{close}`" if patterns else "a section pattern")

    def _section_pattern(self) -> SectionPattern:
        """A section pattern with EXCLUDE_FILE or in SORTs."""
        start = self.start
        sorts: list[str] = []
        kinds: list[str] = []
        while True:
            kind = "REVERSE" if self._reverse_follows() else self.kind
            if kind != "REVERSE" and kind not in _SORTS:
                break
            if kinds and kind not in _INSIDE_SORT.get(" ".join(kinds), _NOTHING):
                raise self._fail("a section pattern", hint=hints.SORT_NESTING)
            kinds.append(kind)
            sorts.append(self.word)
            if kind == "REVERSE":
                self._reverse()
            else:
                self._wild()
                self._want("(", self._wild)
        exclude = self._exclude() if self.kind == "EXCLUDE_FILE" else ()
        if exclude and self.kind in _SORTS:
            raise self._fail("a section pattern", hint=hints.EXCLUDE_INSIDE)
        word = self._take_word(self._wild, "a section pattern")
        for _ in sorts:
            if self.kind != ")":
                raise self._fail("`)`", hint=hints.SORT_ONE if self.kind == _NAME else "")
            self._wild()
        return SectionPattern(word, exclude, tuple(sorts), start=start, end=self.last)

    # Expressions ------------------------------------------------------------------------------------------------------

    def _value(self, *, opened: int | None = None, hint: str = "") -> Expression:
        """An expression. The current token is its first; behind it, that is the first one that does not belong to it.

        `opened` is the offset of a `(` that has been read already. Operators wait on `stack`, each entry with what it
        needs: a parenthesis, a unary operator, a function with its operands so far, a binary operator with its left
        operand, or the parts of `?:`.
        """
        kind = self.kind
        if opened is None and kind in _ATOMS:
            node = self._atom()
            if self.kind in _VALUE_END:
                return node
            return self._longer(node, node.start, [], 0)
        stack: list[_Pending] = []
        depth = 0
        if opened is not None:
            stack.append(("(", opened, None, None, 0))
            depth = 1
        return self._longer(None, 0, stack, depth, hint)

    def _atom(self) -> Expression:
        """A name or a number."""
        start, end = self.start, self.end
        if self.kind == _NAME:
            name: Expression = Name(self.word, self.quoted, start=start, end=end)
            self._operator()
            return name
        text = self.word
        value = lexer.number(text)
        if not text[0].isdigit() and text[0] != "$":
            self._warn(
                start,
                end,
                f"`{text}` is the number {value} for GNU ld 2.40 and older",
                hint="write the name in quotes, or the number with 0x",
            )
        self._operator()
        if self._giga and self.kind == _NAME and self.word in ("G", "g") and self.start == end:
            value = value << 30 & lexer.MAX
            end = self.end
            text += self.word
            self._operator()
        return Number(value, text, start=start, end=end)

    def _longer(
        self, node: Expression | None, start: int, stack: list[_Pending], depth: int, hint: str = ""
    ) -> Expression:
        """The rest of an expression, of which `node` has been read if it is not None."""
        while True:
            # An operand, with what stands in front of it.
            while node is None:
                kind = self.kind
                if kind in _ATOMS:
                    start = self.start
                    node = self._atom()
                elif kind == "(":
                    stack.append(("(", self.start, None, None, 0))
                    depth += 1
                    self._expression()
                elif kind in _UNARY:
                    stack.append(("unary", self.start, kind, None, 0))
                    depth += 1
                    self._expression()
                elif kind in _VALUE_FUNCTIONS or kind == "ASSERT":
                    stack.append(("call", self.start, kind, [], 0))
                    depth += 2
                    self._expression()
                    self._want("(", self._expression)
                elif kind == "SEGMENT_START":
                    begin = self.start
                    self._script()
                    self._want("(", self._script)
                    name = self._take_word(self._expression, "the name of a segment")
                    self._want(",", self._expression)
                    stack.append(("call", begin, kind, [name], 0))
                    depth += 5
                else:
                    start = self.start
                    node = self._name_call(hint)
                if depth > _MAX_DEPTH:
                    raise self._fail("less nesting", hint="GNU ld's parser runs out of memory here")
            # What stands behind an operand.
            while stack and stack[-1][0] == "unary":
                _, start, operator, _, _ = stack.pop()
                depth -= 1
                node = Unary(operator, node, start=start, end=self.last)  # type: ignore[arg-type]
            kind = self.kind
            priority = _PRIORITY.get(kind, 0)
            if priority:
                if kind == "^":
                    self._warn(self.start, self.end, "`^` needs binutils 2.42: older ones skip it", since="2.42")
                while stack and stack[-1][4] >= priority:
                    node, start = self._combine(stack.pop(), node)
                    depth -= 2
                stack.append(("binary", start, kind, node, priority))
                depth += 2
                node = None
                self._expression()
            elif kind == "?":
                while stack and stack[-1][4]:
                    node, start = self._combine(stack.pop(), node)
                    depth -= 2
                stack.append(("?", start, None, node, 0))
                depth += 2
                node = None
                self._expression()
            else:
                while stack and stack[-1][0] in ("binary", ":"):
                    depth -= 2 if stack[-1][0] == "binary" else 4
                    node, start = self._combine(stack.pop(), node)
                if not stack:
                    return node
                top = stack[-1]
                if top[0] == "?":
                    if kind != ":":
                        raise self._fail("an operator or `:`")
                    stack[-1] = (":", top[1], top[3], node, 0)  # type: ignore[assignment]
                    depth += 2
                    node = None
                    self._expression()
                elif top[0] == "(":
                    if kind != ")":
                        raise self._fail("an operator or `)`", hint="", related=((top[1], top[1] + 1, "opened here"),))
                    stack.pop()
                    depth -= 1
                    start = top[1]
                    self._operator()
                else:
                    node, start = self._call_operand(stack, node)
                    if node is not None:
                        depth -= 2

    def _combine(self, pending: _Pending, right: Expression) -> tuple[Expression, int]:
        form, start, first, second, _ = pending
        if form == "binary":
            node: Expression = Binary(first, second, right, start=start, end=self.last)  # type: ignore[arg-type]
            if (first == "/" or first == "%") and type(right) is not Name:
                self._check_division(node)
        else:
            node = Conditional(first, second, right, start=start, end=self.last)  # type: ignore[arg-type]
        return node, start

    def _check_division(self, node: Expression) -> None:
        """GNU ld folds constants while it reads, and a division by zero then stops it."""
        assert isinstance(node, Binary)
        if isinstance(node.right, Number) and node.right.value:
            return
        from ldcheck.script.expressions import constant

        if constant(node.right, self._folded) == 0 and constant(node.left, self._folded) is not None:
            self._report(node.right.start, node.right.end, "division by zero")

    def _call_operand(self, stack: list[_Pending], node: Expression) -> tuple[Expression | None, int]:
        """`node` is an operand of the function on top of the stack. Returns the call if it is complete."""
        _, start, function, operands, _ = stack[-1]
        assert isinstance(function, str)
        assert isinstance(operands, list)
        operands.append(node)
        if function == "ASSERT":
            if self.kind != ",":
                raise self._fail("an operator or `,`")
            self._expression()
            operands.append(self._take_word(self._expression, "a message in quotes"))
            least = most = 2
        elif function == "SEGMENT_START":
            least = most = 2
        else:
            least, most = _VALUE_FUNCTIONS[function]
        if self.kind == "," and len(operands) < most:
            self._expression()
            return None, start
        if self.kind != ")" or len(operands) < least:
            wanted = "`,`" if len(operands) < least else "`)`" if len(operands) == most else "`,` or `)`"
            raise self._fail(f"an operator or {wanted}" if function != "ASSERT" else "`)`")
        stack.pop()
        self._operator()
        return Call(function, tuple(operands), start=start, end=self.last), start

    def _name_call(self, hint: str) -> Expression:
        """A function whose operand is a name, or SIZEOF_HEADERS."""
        kind, start = self.kind, self.start
        if kind == "SIZEOF_HEADERS":
            self._operator()
            return Call(kind, (), start=start, end=self.last)
        if kind in _SCRIPT_NAME_FUNCTIONS:
            self._script()
            self._want("(", self._script)
            operand = self._take_word(self._script, "a name")
        elif kind in _SYMBOL_FUNCTIONS:
            self._expression()
            self._want("(", self._expression)
            operand = self._take_word(self._expression, "a name")
        else:
            raise self._fail("an expression", hint=hint)
        self._want(")", self._operator)
        return Call(kind, (operand,), start=start, end=self.last)


# An entry of the expression parser's stack: what it is, where it starts, two values of its own, its priority.
_Pending = tuple[str, int, "str | Expression | None", "Expression | list[Expression | Word] | None", int]


def _header_number(kind: Expression) -> int | None:
    """The number of a program header's type, where it is written plainly."""
    if isinstance(kind, Number):
        return kind.value
    return _HEADER_TYPES.get(kind.name) if isinstance(kind, Name) else None


_VALUE_END = frozenset({";", ")", ",", ":", "}", "{"})
# What may stand in the SORTs of section patterns, by the SORTs around it.
_NOTHING: frozenset[str] = frozenset()
_REVERSE = frozenset({"REVERSE"})
_NESTABLE = frozenset({"SORT_BY_NAME", "SORT_BY_ALIGNMENT", "REVERSE"})
_INSIDE_SORT = {
    "SORT_BY_NAME": _NESTABLE,
    "SORT_BY_ALIGNMENT": _NESTABLE,
    "SORT_NONE": _REVERSE,
    "SORT_BY_INIT_PRIORITY": _REVERSE,
    "SORT_BY_NAME SORT_BY_NAME": _REVERSE,
    "SORT_BY_NAME SORT_BY_ALIGNMENT": _REVERSE,
    "SORT_BY_ALIGNMENT SORT_BY_NAME": _REVERSE,
    "SORT_BY_ALIGNMENT SORT_BY_ALIGNMENT": _REVERSE,
    "REVERSE": frozenset({"SORT_BY_NAME", "SORT_BY_INIT_PRIORITY"}),
}
# Words that a later GNU ld made keywords of the bodies of output sections.
_LATER = frozenset({"ASCIZ", "LINKER_VERSION"})


_TOP_COMMANDS: dict[str, Callable[[_Parser, str, int], Node]] = {
    **dict.fromkeys(
        ("FLOAT", "NOFLOAT", "FORCE_COMMON_ALLOCATION", "FORCE_GROUP_ALLOCATION", "INHIBIT_COMMON_ALLOCATION"),
        _Parser._no_operand,
    ),
    **dict.fromkeys(
        ("TARGET", "SEARCH_DIR", "OUTPUT", "OUTPUT_ARCH", "MAP", "LD_FEATURE", "STARTUP"), _Parser._one_operand
    ),
    **dict.fromkeys(("NOCROSSREFS", "NOCROSSREFS_TO", "HLL", "SYSLIB"), _Parser._name_list),
    "OUTPUT_FORMAT": _Parser._output_format,
    "REGION_ALIAS": _Parser._region_alias,
    "EXTERN": _Parser._extern,
}
