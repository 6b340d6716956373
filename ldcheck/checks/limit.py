"""The size of a section or region, or a distance between symbols, stays within a bound.

## What it does
Evaluates the subject: `region FLASH` means what is used of a memory region (to the end of the last section that stands
there or is loaded from there), the name of an output section the bytes in it, and everything else is an expression such
as `_end - _start`. The bound of a region may be a share of it (`to: 95%`), any may be made of the length and the origin
of regions (`to: LENGTH(RAM) - 4K`). In the image it is measured. The script decides it where its regions and addresses
leave no more room, or where one of its ASSERTs demands as much; with `evidence: script` that is asked of it, and a
script without such an ASSERT violates the rule. With `asserted: true` the script is asked for it beside the image, also
where the symbols are those of objects: what it leaves to the link is a warning, and a note where the link fits.

## Why is this bad
An image that outgrows its window overwrites what lies behind it; code that must run from one page and crosses into the
next faults; boot code that maps 16 MB does not map the rest. The linker knows none of these bounds.

## Example
    rules:
      - id: boot-code-in-a-page
        limit: _end_boot - start
        to: 4K

and a script that leaves no such room:

    .boot : { start = .; *(.boot) . = 0x1100; *(.boot.stack) _end_boot = .; }

## Use instead
    .boot : { start = .; *(.boot) _end_boot = .; *(.boot.stack) }
    ASSERT(_end_boot - start <= 4K, "boot code is larger than its page")

With the ASSERT a link fails whose boot code does not fit, and the rule holds without one.

## Limits
Most sizes are known after the link only: where the script has no ASSERT, no region and no constant that bounds the
subject, the rule is not checked without an ELF or a map.

## References
GNU ld manual, "Builtin Functions" (SIZEOF), "MEMORY Command".
"""

from __future__ import annotations

from collections.abc import Mapping

from ldcheck.findings import CheckError, EvidenceKind, InputError, Judgement, Standing, all_of
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.expressions import (
    BY_LINKER,
    asserting,
    because,
    expression_of,
    first_declared,
    image_regions,
    linked_values,
    names_in,
    undecided,
)
from ldcheck.judging.subjects import missing
from ldcheck.layout.regions import occupied, used, without_content
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Named, Rule
from ldcheck.policy.sizes import region_in, regions_in, share_of, size_of
from ldcheck.script.syntax import Call, Name, Word
from ldcheck.words import counted, did_you_mean, size

