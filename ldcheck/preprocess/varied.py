"""The symbols that make a script many: those that decide its conditions, and those whose value stands in its text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ldcheck.preprocess import made_up
from ldcheck.preprocess.configurations import Value
from ldcheck.preprocess.files import SourceFile
from ldcheck.preprocess.inputs import Survey, is_linker_script
from ldcheck.preprocess.lexer import CONDITIONAL, WORD, Directive
from ldcheck.preprocess.macros import Definition

_SIGN = r"\s*(==|!=|<=|>=|<|>)\s*"
_NUMBER = r"(0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*\b"
# Comparisons with a number, the name ahead of it or behind it.
_COMPARED = re.compile(rf"(?:\b|(?<![\w)])\(\s*)([^\W\d]\w*)(?:\s*\))?{_SIGN}{_NUMBER}")
_REVERSED = re.compile(rf"(?<![\w.]){_NUMBER}{_SIGN}([^\W\d]\w*)\b(?!\s*\()")
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_ASKED_WHETHER = re.compile(r"\bdefined\b\s*\(?\s*(\w+)")
# Kconfig's own questions, also where the header that has them is not at hand.
_QUESTIONS = ("IS_ENABLED", "IS_BUILTIN", "IS_REACHABLE", "config_enabled")
_ENABLED = re.compile(rf"\b(?:{'|'.join(_QUESTIONS)})\s*\(\s*(\w+)\s*\)")
_DEFINED = re.compile(r"\bdefined\b\s*\(?\s*\w+\s*\)?|[!&|()\s]+")
# Whatever else stands in a condition beside comparisons asks for more than these tell of.
_ARITHMETIC = re.compile(r"[-+*/%^~?:<>=]|(?<![&])&(?!&)|(?<![|])\|(?!\|)")
# A macro with parameters may ask what its argument is: `IS_ENABLED(CONFIG_X)`.
_ARGUMENT = re.compile(r"\b(\w+)\s*\(\s*(\w+)\s*[,)]")
# What a compiler says about its target; varied only where nobody names the architecture.
ARCHITECTURE_MACROS = frozenset(
    (
        *("__x86_64__", "__i386__", "__aarch64__", "__arm__", "__riscv", "__powerpc__", "__powerpc64__"),
        *("__mips__", "__s390__", "__s390x__"),
    )
)


class Varied(NamedTuple):
    """The symbols that are varied, each with its values, and what those of the values say that are no plain flags."""

    values: Mapping[str, tuple[Value, ...]]
    meanings: Mapping[tuple[str, Value], str]


def deciding_symbols(survey: Survey, pinned: Iterable[str], known_arch: bool) -> Varied:
    """The symbols that decide a condition of the script or of a linker-script header, each with its values.

    A condition on a macro that the sources themselves define is decided by the conditions around its definitions.
    In headers only CONFIG_ symbols count: whatever else a header asks for, the script that includes it would define.
    `pinned` are names whose value is given. A symbol whose value stands in the text is itself there: nobody knows the
    number, and one that was made up would be taken for real.
    """
    index = _Definitions(survey)
    settled = set(pinned)
    found: dict[str, None] = {}
    compared: dict[str, set[made_up.Comparison]] = {}
    tested: set[str] = set()
    valued: set[str] = set()
    pending = [
        (file, at)
        for file in survey.files
        if is_linker_script(file.name) or file is survey.files[0]
        for at, directive in enumerate(file.directives)
        if directive.keyword in CONDITIONAL
    ]
    seen: set[tuple[str, int]] = set()
    followed: set[str] = set()
    while pending:
        file, at = pending.pop()
        if (file.name, at) in seen:
            continue
        seen.add((file.name, at))
        directive = file.directives[at]
        text = file.code[directive.start : directive.end]
        comparing = set()
        if "def" not in directive.keyword:
            valued.update(WORD.findall(_DEFINED.sub(" ", text)))
        for name, comparison in _comparisons(text):
            comparing.add(name)
            compared.setdefault(name, set()).add(comparison)
        # What is not defined is 0 to a comparison, and something else to whoever asks for that.
        comparing.difference_update(_ASKED_WHETHER.findall(text))
        for name in WORD.findall(text):
            if name == "defined" or name in settled:
                continue
            if name in index.definitions:
                if name not in followed:
                    followed.add(name)
                    pending.extend(index.conditions(name))
                    for word in index.enabled(name):
                        if word not in settled and word not in index.definitions:
                            found[word] = None
                            tested.add(word)
            elif _may_vary(name, file.name, known_arch):
                found[name] = None
                if name not in comparing:
                    tested.add(name)
    for name in _alternatives(survey, found, index):
        if name not in settled:
            found[name] = None
            tested.add(name)
    return _varied(survey, index, sorted(found), _Asked(compared, tested, valued))


class _Asked(NamedTuple):
    """How conditions ask for symbols: in comparisons with numbers, in another way, and for more than being defined."""

    compared: Mapping[str, set[made_up.Comparison]]
    tested: Collection[str]
    valued: Collection[str]


def _varied(survey: Survey, index: _Definitions, names: Sequence[str], asked: _Asked) -> Varied:
    """The values of symbols: not defined and defined for a flag, one for each outcome of comparisons with numbers."""
    seen = set(used_in_text(survey, names))
    handed = _handed_on(survey, index, seen)
    unclear = _asked_otherwise(survey, {name: asked.compared[name] for name in names if name in asked.compared})
    computed = _computed(survey, names)
    values: dict[str, tuple[Value, ...]] = {}
    meanings: dict[tuple[str, Value], str] = {}
    for at, name in enumerate(names):
        compared = sorted(asked.compared.get(name, ()))
        unknown = name in seen and name not in handed
        if not compared:
            given = (made_up.spelled("1", at) if name in asked.valued else name) if unknown else "1"
            told = made_up.such_as(name, "1") if name in computed else name
            values[name], meanings[name, given] = (None, given), told
            continue
        tested = name in asked.tested
        found: list[Value] = [None] if tested else []
        for number in made_up.points(compared):
            exact = made_up.is_exact(compared, number)
            value = made_up.spelled(number, at) if unknown and not exact else number
            is_such = name in unclear or (name in handed and not exact)
            told = made_up.such_as(name, number) if is_such else made_up.meaning(name, compared, number, not tested)
            found.append(value)
            meanings[name, value] = told
        values[name] = tuple(found)
    return Varied(values, meanings)


def _comparisons(text: str) -> Iterator[tuple[str, made_up.Comparison]]:
    for name, sign, number in _COMPARED.findall(text):
        yield name, (sign, _value(number))
    for number, sign, name in _REVERSED.findall(text):
        yield name, (_MIRRORED.get(sign, sign), _value(number))


def _value(number: str) -> int:
    """The value of a number as C writes it, of which twenty digits are enough."""
    if number[:2] in ("0x", "0X"):
        return int(number, 16)
    return int(number[:20], 8 if number[0] == "0" and not set(number) & {"8", "9"} else 10)


def _asked_otherwise(survey: Survey, compared: Mapping[str, set[made_up.Comparison]]) -> set[str]:
    """Those of the symbols that are compared which some condition asks for in another way as well."""
    found: set[str] = set()
    for file in survey.files:
        for directive in file.directives if compared else ():
            if directive.keyword not in ("if", "elif"):
                continue
            text = file.code[directive.start : directive.end]
            asked = [name for name in compared if name in text]
            if asked:
                rest = _DEFINED.sub(" ", _REVERSED.sub(" ", _COMPARED.sub(" ", text)))
                words = set(WORD.findall(text if _ARITHMETIC.search(rest) else rest))
                # A header that decides no condition may compare with other numbers.
                words.update(name for name, one in _comparisons(text) if one not in compared.get(name, ()))
                found.update(name for name in asked if name in words)
    return found


def _computed(survey: Survey, names: Collection[str]) -> set[str]:
    """Those of the symbols with whose values some condition computes."""
    found: set[str] = set()
    for file in survey.files:
        for directive in file.directives:
            if directive.keyword in ("if", "elif"):
                text = _ASKED_WHETHER.sub(" ", file.code[directive.start : directive.end])
                if _ARITHMETIC.search(text):
                    found.update(WORD.findall(text))
    return found.intersection(names)


def _handed_on(survey: Survey, index: _Definitions, words: Collection[str]) -> set[str]:
    """Those of the words that are handed to a macro which may paste or quote them, and so looks at how they read."""
    calls = {call for file in survey.files for call in _ARGUMENT.findall(file.code) if call[1] in words}
    return {word for macro, word in calls if index.pastes(macro)}


def _alternatives(survey: Survey, found: Collection[str], index: _Definitions) -> list[str]:
    """CONFIG_ symbols of which an #error wants one in place of a symbol that is varied: `#elif defined(CONFIG_MPU)`.

    Without them, one choice of several would be all that is ever looked at.
    """
    more: dict[str, None] = {}
    for file in survey.files:
        for at, directive in enumerate(file.directives):
            if directive.keyword != "error":
                continue
            branches = [file.directives[branch] for branch in file.around(at)]
            texts = [
                file.code[one.start : one.end] for one in branches if "def" in one.keyword or _is_choice(file, one)
            ]
            asked = {name for text in texts for name in WORD.findall(text)}
            if not asked.isdisjoint(found):
                named = (name for name in sorted(asked) if name.startswith("CONFIG_"))
                more.update((name, None) for name in named if name not in index.definitions)
    return list(more)


def _is_choice(file: SourceFile, directive: Directive) -> bool:
    """Whether a condition asks for nothing but what is defined."""
    return not _DEFINED.sub("", file.code[directive.start : directive.end]).strip()


def _may_vary(name: str, file: str, known_arch: bool) -> bool:
    if name.startswith("CONFIG_"):
        return True
    if name.startswith("__"):
        return name in ARCHITECTURE_MACROS and not known_arch
    return not file.endswith(".h")


class _Definitions:
    """Which names the sources define, and under which conditions."""

    def __init__(self, survey: Survey) -> None:
        self.definitions: dict[str, list[tuple[SourceFile, int]]] = {}
        self._told: set[tuple[str, int]] = set()
        self._pasting: dict[str, bool] = {}
        for file in survey.files:
            code = file.code
            for at, directive in enumerate(file.directives):
                if directive.keyword == "define" and (match := WORD.search(code, directive.start, directive.end)):
                    self.definitions.setdefault(match.group(), []).append((file, at))

    def conditions(self, name: str) -> Iterator[tuple[SourceFile, int]]:
        """The branches that stand around the definitions of a name, but for those that were told before."""
        for file, at in self.definitions[name]:
            for branch in file.around(at):
                if (file.name, branch) in self._told:
                    break
                self._told.add((file.name, branch))
                yield file, branch

    def enabled(self, name: str) -> Iterator[str]:
        """Symbols that a definition's body asks with IS_ENABLED()."""
        for file, at in self.definitions[name]:
            directive = file.directives[at]
            yield from _ENABLED.findall(file.code[directive.start : directive.end])

    def pastes(self, name: str) -> bool:
        """Whether a macro with parameters pastes or quotes one of them, or hands it on to a macro that does."""
        if name not in self._pasting:
            # A macro that leads back to itself does nothing more by that.
            self._pasting[name] = False
            self._pasting[name] = name in _QUESTIONS or any(map(self._pastes, self.definitions.get(name, ())))
        return self._pasting[name]

    def _pastes(self, place: tuple[SourceFile, int]) -> bool:
        file, at = place
        macro = Definition(file, file.directives[at].start, file.directives[at].end).macro
        if macro.parameters is None:
            return False
        return any(piece.text in ("#", "##") or self.pastes(piece.text) for piece in macro.body)


def used_in_text(survey: Survey, names: Collection[str]) -> list[str]:
    """Those of `names` that stand in the text of a script or in the body of a macro: their value is seen there."""
    used: set[str] = set()
    if not names:
        return []
    for file in survey.files:
        script = is_linker_script(file.name) or file is survey.files[0]
        lines = file.directives
        for name in names:
            for start in _words(file.code, name):
                at = bisect_right(lines, start, key=lambda directive: directive.start) - 1
                within = at >= 0 and start < lines[at].end
                if lines[at].keyword == "define" if within else script:
                    used.add(name)
    return [name for name in names if name in used]


def _words(text: str, name: str) -> Iterator[int]:
    """Where a name stands in a text as a whole word."""
    at = -1
    while (at := text.find(name, at + 1)) >= 0:
        if (match := WORD.match(text, at)) and match.group() == name:
            yield at
