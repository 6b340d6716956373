"""A name that a rule demands and the script does not have: a finding of the rule, or a misspelling in the policy.

A script without `__init_end` that a rule wants aligned is a script that breaks the rule; a rule on `__init_ned` is a
policy that nobody can keep. Told apart are the two by what the script has: a name that is a slip away from the wanted
one means the policy is wrong, unless both are names that a toolchain gives, or a pair by nature (`_sbss`, `_ebss`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ldcheck.findings import InputError, Judgement, Problem, Severity, Standing
from ldcheck.judging.discarding import advice as advice_to_discard
from ldcheck.judging.discarding import discarder
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.existence import Lack
from ldcheck.policy.rule import Rule, names_of
from ldcheck.script.syntax import Node, Sections
from ldcheck.words import listed, slips

# A name that stands for all of a family, `.text.x`.
_STAND_IN = re.compile(r"\.[a-z]$")
# What stands between the words of a name.
_SEPARATED = r"[_.$]+"
# What stands between names and patterns in an expression or a range.
_BETWEEN = r"\.\.(?=\w)|[^\w.$*?\[\]]+"
# The checks whose names are those of input sections, which some statement has to take.
_TAKING = frozenset(("bracket", "discard", "enumerate", "first", "keep", "no-wildcard-may-shadow", "place"))
# The checks that want nothing of their names: a script that lacks one breaks no rule, and may be asked for another.
UNWANTED = frozenset(("empty",))
# Those of them for which a wildcard that takes the sections does not count.
_NAMING = frozenset(("enumerate", "first", "no-wildcard-may-shadow"))


def demands(
    rule: Rule, lacks: Sequence[Lack], views: Mapping[int, ScriptView]
) -> tuple[tuple[InputError, ...], dict[int, Judgement]]:
    """What is wrong where names of a rule exist nowhere: errors of the policy, and what each script lacks.

    Without a script, only the policy can be at fault.
    """
    errors = []
    missing = []
    for lack in lacks:
        similar = misspelt(lack.name, rule, views.values())
        if similar or not views or not lack.demanded:
            advice = f"did you mean {similar}?" if similar else "correct the name, or say `optional: true`"
            place, label = lack.named.location, "nothing has this name"
            errors.append(InputError(f"{lack.reason} [{rule.id}]", place, label=label, help=advice))
        else:
            missing.append(lack.name)
    found = {
        at: Judgement(Standing.REFUTED, tuple(_demanded(names, rule, view) for names in _alike(missing, rule)))
        for at, view in views.items()
        if missing
    }
    return tuple(dict.fromkeys(errors)), found


def misspelt(name: str, rule: Rule, views: Iterable[ScriptView]) -> str:
    """The name in the scripts of which a rule's name is most likely a misspelling; empty if it is none."""
    from ldcheck.sections.families import is_whole_family

    if is_whole_family(name):
        return ""
    own = set(_names(rule))
    known = sorted({known for view in views for known in view.known_names} - own)
    return next((other for other in known if _is_slip(name, other)), "")


def _is_slip(one: str, other: str) -> bool:
    """Whether a name is another one with a slip in one of its words, or with other underscores around it.

    Short words, and words with another first letter, are others: `ro` and `rw`, `sbss` and `ebss`.
    """
    words, wanted = ([word for word in re.split(_SEPARATED, name) if word] for name in (one, other))
    if words == wanted:
        return True
    differing = [(a, b) for a, b in zip(words, wanted, strict=False) if a != b]
    if len(words) != len(wanted) or len(differing) != 1:
        return False
    ((word, meant),) = differing
    letters = re.sub(r"\d+", "", word) != re.sub(r"\d+", "", meant)
    return letters and min(len(word), len(meant)) >= 4 and word[0] == meant[0] and slips(word, meant) == 1


