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

from ldcheck.script import hints
from ldcheck.script.body_parser import ASSIGNMENTS, PROVIDES
from ldcheck.script.command_parser import TOP_COMMANDS, CommandParser
from ldcheck.script.dialect import GNU, Dialect
from ldcheck.script.expression_parser import OPERAND_STARTS
from ldcheck.script.reader import END, NAME, Includer, ScriptError
from ldcheck.script.result import Diagnostic, Parse, ParsedExpression
from ldcheck.script.sharing import State, Text
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Expression,
    Insert,
    Node,
    OutputSection,
    Overlay,
    Script,
    SectionClass,
    SectionGroup,
    Sections,
    SectionType,
    Word,
)
from ldcheck.source import Origin, Source, SourceMap


def parse(
    source: Source,
    *,
    origin: Origin | None = None,
    sources: SourceMap | None = None,
    include: Includer | None = None,
    dialect: Dialect = GNU,
    shared: Text | None = None,
) -> Parse:
    """Parse a linker script. Never raises; what is wrong is in the result.

    `include` is asked for each INCLUDE with the path and the name of the including file, and returns the file or None.
    `sources` is the address space that the spans are to lie in; a new one if not given. `shared` are statements of
    other texts in it, which are not parsed again.
    """
    sources = SourceMap() if sources is None else sources
    base = sources.add(source, origin)
    parser = _Parser(source, base, sources, include, dialect, shared=shared)
    return Parse(parser.script(), sources, tuple(parser.problems))


def parse_expression(text: str, *, giga: bool = False, name: str = "<expression>") -> ParsedExpression:
    """Parse one expression, such as the operand of a policy. With `giga`, numbers may end in G. Never raises."""
    sources = SourceMap()
    source = Source(name, text)
    parser = _Parser(source, sources.add(source), sources, None, GNU, giga=giga)
    expression = parser.lone_expression()
    return ParsedExpression(expression, sources, tuple(parser.problems))


__all__ = ["Diagnostic", "Includer", "Parse", "ParsedExpression", "parse", "parse_expression"]

# GNU ld nests GROUP deeper; nobody does.
_MAX_GROUPS = 100

_TYPES = frozenset({"NOLOAD", "DSECT", "COPY", "INFO", "OVERLAY", "READONLY", "TYPE"})
_HEADER_PARTS = frozenset({"AT", "ALIGN", "ALIGN_WITH_INPUT", "SUBALIGN", "ONLY_IF_RO", "ONLY_IF_RW", "("})
# Statements that leave nothing behind for those that follow.
_SHARED = frozenset({Assignment, Assertion, OutputSection})
_CONSTRAINTS = frozenset({"ONLY_IF_RO", "ONLY_IF_RW", "SPECIAL"})


