"""Images whose entry does not come first although it has to.

## What it does
Reports a statement that lists the entry's section ahead of others (`*(.text._start .text)`): within one statement,
sections come in the order of the files. In a script for a flat image (`OUTPUT_FORMAT(binary)`), reports a first output
section whose first statement takes more than one named section, such as `*(.text)` or `*(.text .text.*)`. With a map of
a flat image, the address of the entry is compared with that of the first byte; with an ELF, it reports orphans that lie
in front of the entry where the script has it first.

## Why is this bad
A flat image is entered at its first byte. Which object's `.text` comes first is a matter of the order of the link; a
note or an exception table that the toolchain adds can come first as well, and boot code executes it.

## Example
    OUTPUT_FORMAT(binary)
    SECTIONS { .text : { *(.text .text.*) } }

## Use instead
    OUTPUT_FORMAT(binary)
    SECTIONS { .text : { KEEP(*(.text.entry)) *(.text .text.*) } }

## Limits
What the entry's section is, its name has to tell: it is called after ENTRY(), or it is a vector table or a header. Of
an ELF file nobody knows whether objcopy makes it flat: there it is a warning, and only told of sections that the script
does not have in front of the entry. Files that carry their headers in the first segment are for loaders. What lies
ahead of an entry that is listed with all other code, only a map tells. A script alone cannot tell either: state it with
`order`.

## References
GNU ld manual, "Setting the Entry Point", "Format Commands".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing, all_of
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.loading import loaded as loaded_sections
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Command, Data, InputSectionDescription, OutputSection
from ldcheck.sections.families import Family, family_of
from ldcheck.sections.globs import has_wildcard, section_glob
from ldcheck.sections.roots import alike, words
from ldcheck.sections.roots import entry as entry_of
from ldcheck.sections.rules import InputRule
from ldcheck.sections.tables import is_vectors
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Images whose entry does not come first although it has to."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP),
)

_COMMON = frozenset({".text", ".data", ".rodata", ".init", ".bss"})


# Words for what stands at the start of an image.
_FIRST = frozenset(("boot", "entry", "head", "header", "multiboot", "reset", "start"))


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED where anything may come first in a flat image, or ahead of an entry that is listed first."""
    problems = [*_mixed(view), *_flat(view)]
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, tuple(problems))


def _mixed(view: ScriptView) -> Iterator[Problem]:
    """The statements that list the section of the entry and sections of every object together."""
    for first, name, common in _listed_together(view):
        patterns = first.patterns or ()
        others = " ".join(pattern.pattern.text for pattern in patterns[1:])
        yield view.problem(
            patterns[0],
            name,
            f"{name} does not come first: in one statement, it stands where its object comes in the link, behind "
            f"the `{common}` of objects ahead of it",
            label="listed first, placed in the order of the files",
            help=f"give it a statement of its own: `*({name}) *({others})`",
            severity=Severity.WARNING,
        )


def _listed_together(view: ScriptView) -> Iterator[tuple[InputSectionDescription, str, str]]:
    """Such statements, each with the section of the entry and the pattern of every object's."""
    start = entry_of(view.tree)
    for node in view.statements:
        first = next(_inputs(node), None) if isinstance(node, OutputSection) else None
        if first is None or len(first.patterns or ()) < 2:
            continue
        name, *others = [pattern.pattern.text for pattern in first.patterns or ()]
        sorted_ahead = any(pattern.sorts for pattern in (first.patterns or ())[:1])
        if sorted_ahead or has_wildcard(name) or not _is_first_by_name(name, start):
            continue
        common = next((other for other in others if section_glob(other).matches(".text")), None)
        if common is not None:
            yield first, name, common


def _is_first_by_name(name: str, start: str) -> bool:
    if name == ".text" or family_of(name) not in (Family.CODE, Family.OTHER):
        return False
    return bool(start and alike(start, name)) or is_vectors(name) or bool(words(name) & _FIRST)


def _flat(view: ScriptView) -> Iterator[Problem]:
    first = next((node for node in view.statements if isinstance(node, OutputSection)), None)
    # An image may begin with data of the script.
    if not _is_flat(view) or first is None or any(isinstance(node, Data) for node in first.statements[:1]):
        return
    statement = next(_inputs(first), None)
    if statement is not None and not _is_own(statement):
        yield view.problem(
            statement,
            first.name.text,
            f"the image begins with whatever comes first in {first.name.text}",
            label="takes sections of every object",
            help="put a statement for the entry section alone ahead of it, such as `KEEP(*(.text.entry))`",
            severity=Severity.WARNING,
        )


def _inputs(section: OutputSection) -> Iterator[InputSectionDescription]:
    return (node for node in section.statements if isinstance(node, InputSectionDescription))


def _is_flat(view: ScriptView) -> bool:
    formats = _commands("OUTPUT_FORMAT", view)
    return any(node.arguments and node.arguments[0].text == "binary" for node in formats)


def _commands(keyword: str, view: ScriptView) -> list[Command]:
    return [node for node in view.tree.statements if isinstance(node, Command) and node.keyword == keyword]


