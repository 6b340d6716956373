"""Code and writable data in segments whose FLAGS do not let them be used.

## What it does
Where PHDRS gives a PT_LOAD segment its FLAGS, reports output sections in it that take code although it is not
executable, or writable data although it is not writable.

## Why is this bad
FLAGS in PHDRS replace what the sections ask for. A loader that obeys them maps the section without the permission that
it needs, and the first call or store faults.

## Example
    PHDRS { text PT_LOAD FLAGS(5); rodata PT_LOAD FLAGS(4); }
    SECTIONS { .text : { *(.text .text.*) } :text .plt : { *(.plt) } :rodata }

## Use instead
    PHDRS { text PT_LOAD FLAGS(5); rodata PT_LOAD FLAGS(4); }
    SECTIONS { .text : { *(.text .text.*) } :text .plt : { *(.plt) } :text }

## Limits
Names are all that the script tells of its inputs. A segment that gives no permission at all is one whose flags its
loader does not read: that is a warning. What is written by relocation only (`.data.rel.ro`, `.got`) may be in
a segment that is read-only afterwards, and is left alone, as is the template of thread-local data.

## References
GNU ld manual, "PHDRS Command"; ELF gABI, "Program Header" (p_flags).
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import Name, Number, OutputSection, Overlay, ProgramHeader, ProgramHeaders
from ldcheck.sections.families import Family, family_of, is_whole_family, project_family_of
from ldcheck.sections.rules import InputRule
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Code and writable data in segments whose FLAGS do not let them be used."),
    evidence=(EvidenceKind.SCRIPT,),
)

_EXECUTE, _WRITE = 1, 2


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each output section that needs a permission which its segment does not give."""
    headers = {
        header.name.text: (header, flags)
        for node in view.statements
        if isinstance(node, ProgramHeaders)
        for header in node.headers
        if _is_load(header) and (flags := _flags(header)) is not None
    }
    if not headers:
        return Judgement(Standing.HOLDS, reason="no segment of the script has FLAGS")
    rules: dict[int, list[InputRule]] = {}
    for rule in view.rules:
        if rule.pattern is not None and rule.section is not None and not rule.discards:
            rules.setdefault(id(rule.section), []).append(rule)
    problems: list[Problem] = []
    for section, names in _segments(view):
        found = next((headers[name] for name in names if name in headers), None)
        if found is not None:
            problem = _problem(section, rules.get(id(section), []), *found, view)
            problems += [problem] if problem is not None else []
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _is_load(header: ProgramHeader) -> bool:
    kind = header.type
    return (isinstance(kind, Name) and kind.name == "PT_LOAD") or (isinstance(kind, Number) and kind.value == 1)


def _flags(header: ProgramHeader) -> int | None:
    return evaluate(header.flags, Environment()).number if header.flags is not None else None


def _segments(view: ScriptView) -> Iterator[tuple[OutputSection, tuple[str, ...]]]:
    """Each output section with its segments: its own, or those of the one ahead of it (ldlang.c: lang_record_phdrs)."""
    current: tuple[str, ...] = ()
    for node in view.statements:
        if isinstance(node, OutputSection | Overlay) and node.phdrs:
            current = tuple(word.text for word in node.phdrs)
        if isinstance(node, OutputSection):
            yield node, current


def _problem(
    section: OutputSection, rules: list[InputRule], header: ProgramHeader, flags: int, view: ScriptView
) -> Problem | None:
    for bit, needs, what, lacks in (
        (_EXECUTE, _is_code, "code", "executable"),
        (_WRITE, _is_written, "writable data", "writable"),
    ):
        rule = next((rule for rule in rules if needs(rule)), None)
        if flags & bit or rule is None:
            continue
        name = header.name.text
        why = (
            f"which is not {lacks}"
            if flags
            else "whose FLAGS give no permission: a loader that obeys them maps nothing"
        )
        return view.problem(
            rule.node,
            section.name.text,
            f"`{rule.text}` puts {what} into the segment {name}, {why}",
            label=f"in :{name}",
            related=(Related(view.locate(header), f"FLAGS({flags})"),),
            help=f"put {section.name.text} into a segment that is {lacks}, or give {name} the flag",
            severity=Severity.ERROR if flags and any(map(rule.names.matches, _USUAL)) else Severity.WARNING,
        )
    return None


# What nearly every object has.
_USUAL = (".text", ".data", ".bss")


def _is_code(rule: InputRule) -> bool:
    return project_family_of(_name(rule)) is Family.CODE and not _name(rule).startswith(".rel")


def _is_written(rule: InputRule) -> bool:
    """Whether a rule is for writable data in general: what `.data.x` alone is for may be written by nobody."""
    name = _name(rule)
    # The template of thread-local data is only read.
    if name.startswith((".got", ".tdata", ".tbss")):
        return False
    return family_of(name) in (Family.DATA, Family.ZERO) and is_whole_family(name)


def _name(rule: InputRule) -> str:
    assert rule.pattern is not None
    return rule.pattern.pattern.text
