"""No code or data in some sections refers to what is in others.

## What it does
It reads the relocations of the objects, and names each function or datum in a section of `from` that refers to one in
a section of `to`: once for a pair, with all files that have it. `except` lists what is allowed, by a pair of symbols
(or patterns), by the sections of both, or by the object of what refers; an exception that nothing needs is told as a
note. A policy that extends another adds to its exceptions with `except-also`. With `at-most`, so many pairs are
allowed: for what cannot go at once, but must not grow. Objects that are given together define one another's symbols.

A side is names of sections, or a mapping: `between` two symbols, `outside` of two, in a memory `region`. Those are
judged on an image that was linked with --emit-relocs, or on the objects of a link and its map. With neither, direct
calls are looked for in the image, if capstone is installed (the extra ldcheck[calls]): these can break a rule, and
never hold it.

## Why is this bad
The init range is freed after boot: a function that stays and calls one of it runs into whatever lies there then. Code
in RAM that calls code in flash stops while the flash is written. Linkers know of neither.

## Example
    rules:
      - id: init-not-referenced
        no-reference: { from: [.text, .text.*, .data, .data.*], to: .init.* }
        except:
          - { symbol: [rest_init, free_initmem], reason: runs before the range is freed }

with

    void idle_loop(void) { early_cpu(); }

## Use instead
    void __init idle_loop(void) { early_cpu(); }

## Limits
Addresses that are computed at run time, and calls that the compiler inlined, leave no relocation; nor does a jump
within one section. Without a map, what lies in an archive counts whether or not the link took it. Sections are those
of the objects; on an image, the map tells which are where. Where an address is reached from that of a neighbour
(section anchors), the neighbour is named. Objects for link-time optimisation have no code yet. Where objects are
given with the map or the image of their link, these tell where symbols are that no object defines: another name that
the script gives a function is that function, and a place that it marks is nothing. Nothing is held while a file of the
map that was not given has a section of `from`, nor of code whose relocations were taken out of the image.

## References
ELF specification, "Relocation"; scripts/mod/modpost.c in Linux.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView
from ldcheck.judging.sides import Stretch, any_of, stretch_of
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Excepted, Exceptions, Named, Rule, Sides
from ldcheck.policy.sizes import evaluate
from ldcheck.sections.globs import fnmatch_glob
from ldcheck.words import counted, listed

if TYPE_CHECKING:
    from ldcheck.image.linked_references import ByAddress
    from ldcheck.image.placed_references import PlacedReferences
    from ldcheck.image.references import Reference, References

DECLARATION = Declaration(
    head=Key("no-reference", Kind.SIDES, "From which sections of the objects there is no reference to which."),
    keys=(
        Key("except", Kind.EXCEPTIONS, "References that are allowed, each by symbols, sections or object."),
        Key("except-also", Kind.EXCEPTIONS, "More of them, beside those of a policy that this one extends."),
        Key("at-most", Kind.SIZE, "How many pairs of names are allowed, each counted once; none if not given."),
    ),
    evidence=(EvidenceKind.OBJECTS, EvidenceKind.IMAGE),
)

# What compilers add to the name of a function that they made another one of.
_VARIANT = re.compile(r"(\.(constprop|isra|part|cold|llvm|lto_priv)(\.\d+)*)+$")
# What tells all references, where sides are names and where they are addresses.
_AT_ALL = {
    False: "only objects tell what refers to what, give --objects",
    True: "only an image that was linked with --emit-relocs, or objects and their map, tell from where to where, "
    "give --elf, or --objects and --map",
}
# Files of a pair that are named.
_SHOWN = 3
# Files that are named where pairs are counted.
_FILES = 10
# Lines are looked up for so many pairs: debugging information is slow to read.
_WITH_LINES = 50


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """By the relocations: REFUTED where something refers to what it must not."""
    assert isinstance(rule.subject, Sides)
    source, target = stretch_of(rule.subject.source, view), stretch_of(rule.subject.target, view)
    if not isinstance(source, Stretch):
        return source
    if not isinstance(target, Stretch):
        return target
    pool, evidence, why = _pool(rule.subject, view, source, by_address=source.by_address or target.by_address)
    if pool is None:
        return Judgement(Standing.UNKNOWN, reason=why)
    for side, stretch in ((rule.subject.source, source), (rule.subject.target, target)):
        if side.sections and not any(stretch.named(name) for name in pool.sections):
            reason = f"no object has a section {listed([one.text for one in side.sections], joint='or')}"
            return Judgement(Standing.ABSENT if rule.optional else Standing.UNKNOWN, reason=reason)
    exceptions = _exceptions(rule)
    partial = getattr(pool, "partial", False)
    # To find calls takes much time: none are looked for in sections that are allowed everything.
    named = _not_allowed_at_all(source.named, exceptions) if partial else source.named
    pairs: dict[tuple[str, ...], list[Reference]] = {}
    for one in _not_allowed(pool.between(named, target.named, source.holds, target.holds), exceptions):
        # Copies of one function in several files are one to a reader.
        key = (
            _shown(one.source),
            "" if one.source else _place(one.section, one.address),
            _shown(one.target),
            _place(one.target_section, None if one.target else one.target_address),
        )
        pairs.setdefault(key, []).append(one)
    # What a call does not need, a reference that is no call may.
    remarks = tuple(_unused(one) for one in exceptions if not (one.used or one.entry.optional or partial))
    limit = rule.keys.get("at-most")
    most = evaluate(limit.text, view.params, limit.location) if isinstance(limit, Named) else 0
    if len(pairs) <= most and partial:
        found = f"{counted(len(pairs), 'direct call')} of at most {most:,}" if pairs else "no direct call does"
        return Judgement(Standing.UNKNOWN, reason=f"{found}; {_AT_ALL[source.by_address or target.by_address]}")
    if len(pairs) <= most and (untold := pool.untold(source.named, source.holds, target.named, target.holds)):
        return Judgement(Standing.UNKNOWN, reason=f"not all references could be read: {untold}")
    if len(pairs) <= most:
        return Judgement(Standing.HOLDS, remarks, evidence=evidence)
    if limit is not None:
        problem = _too_many(f"from {source.text} to {target.text}", pairs.values(), most)
        return Judgement(Standing.REFUTED, (problem, *remarks), evidence=evidence)
    elf = view.image.elf if view.image.references is None else None
    lines = _line_finder(elf.path if elf is not None else "")
    problems = [
        _problem(pair, lines if number < _WITH_LINES else lambda _: "") for number, pair in enumerate(pairs.values())
    ]
    return Judgement(Standing.REFUTED, (*problems, *remarks), evidence=evidence)


def _pool(
    sides: Sides, view: ImageView, source: Stretch, by_address: bool
) -> tuple[References | ByAddress | PlacedReferences | None, tuple[EvidenceKind, ...], str]:
    """Where references are looked for, what evidence that is, and why there is none."""
    given = view.referring.objects
    if given is not None and (not by_address or view.image.references is not None):
        return given, (EvidenceKind.OBJECTS,), ""
    linked = view.referring.linked
    told = linked is not None and linked.has_relocations and not linked.untold(source.named, source.holds)
    if not told and (placed := view.referring.placed) is not None:
        return placed, (EvidenceKind.OBJECTS, EvidenceKind.MAP), ""
    named = bool(sides.source.sections or sides.target.sections)
    if linked is None or (named and not linked.by_input and not linked.has_relocations):
        return None, (), _AT_ALL[by_address]
    if named and not linked.by_input:
        return None, (), "only objects, or the map, tell the sections of the input, give --objects or --map"
    evidence = (EvidenceKind.IMAGE, *((EvidenceKind.MAP,) if named else ()))
    if linked.has_relocations:
        return linked, evidence, ""
    calls = view.referring.calls
    if calls is None or calls.why_not:
        return None, (), _AT_ALL[by_address] + (f"; {calls.why_not}" if calls is not None else "")
    return calls, evidence, ""


def forbidden(rule: Rule, references: References) -> list[Reference]:
    """The references of objects that a rule forbids and does not allow after all; its sides are names."""
    assert isinstance(rule.subject, Sides)
    source, target = (
        any_of([one.text for one in side.sections]) for side in (rule.subject.source, rule.subject.target)
    )
    return _not_allowed(references.between(source, target), _exceptions(rule))


def _exceptions(rule: Rule) -> list[_Exception]:
    allowed = [rule.keys.get(key) for key in ("except", "except-also")]
    return [_Exception(entry) for some in allowed if isinstance(some, Exceptions) for entry in some.entries]


def _not_allowed(found: Iterable[Reference], exceptions: Sequence[_Exception]) -> list[Reference]:
    # Each exception is asked, so that the ones that nothing needs are known.
    return [one for one in found if not [exception for exception in exceptions if exception.allows(one)]]


def _not_allowed_at_all(named: Callable[[str], bool], exceptions: Sequence[_Exception]) -> Callable[[str], bool]:
    """Which of the sections that `named` takes no exception allows to refer to whatever they like."""
    free = any_of([section for one in exceptions if one.is_free for section in one.entry.sections or ("*",)])
    return lambda name: named(name) and not free(name)


class _Exception:
    """An entry of `except`, and whether anything needed it."""

    def __init__(self, entry: Excepted) -> None:
        self.entry = entry
        self.used = False
        self._source, self._target = (_name_matcher(text) for text in entry.symbols)
        self._in_source, self._in_target = any_of(entry.sections or ("*",)), any_of(entry.targets or ("*",))
        # Whether it asks for nothing but the section of what refers.
        self.is_free = entry.symbols == ("*", "*") and not entry.targets and not entry.object

    def allows(self, one: Reference) -> bool:
        entry = self.entry
        if not self._in_source(one.section) or not self._in_target(one.target_section):
            return False
        if entry.object and not any(fnmatch_glob(entry.object).matches(name) for name in _file_names(one)):
            return False
        if not self._source(one.source) or not self._target(one.target):
            return False
        self.used = True
        return True


def _name_matcher(pattern: str) -> Callable[[Sequence[str]], bool]:
    """Whether one of a place's names matches: as it is, or as it was before the compiler made a variant of it."""
    if pattern == "*":
        return lambda _: True
    glob = fnmatch_glob(pattern)
    matches = cache(lambda name: glob.matches(name) or glob.matches(_VARIANT.sub("", name)))
    return lambda names: any(matches(name) for name in names)


