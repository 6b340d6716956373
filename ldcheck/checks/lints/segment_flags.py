"""Code and data in segments that do not let them be used, or that are not loaded.

## What it does
Where PHDRS gives a PT_LOAD segment its FLAGS, reports output sections in it that take code although it is not
executable, or writable data although it is not writable. Of output sections that are in no PT_LOAD segment at all it
reports those that take code, constants or data, and as a note those that take zeros.

## Why is this bad
FLAGS in PHDRS replace what the sections ask for. A loader that obeys them maps the section without the permission that
it needs, and the first call or store faults. What only a PT_NULL or PT_NOTE segment has, no loader maps at all.

## Example
    PHDRS { text PT_LOAD FLAGS(5); rodata PT_LOAD FLAGS(4); }
    SECTIONS { .text : { *(.text .text.*) } :text .plt : { *(.plt) } :rodata }

## Use instead
    PHDRS { text PT_LOAD FLAGS(5); rodata PT_LOAD FLAGS(4); }
    SECTIONS { .text : { *(.text .text.*) } :text .plt : { *(.plt) } :text }

## Limits
Names are all that the script tells of its inputs. A segment that gives no permission at all is one whose flags its
loader does not read: that is a warning. What is written by relocation only (`.data.rel.ro`, `.got`) may be in
a segment that is read-only afterwards, and is left alone, as is the template of thread-local data. `:NONE` keeps a
section out of all segments on purpose. Who loads sections, and not segments (objcopy -O binary), loads them all.

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
    head=Key("lint", Kind.NAME, "Code and data in segments that do not let them be used, or that are not loaded."),
    evidence=(EvidenceKind.SCRIPT,),
)

_EXECUTE, _WRITE = 1, 2


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each output section that its segment does not give what it needs."""
    declared = {
        header.name.text: header
        for node in view.statements
        if isinstance(node, ProgramHeaders)
        for header in node.headers
    }
    if not declared:
        return Judgement(Standing.HOLDS, reason="the script has no segments of its own")
    headers = {
        name: (header, flags)
        for name, header in declared.items()
        if _is_load(header) and (flags := _flags(header)) is not None
    }
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
        elif names and not any(name not in declared or _is_load(declared[name]) for name in names):
            problem = _unloaded(section, rules.get(id(section), []), declared[names[-1]], view)
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
        rule = next((rule for rule in rules if needs(rule, view.arch)), None)
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


# What a loader has to bring into memory, and what it only has to clear.
_LOADED = (Family.CODE, Family.CONSTANT, Family.DATA)
# What is not read where it lies in memory: zeros of threads, and notes, which are looked for in the file.
_ELSEWHERE = (".tbss", ".note")


def _unloaded(
    section: OutputSection, rules: list[InputRule], header: ProgramHeader, view: ScriptView
) -> Problem | None:
    """What is in segments that no loader maps; `header` is the last one of them."""
    for families, what, severity in ((_LOADED, "content", Severity.WARNING), ((Family.ZERO,), "zeros", Severity.NOTE)):
        named = [(rule, _name(rule)) for rule in rules if not _name(rule).startswith(_ELSEWHERE)]
        rule = next((rule for rule, name in named if family_of(name) in families), None)
        if rule is not None:
            return view.problem(
                rule.node,
                section.name.text,
                f"`{rule.text}` puts {what} into {section.name.text}, which no PT_LOAD segment has",
                label=f"in :{header.name.text}",
                related=(Related(view.locate(header), "is not loaded"),),
                help=f"give {section.name.text} the PT_LOAD segment of sections like it as well, or write `:NONE` if "
                "it is to be in none",
                severity=severity,
            )
    return None


# What nearly every object has.
_USUAL = (".text", ".data", ".bss")


def _is_code(rule: InputRule, arch: str) -> bool:
    return project_family_of(_name(rule), arch) is Family.CODE


def _is_written(rule: InputRule, _: str) -> bool:
    """Whether a rule is for writable data in general: what `.data.x` alone is for may be written by nobody."""
    name = _name(rule)
    # The template of thread-local data is only read.
    if name.startswith((".got", ".igot", ".tdata", ".tbss")):
        return False
    return family_of(name) in (Family.DATA, Family.ZERO) and is_whole_family(name)


def _name(rule: InputRule) -> str:
    assert rule.pattern is not None
    return rule.pattern.pattern.text
