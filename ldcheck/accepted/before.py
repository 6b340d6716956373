"""What was said of the version before: a finding in lines that stayed may still be what a change brings.

A region that was taken out, a header with another number, a policy with another rule: the place of the finding is not
the place of the change. Such findings are looked up in what the version before is told, which is judged for that, with
its scripts, headers and policies as git has them. What was linked before, git does not have: of an image, nothing was
said before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ldcheck.accepted.changes import Changes
from ldcheck.compare.verdicts import saying
from ldcheck.findings import CheckError, Finding
from ldcheck.judging.gate import Asked, Checked, check_target
from ldcheck.judging.judge import CheckModules
from ldcheck.judging.spent import TIME, OutOfTimeError, seconds_of
from ldcheck.project.revisions import is_new, texts_at
from ldcheck.project.target import FILE_NAME, Target
from ldcheck.record import fields, replace
from ldcheck.sections.budget import BUDGET
from ldcheck.source import Source


class Since(NamedTuple):
    """The findings that a change brings, and how many others there are."""

    findings: tuple[Finding, ...]
    others: int


class Judged(NamedTuple):
    """What was judged: the targets with what came of each, what was asked of them, and the checks that there are.

    `told` says what of a target's findings a report would tell.
    """

    targets: Sequence[Target]
    checked: Sequence[Checked]
    asked: Asked
    checks: CheckModules
    told: Callable[[Checked], Sequence[Finding]]


def brought(findings: Iterable[Finding], revision: str, judged: Judged) -> Since:
    """The findings that what changed since `revision` brings. Raises CheckError for a revision that is unknown.

    These are all in lines that changed, and all others that were not said of the version before. A target is judged
    again only where one of its files is another one now, and it has findings in lines that stayed.
    """
    changes = Changes(revision)
    listed = tuple(findings)
    hidden = [at for at, finding in enumerate(listed) if not changes.touch(finding)]
    kept = set(range(len(listed))).difference(hidden)
    for target, checked in zip(judged.targets, judged.checked, strict=True):
        asking = [at for at in hidden if _is_of(listed[at], target, checked)]
        if asking:
            old = _before(target, checked, judged, changes.base)
            kept.update(asking if old is None else _unsaid(asking, listed, old))
    fact = f"nothing said so at {revision}, though these lines are the same"
    fresh = {at: replace(listed[at], facts=(*listed[at].facts, fact)) for at in kept.intersection(hidden)}
    return Since(tuple(fresh.get(at, listed[at]) for at in sorted(kept)), len(listed) - len(kept))


def _is_of(finding: Finding, target: Target, checked: Checked) -> bool:
    """Whether a finding is one of a target; what is wrong with a comment that allows something is of every file's."""
    return finding.target == target.name or (not finding.target and finding.location.file in checked.files)


def _unsaid(asking: Sequence[int], listed: Sequence[Finding], old: Iterable[Finding]) -> Iterator[int]:
    """The findings that were not said before as severely; where one was said of several, the first are taken for it."""
    known: dict[object, list[int]] = {}
    for finding in old:
        known.setdefault(saying(finding), []).append(finding.severity.rank)
    for at in asking:
        ranks = known.get(saying(listed[at]), [])
        was = next((rank for rank in ranks if rank <= listed[at].severity.rank), None)
        if was is None:
            yield at
        else:
            ranks.remove(was)


def _before(target: Target, checked: Checked, judged: Judged, base: str) -> Sequence[Finding] | None:
    """What is said of a target as it was at a commit; None where it was not there, or could not be judged."""
    policies = checked.inputs.get("policy", ())
    others = [name for name in (target.location.file, target.config, target.command_file) if name]
    texts = texts_at(base, {name for name in (*checked.files, *policies, *others) if os.path.exists(name)})
    if not texts:
        # Nothing but what was linked can have changed.
        return judged.told(checked)
    if target.script and is_new(base, target.script):
        return None
    if any(os.path.normpath(name) in texts for name in others if not _as_it_was(target, name, texts)):
        return None
    BUDGET.renew()
    TIME.start(seconds_of([target]))
    try:
        with TIME:
            return judged.told(_judged_before(target, judged, texts, policies))
    except (CheckError, OutOfTimeError, OSError, ValueError):
        return None
    finally:
        TIME.stop()


def _as_it_was(target: Target, name: str, texts: Mapping[str, str]) -> bool:
    """Whether a configuration file says of the target what it said before, or is its script and judged as such."""
    old = texts.get(os.path.normpath(name))
    if old is None or name == target.script:
        return True
    if os.path.basename(name) != FILE_NAME:
        return False
    from ldcheck.project.read import project_of, read_project

    try:
        was = next(one for one in project_of(Source(name, old)).targets if one.name == target.name)
        now = next(one for one in read_project(name).targets if one.name == target.name)
    except (CheckError, StopIteration):
        return False
    return _said(was) == _said(now)


def _said(target: Target) -> list[object]:
    """What a configuration file says of a target, wherever that stands."""
    return [getattr(target, one.name) for one in fields(Target) if one.name != "location"]


def _judged_before(target: Target, judged: Judged, texts: Mapping[str, str], policies: Collection[str]) -> Checked:
    """A target with other texts of its files, judged on its script alone. Raises CheckError for what cannot be read."""
    from ldcheck.judging.scripts import read_edited, read_scripts

    asked = judged.asked
    rules = {
        os.path.realpath(name): text for name in policies if (text := texts.get(os.path.normpath(name))) is not None
    }
    scripts = read_edited(target, asked.arch, read_scripts(target, asked.arch), texts)
    alone = replace(target, image="", map="", objects=())
    found = check_target(alone, replace(asked, require=(), policy_texts=rules), judged.checks, lambda _: None, scripts)
    if found.errors:
        raise CheckError(*found.errors)
    return found