def _file_names(one: Reference) -> tuple[str, ...]:
    return one.file, os.path.basename(one.file), *((one.member,) if one.member else ())


def _place(section: str, address: int | None) -> str:
    """Where something is, to a reader: the section of its object, or its address."""
    return section or ("" if address is None else f"{address:#x}")


def _shown(names: Sequence[str]) -> str:
    return names[0] if names else ""


def _problem(pair: Sequence[Reference], line_of: Callable[[Reference], str]) -> Problem:
    """What is wrong with the references of one pair of names, in all files that have it."""
    first = pair[0]
    place, there = _place(first.section, first.address), _place(first.target_section, first.target_address)
    source, target = _named(first.source, place), _named(first.target, there)
    apart = (first.target_file, first.target_member) != (first.file, first.member) and first.target_section
    file = f", {_target_file(first)}" if apart else ""
    facts = []
    if line := line_of(first):
        facts.append(f"at {line}")
    times = sum(one.times for one in pair)
    if times > 1:
        facts.append(counted(times, "reference"))
    others = list(dict.fromkeys(_file(one) for one in pair[1:] if _file(one) != _file(first)))
    if others:
        more = f" and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
        facts.append(f"also in {', '.join(others[:_SHOWN])}{more}")
    if len(first.target) > 1:
        facts.append(f"{target} is also called {listed(list(first.target[1:]))}")
    return Problem(
        subject=f"{_shown(first.source) or place} to {_shown(first.target) or there}",
        message=f"{source} ({place}, {_file(first)}) refers to {target} ({there}{file})",
        facts=tuple(facts),
        witness=_shown(first.source),
        help=f"look at which of the two is in the wrong section: {source} may belong with what it refers to, or "
        f"{target} with what stays",
        route=f"{_shown(first.source) or place}/{_shown(first.target) or there}",
    )


