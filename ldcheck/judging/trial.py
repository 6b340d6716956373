"""Tries drafts of fixes: the edits are made in memory, and every script that they touch is judged again.

An edit is proved if in every configuration of every target at hand its finding is gone, and nothing is there that was
not there before: no finding, no error, no rule that held and no longer does, no section that a pattern took and none
takes. The link at hand is not asked, for it was made of the old script. What is not proved, or cannot be tried, leaves
a finding with the cautious words of its check. Trials have a budget; no file of the tree is written to.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError, Edit, Finding, Fix, Safety, Severity, Verdict
from ldcheck.judging import applicable, judge
from ldcheck.judging.edits import applied
from ldcheck.judging.refused import refuses_orphans
from ldcheck.judging.scripts import Scripts, read_edited, read_scripts, script_errors, views_of
from ldcheck.judging.spent import spent
from ldcheck.record import dataclass, replace
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.judging.evidence import ScriptView
    from ldcheck.policy.load import Policies
    from ldcheck.policy.rule import Rule
    from ldcheck.project.target import Target
    from ldcheck.script.syntax import Script
    from ldcheck.sections.rules import InputRule
    from ldcheck.source import Location, Source

# A run's trials, and the seconds of processor time that they may take, those of compilers included.
MOST_TRIALS = 20
MOST_SECONDS = 1.5

# What a configuration is known by: the symbols that are varied, with their values.
_Key = frozenset[tuple[str, str | None]]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _State:
    """What judging one script gave.

    `findings` are counted by rule and message, and `places` has them by rule and location; `outputs` are the output
    sections.
    """

    findings: Counter[tuple[str, str]]
    places: Mapping[tuple[str, Location], frozenset[str]]
    heavy: frozenset[tuple[str, str]]
    errors: frozenset[str]
    held: frozenset[str]
    rules: tuple[InputRule, ...]
    outputs: tuple[str, ...]

    def known(self, finding: Finding) -> tuple[str, str]:
        """What a finding is known by, in the words of the script where a link has put it in its own."""
        messages = self.places.get((finding.rule, finding.location), frozenset((finding.message,)))
        message = finding.message if finding.message in messages or len(messages) > 1 else next(iter(messages))
        return finding.rule, message


_Pair = tuple[Mapping[_Key, _State], Mapping[_Key, _State]]


class Bench:
    """A target's scripts, to be judged with other texts: with the same rules, and without the link.

    `scripts` are as they were read with `arch`; where they were not kept, they are read again. `judged` is what the
    rules were judged on otherwise, and `rules` are those of `policies` that were. `files` are the names of all that the
    scripts are read from, and `seconds` is what reading and judging them took.
    """

    def __init__(
        self,
        target: Target,
        arch: str,
        scripts: Scripts | None,
        judged: applicable.Target,
        policies: Policies,
        rules: Sequence[Rule],
        checks: judge.CheckModules,
        files: frozenset[str],
        seconds: float,
    ) -> None:
        self.target = target
        self.name = judged.name
        self.files = files
        self.seconds = seconds
        self.own_help = frozenset(rule.id for rule in rules if rule.help)
        self._arch = arch
        self._judged = replace(judged, image=None, scripts=(), condition=lambda *_: "")
        self._policies = policies
        self._rules = tuple(rules)
        self._checks = checks
        self._kept = scripts
        self._views = tuple(case.view for case in judged.scripts)
        # Most edits leave most configurations as they are: what was judged, by the tree, and what came of it.
        self._judged_so_far: dict[Script, tuple[applicable.ScriptCase, _State]] = {}

    @cached_property
    def scripts(self) -> Scripts:
        """The scripts as they are."""
        return self._kept if self._kept is not None else read_scripts(self.target, self._arch)

    @cached_property
    def before(self) -> Mapping[_Key, _State]:
        """What the scripts are judged to be, by configuration."""
        return self._states(self.scripts, self._views if self._kept is not None else self._seen(self.scripts))

    def after(self, texts: Mapping[str, str]) -> Mapping[_Key, _State] | None:
        """The same with other texts of some files; None where they are no scripts any more."""
        scripts = read_edited(self.target, self._arch, self.scripts, texts)
        if any(script_errors(parse) for parse in scripts.parses):
            return None
        return self._states(scripts, self._seen(scripts))

    def source(self, name: str) -> Source | None:
        """A file of the scripts."""
        if self.scripts.preprocessed:
            file = self.scripts.preprocessed[0].origin.files.get(name)
            return file.source if file is not None else None
        return next((source for source in self.scripts.sources if source.name == name), None)

    @property
    def complete(self) -> bool:
        """Whether every configuration is among those that are judged."""
        return all(one.complete for one in self.scripts.preprocessed)

    def _seen(self, scripts: Scripts) -> tuple[ScriptView, ...]:
        refused = refuses_orphans(self._rules, self._judged.arch)
        arch, linkers = self._judged.arch, self.target.linkers
        return tuple(views_of(scripts, self._policies, arch, orphans=not refused, linkers=linkers))

    def _states(self, scripts: Scripts, views: Sequence[ScriptView]) -> Mapping[_Key, _State]:
        definitions = scripts.definitions or ((),) * len(views)
        states = [
            self._state(applicable.ScriptCase(view, defined)) for view, defined in zip(views, definitions, strict=True)
        ]
        if not scripts.preprocessed:
            return {frozenset(): states[0]}
        return {
            frozenset(configuration.definitions.items()): state
            for one, state in zip(scripts.preprocessed, states, strict=True)
            for configuration in one.configurations
        }

    def _state(self, case: applicable.ScriptCase) -> _State:
        if (known := self._judged_so_far.get(case.view.tree)) is not None:
            earlier, state = known
            if earlier.view.params == case.view.params and earlier.definitions == case.definitions:
                return state
        state = self._judge(case)
        self._judged_so_far[case.view.tree] = case, state
        return state

    def _judge(self, case: applicable.ScriptCase) -> _State:
        judged = judge.judge(self._rules, replace(self._judged, scripts=(case,)), self._checks)
        places: dict[tuple[str, Location], frozenset[str]] = {}
        for one in judged.findings:
            at = one.rule, one.location
            places[at] = places.get(at, frozenset()) | {one.message}
        return _State(
            Counter(map(_known_by, judged.findings)),
            places,
            frozenset(_known_by(one) for one in judged.findings if one.severity.at_least(Severity.WARNING)),
            frozenset(error.message for error in judged.errors),
            frozenset(result.rule for result in judged.results if result.verdict is Verdict.HELD),
            case.view.rules,
            tuple(name for name in case.view.output_sections if name != "/DISCARD/"),
        )


def _known_by(finding: Finding) -> tuple[str, str]:
    return finding.rule, finding.message


def tried(findings: Sequence[Finding], benches: Sequence[Bench]) -> tuple[Finding, ...]:
    """The findings with the fixes that were proved, in whose words their help is then; without all others."""
    trials = _Trials(benches)
    settled = list(findings)
    # The heavy ones first, for as long as the budget lasts.
    for at in sorted(range(len(findings)), key=lambda at: findings[at].severity.rank):
        if (fix := findings[at].fix) is not None:
            settled[at] = trials.settled(findings[at], fix)
    return tuple(settled)


class _Trials:
    """The trials of a run, and what is left of their budget."""

    def __init__(self, benches: Sequence[Bench]) -> None:
        self._benches = benches
        self._count = 0
        self._spent = 0.0
        self._known: dict[tuple[int, tuple[Edit, ...]], _Pair | None] = {}

    def settled(self, finding: Finding, fix: Fix) -> Finding:
        proved = self._proved(finding, fix)
        if proved is None:
            return replace(finding, fix=None)
        own = any(finding.rule in bench.own_help for bench in self._benches if bench.name == finding.target)
        return replace(finding, fix=proved, help=finding.help if own else proved.does)

    def _proved(self, finding: Finding, fix: Fix) -> Fix | None:
        names = dict.fromkeys(edit.location.file for edit in fix.edits)
        own = [bench for bench in self._benches if bench.name == finding.target and not bench.files.isdisjoint(names)]
        # Two targets of one name would leave open which of them the finding is of.
        if len(own) != 1:
            return None
        touched = [bench for bench in self._benches if not bench.files.isdisjoint(names)]
        try:
            texts = _texts(own[0], fix, names)
            if texts is None:
                return None
            count, moved = 0, False
            for bench in touched:
                judged = self._judged(bench, fix, texts)
                if judged is None or not _better(*judged, finding if bench is own[0] else None):
                    return None
                before, after = judged
                count += len(after)
                moved |= any(before[key].outputs != state.outputs for key, state in after.items())
        except (CheckError, OSError):
            return None
        safety, remark = Safety.SAFE, ""
        if any(os.path.normpath(name) != os.path.normpath(own[0].target.script) for name in names):
            safety, remark = Safety.UNSAFE, "; other scripts that include it were not looked at"
        elif not all(bench.complete for bench in touched):
            safety, remark = Safety.UNSAFE, "; other configurations were left out"
        elif moved:
            safety, remark = Safety.UNSAFE, "; the order of the output sections changes"
        where = f"tried in {counted(count, 'configuration')}" if own[0].scripts.preprocessed else "tried"
        return replace(fix, safety=safety, proved=f"{where}: the finding is gone, and nothing is new{remark}")

    def _judged(self, bench: Bench, fix: Fix, texts: Mapping[str, str]) -> _Pair | None:
        """What a bench's scripts are judged to be without and with a fix; None where that was not to be found out."""
        key = id(bench), fix.edits
        if key not in self._known:
            if self._count >= MOST_TRIALS or self._spent + bench.seconds > MOST_SECONDS:
                return None
            self._known[key] = None
            self._count += 1
            begin = spent()
            try:
                before, after = bench.before, bench.after(texts)
                self._known[key] = (before, after) if after is not None else None
            finally:
                self._spent += spent() - begin
        return self._known[key]


