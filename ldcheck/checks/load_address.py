"""The load address (LMA) of output sections is a given function of their address (VMA).

## What it does
Compares the load address with an expression, in which ADDR(), LOADADDR() and SIZEOF() of any output section may stand;
`.` means the address of the section in question. In the image the load address comes from the program headers.

## Why is this bad
Boot code copies .data from where it believes it was loaded, or runs at physical addresses that are the virtual ones
minus a constant. A section whose AT() was forgotten is loaded elsewhere: memory below the image is overwritten, or
initial values are read from the wrong place.

## Example
    rules:
      - id: physical-addresses
        load-address: [.text, .data]
        is: . - 0xffff82d000000000

with a .data that lacks `AT(ADDR(.data) - 0xffff82d000000000)`.

## Use instead
    .data : AT(ADDR(.data) - 0xffff82d000000000) { *(.data) }

## Limits
The script alone decides it only where the difference of the two addresses is the same in every link.

## References
GNU ld manual, "Output Section LMA"; ELF gABI, "Program Header" (p_paddr).
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing, all_of
from ldcheck.judging.evidence import ImageView
from ldcheck.judging.expressions import expression_of
from ldcheck.layout.image_values import ImageValues
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Named, Rule
from ldcheck.script.expressions import evaluate
from ldcheck.sections.globs import section_glob

DECLARATION = Declaration(
    head=Key("load-address", Kind.NAMES, "Output sections, by name or pattern."),
    keys=(Key("is", Kind.EXPRESSION, "The load address; `.` is the section's address.", required=True),),
    evidence=(EvidenceKind.IMAGE, EvidenceKind.MAP),
)


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where a section's load address is not the value of the expression."""
    judgements = [_judge(named, rule, view) for named in rule.names]
    # A section that the script makes and that came out empty is nowhere loaded.
    shown = [judgement for judgement in judgements if judgement.standing is not Standing.UNKNOWN]
    return all_of(shown or judgements, optional=rule.optional)


class _AtSection(ImageValues):
    """The image's values, with the location counter at one section."""

    def __init__(self, view: ImageView, address: int) -> None:
        regions = view.script.regions if view.script is not None else {}
        super().__init__(view.elf, view.map, view.params, regions)
        self._address = address

    @property
    def dot(self) -> int | None:
        """The address of the section in question."""
        return self._address


def _judge(named: Named, rule: Rule, view: ImageView) -> Judgement:
    wanted = rule.keys["is"]
    assert isinstance(wanted, Named)
    expression = expression_of(wanted)
    glob = section_glob(named.text)
    found = [name for name, (_, size) in view.sections.items() if size and glob.matches(name)]
    if not found:
        declared = view.script.output_sections if view.script is not None else ()
        standing = Standing.UNKNOWN if any(glob.matches(name) for name in declared) else Standing.ABSENT
        return Judgement(standing, reason=f"the image has no output section {named.text}")
    problems = []
    for name in found:
        address = view.sections[name][0]
        environment = _AtSection(view, address)
        actual, value = environment.loadaddr(name), evaluate(expression, environment)
        if actual is None or value.number is None:
            return Judgement(Standing.UNKNOWN, reason=value.reason or f"nothing tells the load address of {name}")
        if actual != value.number:
            problems.append(
                view.problem(
                    name,
                    name,
                    f"{name} is loaded at {actual:#x}, and should be at {value.number:#x}",
                    label=f"must be loaded at {wanted.text}",
                    facts=(f"in the image: {name} has the address {address:#x} and the load address {actual:#x}",),
                    help="look at the AT() of the output section, or of the one ahead of it",
                )
            )
    if problems:
        return Judgement(Standing.REFUTED, tuple(problems), evidence=view.available)
    return Judgement(Standing.HOLDS, evidence=view.available)
