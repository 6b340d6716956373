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

with a .text that lacks its load address:

    . = 0xffff82d040200000;
    .text : { *(.text) }
    .data : AT(ADDR(.data) - 0xffff82d000000000) { *(.data) }

## Use instead
    . = 0xffff82d040200000;
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

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing, all_of
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.expressions import expression_of, image_regions, names_in
from ldcheck.judging.subjects import OUTPUT, absent
from ldcheck.layout.facts import difference
from ldcheck.layout.image_values import ImageValues
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Named, Rule
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import OutputSection
from ldcheck.sections.globs import section_glob
from ldcheck.source import Related
from ldcheck.words import listed

# So many sections are told in a message.
_MOST = 5
# The location counter in an expression.
_DOT = re.compile(r"(?<![\w.$])\.(?![\w.$])")

DECLARATION = Declaration(
    head=Key("load-address", Kind.NAMES, "Output sections, by name or pattern."),
    keys=(Key("is", Kind.EXPRESSION, "The load address; `.` is the section's address.", required=True),),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """HOLDS where the difference of both addresses is what the rule says in every link, REFUTED where it is another."""
    wanted = rule.keys["is"]
    assert isinstance(wanted, Named)
    judgements: list[Judgement] = []
    own: list[str] = []
    for named in rule.names:
        glob = section_glob(named.text)
        found = [name for name in view.output_sections if name != "/DISCARD/" and glob.matches(name)]
        judgements += [] if found else [absent(named, view, OUTPUT)]
        for name in dict.fromkeys(found):
            if name not in own:
                judgement = _section(name, wanted, view)
                own += [name] if judgement is None else []
                judgements += [judgement] if judgement is not None else []
    if own:
        judgements.append(Judgement(Standing.REFUTED, (_at_their_own(own, wanted, view),)))
    return all_of(judgements, optional=rule.optional)


def _section(name: str, wanted: Named, view: ScriptView) -> Judgement | None:
    """The judgement on one section; None where it is loaded at its own address in every link, and should not be."""
    start, load = view.layout.section_start(name), view.layout.load_address(name)
    if start is None or load is None:
        return Judgement(Standing.UNKNOWN, reason=f"only a link tells from where {name} is loaded")
    target = view.decided.value(expression_of(wanted), start)
    off = difference(target, load)
    if off == 0:
        return Judgement(Standing.HOLDS)
    if off is None and load.number.equal(target.number) is not False:
        reason = f"the script alone does not tell from where {name} is loaded"
        return Judgement(Standing.UNKNOWN, reason=reason)
    if difference(start, load) == 0:
        return None
    node = view.output_sections[name][0]
    problem = view.problem(
        node,
        name,
        f"{name} is not loaded at {wanted.text} in any link of this script",
        label=_label(node, wanted),
        help=f"give it `AT({_at(name, wanted)})`",
    )
    return Judgement(Standing.REFUTED, (problem,))


def _at_their_own(names: list[str], wanted: Named, view: ScriptView) -> Problem:
    nodes = [view.output_sections[name][0] for name in names]
    one = len(names) == 1
    are = "is loaded at its own address" if one else "are loaded at their own addresses"
    return view.problem(
        nodes[0],
        names[0],
        f"{listed(names, _MOST)} {are}, and should be at {wanted.text}",
        label=_label(nodes[0], wanted),
        related=tuple(Related(view.locate(node), _label(node, wanted)) for node in nodes[1:]),
        help=f"give {'it' if one else names[0]} `AT({_at(names[0], wanted)})`{'' if one else ', and so on'}",
    )


def _label(node: OutputSection, wanted: Named) -> str:
    return "has no AT()" if node.load_address is None else f"must be loaded at {wanted.text}"


def _at(name: str, wanted: Named) -> str:
    return _DOT.sub(lambda _: f"ADDR({name})", wanted.text)


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where a section's load address is not the value of the expression."""
    judgements = [_judge(named, rule, view) for named in rule.names]
    # A section that the script makes and that came out empty is nowhere loaded.
    shown = [judgement for judgement in judgements if judgement.standing is not Standing.UNKNOWN]
    return all_of(shown or judgements, optional=rule.optional)


class _AtSection(ImageValues):
    """The image's values, with the location counter at one section."""

    def __init__(self, view: ImageView, address: int) -> None:
        super().__init__(view.elf, view.map, view.params, image_regions(view))
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
    found = [one for one in view.loaded_sections if glob.matches(one.name)]
    if not found:
        declared = view.script.output_sections if view.script is not None else ()
        standing = Standing.UNKNOWN if any(glob.matches(name) for name in declared) else Standing.ABSENT
        return Judgement(standing, reason=f"the image has no output section {named.text}")
    problems = []
    for name, address, actual, *_ in found:
        value = evaluate(expression, _AtSection(view, address))
        if value.number is None:
            ambiguous = (view.doubt(used) for used in names_in(expression))
            return Judgement(Standing.UNKNOWN, reason=next(filter(None, ambiguous), value.reason))
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
