"""Symbols that start-up code copies data from, and that are not where the data is loaded.

## What it does
For each section that is loaded elsewhere than it runs, and whose load address the script asks for nowhere
(LOADADDR()), compares the symbol in front of it with where the linker really loads it: behind padding, and behind the
unwind tables of libraries, if no statement takes them. With an image it also reports a section of words that is loaded
to an address that is none of a word.

## Why is this bad
The linker aligns the load address as the output section's own ALIGN() says, and the symbol stands ahead of that
padding: the copy is off by some bytes, and every variable has a part of its neighbour's value. It works until the code
ends at an odd address.

## Example
    MEMORY { F (rx) : ORIGIN = 0, LENGTH = 64K R (rw) : ORIGIN = 0x20000000, LENGTH = 16K }
    SECTIONS
    {
      .text : { *(.text .text.*) *(.rodata .rodata.*) } > F
      copy_from = .;
      .data : ALIGN(4) { *(.data .data.*) } > R AT> F
    }

## Use instead
    MEMORY { F (rx) : ORIGIN = 0, LENGTH = 64K R (rw) : ORIGIN = 0x20000000, LENGTH = 16K }
    SECTIONS
    {
      .text : { *(.text .text.*) *(.rodata .rodata.*) } > F
      .data : ALIGN(4) { *(.data .data.*) } > R AT> F
      copy_from = LOADADDR(.data);
    }

## Limits
Without an image it is not checked where sections that may be empty decide, or no symbol is near. Which symbol start-up
code copies from, neither script nor image tells. Of those directly in front of the section, one that is called the
start of a copy is held to the load address in any case; else, where no symbol has that address, a start, and else the
last one is taken for it. Where none is near, an image with `AT>` makes it a warning that there is no source. A section
that lies in step with one that has a source is copied along. Images that are moved as a whole copy nothing.

## References
GNU ld manual, "Output Section LMA", "Output Section Description"; ldlang.c, lang_size_sections_1.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.loading import (
    WORD,
    Loaded,
    Use,
    ends_anywhere,
    ends_off,
    has_bytes,
    loaded,
    marked_in_front,
    regions_of,
)
from ldcheck.judging.overlays import overlay_named, overlay_of
from ldcheck.judging.surroundings import Landmark, surroundings
from ldcheck.layout.facts import difference
from ldcheck.linker import only_lld
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.marks import names_a_start, names_an_end, step_of
from ldcheck.script.syntax import Assignment, InputSectionDescription, Name, OutputSection
from ldcheck.sections.families import Family, family_of
from ldcheck.sections.rules import flat
from ldcheck.source import Related
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Copies that start elsewhere than where the data is loaded."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)

# What the end of the code is called, which old start-up code copies from, and what load addresses are.
_SOURCES = ("text", "ronly", "rodata", "rom", "flash", "code", "load", "src", "source", "idata")
# What says so of a start that stands in front of the section.
_COPIES = ("copy", "load", "lma", "src", "source")
_READ_ONLY = (Family.CODE, Family.CONSTANT)
_DATA = (Family.DATA,)
# Unwind tables that libraries bring along whatever the options are: whether they are Arm's, and on what, in words.
_ARM = "arm32"
_UNWIND = {".ARM.exidx": (True, "on Arm"), ".eh_frame": (False, "on most others")}


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each symbol that may be off where a section is loaded; else UNKNOWN.

    HOLDS where each symbol that code may copy from is proved to be where its section is loaded.
    """
    uses = regions_of(view).uses
    known = regions_of(view).sources if any(use.load_region for use in uses) else ()
    problems = []
    doubts = []
    # What goes the same way as a section with a source may be copied along with that one.
    told: set[tuple[str, str]] = set()
    for number, use in enumerate(uses):
        if use.load_region in ("", use.region):
            continue
        # The symbol is an address of the memory that is copied from if what stands ahead of it runs there.
        at = _first_elsewhere(number, uses)
        ahead = uses[at - 1] if at else None
        symbol = _in_front(use, view) if ahead is not None and ahead.region == use.load_region else None
        name, way = use.section.name.text, (use.region, use.load_region)
        if ahead is None or symbol is None or (name in known and not _starts_a_copy(symbol, view)):
            if name in known:
                told.add(way)
            elif way not in told and has_bytes(use.section) and overlay_of(use.section, view) is None:
                doubts.append(f"only a link tells what {name} is copied from")
            continue
        told.add(way)
        align, step = _alignment(use), _stepped(symbol, ahead, view)
        if not _agrees(symbol, use, align, step, view):
            if step is not None and step <= align:
                problems.append(_likely(symbol, use, align, view))
                continue
            odd = ends_off(use.section, step, view) if step is not None else ahead.section
            if odd is ahead.section and step is not None and not only_lld(view.linkers) and _ends_off(odd, step):
                problems.append(_aligned_alone(symbol, use, odd, step, view))
                continue
            if odd is not None:
                doubts.append(f"only a link tells whether {symbol.target.text} is where {name} is loaded")
        if _holds(ahead, _READ_ONLY) and _holds(use, _DATA) and (some := _unplaced(view)):
            problems.append(_moved(symbol, use, some, view))
    if doubts and not problems:
        return Judgement(Standing.UNKNOWN, reason=doubts[0])
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, tuple(problems))


