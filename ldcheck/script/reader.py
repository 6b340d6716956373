"""The parser's ground floor: the current token, what was found wrong, and how to go on behind an error."""

from __future__ import annotations

from collections.abc import Callable

from ldcheck.script import hints, lexer
from ldcheck.script.dialect import Dialect
from ldcheck.script.result import Diagnostic
from ldcheck.script.sharing import Text
from ldcheck.script.syntax import Word
from ldcheck.script.versions import Versions
from ldcheck.source import Source, SourceMap

Includer = Callable[[str, str], Source | None]

# A text that is no script at all is not reported token by token: so many errors, and so many warnings.
_MAX_PROBLEMS = 100

# Kinds of tokens that are not their own text.
NAME, NUMBER, END = "name", "number", "end of file"


class ScriptError(Exception):
    """Unwinds to where the parser goes on; what is wrong has been noted."""


class Reader:
    """The state of one parse: the text, the current token, and what was found wrong.

    `kind` is the kind of the current token: its text for punctuation and keywords, else one of NAME, NUMBER, END.
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
        "_included",
        "_includes",
        "_lld",
        "_regions",
        "_room",
        "_script_keywords",
        "_script_state",
        "_shared",
        "_source",
        "_sources",
        "_startup",
        "_text",
        "_versions",
        "_wild_keywords",
        "_wild_state",
        "directive",
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
        shared: Text | None = None,
    ) -> None:
        self.problems: list[Diagnostic] = []
        self.directive = hints.first_directive(source.text)
        self._room = {"error": _MAX_PROBLEMS, "warning": _MAX_PROBLEMS}
        self._sources = sources
        self._source = source
        self._text = source.text
        self._base = base
        self._at = 0
        self._include = include
        self._includes = 1
        self._included = 0
        self._dialect = dialect
        self._giga = giga
        self._regions: set[str] = set()
        self._folded: dict[int, int | None] = {}
        self._versions = Versions()
        self._bare_load = False
        self._startup = False
        self._depth = 0
        self._shared = shared
        self._script_keywords = lexer.SCRIPT_KEYWORDS
        self._wild_keywords = lexer.WILD_KEYWORDS
        self._script_state, self._wild_state = lexer.SCRIPT, lexer.WILD
        self._lld = dialect.name == "lld"
        if self._lld:
            self._script_state, self._wild_state = lexer.lld_states()
            extra = {word: word for word in dialect.commands}
            self._script_keywords = lexer.SCRIPT_KEYWORDS | extra
            self._wild_keywords = lexer.WILD_KEYWORDS | {word: word for word in dialect.commands & {"CLASS"}}
        self.kind = END
        self.word = ""
        self.quoted = False
        self.start = self.end = self.last = base

    def _read(self, pattern: lexer.State, keywords: dict[str, str]) -> None:
        """Make the next token the current one, read in the given lexical state."""
        while True:
            matched = pattern.match(self._text, self._at)
            assert matched is not None  # Every state matches anything, if only one character.
            group = matched.lastindex
            if group == 1:
                self.word = word = matched[1]
                self.kind = keywords.get(word, NAME)
                self.quoted = False
            elif group == 2:
                self.word = self.kind = matched[2]
                self.quoted = False
            elif group is None:
                self.kind, self.word = END, ""
                self.last = self.end
                self._at = matched.end()
                self.start = self.end = self._base + self._at
                return
            elif group == 3:
                self.kind, self.word = NUMBER, matched[3]
            elif group == 4:
                self.kind, self.word = NAME, matched[4]
                self.quoted = True
                self._at = matched.end()
                self.last = self.end
                self.start = self._base + matched.start(4) - 1
                self.end = self._base + self._at
                return
            elif group == 5:
                self._skipped(matched.start(5), matched.end())
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
        self._read(self._script_state, self._script_keywords)

    def _expression(self) -> None:
        self._read(lexer.EXPRESSION, lexer.EXPRESSION_KEYWORDS)
        while self.kind == "^":
            self._skipped(self.start - self._base, self._at)
            self._read(lexer.EXPRESSION, lexer.EXPRESSION_KEYWORDS)

    def _wild(self) -> None:
        self._read(self._wild_state, self._wild_keywords)

    def _reread_name(self, read: Callable[[], None]) -> None:
        """Read the current token again in another state if it is a name: GNU ld read it ahead in the wrong one."""
        if self.kind == NAME:
            self._at = self.start - self._base
            self.end = self.last
            read()

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
        room = self._room
        if room[severity]:
            room[severity] -= 1
            self.problems.append(Diagnostic(start, end, message, expected, hint, severity, since, related))

    def _warn(self, start: int, end: int, message: str, *, hint: str = "", since: str = "") -> None:
        self._report(start, end, message, hint=hint, severity="warning", since=since)

    def _fail(self, expected: str, *, hint: str = "", related: tuple[tuple[int, int, str], ...] = ()) -> ScriptError:
        """Note a syntax error at the current token, and return the exception to raise."""
        if not self._room["error"]:
            return ScriptError()
        shown = "end of the file" if self.kind == END else f"`{hints.shorten(self._token())}`"
        message = f"syntax error at {shown}: expected {expected}"
        if not hint:
            start, end = self.start - self._base, self.end - self._base
            hint = hints.for_error(self._text, start, end, self.kind != NAME)
        if not hint and self.directive is not None:
            hint = hints.PREPROCESS
        self._report(self.start, self.end, message, expected=expected, hint=hint, related=related)
        return ScriptError()

    def _token(self) -> str:
        return self._text[self.start - self._base : self.end - self._base]

    def _skipped(self, at: int, end: int) -> None:
        """Characters that the lexical state has no rule for: GNU ld skips them, in a list of files without a word."""
        if self._room["warning"]:
            start = self._base + at
            message = "GNU ld skips what it cannot read here"
            self._warn(start, self._base + end, message, hint=hints.for_skipped(self._text, at))

    def _unclosed(self, at: int) -> None:
        """A comment without an end: GNU ld reads no further."""
        nul = self._text.find("\0", at)
        hint = "a NUL character ends a comment's text" if nul >= 0 else ""
        start = self._base + at
        self._report(start, start + 2, "the comment has no end", expected="`*/`", hint=hint)
        self._at = len(self._text)

    def _want(self, kind: str, read: Callable[[], None], expected: str = "", *, hint: str = "") -> None:
        """The current token must be `kind`; go on to the next one."""
        if self.kind != kind:
            raise self._fail(expected or f"`{kind}`", hint=hint)
        read()

    def _close(self, opened: int, read: Callable[[], None], expected: str) -> None:
        """The current token must be the `}` of the brace at the offset `opened`; go on to the next one."""
        if self.kind != "}":
            raise self._fail(expected, related=((opened, opened + 1, "opened here"),))
        read()

    def _take_word(self, read: Callable[[], None], expected: str) -> Word:
        """The current token must be a name; go on to the next one."""
        if self.kind != NAME:
            raise self._fail(expected)
        word = Word(self.word, self.quoted, start=self.start, end=self.end)
        read()
        return word

    def _recover(self, read: Callable[[], None], inside: bool) -> None:
        """Skip to where a statement can begin: behind `;` or a body, at the `}` that closes the list (`inside`).

        So it is at a name or a keyword that begins a line, outside of all parentheses: most statements do.
        """
        braces = parentheses = 0
        while self.kind != END:
            kind = self.kind
            if kind == ";" and not braces:
                read()
                return
            if kind == "{":
                braces += 1
            elif kind == "}":
                if not braces and inside:
                    return
                braces -= 1
                if braces <= 0:
                    read()
                    return
            elif kind == "(":
                parentheses += 1
            elif kind == ")":
                parentheses -= 1
            before = self.end
            read()
            if (
                braces == 0
                and parentheses <= 0
                and (self.kind == NAME or self.kind.isupper())
                and self._text.find("\n", before - self._base, self.start - self._base) >= 0
            ):
                return