class _Parser(CommandParser):
    """Statements at the top level and in SECTIONS."""

    def script(self) -> Script:
        """The whole text as a script."""
        statements: list[Node] = []
        self._script()
        self._top_level(statements)
        directive = self.directive
        if directive is not None:
            start = self._base + directive.start(1)
            message = f"GNU ld takes `#{directive[1]}` for a comment"
            end = self._base + directive.end(1)
            hint = "run the preprocessor on the script first"
            self.problems.insert(0, Diagnostic(start, end, message, hint=hint, severity="warning"))
        return Script(tuple(statements), start=self._base, end=self._base + len(self._text))  # type: ignore[arg-type]

    def lone_expression(self) -> Expression | None:
        """The whole text as one expression."""
        self._expression()
        try:
            value = self._value()
            if self.kind != END:
                raise self._fail("an operator or the end of the expression")
        except ScriptError:
            return None
        return value

    def _top_level(self, statements: list[Node]) -> None:
        """Statements up to the end of the file."""
        while self.kind != END:
            if self.kind == ";":
                self._script()
                continue
            before = self._at
            try:
                statements.append(self._once("top level", self._top_statement))
            except ScriptError:
                self._recover(self._script, inside=False)
                if self._at == before and self.kind != END:
                    self._script()

    def _once(self, context: str, statement: Callable[[], Node]) -> Node:
        """The statement that begins here: one that was parsed for another text, or as `statement` parses it."""
        shared, base = self._shared, self._base
        if shared is None or self._includes > 1 or base != self._sources.last_base:
            return statement()
        # What a statement means does not depend on those ahead of it, but for the regions that they declare.
        context = f"{context} {' '.join(sorted(self._regions))}" if self._regions else context
        start = self.start - base
        if (found := shared.find(context, start)) is not None:
            node, state = found
            self.kind, self.word, self.quoted = state.kind, state.word, state.quoted
            self.start, self.end, self.last = state.start + base, state.end + base, state.last + base
            self._at = state.at
            return node
        remarks = len(self.problems)
        node = statement()
        if len(self.problems) == remarks and type(node) in _SHARED and base == self._sources.last_base:
            offsets = (self.start - base, self.end - base, self.last - base, self._at)
            shared.keep(context, start, node, State(self.kind, self.word, self.quoted, *offsets))
        return node

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
        handler = TOP_COMMANDS.get(kind)
        if handler is None:
            raise self._fail("a command or an assignment")
        return handler(self, kind, start)

    def _anywhere(self) -> Node | None:
        """ENTRY, ASSERT or an assignment at top level or directly in SECTIONS; None if it is something else."""
        kind, start = self.kind, self.start
        if kind == NAME:
            name = Word(self.word, self.quoted, start=start, end=self.end)
            self._script()
            if self.kind in ASSIGNMENTS:
                return self._assignment(name, self._script)
            raise self._fail("an assignment operator", hint=hints.for_name(name.text))
        if kind == "ASSERT":
            self._expression()
            return self._assertion(start, self._script)
        if kind in PROVIDES:
            return self._provide(self._script)
        if kind == "ENTRY":
            return self._one_operand(kind, start)
        return None

    def _sections(self) -> Sections:
        start, keyword = self.start, self.kind
        self._script()
        opened = self.start
        self._want("{", self._script)
        statements: list[Node] = []
        self._sections_list(statements)
        self._close(opened, self._script, "an output section, an assignment or `}`")
        return Sections(tuple(statements), keyword, start=start, end=self.last)  # type: ignore[arg-type]

    def _sections_list(self, statements: list[Node]) -> None:
        """Statements up to `}` or the end of the file."""
        while self.kind not in ("}", END):
            before = self._at
            try:
                statements.append(self._once("SECTIONS", self._sections_statement))
            except ScriptError:
                self._recover(self._script, inside=True)
                if self._at == before and self.kind not in ("}", END):
                    self._script()

    def _sections_statement(self) -> Node:
        kind = self.kind
        if kind == NAME:
            name = Word(self.word, self.quoted, start=self.start, end=self.end)
            self._script()
            if self.kind in ASSIGNMENTS:
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
            hint = hints.SEMICOLON if kind == ";" else ""
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
            raise self._fail("`{`", hint=hints.HEADER if self.kind in _HEADER_PARTS else "")
        self._wild()
        statements: list[Node] = []
        self._body(statements)
        body_end = self.end
        self._close(body_start, self._script, "a statement or `}`")
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
                self._want(":", self._expression, hint=hints.HEADER if self.kind in _HEADER_PARTS else "")
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
            if self.kind not in OPERAND_STARTS:
                hint = hints.for_name(name.text) if name is not None else ""
                raise self._fail("an assignment operator, an address or `:`", hint=hint)
            address = self._value()
        if self.kind == "(":
            open_start = self.start
            self._expression()
            section_type = self._section_type(open_start)
        if self.kind != ":":
            if self.kind in _HEADER_PARTS:
                raise self._fail("`:`", hint=hints.HEADER)
            hint = hints.for_name(name.text) if name is not None else ""
            raise self._fail("`:`" if section_type is not None else "an operator or `:`", hint=hint)
        self._expression()
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
        opened = self.start
        self._want("{", self._script)
        sections: list[OutputSection] = []
        while self.kind not in ("}", END):
            before = self._at
            try:
                sections.append(self._overlay_section())
            except ScriptError:
                self._recover(self._script, inside=True)
                if self._at == before and self.kind not in ("}", END):
                    self._script()
        self._close(opened, self._script, "an output section or `}`")
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
        self._close(body_start, self._script, "a statement or `}`")
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
        if self._depth >= _MAX_GROUPS:
            raise self._fail("less nesting of GROUP")
        self._depth += 1
        try:
            return self._group()
        finally:
            self._depth -= 1

    def _group(self) -> SectionGroup:
        start = self.start
        self._expression()
        address, section_type = self._address_and_type(None)
        # The token behind the colon is read as a script's again; it is a brace in either state.
        if address is None:
            self._report(start, self.last, "GROUP in SECTIONS needs an address: GNU ld crashes without one")
        opened = self.start
        self._want("{", self._script)
        statements: list[Node] = []
        self._sections_list(statements)
        self._close(opened, self._script, "an output section, an assignment or `}`")
        return SectionGroup(tuple(statements), address, section_type, start=start, end=self.last)  # type: ignore[arg-type]

    def _section_class(self) -> SectionClass:
        """CLASS(name) { input section descriptions }, of lld."""
        start = self.start
        self._script()
        self._want("(", self._script)
        name = self._take_word(self._script, "the name of a section class")
        self._want(")", self._script)
        opened = self.start
        self._want("{", self._wild)
        statements: list[Node] = []
        self._body(statements)
        self._close(opened, self._script, "a statement or `}`")
        return SectionClass(name, tuple(statements), start=start, end=self.last)  # type: ignore[arg-type]