def _first_elsewhere(number: int, uses: Sequence[Use]) -> int:
    """The first of the sections ahead of one that run elsewhere and are not loaded where it is, or its own number."""
    room = uses[number].load_region
    while number and room not in (uses[number - 1].region, uses[number - 1].load_region):
        number -= 1
    return number


def _stepped(symbol: Assignment, ahead: Use, view: ScriptView) -> int | None:
    """What is aligned between the section ahead of a symbol and its value: the location counter alone, no region.

    1 for nothing, None where the location counter is moved otherwise.
    """
    found = 1
    for node in view.statements[view.positions[id(ahead.section)] : view.positions[id(symbol)] + 1]:
        if not isinstance(node, Assignment) or view.enclosing.get(id(node)) is not None:
            continue
        if node.target.text == "." or (node is symbol and not _is_here(node)):
            step = step_of(node)
            if not step:
                return None
            found = max(found, step)
    return found


def _is_here(symbol: Assignment) -> bool:
    return isinstance(symbol.value, Name) and symbol.value.name == "."


def _ends_off(section: OutputSection, step: int) -> bool:
    """Whether a section is as likely as not to end off a multiple: at any byte, or at what it aligns itself to."""
    last = next(reversed(list(flat(section.statements))), None)
    own = step_of(last) if isinstance(last, Assignment) else None
    return ends_anywhere(section) or (own is not None and own < step)


def _alignment(use: Use) -> int:
    """What ld aligns the load address to: the ALIGN() in the header, and nothing else."""
    if use.section.align is None:
        return 1
    return evaluate(use.section.align, Environment()).number or 1


def _in_front(use: Use, view: ScriptView) -> Assignment | None:
    """The symbol directly ahead of a section that start-up code most likely copies from."""
    uses = regions_of(view).uses
    marked = marked_in_front(uses[_first_elsewhere(uses.index(use), uses)].section, view)
    copies = [node for node in marked if _starts_a_copy(node, view)]
    starts = [node for node in marked if _starts(node, view)]
    others = [node for node in marked if _may_be_source(node.target.text)]
    return next(iter((*copies, *starts, *others)), None)


def _starts(symbol: Assignment, view: ScriptView) -> bool:
    """Whether a symbol ahead of a section is by its name the start of what follows, and not of an empty table."""
    return names_a_start(symbol.target.text) and view.enclosing.get(id(symbol)) is None


def _starts_a_copy(symbol: Assignment, view: ScriptView) -> bool:
    return _starts(symbol, view) and any(word in symbol.target.text.lower() for word in _COPIES)


def _agrees(symbol: Assignment, use: Use, align: int, step: int | None, view: ScriptView) -> bool:
    """Whether a symbol is where a section is loaded: in links without orphans, of which `_unplaced` tells."""
    # Two that go from one place to the next multiple of one number meet.
    if step == align:
        return True
    value, load = view.layout.value(symbol), view.layout.load_address(use.section.name.text)
    if value is None or load is None:
        return False
    if step is not None and step < align and value.aligned_to(align):
        return True
    usual = view.usual_layout
    value, load = usual.value(symbol), usual.load_address(use.section.name.text)
    return value is not None and load is not None and difference(value, load) == 0


