"""Names in DEFINED() that are nearly those of other symbols.

## What it does
Reports `DEFINED(name)` of a name that the script does not assign, where it assigns, or asks for the value of, a symbol
that is called the same but for one word that is abbreviated or has one letter changed.

## Why is this bad
DEFINED() of a name that nobody defines is 0, in silence: the default is taken, whatever was given on the command line
or in an object under the right name. A memory of which the length is 0 is then used by nobody.

## Example
    ccm_length = DEFINED(_ccm_len) ? _ccm_len : 0;
    sram_length = DEFINED(_sram_length) ? _sram_length : 0;

## Use instead
    ccm_length = DEFINED(_ccm_length) ? _ccm_length : 0;
    sram_length = DEFINED(_sram_length) ? _sram_length : 0;

## Limits
Who defines the symbol is not known: the name may be right, and only unlike its neighbours. Underscores in front and
behind, capitals and digits make no misspelling.

## References
GNU ld manual, "Builtin Functions" (DEFINED).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Assignment, Call, Conditional, Word, walk
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Names in DEFINED() that are nearly those of other symbols."),
    evidence=(EvidenceKind.SCRIPT,),
)

# Words shorter than this are too much alike to tell.
_SHORTEST = 3
_LETTERS = 4
# Names of more words are no names that anybody mistakes.
_LONGEST = 16


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each name that is nearly another one."""
    problems = tuple(_misspelt(view))
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, problems)


def _misspelt(view: ScriptView) -> Iterator[Problem]:
    told: set[str] = set()
    spelt: set[tuple[str, ...]] = set()
    # The names of the script by all but one of their words.
    but_one: dict[_ButOne, dict[str, str]] = {}
    for name in view.assignments:
        words = _words(name)
        spelt.add(words)
        for at, rest in _rests(words):
            but_one.setdefault((at, rest), {}).setdefault(words[at], name)
    for nodes in view.assignments.values():
        for node in nodes:
            asked = _asked(node)
            if asked is None or asked in told or (words := _words(asked)) in spelt:
                continue
            told.add(asked)
            near = _near(words, but_one)
            if near is not None:
                yield _problem(node, asked, near, view)


_ButOne = tuple[int, tuple[str, ...]]
# One name among as many as anyone reads.
_MOST = 64


def _rests(words: tuple[str, ...]) -> Iterator[_ButOne]:
    if 1 < len(words) <= _LONGEST:
        for at in range(len(words)):
            yield at, words[:at] + words[at + 1 :]


def _near(words: tuple[str, ...], but_one: Mapping[_ButOne, Mapping[str, str]]) -> str | None:
    """The name that differs in one word, which is abbreviated or has a letter changed."""
    for at, rest in _rests(words):
        others = islice(but_one.get((at, rest), {}).items(), _MOST)
        near = next((name for word, name in others if _alike(words[at], word)), None)
        if near is not None:
            return near
    return None


def _asked(node: Assignment) -> str | None:
    """The name of `symbol = DEFINED(name) ? ... : ...`."""
    value = node.value
    if not isinstance(value, Conditional):
        return None
    for part in walk(value.test):
        if isinstance(part, Call) and part.function == "DEFINED" and isinstance(part.arguments[0], Word):
            return part.arguments[0].text
    return None


def _words(name: str) -> tuple[str, ...]:
    return tuple(name.lower().strip("_").replace(".", "_").split("_"))


def _alike(one: str, other: str) -> bool:
    if not (one.isalpha() and other.isalpha()):
        return False
    short, long = sorted((one, other), key=len)
    if long.startswith(short):
        return len(short) >= _SHORTEST
    if len(short) < _LETTERS:
        return False
    return _is_one_letter_off(short, long)


def _is_one_letter_off(short: str, long: str) -> bool:
    """Whether one letter is missing, is another one, or has changed places with the next."""
    same = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(long) - len(short) == 1:
        return short[same:] == long[same + 1 :]
    if len(long) != len(short):
        return False
    swapped = short[:same] + short[same + 1 : same + 2] + short[same : same + 1] + short[same + 2 :]
    return swapped == long


def _problem(node: Assignment, name: str, near: str, view: ScriptView) -> Problem:
    related = (Related(view.locate(view.assignments[near][0]), "the other name"),)
    return view.problem(
        node,
        name,
        f"DEFINED({name}) is 0 unless something defines exactly that, and the script has {near}",
        at=node.value,
        label=f"not called like {near}",
        related=related if near != node.target.text else (),
        help="see which of the two is defined where the script is used, and write that",
        severity=Severity.WARNING,
    )