def _is_own(statement: InputSectionDescription) -> bool:
    """Whether a statement is for one file, or for one section with a name of its own."""
    if statement.file is not None and not has_wildcard(statement.file.pattern.text):
        return True
    names = [pattern.pattern.text for pattern in statement.patterns or ()]
    return len(names) == 1 and names[0] not in _COMMON and not has_wildcard(names[0])


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED where something else than the entry comes first in the image."""
    if view.script is None:
        return Judgement(Standing.UNKNOWN, reason="no script, which tells what is to be first")
    if view.map is not None and (view.map.output_format == "binary" or (view.elf is None and _is_flat(view.script))):
        whole = _in_flat_image(view, view.script)
    else:
        whole = _in_elf(view, view.script)
    together = list(_listed_together(view.script))
    if not together or whole.standing is Standing.UNKNOWN:
        return whole
    # What a loader starts begins where its header says.
    loader = whole.standing is Standing.HOLDS and bool(whole.reason)
    if view.map is None and not loader:
        reason = f"the map alone tells what lies ahead of {together[0][1]}, give --map"
        return whole if whole.problems else Judgement(Standing.UNKNOWN, reason=reason)
    late = tuple(problem for first, name, _ in together if (problem := _behind(first, name, view, loader=loader)))
    evidence = (EvidenceKind.MAP,) if view.map is not None else whole.evidence
    return all_of([whole, Judgement(Standing.REFUTED, late, evidence=evidence)]) if late else whole


def _behind(statement: InputSectionDescription, name: str, view: ImageView, *, loader: bool) -> Problem | None:
    """The problem that in the link, another section that a statement took lies ahead of the one listed first.

    For a `loader`, which does not mind, it is a note, also where no map tells.
    """
    taken = [part for _, part in view.inputs.loaded() if _takes(statement, view.inputs.rules(part))]
    taken.sort(key=lambda part: part.address)
    ahead = list(takewhile(lambda part: part.name != name, taken))
    facts = ["the image is for a loader, which enters it where its header says"] if loader else []
    if view.map is not None:
        if not ahead or len(ahead) == len(taken):
            return None
        first, own = taken[0], taken[len(ahead)]
        facts.insert(
            0, f"in the image: {first.name} of {first.file} is at {first.address:#x}, {name} at {own.address:#x}"
        )
    return Problem(
        subject=name,
        message=f"{name} does not come first: in one statement, it stands where its object comes in the link",
        facts=tuple(facts),
        witness=name,
        severity=Severity.NOTE if loader else Severity.WARNING,
    )


def _takes(statement: InputSectionDescription, rules: Sequence[InputRule]) -> bool:
    return bool(rules) and rules[0].statement is statement


def _in_flat_image(view: ImageView, script: ScriptView) -> Judgement:
    assert view.map is not None
    named = [node.arguments[0].text for node in _commands("ENTRY", script) if node.arguments] or ["_start", "start"]
    entry = next((view.map.symbols[name] for name in named if name in view.map.symbols), None)
    loaded = sorted((part.address, part) for _, part in view.inputs.loaded())
    if entry is None or not loaded:
        return Judgement(Standing.UNKNOWN, reason=f"the map does not tell where {listed(named, joint='or')} is")
    address, first = loaded[0]
    if entry == address:
        return Judgement(Standing.HOLDS, evidence=(EvidenceKind.MAP,))
    distance = counted(entry - address, "byte")
    section = next((section.name for section, part in view.inputs.loaded() if part == first), first.name)
    problem = view.problem(
        section,
        section,
        f"the image begins with {first.name} of {first.file}, and the entry is {distance} behind",
        label="comes first",
        facts=(f"in the image: the first byte is at {address:#x}, {named[0]} is at {entry:#x}",),
        help="put a statement for the entry section alone ahead of everything else, such as `KEEP(*(.text.entry))`",
    )
    return Judgement(Standing.REFUTED, (problem,), evidence=(EvidenceKind.MAP,))


def _in_elf(view: ImageView, script: ScriptView) -> Judgement:
    if view.elf is None:
        return Judgement(Standing.UNKNOWN, reason="no ELF, give --elf")
    if any(one.type == "INTERP" or (one.type == "LOAD" and one.offset == 0) for one in view.elf.segments):
        return Judgement(Standing.HOLDS, reason="the image is for a loader")
    content = loaded_sections(view)
    ahead = list(takewhile(lambda one: one.name not in script.output_sections, content))
    entry = content[len(ahead)] if len(ahead) < len(content) else None
    if not ahead or entry is None or view.elf.entry & ~1 != entry.section.address:
        return Judgement(Standing.HOLDS)
    size = counted(entry.load - ahead[0].load, "byte")
    names = listed([one.name for one in ahead])
    problem = view.problem(
        entry.name,
        entry.name,
        f"{names} {'lies' if len(ahead) == 1 else 'lie'} in front of the entry: a flat image begins {size} early",
        label="meant to be first",
        facts=(f"in the image: {ahead[0].name} is loaded at {ahead[0].load:#x}, the entry at {entry.load:#x}",),
        help=f"place {names} behind the code, or /DISCARD/ it",
        severity=Severity.WARNING,
    )
    return Judgement(Standing.REFUTED, (problem,))
