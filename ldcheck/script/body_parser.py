"""The parser of what stands between the braces of an output section."""

from __future__ import annotations

from collections.abc import Callable

from ldcheck.script import hints, lexer
from ldcheck.script.expression_parser import ExpressionParser
from ldcheck.script.reader import END, NAME, ScriptError
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Data,
    Expression,
    FilePattern,
    Fill,
    Include,
    InputSectionDescription,
    Marker,
    Node,
    Number,
    SectionPattern,
    Word,
)

# MAX_INCLUDE_DEPTH of GNU ld's lexer; the script itself is the first.
_MAX_INCLUDES = 10
# Files that include each other twice and more are many at any depth.
_MOST_INCLUDED = 2_000

ASSIGNMENTS = frozenset({"=", "+=", "-=", "*=", "/=", "<<=", ">>=", "&=", "|=", "^="})
PROVIDES = frozenset({"PROVIDE", "PROVIDE_HIDDEN", "HIDDEN"})
_DATA = frozenset({"BYTE", "SHORT", "LONG", "QUAD", "SQUAD"})
_SORTS = frozenset({"SORT_BY_NAME", "SORT_BY_ALIGNMENT", "SORT_NONE", "SORT_BY_INIT_PRIORITY"})
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
# Words that people write into a body, where they are nothing but names.
_ELSEWHERE = lexer.SCRIPT_KEYWORDS.keys() - lexer.WILD_KEYWORDS.keys()
# Words that a later GNU ld made keywords of the bodies of output sections.
_LATER = frozenset({"ASCIZ", "LINKER_VERSION"})


