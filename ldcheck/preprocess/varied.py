"""The symbols that make a script many: those that decide its conditions, and those whose value stands in its text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from ldcheck.preprocess.configurations import Value
from ldcheck.preprocess.files import SourceFile
from ldcheck.preprocess.inputs import Survey, is_linker_script
from ldcheck.preprocess.lexer import CONDITIONAL, WORD, Directive

_COMPARED = re.compile(r"\b([^\W\d]\w*)\s*(==|!=|<=|>=|<|>)\s*(0[xX][0-9a-fA-F]+|[0-9]+)\b")
_Comparison = tuple[str, int]
_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "==": int.__eq__,
    "!=": int.__ne__,
    "<": int.__lt__,
    ">": int.__gt__,
    "<=": int.__le__,
    ">=": int.__ge__,
}
_ENABLED = re.compile(r"\b(?:IS_ENABLED|IS_BUILTIN|IS_REACHABLE|config_enabled)\s*\(\s*(\w+)\s*\)")
_DEFINED = re.compile(r"\bdefined\b\s*\(?\s*\w+\s*\)?|[!&|()\s]+")
# A macro with parameters may ask what its argument is: `IS_ENABLED(CONFIG_X)`.
_ARGUMENT = re.compile(r"\w\s*\(\s*(\w+)\s*[,)]")
# What a compiler says about its target; varied only where nobody names the architecture.
ARCHITECTURE_MACROS = frozenset(
    (
        *("__x86_64__", "__i386__", "__aarch64__", "__arm__", "__riscv", "__powerpc__", "__powerpc64__"),
        *("__mips__", "__s390__", "__s390x__"),
    )
)


def deciding_symbols(survey: Survey, pinned: Iterable[str], known_arch: bool) -> dict[str, tuple[Value, ...]]:
    """The symbols that decide a condition of the script or of a linker-script header, each with its values.

    A condition on a macro that the sources themselves define is decided by the conditions around its definitions.
    In headers only CONFIG_ symbols count: whatever else a header asks for, the script that includes it would define.
    `pinned` are names whose value is given. A symbol that is only asked whether it is defined, and whose value stands
    in the text, is defined as itself: nobody knows the number, and one that was made up would be taken for real.
    """
    index = _Definitions(survey)
    settled = set(pinned)
    found: dict[str, None] = {}
    compared: dict[str, set[_Comparison]] = {}
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
        for name, sign, number in _COMPARED.findall(text):
            comparing.add(name)
            value = int(number, 16) if number[:2] in ("0x", "0X") else int(number[:20])
            compared.setdefault(name, set()).add((sign, value))
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
    flags = [name for name in found if name not in compared and name not in valued]
    unknown = set(used_in_text(survey, flags)).difference(*(_ARGUMENT.findall(file.code) for file in survey.files))
    return {
        name: (None, name) if name in unknown else _values(sorted(compared.get(name, ())), name in tested)
        for name in sorted(found)
    }


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


def _values(compared: Sequence[_Comparison], tested: bool) -> tuple[Value, ...]:
    """Undefined and defined for a flag; one value for each outcome where a symbol is compared with numbers."""
    if not compared:
        return (None, "1")
    around = {point for _, number in compared for point in (number - 1, number, number + 1) if point >= 0}
    by_outcome: dict[tuple[bool, ...], Value] = {}
    for point in sorted(around):
        by_outcome.setdefault(tuple(_COMPARE[sign](point, number) for sign, number in compared), str(point))
    return (None, *by_outcome.values()) if tested else tuple(by_outcome.values())


class _Definitions:
    """Which names the sources define, and under which conditions."""

    def __init__(self, survey: Survey) -> None:
        self.definitions: dict[str, list[tuple[SourceFile, int]]] = {}
        self._told: set[tuple[str, int]] = set()
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
