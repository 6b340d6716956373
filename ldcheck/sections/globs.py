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

from ldcheck.sections.automata import NICE, Automaton, Product, Refused, automaton
from ldcheck.sections.budget import BUDGET
from ldcheck.sections.glob_syntax import STAR, Ranges, Token, Tokens, accepts, ending_in, fnmatch_tokens

# Steps for comparing a name with a pattern of several pieces.
_PIECES = 8


class Glob:
    """The language of one pattern. `text` is the pattern as written.

    `literal` is the only name matched, or None. `prefix` and `suffix` are literal characters that every matched name
    starts and ends with. `open_end` says that every name that starts with `prefix` is matched, `empty` that none is.

    `sequences` are token sequences, of which a name matches one; with an `ending`, it ends in those characters as well.
    """

    __slots__ = (
        "_alternatives", "_automaton", "_inner", "_open", "_sample", "empty", "ending", "literal", "open_end", "prefix",
        "segments", "sequences", "suffix", "text",
    )  # fmt: skip

    def __init__(self, text: str, sequences: tuple[Tokens, ...], ending: str | None = None) -> None:
        self.text = text
        self.sequences = sequences
        self.ending = ending
        self.empty = not sequences
        self._alternatives: tuple[Tokens, ...] | None = sequences if ending is None else None
        self._automaton: Automaton | None = None
        self._sample: str | None = None
        self.segments: tuple[_Segments, ...] | None = None
        self.literal: str | None = None
        self.open_end = self._open = False
        # Of `*x*` the x.
        self._inner: str | None = None
        self.prefix = self.suffix = ""
        if len(sequences) == 1:
            tokens = sequences[0]
            length = len(tokens)
            stop = 0
            while stop < length and type(tokens[stop]) is str:
                stop += 1
            self.prefix = "".join(tokens[:stop])  # type: ignore[arg-type]  # the loop stops at the first other token
            if stop == length:
                self.literal = self.suffix = self.prefix
            else:
                self._open = stop == length - 1 and tokens[stop] is STAR
                self.open_end = self._open and not ending
                start = length
                while type(tokens[start - 1]) is str:
                    start -= 1
                if stop == 0 and start == length and tokens[0] is STAR and tokens[-1] is STAR and not ending:
                    inner = tokens[1:-1]
                    if all(type(token) is str for token in inner):
                        self._inner = "".join(inner)  # type: ignore[arg-type]  # as above
                self.suffix = "".join(tokens[start:])  # type: ignore[arg-type]  # as above
        elif sequences:
            self.prefix = _common(["".join(_literal_run(tokens)) for tokens in sequences])
        if ending is not None:
            self.suffix = ending

    def __repr__(self) -> str:
        return f"Glob({self.text!r})"

    def matches(self, name: str) -> bool:
        """Whether the pattern matches `name`; time at most the product of the two lengths."""
        if self.literal is not None:
            return name == self.literal
        if self._inner is not None:
            return self._inner in name
        if not name.startswith(self.prefix):
            return False
        if self.open_end:
            return True
        if not name.endswith(self.suffix):
            return False
        if self._open:
            return True
        if self.segments is None:
            self.segments = tuple(_Segments(tokens) for tokens in self.sequences)
        return any(segments.match(name) for segments in self.segments)

    @property
    def cost(self) -> int:
        """The steps of comparing a name with the pattern, which is dear where it has pieces to look for."""
        return 1 if self._inner is not None or self._open or self.literal is not None else _PIECES

    @property
    def alternatives(self) -> tuple[Tokens, ...]:
        """The language as a union of token sequences. Raises TooComplexError if that would be large."""
        if self._alternatives is None:
            assert self.ending is not None
            [tokens] = self.sequences
            if tokens == (STAR,):
                self._alternatives = ((STAR, *self.ending),)
            else:
                BUDGET.spend((len(tokens) + len(self.ending)) * len(self.ending) >> 2)
                self._alternatives = tuple(ending_in(tokens, self.ending))
        return self._alternatives

    def automaton(self) -> Automaton:
        """The automaton, made when first asked for. Raises TooComplexError for one that would be large."""
        if self._automaton is None:
            size = sum(map(len, self.alternatives))
            BUDGET.spend(size * size >> 10)
            self._automaton = automaton(self.alternatives)
        return self._automaton

    def sample(self) -> str:
        """A short name that is likely to match."""
        if self._sample is None:
            tokens = self.sequences[0] if self.sequences else ()
            self._sample = "".join("" if token is STAR else _sample(token) for token in tokens)
        return self._sample


