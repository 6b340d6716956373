"""Judges the conditions that findings name, by preprocessing with them and without them.

"only with A and B, or without C" is right if a finding is there in every configuration that has A and B, and in every
one without C, and in none of the others. Which configurations those are is left to the preprocessor: it gets the
symbols of the condition as definitions, and goes through all others as always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ldcheck import checks
from ldcheck.findings import Finding
from ldcheck.judging.gate import Asked, check_target
from ldcheck.project.target import Target
from ldcheck.record import replace

_PART = re.compile(r"\b(with|without) (.*?)(?= and with(?:out)?\b|$)")
_IN_PART = ", and there in some configurations"
_AS_FAR = " that were looked at tell"

Assignment = dict[str, str | None]


def terms(condition: str) -> list[Assignment]:
    """The alternatives of a condition, each as what is defined and what is not."""
    found = []
    for text in condition.removeprefix("only ").split(", or with"):
        term: Assignment = {}
        text = text if text.startswith("with") else f"with{text}"
        for word, names in _PART.findall(text):
            for name in re.split(r", | and | or ", names):
                symbol, _, value = name.partition("=")
                term[symbol] = None if word == "without" else value or "1"
        found.append(term)
    return found


def judged(target: Target, given: Mapping[str, str | None]) -> tuple[Finding, ...] | None:
    """The findings with some symbols given; None where the sources refuse that."""
    checked = check_target(
        replace(target, definitions={**target.definitions, **given}), Asked(), checks, lambda _: None
    )
    return None if checked.errors else checked.findings


def wrong_conditions(target: Target) -> Iterator[str]:
    """What is wrong with the conditions of a target's findings: one line for each."""
    checked = check_target(target, Asked(), checks, lambda _: None)
    assert not checked.errors, checked.errors
    # A macro that one configuration uses here and another there: each use has its finding, and they look the same.
    once = [one for one in checked.findings if sum(_alike(one, other) for other in checked.findings) == 1]
    for condition in dict.fromkeys(one.configurations for one in once):
        mine = [one for one in once if one.configurations == condition]
        if not condition or condition.startswith("in ") or condition.endswith(_AS_FAR):
            continue
        sufficient = not condition.endswith(_IN_PART)
        alternatives = terms(condition.removesuffix(_IN_PART))
        for term in alternatives if sufficient else ():
            found = judged(target, term)
            for finding in mine if found is not None else ():
                same = [one for one in found or () if _alike(one, finding)]
                if len(same) < 2 and not any(one.configurations == "" for one in same):
                    said = same[0].configurations if same else "not at all"
                    yield f"{_named(finding)}: {condition}: with {term} it is there {said}"
        for outside in _negations(alternatives):
            found = judged(target, outside)
            yield from (
                f"{_named(finding)}: {condition}: also with {outside}"
                for finding in mine
                if any(_alike(one, finding) for one in found or ())
            )


def _negations(alternatives: list[Assignment]) -> Iterator[Assignment]:
    """Assignments under which no alternative holds: of each, one symbol after the other is turned round."""
    pending: list[Assignment] = [{}]
    for term in alternatives:
        pending = [
            {**given, name: None if value is not None else "1"}
            for given in pending
            for name, value in term.items()
            if name not in given or given[name] != value
        ]
    yield from pending[:8]


def _alike(one: Finding, other: Finding) -> bool:
    return (one.rule, one.location, one.message) == (other.rule, other.location, other.message)


def _named(finding: Finding) -> str:
    return f"{finding.location.file}:{finding.location.line}: {finding.message[:70]} [{finding.rule}]"
