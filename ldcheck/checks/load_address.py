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

with

    . = 0xffff82d000200000;
    .text : AT(ADDR(.text) - 0xffff82d000000000) { *(.text) }
    .data : AT(ADDR(.data)) { *(.data) }

## Use instead
    . = 0xffff82d000200000;
    .text : AT(ADDR(.text) - 0xffff82d000000000) { *(.text) }
    .data : AT(ADDR(.data) - 0xffff82d000000000) { *(.data) }

## Limits
The script alone decides it only where the difference of the two addresses is the same in every link: a section without
AT() and AT> is loaded at its own address, unless one ahead of it is not. Addresses in PHDRS leave it to the image.

## References
GNU ld manual, "Output Section LMA"; ELF gABI, "Program Header" (p_paddr).
"""

from __future__ import annotations

import re

from ldcheck.findings import EvidenceKind, Judgement, Standing, all_of
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.expressions import expression_of
from ldcheck.judging.subjects import absent
from ldcheck.layout.facts import difference
from ldcheck.layout.image_values import ImageValues
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Named, Rule
from ldcheck.script.expressions import evaluate
from ldcheck.sections.globs import section_glob

# The location counter in an expression.
_DOT = re.compile(r"(?<![\w.$])\.(?![\w.$])")

DECLARATION = Declaration(
    head=Key("load-address", Kind.NAMES, "Output sections, by name or pattern."),
    keys=(Key("is", Kind.EXPRESSION, "The load address; `.` is the section's address.", required=True),),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """HOLDS where the difference of both addresses is what the rule says in every link, REFUTED where it is another."""
    return all_of([_proved(named, rule, view) for named in rule.names], optional=rule.optional)


def _proved(named: Named, rule: Rule, view: ScriptView) -> Judgement:
    wanted = rule.keys["is"]
    assert isinstance(wanted, Named)
    glob = section_glob(named.text)
    found = [name for name in view.output_sections if name != "/DISCARD/" and glob.matches(name)]
    if not found:
        return absent(named, view)
    return all_of([_section(name, wanted, view) for name in found])


def _section(name: str, wanted: Named, view: ScriptView) -> Judgement:
    start, load = view.layout.section_start(name), view.layout.load_address(name)
    node = view.output_sections[name][0]
    if start is None or load is None:
        return Judgement(Standing.UNKNOWN, reason=f"only a link tells from where {name} is loaded")
    target = view.decided.value(expression_of(wanted), start)
    off = difference(target, load)
    if off == 0:
        return Judgement(Standing.HOLDS)
    if off is None and load.number.equal(target.number) is not False:
        reason = f"the script alone does not tell from where {name} is loaded"
        return Judgement(Standing.UNKNOWN, reason=reason)
    expression = _DOT.sub(lambda _: f"ADDR({name})", wanted.text)
    message = f"{name} is not loaded at {wanted.text} in any link of this script"
    if difference(start, load) == 0:
        message = f"{name} is loaded at its own address, and should be at {wanted.text}"
    problem = view.problem(
        node,
        name,
        message,
        label="has no AT()" if node.load_address is None else f"must be loaded at {wanted.text}",
        help=f"give it `AT({expression})`",
    )
    return Judgement(Standing.REFUTED, (problem,))


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