DECLARATION = Declaration(
    head=Key("limit", Kind.MEASURE, "A section, `region NAME`, or a distance such as `_end - _start`."),
    keys=(
        Key(
            "to",
            Kind.SIZE_OR_SHARE,
            "The most bytes, also as `LENGTH(RAM) - 4K`, or the greatest share of a region (`95%`).",
            required=True,
            regions=True,
        ),
        Key("asserted", Kind.FLAG, "Whether the script itself has to see to it, by an ASSERT if by nothing else."),
    ),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """HOLDS where the script keeps every subject within the bound, REFUTED where it is larger in every link."""
    return all_of([_bounded(named, rule, view) for named in rule.names], optional=rule.optional)


def _bound(named: Named, rule: Rule, regions: Mapping[str, tuple[int, int]], params: Mapping[str, int]) -> int | None:
    """The most bytes that are allowed; None for a share of a region whose length is not known, or what is made of that.

    Raises CheckError for a share of anything else.
    """
    to = rule.keys["to"]
    if not isinstance(to, Named) or not to.text.endswith("%"):
        of_regions = regions_in(to.text) if isinstance(to, Named) else ()
        return size_of(to, params, regions) if all(name in regions for name in of_regions) else None
    region = _region(named)
    if not region:
        message = f"`{to.text}` is a share, and `{named.text}` is no memory region"
        raise CheckError(InputError(message, to.location, help="write `limit: region NAME`, or give a size"))
    return share_of(to.text, regions[region][1]) if region in regions else None


def _without_region(region: str, view: ScriptView) -> Judgement:
    """The judgement on a script that has no such memory region, and so no link of it has one."""
    known = next(iter(view.memory.values()), view.tree)
    advice = did_you_mean(region, view.memory, "declare it in MEMORY") if view.memory else "declare it in MEMORY"
    problem = view.problem(known, region, f"there is no memory region {region}", help=advice)
    return Judgement(Standing.REFUTED, (problem,))


def _without_bound(rule: Rule, region: str, view: ScriptView | ImageView) -> Judgement:
    """The judgement where the length of a region that bounds the subject is not known."""
    to = rule.keys["to"]
    regions = view.named_regions if isinstance(view, ScriptView) else image_regions(view)
    bounding = regions_in(to.text) if isinstance(to, Named) else ()
    lacking = next((name for name in bounding if name not in regions), region)
    if isinstance(view, ScriptView) and lacking not in view.layout.grounds.regions and not view.unread:
        return _without_region(lacking, view)
    source = "script does" if isinstance(view, ScriptView) else "script and the map do"
    return Judgement(Standing.UNKNOWN, reason=f"the {source} not say how large {lacking} is")


def _region(named: Named) -> str:
    """The memory region that a subject names as one; empty if it names none."""
    return region_in(named.text)


def _bounded(named: Named, rule: Rule, view: ScriptView) -> Judgement:
    bound = _bound(named, rule, view.named_regions, view.params)
    region = _region(named)
    if region and region not in view.layout.grounds.regions and not view.unread:
        return _without_region(region, view)
    if bound is None or (region and region not in view.layout.grounds.regions):
        return _without_bound(rule, region, view)
    expression = Name(region, start=0, end=0) if region else expression_of(named)
    subject = region or named.text
    if isinstance(expression, Name) and expression.name in view.layout.grounds.regions:
        length = view.layout.grounds.regions[expression.name][1]
        if length.high <= bound:
            return Judgement(Standing.HOLDS, reason=f"LENGTH({subject}) is {counted(length.high, 'byte')}")
        return Judgement(Standing.UNKNOWN, reason="only a link tells how much of it is used, give --elf or --map")
    if isinstance(expression, Name) and expression.name in view.output_sections:
        subject = f"SIZEOF({expression.name})"
        expression = Call("SIZEOF", (Word(expression.name, start=0, end=0),), start=0, end=0)
    decision = view.decided.at_most(expression, bound)
    if decision is None:
        return undecided(named, f"{subject} <= {size(bound)}", rule, view)
    if decision.truth:
        return Judgement(Standing.HOLDS, reason=because(decision, view))
    least = view.decided.value(expression).low
    more = f"at least {counted(least, 'byte')}" if bound < least < 1 << 63 else f"more than {size(bound)}"
    problem = view.problem(
        first_declared(named, view) or view.tree,
        named.text,
        f"{named.text} is {more} in every link of this script",
        label=f"at most {size(bound)}",
        related=asserting(decision, view),
    )
    return Judgement(Standing.REFUTED, (problem,))


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where the subject is larger than the bound in the image."""
    return all_of([_judge(named, rule, view) for named in rule.names], optional=rule.optional)


def _judge(named: Named, rule: Rule, view: ImageView) -> Judgement:
    region = _region(named)
    bound = _bound(named, rule, image_regions(view), view.params)
    found = _measured(named, view)
    if isinstance(found, Judgement):
        return found
    if bound is None:
        return _without_bound(rule, region, view)
    evidence = view.available
    measured, most = found
    if most <= bound:
        return Judgement(Standing.HOLDS, evidence=evidence)
    if measured <= bound:
        reason = "a map does not tell which sections have content that is loaded, give --elf" if region else BY_LINKER
        return Judgement(Standing.UNKNOWN, reason=reason)
    subject = named.text
    names = (region,) if region else names_in(expression_of(named))
    name = next((name for name in names if view.declared_at(name) is not None), "")
    to = rule.keys["to"]
    allowed = to.text if isinstance(to, Named) and to.text.endswith("%") else size(bound)
    if measured >= 1 << 63:
        excess = f"{subject} is negative: -{(1 << 64) - measured:#x}"
    else:
        excess = f"{subject} is {counted(measured, 'byte')}, {counted(measured - bound, 'byte')} more than {allowed}"
    problem = view.problem(
        name,
        subject,
        excess,
        label=f"at most {allowed}",
        facts=_share(region, measured, view) if region else _addresses(named, view),
    )
    return Judgement(Standing.REFUTED, (problem,), evidence=evidence)


def _measured(named: Named, view: ImageView) -> tuple[int, int] | Judgement:
    """The size in bytes, at least and at most, or the judgement on a subject that has none."""
    region = _region(named)
    if region:
        return _used(region, view) if region in image_regions(view) else missing([region], view)
    expression = expression_of(named)
    if isinstance(expression, Name):
        name = expression.name
        if name in view.sections:
            return (_size(name, view),) * 2
        if view.script is not None:
            if name in view.script.output_sections:
                return 0, 0
            if name in view.script.named_regions:
                return _used(name, view)
    values = linked_values(expression, view)
    sizes = [value.number for value in values if value.number is not None]
    if len(sizes) == len(values):
        return min(sizes), max(sizes)
    unknown = [name for name in names_in(expression) if view.address(name) is None]
    return missing(unknown, view, values[0].reason)


def _size(name: str, view: ImageView) -> int:
    """The bytes of an output section, of all of that name."""
    sizes = [one.size for one in view.elf.sections if one.name == name] if view.elf is not None else []
    if not sizes and view.map is not None:
        sizes = [one.size for one in view.map.sections if one.name == name]
    return sum(sizes)


def _used(region: str, view: ImageView) -> tuple[int, int]:
    """The bytes from a region's origin to the end of the last section in it, at least and at most."""
    empty = without_content(view.script.tree if view.script is not None else None)
    return used(*image_regions(view)[region], occupied(view.elf, view.map, empty))


def _share(region: str, measured: int, view: ImageView) -> tuple[str, ...]:
    length = image_regions(view)[region][1]
    return (
        (f"in the image: {measured:,} of {length:,} bytes are used, {100 * measured / length:.1f}%",) if length else ()
    )


def _addresses(named: Named, view: ImageView) -> tuple[str, ...]:
    known = [(name, view.address(name)) for name in names_in(expression_of(named))]
    said = [f"{name} is at {address:#x}" for name, address in known if address is not None]
    return (f"in the image: {' and '.join(said)}",) if said else ()