def _sample(token: str | Ranges) -> str:
    return token if isinstance(token, str) else chr(max(token[0][0], min(token[0][1], ord("a")))) if token else ""


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


@lru_cache(maxsize=65536)
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
        return Glob(pattern, ((*prefix, STAR),), suffix)
    tokens = fnmatch_tokens(rest)
    if tokens is None:
        return Glob(pattern, ())
    if "\\" not in suffix:
        return Glob(pattern, ((*prefix, *tokens),))
    return Glob(pattern, ((*prefix, *tokens),), suffix)


@lru_cache(maxsize=65536)
def name_glob(pattern: str) -> Glob:
    """The names that a pattern of EXCLUDE_FILE, or either side of `archive:member`, matches (ldlang.c: name_match)."""
    start = _first_special(pattern)
    if start == len(pattern):
        return Glob(pattern, (tuple(pattern),))
    if start >= 4 and pattern[start:] == "*":
        return Glob(pattern, ((*pattern[:start], STAR),))
    return fnmatch_glob(pattern)


@lru_cache(maxsize=65536)
def older_section_glob(pattern: str) -> Glob:
    """The names that a section pattern matches for GNU ld before 2.40, which has all of them compared by fnmatch.

    In names without a wildcard a backslash is an ordinary character, and so it is in a simple pattern: see `older`.
    """
    return fnmatch_glob(pattern) if has_wildcard(pattern) else section_glob(pattern)


@lru_cache(maxsize=65536)
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
    """Whether some name is matched by both. Raises TooComplexError where that is too complex to tell."""
    if one.literal is not None:
        return other.matches(one.literal)
    if other.literal is not None:
        return one.matches(other.literal)
    if not may_overlap(one, other):
        return False
    if one.open_end and other.prefix.startswith(one.prefix) and not other.empty:
        return True
    if other.open_end and one.prefix.startswith(other.prefix) and not one.empty:
        return True
    if one is other:
        return shortest((one,)) is not None
    first, second = one.sample(), other.sample()
    for name in (first + second, second + first, first, second):
        if one.matches(name) and other.matches(name):
            return True
    return shortest((one, other)) is not None


def may_overlap(one: Glob, other: Glob) -> bool:
    """A quick test by literal prefixes and suffixes; False is certain, True is not."""
    if one.empty or other.empty:
        return False
    if not one.prefix.startswith(other.prefix) and not other.prefix.startswith(one.prefix):
        return False
    return one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix)


def includes(outer: Sequence[Glob], inner: Glob) -> bool:
    """Whether the union of `outer` matches every name that `inner` matches. Raises TooComplexError."""
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
    return outer is inner or (outer.sequences == inner.sequences and outer.ending == inner.ending)


def witness(wanted: Sequence[Glob], unwanted: Sequence[Glob] = (), limit: int = 4000) -> str | None:
    """The shortest name that all of `wanted` match and none of `unwanted`; None if there is none.

    Among names of one length the nicest to read is taken. The empty name is given only where no other will do. Raises
    TooComplexError after looking at `limit` sets of states, or when the budget is spent.
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
    # The few that refuse what would be the shortest name without them mostly decide it.
    refused: list[Glob] = []
    for _ in range(_ROUNDS if len(near) > 1 else 0):
        name = _search(wanted, refused, limit)
        matching = [glob for glob in near if name is not None and glob.matches(name)]
        if not matching:
            return name
        refused += matching
    return _search(wanted, near, limit)


# So often a name is looked for that some of the unwanted patterns do not match, until all of them are looked at.
_ROUNDS = 4


@lru_cache(maxsize=65536)
def shortest(wanted: tuple[Glob, ...], unwanted: tuple[Glob, ...] = ()) -> str | None:
    """As `witness`, with the answers kept."""
    return witness(wanted, unwanted)


def _search(wanted: Sequence[Glob], unwanted: Sequence[Glob], limit: int) -> str | None:
    refused = Refused(
        (glob.literal if glob.literal is not None else glob.prefix, glob.open_end)
        for glob in unwanted
        if glob.literal is not None or glob.open_end
    )
    others = [glob.automaton() for glob in unwanted if glob.literal is None and not glob.open_end]
    product = Product([glob.automaton() for glob in wanted], others, refused)
    return product.shortest(limit, max((glob.prefix for glob in wanted), key=len, default=""))


def _may_start(glob: Glob, prefix: str) -> bool:
    return not glob.empty and (glob.prefix.startswith(prefix) or prefix.startswith(glob.prefix))


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
