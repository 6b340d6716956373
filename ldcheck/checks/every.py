"""For each output section, input pattern, symbol or segment that matches, an expression holds.

## What it does
Goes through all of a kind whose name matches `named` and for which `where` is true, and demands that `require` is
true. The expressions are in the linker's own language; the names below are the attributes of the one in question,
every other name means a symbol of the image or a param of the policy, and `ORIGIN()`, `LENGTH()`, `SIZEOF()`, `ADDR()`,
`LOADADDR()` and `ALIGNOF()` ask for the script's memory regions and for the output sections.

* `output-section`: `address`, `end`, `size`, `align`, `load_address`, `allocated`, `writable`, `executable`
* `segment`: `address`, `end`, `load_address`, `file_size`, `memory_size`, `align`, `readable`, `writable`, `executable`
* `symbol`: `value` (of a function of Thumb code: its address), `size`, `is_global`
* `input-pattern`: `kept`, `discarded`, `sorted`, `wildcard`

## Why is this bad
Some properties have no head key of their own, and still somebody checks them by eye in every review.

## Example
    rules:
      - id: constructors-kept
        every: input-pattern
        named: .init_array*
        require: kept || discarded

with

    .init_array : { *(SORT_BY_INIT_PRIORITY(.init_array.*)) KEEP(*(.init_array)) }

## Use instead
    .init_array : { KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*))) KEEP(*(.init_array)) }

## Limits
Input patterns are judged on the script, everything else on the image.

## References
GNU ld manual, "Expressions in Linker Scripts".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.image.model import Segment
from ldcheck.image.named import is_thumb
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.expressions import BY_LINKER, ScriptValues, environments, expression_of, names_in, operands
from ldcheck.judging.segments import shown_at
from ldcheck.judging.subjects import STRIPPED
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Named, Rule, names_of
from ldcheck.script.environment import Environment, Value
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import Call, Expression, Name, Node, Word, walk
from ldcheck.sections.families import is_emitted
from ldcheck.sections.globs import has_wildcard, section_glob
from ldcheck.words import did_you_mean, listed

# Elf(5) and the gABI, as readelf spells them.
_SEGMENT_TYPES = frozenset(
    ("LOAD", "DYNAMIC", "INTERP", "NOTE", "SHLIB", "PHDR", "TLS", "GNU_EH_FRAME", "GNU_STACK", "GNU_RELRO",
     "GNU_PROPERTY", "EXIDX", "ARM_EXIDX")
)  # fmt: skip

_KINDS = ("output-section", "input-pattern", "symbol", "segment")

DECLARATION = Declaration(
    head=Key("every", Kind.CHOICE, "What is gone through.", choices=_KINDS),
    keys=(
        Key("named", Kind.NAMES, "Only those of these names (or patterns).", names=Names.FREE),
        Key("where", Kind.EXPRESSION, "Only those for which this is true.", names=Names.FREE),
        Key("require", Kind.EXPRESSION, "What must be true for each.", required=True, names=Names.FREE),
    ),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
    # Segments stand by themselves, and where there are no sections or symbols to look at, that is said.
    headerless=True,
)


class _Attributes(Environment):
    """The attributes of one thing, ahead of what another environment knows."""

    by_address = True

    def __init__(self, attributes: Mapping[str, int], rest: Environment) -> None:
        self._attributes = attributes
        self._rest = rest

    def symbol(self, name: str) -> Value | None:
        """An attribute, or a symbol or param of that name."""
        return Value(self._attributes[name]) if name in self._attributes else self._rest.symbol(name)

    def defined(self, name: str) -> bool | None:
        """An attribute is; else as the image says."""
        return True if name in self._attributes else self._rest.defined(name)

    def addr(self, section: str) -> int | None:
        """As the image says, like what follows."""
        return self._rest.addr(section)

    def loadaddr(self, section: str) -> int | None:
        """From where the output section is loaded."""
        return self._rest.loadaddr(section)

    def sizeof(self, section: str) -> int | None:
        """The bytes of the output section."""
        return self._rest.sizeof(section)

    def alignof(self, section: str) -> int | None:
        """The alignment of the output section."""
        return self._rest.alignof(section)

    def origin(self, region: str) -> int | None:
        """Where the memory region of the script begins."""
        return self._rest.origin(region)

    def length(self, region: str) -> int | None:
        """The bytes of the memory region of the script."""
        return self._rest.length(region)

    def constant(self, name: str) -> int | None:
        """A constant of the target."""
        return self._rest.constant(name)

    def sizeof_headers(self) -> int | None:
        """The bytes of the file's headers."""
        return self._rest.sizeof_headers()


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """REFUTED where an input pattern does not satisfy the expression; other kinds are the image's business."""
    if rule.names[0].text != "input-pattern":
        return Judgement(Standing.UNKNOWN, reason=f"only an image has {rule.names[0].text}s")
    rest = _Attributes(view.params, ScriptValues(view))
    patterns = list(_patterns(view))
    unknown = _unknown(rule, [(name, attributes) for name, attributes, _ in patterns], rest)
    if unknown is not None:
        return unknown
    judged = [(name, attributes, node, _truth(rule, name, attributes, rest)) for name, attributes, node in patterns]
    problems = tuple(
        _problem(rule, name, attributes, rest, view, node) for name, attributes, node, truth in judged if truth is False
    )
    return _result(problems, [truth for *_, truth in judged])