def _alike(missing: Iterable[str], rule: Rule) -> Iterator[tuple[str, ...]]:
    """The names that one finding can tell of: sections that nothing takes, others that are not there, symbols."""
    kinds: dict[str, dict[str, None]] = {}
    for name in missing:
        kinds.setdefault(_lacking(name, rule), {})[name] = None
    yield from (tuple(names) for names in kinds.values())


def _lacking(name: str, rule: Rule) -> str:
    if not name.startswith("."):
        return "nothing in the script defines"
    if rule.check in UNWANTED:
        return "no section is called"
    if rule.check in _NAMING:
        return "no statement names"
    return "nothing takes" if rule.check in _TAKING else "the script has no"


def _demanded(names: tuple[str, ...], rule: Rule, view: ScriptView) -> Problem:
    """What is wrong with a script that lacks names: shown at what stands where they should be."""
    from ldcheck.sections.families import is_whole_family

    lacking, said = _lacking(names[0], rule), listed(names, most=6)
    advice = f"define {said}" if lacking.endswith("defines") else f"add {said}"
    if lacking in ("nothing takes", "no statement names"):
        wanted = [f"{name} {name}.*" if is_whole_family(name) and "*" not in name else name for name in names]
        places = listed([place.text for place in names_of(rule.keys.get("in"))], joint="or")
        where = f"into {places}" if places else "where it belongs"
        advice = f"put `*({' '.join(wanted)})` {where}"
    node, label = _sibling(names[0], rule, view)
    if rule.check == "discard":
        lacking = "nothing discards"
        advice = advice_to_discard(names, view)[0]
        discards = discarder(view)
        node = discards if discards is not None else _sections(view)
        label = f"does not name {'it' if len(names) == 1 else 'them'}" if discards is not None else ""
    counts = rule.check not in UNWANTED and _counts(names, rule, view)
    return view.problem(
        node,
        names[0],
        f"{lacking} {said}",
        severity=None if counts else Severity.NOTE,
        label=label,
        help=f"{'correct the name' if rule.check in UNWANTED else advice}, or say `optional: true` in the rule",
    )


def _counts(names: tuple[str, ...], rule: Rule, view: ScriptView) -> bool:
    """Whether a script that lacks names is likely to miss them.

    Compilers emit sections by themselves; a project's own come with the code that they are for, which this version of
    it may not have, and symbols too. Where at least half of what the rule speaks of is there, so is that code.
    """
    from ldcheck.sections.families import is_whole_family

    if rule.check in _TAKING and names[0].startswith("."):
        return any(is_whole_family(name) or _STAND_IN.search(name) for name in names)
    others = [name for name in _names(rule) if name not in names]
    there = [name for name in others if _found(name, view) is not None]
    return bool(there) and len(there) >= len(names)


def _sibling(name: str, rule: Rule, view: ScriptView) -> tuple[Node, str]:
    """What stands where a missing name should be, and why: the rule's other names, the likest name, else SECTIONS."""
    for other in _names(rule):
        node = _found(other, view) if other != name else None
        if node is not None:
            return node, f"{other} is here"
    alike = view.similar(name)
    node = _found(alike, view) if alike else None
    if node is not None:
        return node, "what is called most like it"
    return _sections(view), ""


def _sections(view: ScriptView) -> Node:
    return next((node for node in view.statements if isinstance(node, Sections)), view.tree)


def _found(name: str, view: ScriptView) -> Node | None:
    from ldcheck.judging.subjects import naming

    node = view.declared(name)
    if node is not None or not name.startswith("."):
        return node
    return next((rule.node for rule in naming(name, view)), None)


def _names(rule: Rule) -> Sequence[str]:
    """The names of sections and symbols that a rule speaks of, those that say where before those that say what."""
    keys = [value for key, value in rule.keys.items() if key in ("in", "between", "with")]
    return [
        name for value in (*keys, rule.subject) for named in names_of(value) for name in re.split(_BETWEEN, named.text)
    ]