def _texts(bench: Bench, fix: Fix, names: Mapping[str, None]) -> dict[str, str] | None:
    """The edited files; None for edits that do not fit, or that no report could hand on as they are."""
    texts = {}
    for name in names:
        source = bench.source(name)
        text = applied(source, [edit for edit in fix.edits if edit.location.file == name]) if source else None
        if text is None:
            return None
        texts[name] = text
    try:
        "".join(edit.text for edit in fix.edits).encode()
    except UnicodeEncodeError:
        return None
    return texts


def _better(before: Mapping[_Key, _State], after: Mapping[_Key, _State], finding: Finding | None) -> bool:
    """Whether a finding that was there is gone, in every configuration, and nothing else became worse in any."""
    if before.keys() != after.keys():
        return False
    if finding is not None:
        where = [(at, state.known(finding)) for at, state in before.items()]
        where = [(at, key) for at, key in where if before[at].findings[key]]
        if not where or any(after[at].findings[key] >= before[at].findings[key] for at, key in where):
            return False
    seen: set[tuple[int, int]] = set()
    for at, new in after.items():
        old = before[at]
        if (id(old), id(new)) in seen:
            continue
        seen.add((id(old), id(new)))
        worse = [key for key in new.heavy if new.findings[key] > old.findings[key]]
        if worse or new.errors - old.errors or old.held - new.held or not _placed(old.rules, new.rules):
            return False
    return True


def _placed(old: Sequence[InputRule], new: Sequence[InputRule]) -> bool:
    """Whether every section that some rule took is still one that a rule takes."""
    from ldcheck.sections.budget import TooComplexError
    from ldcheck.sections.claims import claim_of, sure_claims
    from ldcheck.sections.search import among, find

    there = {_taken(rule) for rule in new}
    lost = [rule for rule in old if _taken(rule) not in there]
    if not lost:
        return True
    try:
        takers = among(sure_claims(map(claim_of, new)))
        return all(find(claim_of(rule).asked(), takers) is None for rule in lost)
    except TooComplexError:
        return False


def _taken(rule: InputRule) -> tuple[object, ...]:
    text = rule.text
    return (text[5:-1] if rule.keep else text), rule.discards, rule.constraint