def _patterns(view: ScriptView) -> Iterator[tuple[str, Mapping[str, int], Node]]:
    for taker in view.rules:
        if taker.pattern is None:
            continue
        name = taker.pattern.pattern.text
        yield (
            name,
            {
                "kept": int(taker.keep),
                "discarded": int(taker.discards),
                "sorted": int(bool(taker.pattern.sorts)),
                "wildcard": int(has_wildcard(name)),
            },
            taker.node,
        )


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where something of the kind does not satisfy the expression."""
    kind = rule.names[0].text
    if kind == "input-pattern":
        return Judgement(Standing.UNKNOWN, reason="input patterns are in the script")
    if view.elf is None:
        return Judgement(Standing.UNKNOWN, reason="no ELF, give --elf")
    if kind == "symbol" and view.elf.stripped:
        return Judgement(Standing.UNKNOWN, reason=f"the image does not tell of every symbol: {STRIPPED}")
    things = list({"output-section": _sections, "symbol": _symbols, "segment": _segments}[kind](view))
    rests = environments(view)
    rest = rests[0]
    unknown = _unknown(rule, things, rest)
    if unknown is not None:
        return unknown
    judged = []
    for name, attributes in things:
        truths = {_truth(rule, name, attributes, one) for one in rests}
        judged.append((name, attributes, truths.pop() if len(truths) == 1 else BY_LINKER))
    places: Sequence[Segment | None] = view.elf.segments if kind == "segment" else [None] * len(judged)
    problems = tuple(
        shown_at(problem, segment, view) if segment is not None else problem
        for (name, attributes, truth), segment in zip(judged, places, strict=True)
        if truth is False
        for problem in (_problem(rule, name, attributes, rest, view),)
    )
    return _result(problems, [truth for *_, truth in judged])


def _unknown(rule: Rule, things: Sequence[tuple[str, Mapping[str, int]]], rest: Environment) -> Judgement | None:
    """The judgement on a rule that speaks of nothing: none of the kind, or none of the names; None for any other.

    A `where` may well be true of nothing, but its names must mean something, and so must those of `require`. Names that
    toolchains give need not be there if there is a `where`.
    """
    kind = rule.names[0].text
    if not things:
        return Judgement(Standing.UNKNOWN, reason=f"there is no {kind} to look at")
    for named in names_of(rule.keys.get("named")):
        if not any(section_glob(named.text).matches(name) for name, _ in things) and not (
            "where" in rule.keys and (named.text in _SEGMENT_TYPES if kind == "segment" else is_emitted(named.text))
        ):
            problem = Problem(named.text, "", location=named.location)
            return Judgement(Standing.ABSENT, (problem,), reason=f"no {kind} is called {named.text}")
    attributes = things[0][1]
    for key in ("where", "require"):
        value = rule.keys.get(key)
        for name, part in _named(expression_of(value)) if isinstance(value, Named) else ():
            if name in attributes or evaluate(part, rest).known or rest.defined(name):
                continue
            assert isinstance(value, Named)
            advice = did_you_mean(name, attributes, f"a {kind} has {', '.join(attributes)}")
            problem = Problem(name, "", location=value.location, help=advice)
            return Judgement(Standing.ABSENT, (problem,), reason=f"`{value.text}` speaks of {name}, which nothing has")
    return None


def _named(expression: Expression) -> Iterator[tuple[str, Expression]]:
    """Each name that an expression speaks of, with what its value is asked by: the name, or a function on it."""
    for node in walk(expression):
        if isinstance(node, Name) and node.name != ".":
            yield node.name, node
        elif isinstance(node, Call):
            yield from ((argument.text, node) for argument in node.arguments if isinstance(argument, Word))


def _sections(view: ImageView) -> Iterator[tuple[str, Mapping[str, int]]]:
    assert view.elf is not None
    for section in view.elf.sections:
        if section.name:
            yield (
                section.name,
                {
                    "address": section.address,
                    "end": section.end,
                    "size": section.size,
                    "align": section.align,
                    "load_address": view.elf.load_address(section),
                    "allocated": int(section.allocated),
                    "writable": int(section.writable),
                    "executable": int(section.executable),
                },
            )


def _symbols(view: ImageView) -> Iterator[tuple[str, Mapping[str, int]]]:
    assert view.elf is not None
    for name, symbol in view.elf.symbols.items():
        if symbol.defined:
            is_global = int(symbol.binding == "GLOBAL")
            # Where it is, as the location counter has it.
            value = symbol.value & ~1 if is_thumb(symbol, view.elf) else symbol.value
            yield name, {"value": value, "size": symbol.size, "is_global": is_global}


def _segments(view: ImageView) -> Iterator[tuple[str, Mapping[str, int]]]:
    assert view.elf is not None
    for segment in view.elf.segments:
        yield (
            segment.type,
            {
                "address": segment.address,
                "end": segment.address + segment.memory_size,
                "load_address": segment.load_address,
                "file_size": segment.file_size,
                "memory_size": segment.memory_size,
                "align": segment.align,
                "readable": int(segment.readable),
                "writable": int(segment.writable),
                "executable": int(segment.executable),
            },
        )


def _truth(rule: Rule, name: str, attributes: Mapping[str, int], rest: Environment) -> bool | str | None:
    """Whether the thing satisfies the rule; None if it is not concerned, a reason if that is undecided."""
    wanted = names_of(rule.keys.get("named"))
    if wanted and not any(section_glob(named.text).matches(name) for named in wanted):
        return None
    environment = _Attributes(attributes, rest)
    for key in ("where", "require"):
        value = rule.keys.get(key)
        if not isinstance(value, Named):
            continue
        result = evaluate(expression_of(value), environment)
        if result.truth is None:
            return result.reason or f"`{value.text}` has no value for {name}"
        if not result.truth:
            return None if key == "where" else False
    return True


def _result(problems: tuple[Problem, ...], truths: list[bool | str | None]) -> Judgement:
    if problems:
        return Judgement(Standing.REFUTED, problems)
    undecided = next((truth for truth in truths if isinstance(truth, str)), "")
    if undecided:
        return Judgement(Standing.UNKNOWN, reason=undecided)
    return Judgement(Standing.HOLDS)


def _problem(
    rule: Rule,
    name: str,
    attributes: Mapping[str, int],
    rest: Environment,
    view: ScriptView | ImageView,
    node: Node | None = None,
) -> Problem:
    wanted = rule.keys["require"]
    assert isinstance(wanted, Named)
    expression = expression_of(wanted)
    used = [name for name in names_in(expression) if name in attributes]
    values = listed([f"{attribute} is {attributes[attribute]:#x}" for attribute in used], most=6)
    place = f" at {attributes['address']:#x}" if "address" in attributes else ""
    message = f"{rule.names[0].text} {name}{place} does not satisfy `{wanted.text}`"
    if node is not None and isinstance(view, ScriptView):
        facts = operands(expression, rest, "in the script")
        return Problem(name, message, view.locate(node), values, facts=facts, route=view.route(node))
    assert isinstance(view, ImageView)
    facts = operands(expression, rest, "in the image")
    return Problem(name, message, view.declared_at(name), values, facts=facts, route=view.declared_route(name))