def _likely(symbol: Assignment, use: Use, align: int, view: ScriptView) -> Problem:
    name = use.section.name.text
    return view.problem(
        symbol,
        name,
        f"{symbol.target.text} is not where {name} is loaded, as soon as that ends off a multiple of {align}",
        label="ahead of the padding",
        related=(Related(view.locate(use.section), f"its load address is aligned to {align}"),),
        help=_told_by_address(symbol, use, view),
        severity=Severity.WARNING,
    )


def _aligned_alone(symbol: Assignment, use: Use, odd: OutputSection, step: int, view: ScriptView) -> Problem:
    name = use.section.name.text
    return view.problem(
        symbol,
        name,
        f"{symbol.target.text} is not where {name} is loaded, as soon as {odd.name.text} ends off a multiple of {step}",
        label=f"behind an ALIGN({step}), which moves the location counter and not {use.load_region}",
        related=(Related(view.locate(use.section), f"loaded where {odd.name.text} ends"),),
        help=_told_by_address(symbol, use, view),
        severity=Severity.WARNING,
    )


def _told_by_address(symbol: Assignment, use: Use, view: ScriptView) -> str:
    """What mends a symbol that stands ahead of the padding; other symbols may be meant by the code that copies."""
    others = [node.target.text for node in marked_in_front(use.section, view) if node is not symbol]
    advice = f"write `{symbol.target.text} = LOADADDR({use.section.name.text});`"
    return f"{advice}; likewise {listed(others, joint='or')}, if code copies from there" if others else advice


def _holds(use: Use, families: tuple[Family, ...]) -> bool:
    """Whether an output section takes sections of these families: behind such, orphans of their like are put."""
    inputs = (node for node in flat(use.section.statements) if isinstance(node, InputSectionDescription))
    return any(family_of(one.pattern.text) in families for node in inputs for one in node.patterns or ())


def _unplaced(view: ScriptView) -> tuple[str, ...]:
    """Read-only sections that come with any program of the target and that no statement takes, as words."""
    from ldcheck.sections.reach import reaching

    if view.unread:
        return ()
    found = [
        (name, f"`{name}`" if view.arch else f"`{name}` {where}")
        for name, (arch, where) in _UNWIND.items()
        if not view.arch or (view.arch == _ARM) is arch
    ]
    return tuple(
        said for name, said in found if not (taken := reaching(view.rules, name)).takers and not taken.undecided
    )


