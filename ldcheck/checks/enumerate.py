"""Sections are named ahead of any pattern that would take them too.

## What it does
For each name: some input section pattern of the script must name it, and none of the patterns given with `before` may
stand ahead of that and match the same sections.

## Why is this bad
A catch-all such as `*(.text.*)` is written for what nobody listed. What has a meaning of its own (page-aligned code,
start-up code, hot and cold functions) has to be listed ahead of it; otherwise the linker mixes it in, in silence.

## Example
    rules:
      - id: page-aligned-first
        enumerate: .text.page_aligned
        before: .text.*

with

    .text : { *(.text) *(.text.*) *(.text.page_aligned) }

## Use instead
    .text : { *(.text.page_aligned) *(.text) *(.text.*) }

## Limits
A configuration that has no pattern of the `before` kind has nothing that the names could be hidden by: there the rule
holds even if the names are not listed. A pattern that could take none of the names is an error where the script has
nothing of its kind (`.text` for `.text.*`): it may be misspelt. A statement for some files as a whole (`*libc.a:*`) is
no such pattern. With `optional`, a name counts where some statement names it. What only stands ahead and cannot take
them is no fault here: that nothing does, says `first`.

## References
GNU ld manual, "Input Section Basics".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing, all_of, unless_undecided
from ldcheck.judging.edits import move_ahead, put_ahead
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.subjects import INPUT, absent, naming, tried_ahead
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Named, Rule, names_of
from ldcheck.sections.globs import overlaps, section_glob
from ldcheck.sections.reach import Relation, names, reaching, relation
from ldcheck.sections.rules import InputRule
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("enumerate", Kind.NAMES, "Sections that must be named.", names=Names.TAKEN),
    keys=(
        Key(
            "before",
            Kind.NAMES,
            "The patterns ahead of which they must be named.",
            required=True,
            names=Names.FREE,
        ),
    ),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """REFUTED where a `before` pattern takes such sections first, or where it takes them and nothing names them."""
    before = names_of(rule.keys["before"])
    heads = [section_glob(named.text) for named in rule.names]
    judgements = [_judge(named, before, rule, view) for named in rule.names]
    # A pattern that could take none of the names, nor is like any that the script has, may be misspelt.
    judgements += [
        absent(pattern, view, "a pattern that can take one of the names")
        for pattern in before
        if not any(overlaps(section_glob(pattern.text), head) for head in heads) and not _has_kind(pattern.text, view)
    ]
    return all_of(judgements, optional=rule.optional)


def _has_kind(pattern: str, view: ScriptView) -> bool:
    """Whether the script names such sections, or others of their kind: `.text` is of the kind of `.text.*`."""
    kind = section_glob(pattern).prefix.rstrip(".")
    return bool(naming(pattern, view)) or any(f"{rule.names.prefix}.".startswith(f"{kind}.") for rule in view.rules)


def _judge(named: Named, before: tuple[Named, ...], rule: Rule, view: ScriptView) -> Judgement:
    wanted = section_glob(named.text)
    broad = [section_glob(pattern.text) for pattern in before]
    naming_rules = naming(named.text, view)
    found = reaching(view.rules, named.text)
    takers = [
        (taker, witness)
        for taker, witness in found.takers
        if not names(taker.names, wanted)
        and any(overlaps(taker.names, glob) for glob in broad)
        and not _takes_files(taker)
    ]
    if not naming_rules and (rule.optional or not takers):
        return unless_undecided(absent(named, view, INPUT), len(found.undecided))
    harmful = [(taker, witness) for taker, witness in takers if not _listed_ahead(taker, naming_rules)]
    if harmful:
        problems = tuple(_problem(named.text, taker, witness.section, naming_rules, view) for taker, witness in harmful)
        return Judgement(Standing.REFUTED, problems)
    return unless_undecided(Judgement(Standing.HOLDS), len(found.undecided))


def _takes_files(taker: InputRule) -> bool:
    """Whether a statement is for some files as a whole (`*libc.a:*`), whatever their sections are called."""
    return not taker.files.everything and not taker.names.prefix and taker.names.matches("x")


def _listed_ahead(taker: InputRule, naming_rules: tuple[InputRule, ...]) -> bool:
    """Whether the names are listed ahead of the taker, or in the same statement, where the order means nothing."""
    return any(rule.index < taker.index or relation(rule, taker) is Relation.SAME_STATEMENT for rule in naming_rules)


def _problem(
    name: str, taker: InputRule, witness: str, naming_rules: tuple[InputRule, ...], view: ScriptView
) -> Problem:
    pattern = taker.pattern.pattern.text if taker.pattern is not None else taker.text
    if naming_rules:
        message = f"`{pattern}` stands ahead of the statement that names {name}"
        related: tuple[Related, ...] = (Related(view.locate(naming_rules[0].node), "named only here"),)
        help_text = tried_ahead(naming_rules[0], taker, view)
        fix = move_ahead(naming_rules[0], taker, view)
    else:
        message = f"`{pattern}` takes {witness}, which no statement names"
        related = ()
        help_text = f"look at where {name} belongs: it has to be listed ahead of this"
        fix = put_ahead(f"*({name})", taker.statement, view, f"list `*({name})` ahead of it")
    return view.problem(
        taker.node,
        name,
        message,
        label=f"takes {witness} along with everything else",
        related=related,
        witness=witness,
        help=help_text,
        fix=fix,
    )
