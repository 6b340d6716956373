"""The value of a policy's expression (`_end - _start`, `SIZEOF(.got)`, `.init.data`) on a script or on an image.

Expressions are in the linker's own language; the policy's params have their values in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError, EvidenceKind, InputError, Judgement, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.layout.image_values import ImageValues
from ldcheck.linker import only_lld
from ldcheck.policy.rule import Named, Rule
from ldcheck.script.environment import Environment, Value
from ldcheck.script.expressions import absolute, evaluate
from ldcheck.script.parser import parse_expression
from ldcheck.script.syntax import Assertion, Binary, Call, Expression, Name, Node, Number, Word, walk
from ldcheck.source import Related
from ldcheck.words import listed

if TYPE_CHECKING:
    from ldcheck.layout.decided import Decision


def expression_of(named: Named) -> Expression:
    """The syntax tree of an expression in a policy. Raises CheckError at its place for what is none."""
    parsed = parse_expression(named.text, giga=True)
    if parsed.expression is None or not parsed.ok:
        message = parsed.problems[0].message if parsed.problems else "this is no expression"
        raise CheckError(InputError(message, named.location, help="write it as in a linker script, with blanks"))
    return parsed.expression


def image_values(view: ImageView) -> ImageValues:
    """Where the names of an expression are looked up in an image, as the linker that is meant has them."""
    found = ImageValues(view.elf, view.map, view.params, image_regions(view))
    found.with_thumb_bit = only_lld(view.linkers)
    return found


# Why an expression has two values.
BY_LINKER = (
    "the bit that tells Thumb code is part of a function's value for lld, and not for GNU ld, and nothing says which "
    "of them made the image: give --map, or --linker"
)


def environments(view: ImageView) -> tuple[ImageValues, ...]:
    """What `image_values` gives, once for each of two linkers where either may have made the image, and they differ."""
    found = image_values(view)
    if view.elf is None or view.elf.arch != "arm32" or len({linker.kind for linker in view.linkers}) == 1:
        return (found,)
    other = image_values(view)
    other.with_thumb_bit = True
    return found, other


def linked_values(expression: Expression, view: ImageView) -> tuple[Value, ...]:
    """What an expression comes to on an image: one value, or two where it hangs on which linker made the image."""
    found = [evaluate(expression, environment) for environment in environments(view)]
    return tuple({value.number: value for value in found}.values())


def image_regions(view: ImageView | None) -> Mapping[str, tuple[int, int]]:
    """Origin and length of the memory regions of a link, by its map and its script."""
    if view is None:
        return {}
    mapped = {name: (origin, length) for name, origin, length in view.map.regions} if view.map is not None else {}
    return {**mapped, **view.script.named_regions} if view.script is not None else mapped


def names_in(expression: Expression) -> tuple[str, ...]:
    """The symbols and output sections that an expression speaks of, in order, each once; not the location counter."""
    found: list[str] = []
    for node in walk(expression):
        if isinstance(node, Name) and node.name != ".":
            found.append(node.name)
        elif isinstance(node, Call):
            found += [argument.text for argument in node.arguments if isinstance(argument, Word)]
    return tuple(dict.fromkeys(found))


def operands(expression: Expression, environment: Environment, where: str) -> tuple[str, ...]:
    """The values that went into an expression, as a sentence, if any is known; `where` says whose values they are."""
    said: dict[str, None] = {}
    for node in walk(expression):
        text = _operand(node)
        if text and isinstance(node, Name | Call):
            number = absolute(evaluate(node, environment), environment).number
            if number is not None:
                said[f"{text} is {number:#x}"] = None
    return (f"{where}: {listed(list(said), most=6)}",) if said else ()


def _operand(node: Node) -> str:
    """A name or a question to the linker, as it is written; empty for what is made of other operands."""
    if isinstance(node, Name):
        return node.name if node.name != "." else ""
    if isinstance(node, Call) and all(isinstance(argument, Word) for argument in node.arguments):
        words = ", ".join(argument.text for argument in node.arguments if isinstance(argument, Word))
        return f"{node.function}({words})" if words else node.function
    return ""


def place_of(name: str, view: ScriptView) -> Expression:
    """The expression for the address of an output section, or for the value of a symbol."""
    if name in view.output_sections:
        return Call("ADDR", (Word(name, start=0, end=0),), start=0, end=0)
    return Name(name, start=0, end=0)


def compare(left: Expression, operator: str, right: Expression | int) -> Expression:
    """The expression that compares two values."""
    if isinstance(right, int):
        right = Number(right, str(right), start=0, end=0)
    return Binary(operator, left, right, start=0, end=0)


def undecided(named: Named, condition: str, rule: Rule, view: ScriptView) -> Judgement:
    """The judgement where a script alone does not decide a condition on an expression.

    A rule that asks for nothing but the script asks for one that sees to it, and so does one with `asserted`; others
    leave it to the link.
    """
    alone = rule.evidence == (EvidenceKind.SCRIPT,)
    asserted = rule.keys.get("asserted") is True
    for name in names_in(expression_of(named)):
        known = name in view.params or view.declared(name) is not None or name in view.layout.grounds.regions
        # What has to be asserted may be about symbols of the objects.
        if not known and not asserted and not name.isupper():
            return Judgement(Standing.UNKNOWN, reason=f"nothing in the script is called {name}, give --elf or --map")
    if (alone or asserted) and view.unread:
        return Judgement(Standing.UNKNOWN, reason=f"cannot find the file {view.unread}, which may say it")
    if not alone and not asserted:
        return Judgement(Standing.UNKNOWN, reason="the script alone does not decide it, give --elf or --map")
    node = _beside(named, view)
    problem = view.problem(
        node,
        named.text,
        f"nothing in the script sees to it that `{condition}`",
        label="no ASSERT says as much",
        help=f'add `ASSERT({condition}, "...")`',
        severity=None if alone else Severity.WARNING,
    )
    return Judgement(Standing.NOT_GUARANTEED, (problem,))


def _beside(named: Named, view: ScriptView) -> Node:
    """Where an ASSERT on an expression belongs: at the first of its names, else at the ASSERT that speaks of one.

    Where none does, that is at the last ASSERT, or at the end of the script.
    """
    node = first_declared(named, view)
    if node is not None:
        return node
    names = set(names_in(expression_of(named)))
    asserts = [node for node in view.statements if isinstance(node, Assertion)]
    speaking = [node for node in asserts if not names.isdisjoint(names_in(node.condition))]
    if asserts:
        return (speaking or asserts)[-1]
    end = view.tree.end
    return Name("", start=max(end - 1, 0), end=end)


def because(decision: Decision, view: ScriptView) -> str:
    """By which ASSERTs a script decides something, as the reason of a verdict; empty if by its addresses."""
    places = [view.locate(node) for node in decision.asserted]
    return "by ASSERT at " + listed([f"{place.file}:{place.line}" for place in places]) if places else ""


def asserting(decision: Decision, view: ScriptView) -> tuple[Related, ...]:
    """The ASSERTs by which a script decides something, as related places of a finding."""
    return tuple(Related(view.locate(node), "demanded by this ASSERT") for node in decision.asserted)


def first_declared(named: Named, view: ScriptView) -> Node | None:
    """The place in the script of the first name of an expression that has one."""
    nodes = (view.declared(name) for name in names_in(expression_of(named)))
    return next((node for node in nodes if node is not None), None)


class ScriptValues(Environment):
    """An environment that knows what the script alone decides: exact addresses, and the policy's params."""

    by_address = True

    def __init__(self, view: ScriptView) -> None:
        self.view = view

    def symbol(self, name: str) -> Value | None:
        """The exact value of a symbol, or that of a param."""
        known = self.view.layout.symbol(name)
        if known is not None and known.value is not None:
            return Value(known.value)
        if known is None and name in self.view.params:
            return Value(self.view.params[name])
        return None

    def addr(self, section: str) -> int | None:
        """Where the output section starts."""
        known = self.view.layout.section_start(section)
        return known.value if known is not None else None

    def loadaddr(self, section: str) -> int | None:
        """From where the output section is loaded."""
        known = self.view.layout.load_address(section)
        return known.value if known is not None else None

    def origin(self, region: str) -> int | None:
        """The origin of a memory region of the script."""
        return self.view.named_regions[region][0] if region in self.view.named_regions else None

    def length(self, region: str) -> int | None:
        """The length of a memory region of the script."""
        return self.view.named_regions[region][1] if region in self.view.named_regions else None