class BodyParser(ExpressionParser):
    """Statements of output sections, and the few that may stand elsewhere too."""

    def _include_here(self, read: Callable[[], None], statements: Callable[[list[Node]], None]) -> Include:
        """INCLUDE: `statements` reads the other file to its end, `read` the token behind the path."""
        start = self.start
        read()
        if self.kind != NAME:
            raise self._fail("the path of a file")
        path = Word(self.word, self.quoted, start=self.start, end=self.end)
        found = None
        content: tuple[Node, ...] | None = None
        if self._includes >= _MAX_INCLUDES:
            self._report(path.start, path.end, "files include each other too deeply: GNU ld reads 10 at a time")
        elif self._included >= _MOST_INCLUDED:
            self._report(path.start, path.end, f"more than {_MOST_INCLUDED:,} files are included")
        elif self._include is None or (found := self._include(path.text, self._source.name)) is None:
            self._warn(path.start, path.end, f"cannot find the file `{hints.shorten(path.text)}`")
        else:
            saved = (self._source, self._text, self._base, self._at, self.end)
            self._source, self._text, self._at = found, found.text, 0
            self._base = self._sources.add(found)
            self._includes += 1
            self._included += 1
            self.end = self._base
            collected: list[Node] = []
            read()
            statements(collected)
            self._includes -= 1
            self._source, self._text, self._base, self._at, self.end = saved
            content = tuple(collected)
        read()
        return Include(path, content, start=start, end=path.end)

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
        related = ((max(self.last - 1, self._base), self.last, "missing behind this"),)
        error = self._fail("`;`", related=related)
        at = self.start - self._base
        if self.kind == END or "\n" in self._text[self.last - self._base : at]:
            self._at = at
            self.end = self.last
            read()
            return
        raise error

    def _provide(self, read: Callable[[], None]) -> Assignment:
        keyword, start = self.kind, self.start
        read()
        if self._lld:
            self._want("(", self._expression)
            target = self._take_word(self._expression, "a symbol")
        else:
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

    def _body(self, statements: list[Node]) -> None:
        """Statements up to `}` or the end of the file."""
        while True:
            kind = self.kind
            if kind == ";":
                self._wild()
                continue
            if kind == "}" or kind == END:
                return
            before = self._at
            try:
                statements.append(self._statement(kind))
            except ScriptError:
                self._recover(self._wild, inside=True)
                if self._at == before and self.kind not in ("}", END):
                    self._wild()

    def _statement(self, kind: str) -> Node:
        start = self.start
        if kind == NAME:
            word, quoted, end = self.word, self.quoted, self.end
            self._wild()
            following = self.kind
            name = Word(word, quoted, start=start, end=end)
            if following == "(":
                if word == "REVERSE" and not quoted:
                    return self._reversed_files(name, (), start)
                if word in _ELSEWHERE and not quoted:
                    message = f"`{word} (...)` is read as sections of a file named {word}"
                    self._warn(start, end, message, hint="this has a meaning outside of the body only")
                file = FilePattern(name, start=start, end=end)
                return self._sections_of(file, (), start)
            if following in ASSIGNMENTS:
                return self._assignment(name, self._wild)
            if following == NAME and self.word == "^=" and not self.quoted:
                self.kind = "^="
                return self._assignment(name, self._wild)
            if word in _LATER and not quoted:
                later = self._later(name)
                if later is not None:
                    return later
            return self._whole_file(name, (), start)
        if kind == "KEEP":
            return self._keep()
        if kind in PROVIDES:
            return self._provide(self._wild)
        if kind in _DATA:
            self._wild()
            self._want("(", self._expression)
            value = self._value()
            self._want(")", self._wild, "an operator or `)`")
            return Data(kind, value, start=start, end=self.last)
        if kind == "ASSERT":
            self._expression()
            if self._lld:
                return self._assertion(start, self._wild)
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
            raise self._fail("`)`", hint=hints.KEEP_ONE if self.kind != END else "")
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
        if kind == NAME:
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
        if kind == "{" and constructors:
            raise self._fail("a statement or `}`", hint=hints.for_flat_body(self._text, self.start - self._base))
        raise self._fail("a statement or `}`" if constructors else "an input section description")

    def _reverse_follows(self) -> bool:
        """Whether the current token is REVERSE with a parenthesis behind it, which no older linker takes there."""
        if self.kind != NAME or self.word != "REVERSE" or self.quoted:
            return False
        matched = self._wild_state.match(self._text, self._at)
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
        if self.kind == NAME:
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
        if self.kind != NAME:
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
        while self.kind == NAME:
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
            if kind == NAME:
                if self.word == "REVERSE" and self._reverse_follows():
                    self._section_pattern(patterns)
                    continue
                if self._lld and patterns and patterns[-1].exclude and not patterns[-1].sorts:
                    self._more_patterns(patterns)
                    continue
                start, end = self.start, self.end
                if self.word[-1:] == "," and not self.quoted:
                    self._warn(start, end, f"the comma belongs to the pattern `{hints.shorten(self.word)}`")
                patterns.append(
                    SectionPattern(Word(self.word, self.quoted, start=start, end=end), start=start, end=end)
                )
                self._wild()
            elif kind == close and patterns:
                self._wild()
                return tuple(patterns)
            elif kind == "EXCLUDE_FILE" or kind in _SORTS:
                self._section_pattern(patterns)
            elif kind == "," and patterns:
                self._wild()
            else:
                raise self._fail(f"a section pattern or `{close}`" if patterns else "a section pattern")

    def _more_patterns(self, patterns: list[SectionPattern]) -> None:
        """For lld, names behind a pattern share its EXCLUDE_FILE and its SORTs."""
        before = patterns[-1]
        while self.kind in (NAME, ","):
            if self.kind == NAME:
                word = Word(self.word, self.quoted, start=self.start, end=self.end)
                patterns.append(SectionPattern(word, before.exclude, before.sorts, start=word.start, end=word.end))
            self._wild()

    def _section_pattern(self, patterns: list[SectionPattern]) -> None:
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
        end = word.end
        if self._lld and sorts:
            patterns.append(SectionPattern(word, exclude, tuple(sorts), start=start, end=end))
            self._more_patterns(patterns)
        for _ in sorts:
            if self.kind != ")":
                raise self._fail("`)`", hint=hints.SORT_ONE if self.kind == NAME else "")
            self._wild()
            end = self.last
        if not self._lld or not sorts:
            patterns.append(SectionPattern(word, exclude, tuple(sorts), start=start, end=end))
