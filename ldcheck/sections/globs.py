"""Glob patterns as languages: what a pattern matches, and how the languages of patterns relate.

GNU ld compares names with fnmatch(3) and with shortcuts of its own (ldlang.c: name_match, spec_match), and the
shortcuts differ from fnmatch in a few corners. `section_glob`, `name_glob` and `fnmatch_glob` give the exact language
of each of the three. A language is a union of token sequences; questions about several of them are answered by running
all of them at once, one bit per position, over classes of characters that none of them tells apart.

Left out: locales. Ranges and classes such as `[[:alpha:]]` are those of the C locale, which ld uses for collation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ldcheck.sections.automata import NICE, Automaton, Product, TooComplexError, automaton
from ldcheck.sections.glob_syntax import STAR, Token, Tokens, accepts, ending_in, fnmatch_tokens, overlapping


class Glob:
    """The language of one pattern. `text` is the pattern as written.

    `literal` is the only name matched, or None. `prefix` and `suffix` are literal characters that every matched name
    starts and ends with. `open_end` says that every name that starts with `prefix` is matched.
    """

    __slots__ = ("_automaton", "alternatives", "literal", "open_end", "prefix", "segments", "suffix", "text")

    def __init__(self, text: str, alternatives: tuple[Tokens, ...]) -> None:
        self.text = text
        self.alternatives = alternatives
        self._automaton: Automaton | None = None
        self.segments: tuple[_Segments, ...] | None = None
        self.literal: str | None = None
        self.open_end = False
        self.prefix = self.suffix = ""
        if len(alternatives) == 1:
            tokens = alternatives[0]
            length = len(tokens)
            stop = 0
            while stop < length and type(tokens[stop]) is str:
                stop += 1
            self.prefix = "".join(tokens[:stop])  # type: ignore[arg-type]  # the loop stops at the first other token
            if stop == length:
                self.literal = self.suffix = self.prefix
            else:
                self.open_end = stop == length - 1 and tokens[stop] is STAR
                start = length
                while type(tokens[start - 1]) is str:
                    start -= 1
                self.suffix = "".join(tokens[start:])  # type: ignore[arg-type]  # as above
        elif alternatives:
            self.prefix = _common(["".join(_literal_run(tokens)) for tokens in alternatives])

    def __repr__(self) -> str:
        return f"Glob({self.text!r})"

    def matches(self, name: str) -> bool:
        """Whether the pattern matches `name`; time at most the product of the two lengths."""
        if self.literal is not None:
            return name == self.literal
        if not name.startswith(self.prefix):
            return False
        if self.open_end:
            return True
        if not name.endswith(self.suffix):
            return False
        if self.segments is None:
            self.segments = tuple(_Segments(tokens) for tokens in self.alternatives)
        return any(segments.match(name) for segments in self.segments)

    def automaton(self) -> Automaton:
        """The automaton, made when first asked for."""
        if self._automaton is None:
            self._automaton = automaton(self.alternatives)
        return self._automaton


def _literal_run(tokens: Tokens) -> list[str]:
    run: list[str] = []
    for token in tokens:
        if not isinstance(token, str):
            break
        run.append(token)
    return run


def _common(texts: Sequence[str]) -> str:
    shortest, longest = min(texts), max(texts)
    length = 0
    while length < len(shortest) and length < len(longest) and shortest[length] == longest[length]:
        length += 1
    return shortest[:length]


class _Segments:
    """A token sequence cut at its stars: the first and last pieces are anchored, the others are found leftmost."""

    __slots__ = ("pieces", "starred")

    def __init__(self, tokens: Tokens) -> None:
        pieces: list[list[Token]] = [[]]
        for token in tokens:
            if token is STAR:
                pieces.append([])
            else:
                pieces[-1].append(token)
        self.starred = len(pieces) > 1
        self.pieces = tuple(_Piece(tuple(piece)) for piece in pieces)

    def match(self, name: str) -> bool:
        first, last = self.pieces[0], self.pieces[-1]
        if not self.starred:
            return len(name) == first.length and first.at(name, 0)
        end = len(name) - last.length
        at = first.length
        if end < at or not first.at(name, 0) or not last.at(name, end):
            return False
        for piece in self.pieces[1:-1]:
            at = piece.find(name, at, end)
            if at < 0:
                return False
            at += piece.length
        return True


class _Piece:
    """Tokens without a star."""

    __slots__ = ("length", "text", "tokens")

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.length = len(tokens)
        run = _literal_run(tokens)
        self.text = "".join(run) if len(run) == len(tokens) else None

    def at(self, name: str, start: int) -> bool:
        if self.text is not None:
            return name.startswith(self.text, start)
        return all(accepts(token, name[start + index]) for index, token in enumerate(self.tokens))

    def find(self, name: str, start: int, end: int) -> int:
        if self.text is not None:
            return name.find(self.text, start, end)
        for at in range(start, end - self.length + 1):
            if self.at(name, at):
                return at
        return -1


# Reading patterns -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def section_glob(pattern: str) -> Glob:
    """The names that a section pattern of an input section description matches (ldlang.c: spec_match).

    ld compares what stands ahead of the first of `?*[` and behind the last of `?*]` byte by byte, so a backslash there
    is an ordinary character; a pattern with nothing but one `*` between the two matches even where they overlap.
    """
    start = _first_special(pattern)
    if start == len(pattern):
        return Glob(pattern, (tuple(pattern),))
    prefix, rest = pattern[:start], pattern[start:]
    stop = max(rest.rfind("?"), rest.rfind("*"), rest.rfind("]")) + 1
    suffix = rest[stop:]
    if stop == 1 and rest[0] == "*":
        plain: Tokens = (*prefix, STAR, *suffix)
        return Glob(pattern, (plain, *overlapping(prefix, suffix)))
    tokens = fnmatch_tokens(rest)
    if tokens is None:
        return Glob(pattern, ())
    if "\\" not in suffix:
        return Glob(pattern, ((*prefix, *tokens),))
    ending = tuple(ended for ended in ending_in(tokens, suffix))
    return Glob(pattern, tuple((*prefix, *ended) for ended in ending))


@lru_cache(maxsize=8192)
def name_glob(pattern: str) -> Glob:
    """The names that a pattern of EXCLUDE_FILE, or either side of `archive:member`, matches (ldlang.c: name_match)."""
    start = _first_special(pattern)
    if start == len(pattern):
        return Glob(pattern, (tuple(pattern),))
    if start >= 4 and pattern[start:] == "*":
        return Glob(pattern, ((*pattern[:start], STAR),))
    return fnmatch_glob(pattern)


@lru_cache(maxsize=8192)
def fnmatch_glob(pattern: str) -> Glob:
    """The names that fnmatch(pattern, name, 0) matches, as a file pattern with a wildcard is compared."""
    tokens = fnmatch_tokens(pattern)
    return Glob(pattern, () if tokens is None else (tokens,))


def has_wildcard(pattern: str) -> bool:
    """Whether ld takes the pattern for more than a plain name (ldlang.c: wildcardp)."""
    return _first_special(pattern) < len(pattern)


def _first_special(pattern: str) -> int:
    for index, character in enumerate(pattern):
        if character in "?*[":
            return index
    return len(pattern)


# Questions about languages --------------------------------------------------------------------------------------------


def overlaps(one: Glob, other: Glob) -> bool:
    """Whether some name is matched by both; also True where that is too complex to tell."""
    if one.literal is not None:
        return other.matches(one.literal)
    if other.literal is not None:
        return one.matches(other.literal)
    if not may_overlap(one, other):
        return False
    if one.open_end and other.prefix.startswith(one.prefix):
        return True
    if other.open_end and one.prefix.startswith(other.prefix):
        return True
    try:
        return witness((one, other)) is not None
    except TooComplexError:
        return True


def may_overlap(one: Glob, other: Glob) -> bool:
    """A quick test by literal prefixes and suffixes; False is certain, True is not."""
    if not one.alternatives or not other.alternatives:
        return False
    if not one.prefix.startswith(other.prefix) and not other.prefix.startswith(one.prefix):
        return False
    return one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix)


def includes(outer: Sequence[Glob], inner: Glob) -> bool:
    """Whether the union of `outer` matches every name that `inner` matches."""
    if any(contains(glob, inner) for glob in outer):
        return True
    if inner.literal is not None:
        return False
    return witness((inner,), [glob for glob in outer if may_overlap(glob, inner)]) is None


def contains(outer: Glob, inner: Glob) -> bool:
    """Whether `outer` alone obviously matches all of `inner`; exact for a literal `inner`, else False may be wrong."""
    if inner.literal is not None:
        return outer.matches(inner.literal)
    if outer.open_end:
        return inner.prefix.startswith(outer.prefix)
    return outer is inner or outer.alternatives == inner.alternatives


def witness(wanted: Sequence[Glob], unwanted: Sequence[Glob] = (), limit: int = 4000) -> str | None:
    """The shortest name that all of `wanted` match and none of `unwanted`; None if there is none.

    Among names of one length the nicest to read is taken. The empty name is given only where no other will do. Raises
    TooComplexError after looking at `limit` sets of states.
    """
    for glob in wanted:
        if glob.literal is not None:
            return _literal_witness(glob.literal, wanted, unwanted)
    if all(glob.open_end for glob in wanted):
        prefix = max((glob.prefix for glob in wanted), key=len)
        if not all(prefix.startswith(glob.prefix) for glob in wanted):
            return None
        unwanted = [glob for glob in unwanted if _may_start(glob, prefix)]
        if any(glob.open_end and prefix.startswith(glob.prefix) for glob in unwanted):
            return None
        found = _open_witness(prefix, unwanted)
        if found is not None:
            return found
    near = [glob for glob in unwanted if all(may_overlap(glob, other) for other in wanted)]
    product = Product([glob.automaton() for glob in wanted], [glob.automaton() for glob in near])
    return product.shortest(limit, max((glob.prefix for glob in wanted), key=len, default=""))


def _may_start(glob: Glob, prefix: str) -> bool:
    return bool(glob.alternatives) and (glob.prefix.startswith(prefix) or prefix.startswith(glob.prefix))


def _open_witness(prefix: str, unwanted: Sequence[Glob]) -> str | None:
    """The shortest name that starts with `prefix`, if it is at most one character longer."""
    if prefix and not any(glob.matches(prefix) for glob in unwanted):
        return prefix
    for character in NICE:
        name = prefix + character
        if not any(glob.matches(name) for glob in unwanted):
            return name
    return None


def _literal_witness(name: str, wanted: Sequence[Glob], unwanted: Sequence[Glob]) -> str | None:
    if all(glob.matches(name) for glob in wanted) and not any(glob.matches(name) for glob in unwanted):
        return name
    return None
