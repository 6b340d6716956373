"""Start symbols that are rounded up while the location counter stays: `x_start = ALIGN(8); *(.x)`.

What is aligned to less then lies ahead of the symbol, and nobody who starts there comes to it. Of the end of a range,
the same is harmless: it takes in some bytes more.
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import Problem, Severity
from ldcheck.judging.aligning import align_ahead
from ldcheck.judging.enclosed import Pair, pairs
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import opened_section
from ldcheck.layout.facts import distance
from ldcheck.record import dataclass
from ldcheck.script.expressions import constant
from ldcheck.script.syntax import Assignment, Call, Data, InputSectionDescription, OutputSection, Word
from ldcheck.sections.tables import are_pointers
from ldcheck.source import Related
from ldcheck.words import counted, size

# What the first input of a section is aligned to as a rule: there is a word or a pointer among its inputs.
_NATURAL = 8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rounded:
    """A start symbol that may lie behind `first`, the first statement of its range, for it is a multiple of `step`.

    `begins` is the output section at whose beginning it stands, None in the midst of one.
    """

    start: Assignment
    first: InputSectionDescription
    step: int
    begins: OutputSection | None


def rounded(view: ScriptView) -> Iterator[Rounded]:
    """Those of the start symbols with an end symbol for which the script does not rule it out."""
    for pair in pairs(view):
        step = _step(pair.start)
        if step is None or (found := _first(pair, step, view)) is None:
            continue
        layouts = (view.layout, view.usual_layout)
        values = [(layout.after(pair.start), layout.value(pair.start)) for layout in layouts]
        stays = any(place and value and distance(place, value) == (0, 0) for place, value in values)
        if not stays:
            yield found


def _step(symbol: Assignment) -> int | None:
    """The boundary that a symbol is rounded up to, if that is a number."""
    value = symbol.value
    if not isinstance(value, Call) or value.function != "ALIGN" or len(value.arguments) != 1:
        return None
    argument = value.arguments[0]
    return None if isinstance(argument, Word) else constant(argument)


def _first(pair: Pair, step: int, view: ScriptView) -> Rounded | None:
    """The range of a pair, if what stands first in it is neither moved nor aligned to a multiple of `step`."""
    begins = opened_section(pair.start, view)
    for node in pair.between:
        home = view.enclosing.get(id(node))
        if isinstance(node, Data) or (isinstance(node, Assignment) and node.target.text == "."):
            return None
        if isinstance(node, OutputSection) and node.name.text != "/DISCARD/":
            start = view.layout.section_start(node.name.text)
            if start is None or start.aligned_to(step):
                return None
            begins = node
        if home is not None and home.subalign is not None and (constant(home.subalign) or 1) % step == 0:
            return None
        if isinstance(node, InputSectionDescription) and (home is None or home.name.text != "/DISCARD/"):
            return Rounded(pair.start, node, step, begins)
    return None


def by_script(found: Rounded, view: ScriptView) -> Problem:
    """What may come of it: a note where inputs are pointers, or a section begins and one word among them is enough."""
    name = found.start.target.text
    pointers = are_pointers([pattern.pattern.text for pattern in found.first.patterns or ()])
    natural = (found.begins is not None or pointers) and found.step <= _NATURAL
    of = found.begins.name.text if found.begins is not None else "the statement behind it"
    return view.problem(
        found.start,
        name,
        f"{name} is rounded up to {size(found.step)}, and the location counter is not: what is aligned to less lies "
        "ahead of it",
        label="moves the symbol, and not what comes next",
        related=(Related(view.locate(found.first), f"where {of} has its first input"),),
        help=f"look at whether the location counter is to be aligned ahead of {name}",
        fix=align_ahead(f". = ALIGN({size(found.step)});", found.start, view, "ahead of it"),
        severity=Severity.NOTE if natural else Severity.WARNING,
    )


def by_image(found: Rounded, view: ImageView) -> Problem | bool | None:
    """An error where the link has an input ahead of the symbol, else False; None if only a map could tell."""
    assert view.script is not None
    name = found.start.target.text
    address, first = view.symbol(name), _begin(found, view)
    if address is None or first is None:
        return None
    if address <= first:
        return False
    missed = counted(address - first, "byte")
    return view.script.problem(
        found.start,
        name,
        f"{name} lies {missed} behind the beginning of what it is the start of",
        label="rounded up, while the location counter is not",
        related=(Related(view.script.locate(found.first), "begins ahead of it"),),
        facts=(f"in the image: {name} is at {address:#x}, the first input at {first:#x}",),
        help=f"look at whether the location counter is to be aligned ahead of {name}",
        fix=align_ahead(f". = ALIGN({size(found.step)});", found.start, view.script, "ahead of it"),
        severity=Severity.ERROR,
    )


def _begin(found: Rounded, view: ImageView) -> int | None:
    """The address of the first input of a range in the link; that of the symbol itself where there is none."""
    address = view.symbol(found.start.target.text)
    if found.begins is not None:
        named = (one.address for one in view.loaded_sections if one.name == found.begins.name.text)
        return next(named, address)
    if view.map is None or view.map.incomplete:
        return None
    taken = ((part, view.inputs.rules(part)[:1]) for _, part in view.inputs.loaded())
    own = (part.address for part, rules in taken if any(rule.statement is found.first for rule in rules))
    return min(own, default=address)