def _moved(symbol: Assignment, use: Use, orphans: tuple[str, ...], view: ScriptView) -> Problem:
    name = use.section.name.text
    return view.problem(
        symbol,
        name,
        f"{symbol.target.text} is not where {name} is loaded, as soon as a section that no statement takes lies "
        f"between the two, such as {listed(orphans, joint='or')}",
        label="ahead of such a section",
        related=(Related(view.locate(use.section), "loaded behind it"),),
        help=f"let start-up code copy from a symbol of its own: `name = LOADADDR({name});`",
        severity=Severity.WARNING,
    )


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each section that is loaded elsewhere than any symbol says, or off a word."""
    if view.elf is None or view.script is None:
        missing = "no ELF, give --elf" if view.elf is None else "no script, whose symbols could be copied from"
        return Judgement(Standing.UNKNOWN, reason=missing)
    if view.stripped:
        from ldcheck.judging.subjects import STRIPPED

        return Judgement(Standing.UNKNOWN, reason=STRIPPED)
    copied = [one for one in loaded(view) if one.is_copied and one.name in view.script.output_sections]
    if not copied:
        return Judgement(Standing.HOLDS)
    known = regions_of(view.script).sources
    addresses = {symbol.value for symbol in view.elf.symbols.values() if symbol.defined}
    problems: list[Problem] = []
    # What is as far from where it runs as a section with a source can be copied along with that one.
    sourced = {one.distance for one in copied if one.name in known or one.load in addresses}
    for one in copied:
        astray = _astray(one, view)
        if astray is not None:
            problems.append(astray)
        elif one.distance not in sourced:
            problems += _missed(one, view)
        if one.section.align >= WORD and one.load % WORD != one.section.address % WORD:
            problems.append(_odd(one, view))
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _astray(one: Loaded, view: ImageView) -> Problem | None:
    """That the start of a copy, or another start directly in front, is near and not where the section is loaded.

    The first is none of this section's whatever other symbols there are, the second if none has the load address.
    """
    assert view.script is not None
    assert view.elf is not None
    use = regions_of(view.script).by_section[one.name]
    symbol = _in_front(use, view.script) if use.load_region not in ("", use.region) else None
    address = view.symbol(symbol.target.text) if symbol is not None else None
    if symbol is None or address is None or not 0 < one.load - address < max(one.section.align, 2 * WORD):
        return None
    told = one.name in regions_of(view.script).sources
    told = told or any(known.value == one.load for known in view.elf.symbols.values() if known.defined)
    if not _starts(symbol, view.script) or (told and not _starts_a_copy(symbol, view.script)):
        return None
    return _ahead(symbol, address, one, view.script)


def _ahead(symbol: Assignment, address: int, one: Loaded, script: ScriptView) -> Problem:
    name, off = symbol.target.text, one.load - address
    return script.problem(
        symbol,
        one.name,
        f"{name} is {counted(off, 'byte')} ahead of where {one.name} is loaded",
        label="ahead of the padding",
        facts=(f"in the image: {name} is {address:#x}, {one.name} is loaded at {one.load:#x}",),
        help=_told_by_address(symbol, regions_of(script).by_section[one.name], script),
    )


def _missed(one: Loaded, view: ImageView) -> list[Problem]:
    """That the symbol in front of a section is not where the section is loaded, or that no symbol is near."""
    assert view.script is not None
    near = surroundings(view).behind(one.load, _may_be_source)
    if near is None or one.load - near.address >= max(one.section.align, 2 * WORD):
        use = regions_of(view.script).by_section[one.name]
        return [_without_source(one, near, view)] if use.load_region else []
    return [_ahead(near.node, near.address, one, view.script)]


def _may_be_source(name: str) -> bool:
    """Whether a symbol in front of data may be what start-up code copies from: not a bound of a table or an index."""
    return not (names_an_end(name) or names_a_start(name)) or any(word in name.lower() for word in _SOURCES)


def _without_source(one: Loaded, near: Landmark | None, view: ImageView) -> Problem:
    last = f", the last symbol in front is {near.name} at {near.address:#x}" if near is not None else ""
    return view.problem(
        one.name,
        one.name,
        f"no symbol tells from where {one.name} is loaded",
        label="loaded elsewhere than it runs",
        facts=(f"in the image: {one.name} is loaded at {one.load:#x}{last}",),
        help=f"give start-up code a symbol to copy from: `name = LOADADDR({one.name});`",
        severity=Severity.WARNING,
    )


def _odd(one: Loaded, view: ImageView) -> Problem:
    assert view.script is not None
    regions = regions_of(view.script)
    marked = () if one.name in regions.sources else marked_in_front(regions.by_section[one.name].section, view.script)
    advice = f"give the output section `ALIGN({WORD})`, which aligns both, or end what is in front at a multiple"
    if overlay_named(one.name, view.script) is not None:
        advice = f"end what is loaded in front of it at a multiple, with `. = ALIGN({WORD});` in its braces"
    elif marked:
        # ALIGN() in the header would leave the symbol behind.
        advice = f"end the output section in front with `. = ALIGN({WORD});`, ahead of {marked[-1].target.text}"
    # Another question than which symbol is meant: what a script says of that is neither confirmed nor denied by this.
    return view.problem(
        one.name,
        f"LOADADDR({one.name})",
        f"{one.name} is loaded at {one.load:#x}, which is no address of a word, and runs at {one.section.address:#x}",
        label="the load address is not aligned",
        facts=(f"in the image: {one.name} is aligned to {one.section.align}, its load address is not",),
        help=advice,
        severity=Severity.WARNING,
    )