def _too_many(what: str, pairs: Collection[Sequence[Reference]], most: int) -> Problem:
    """One finding for all pairs, where some are allowed: which of them are new, nobody knows."""
    by_file: dict[str, int] = {}
    for pair in pairs:
        by_file[_file(pair[0])] = by_file.get(_file(pair[0]), 0) + 1
    files = sorted(by_file.items(), key=lambda one: -one[1])
    facts = [f"{name}: {counted(number, 'pair')}" for name, number in files[:_FILES]]
    if len(files) > _FILES:
        facts.append(f"and {counted(len(files) - _FILES, 'more file')}")
    return Problem(
        subject=what,
        message=f"{counted(len(pairs), 'reference')} {what}, each pair of names counted once; {most:,} are allowed",
        facts=tuple(facts),
        witness=_shown(next(iter(pairs))[0].source),
        help="leave `at-most` out to see each of them; raise it to accept them",
    )


def _named(names: Sequence[str], section: str) -> str:
    name = _shown(names)
    return (name if name.startswith('"') else f"`{name}`") if name else f"something in {section}"


def _file(one: Reference) -> str:
    name = os.path.basename(one.file)
    return f"{name}({one.member})" if one.member else name


def _target_file(one: Reference) -> str:
    name = os.path.basename(one.target_file)
    return f"{name}({one.target_member})" if one.target_member else name


def _line_finder(image: str) -> Callable[[Reference], str]:
    from ldcheck.image.lines import Lines

    lines = Lines()

    def of(one: Reference) -> str:
        if one.number:
            return lines.at(one.file, one.member, one.number, one.offset)
        return "" if one.address is None or not image else lines.at_address(image, one.address)

    return of


def _unused(exception: _Exception) -> Problem:
    entry = exception.entry
    said = []
    if entry.symbols != ("*", "*"):
        said.append(f"from `{entry.symbols[0]}` to `{entry.symbols[1]}`")
    if entry.sections:
        said.append(f"of {listed(list(entry.sections), joint='or')}")
    if entry.targets:
        said.append(f"to {listed(list(entry.targets), joint='or')}")
    if entry.object:
        said.append(f"in {entry.object}")
    return Problem(
        subject=f"exception {' '.join(said)}",
        message=f"nothing needs the exception {' '.join(said)}",
        location=entry.location,
        severity=Severity.NOTE,
        help="look at whether it can go",
    )
