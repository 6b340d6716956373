"""The script's own expressions with the values of an image: what each symbol should be, and whether each ASSERT holds.

The image does not tell where the location counter stood at every statement. It is followed from what is known (the
start of an output section, a symbol that was assigned from it) over what has a known size; behind input sections it is
taken up again at the next symbol that was assigned from it. Nothing here is a proof about other links; see `interpret`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ldcheck.image.model import Elf, ImageSection, LinkMap
from ldcheck.layout.flow import flow
from ldcheck.layout.image_values import ImageValues
from ldcheck.layout.lld import lld_gaps
from ldcheck.layout.lld_values import differs_by_lld
from ldcheck.layout.place_values import PlaceValues
from ldcheck.layout.traits import DATA_SIZES, statements
from ldcheck.linker import GNU, LLD, Linker
from ldcheck.record import dataclass
from ldcheck.script.environment import ABSOLUTE, Value
from ldcheck.script.expressions import absolute, assigned, evaluate
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Binary,
    Call,
    Data,
    Expression,
    Fill,
    InputSectionDescription,
    Marker,
    Name,
    Node,
    OutputSection,
    Overlay,
    Script,
    Word,
    walk,
)
from ldcheck.script.uses import leaves

_MASK = (1 << 64) - 1
# Sections that ld makes when all is laid out.
_TABLES = frozenset((".symtab", ".strtab", ".shstrtab"))


@dataclass(frozen=True, slots=True)
class Operand:
    """A name or function in an expression, as text, and its value; None if it is unknown."""

    text: str
    value: int | None


@dataclass(frozen=True, slots=True)
class SymbolValue:
    """A symbol that the script assigns: its address in the image, and what the expression gives.

    `actual` is None if the image does not have it, `expected` if the expression's value is unknown, for `reason`.
    """

    node: Assignment
    actual: int | None
    expected: int | None
    reason: str = ""

    @property
    def name(self) -> str:
        """The symbol."""
        return self.node.target.text

    @property
    def agrees(self) -> bool | None:
        """Whether the image has the value of the expression; None if one of the two is unknown.

        With PROVIDE an object may define the symbol, so that a difference says nothing.
        """
        if self.actual is None or self.expected is None:
            return None
        if self.actual != self.expected and self.node.keyword.startswith("PROVIDE"):
            return None
        return self.actual == self.expected


@dataclass(frozen=True, slots=True)
class AssertionValue:
    """An ASSERT of the script with the image's values; `holds` is None if it cannot be told, for `reason`."""

    node: Assertion
    holds: bool | None
    operands: tuple[Operand, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Concrete:
    """What the expressions of a script come to on an image, in the order of the script."""

    symbols: tuple[SymbolValue, ...]
    assertions: tuple[AssertionValue, ...]


def evaluate_on(
    tree: Script,
    elf: Elf,
    link_map: LinkMap | None = None,
    params: Mapping[str, int] | None = None,
    linker: Linker = GNU,
    *,
    with_thumb_bit: bool = False,
) -> Concrete:
    """Evaluate the assignments and ASSERTs of `tree` with the values of an image that it made.

    `params` are values of names that the image does not define, CONSTANT(MAXPAGESIZE) and CONSTANT(COMMONPAGESIZE)
    among them by these names. For `linker` lld every value is an address, in output sections too, and that of a
    function of Thumb code has the bit that says so, as it has `with_thumb_bit` for any linker.
    """
    replay = _Replay(tree, elf, link_map, dict(params or {}), linker, with_thumb_bit or linker.kind == LLD.kind)
    return replay.run()


class _Replay:
    def __init__(
        self,
        tree: Script,
        elf: Elf,
        link_map: LinkMap | None,
        params: dict[str, int],
        linker: Linker,
        with_thumb_bit: bool,
    ) -> None:
        self._elf = elf
        self._flow = flow(tree)
        self._by_address = linker.kind == LLD.kind
        self._gaps = lld_gaps(self._flow) if self._by_address else self._flow.gaps
        self._values = PlaceValues(elf, link_map, params, tree, self._flow)
        self._values.by_address = self._by_address
        self._values.with_thumb_bit = with_thumb_bit
        self._mask = (1 << elf.bits) - 1
        declared = self._flow.names
        self._orphans = any(
            item.name not in declared and item.name not in _TABLES and item.type != "NULL" for item in elf.sections
        )
        self._left: Counter[str] = Counter(self._flow.assigned)
        self._symbols: dict[str, SymbolValue] = {}
        self._assertions: list[AssertionValue] = []
        self._late: set[str] = set()
        # The address of a section that is not in the image counts in one run of ld, and not in the other.
        self._adrift = False
        self._passed: set[str] = set()
        for section in self._flow.sections:
            if self._found(section) is None:
                self._values.hidden.add(section.name.text)

    def run(self) -> Concrete:
        self._values.place = 0
        for index, (node, _) in enumerate(self._flow.items):
            if index in self._gaps and self._orphans:
                self._values.place = None
            if isinstance(node, OutputSection):
                self._section(node)
            elif isinstance(node, Overlay):
                for section in node.sections:
                    self._section(section)
                self._values.place = None
            elif isinstance(node, Assignment):
                self._assign(node)
            elif isinstance(node, Assertion):
                self._assert(node)
            else:
                self._values.place = None
        return Concrete(tuple(self._symbols.values()), tuple(self._assertions))

    def _section(self, node: OutputSection) -> None:
        name = node.name.text
        if name == "/DISCARD/":
            return
        before = self._values.place
        section = self._found(node)
        self._values.section = None if self._by_address else name
        self._values.growing = name if self._by_address else ""
        self._values.place = None if section is None else section.address
        for statement in statements(node.statements):
            self._statement(statement)
        self._values.section = None
        self._values.growing = ""
        self._passed.add(name)
        self._adrift = self._adrift or (section is None and node.address is not None)
        is_dropped = section is None and node.address is None and not self._has(name) and self._is_dropped(node)
        self._values.place = before if is_dropped else section.end if section is not None else None

    def _is_dropped(self, node: OutputSection) -> bool:
        """Whether ld has dropped a section that is not in the image, rather than counted it as empty."""
        traits = self._flow.traits[node]
        if traits.conditional:
            # One whose condition is not met moves the location counter by what it would make.
            return all(isinstance(statement, InputSectionDescription) for statement in statements(node.statements))
        return not traits.made

    def _has(self, name: str) -> bool:
        return any(section.name == name for section in self._elf.sections)

    def _found(self, node: OutputSection) -> ImageSection | None:
        """The image's section of a statement, if it is clear which that is, and if it has an address."""
        name = node.name.text
        if self._flow.traits[node].conditional or self._flow.traits[node].thread_local:
            return None
        if sum(section.name.text == name for section in self._flow.sections) > 1:
            return None
        found = [section for section in self._elf.sections if section.name == name]
        return found[0] if len(found) == 1 and found[0].allocated else None

    def _statement(self, node: Node) -> None:
        if isinstance(node, Assignment):
            self._assign(node)
        elif isinstance(node, Assertion):
            self._assert(node)
        elif isinstance(node, Data) and node.keyword in DATA_SIZES:
            if self._values.place is not None:
                self._values.place += DATA_SIZES[node.keyword]
        elif not isinstance(node, Fill) and not (isinstance(node, Marker) and node.keyword == "CREATE_OBJECT_SYMBOLS"):
            self._values.place = None

    def _assign(self, node: Assignment) -> None:
        name = node.target.text
        expression = node.value
        if node in self._flow.asserting:
            self._assert(self._flow.asserting[node])
        if node.operator != "=":
            target = Name(name, start=node.target.start, end=node.target.end)
            expression = Binary(node.operator[:-1], target, expression, start=node.start, end=node.end)
        if name == ".":
            if self._is_late(expression) or (self._adrift and _mentions_symbol(expression)):
                # Where sections lie was settled with what an earlier run knew of it.
                self._values.place = None
                return
            value = self._evaluate(expression)
            if value.section is None and self._values.section is not None:
                value = assigned(value, self._values)
            self._values.place = absolute(value, self._values).number
            return
        if self._is_late(expression):
            self._late.add(name)
        self._left[name] -= 1
        found = ImageValues.symbol(self._values, name) if not self._left[name] else None
        actual = None if found is None else found.number
        provided = node.keyword.startswith("PROVIDE")
        if provided and name in self._values.homes and not self._left[name]:
            # The script has defined it already.
            return
        if self._values.place is None and actual is not None and _is_dot(expression) and not provided:
            # The location counter shows here.
            self._values.place = actual
        value = assigned(self._evaluate(expression), self._values)
        if any(isinstance(part, Name) and part.name == name for part in leaves(expression)):
            value = Value(None, None, f"{name} is assigned from itself")
        expected = absolute(value, self._values).number
        self._values.homes[name] = "" if expected is None else value.section or ABSOLUTE
        self._values.current.pop(name, None)
        if self._left[name]:
            self._values.current[name] = Value(None, None, f"{name} is assigned again") if provided else value
            return
        if found is not None and actual is None:
            # Only the script tells which of the symbols of this name is its own.
            self._values.current[name] = Value(None, None, found.reason) if provided else value
            return
        number = None if expected is None else expected & self._mask
        self._symbols.pop(name, None)
        self._symbols[name] = SymbolValue(node, actual, number, value.reason if expected is None else "")

    def _evaluate(self, expression: Expression) -> Value:
        """The value of an expression here, which is an address for lld, or unknown where GNU ld's may be another."""
        if not self._by_address:
            return evaluate(expression, self._values)
        if any(differs_by_lld(part, self._values) for part in walk(expression)):
            return Value(None, "", "lld computes it otherwise")
        value = absolute(evaluate(expression, self._values), self._values)
        if value.number is not None and any(section.address == value.number + 1 for section in self._elf.sections):
            # The offset -1 in a section stands for its end.
            return Value(None, "", "lld takes it for the end of a section")
        return value

    def _is_late(self, expression: Expression) -> bool:
        """Whether a value hangs on statements that come later."""
        for node in leaves(expression):
            if isinstance(node, Name) and node.name != ".":
                if node.name in self._late or (self._left[node.name] and node.name not in self._values.homes):
                    return True
            elif isinstance(node, Call) and node.arguments and isinstance(node.arguments[0], Word):
                name = node.arguments[0].text
                if name in self._flow.names and name not in self._passed:
                    return True
        return False

    def _assert(self, node: Assertion) -> None:
        value = self._evaluate(node.condition)
        operands: dict[str, Operand] = {}
        for part in leaves(node.condition):
            if isinstance(part, Name | Call):
                operand = self._operand(part)
                if operand is not None:
                    operands.setdefault(operand.text, operand)
        self._assertions.append(AssertionValue(node, value.truth, tuple(operands.values()), value.reason))

    def _operand(self, part: Name | Call) -> Operand | None:
        if isinstance(part, Name):
            text = part.name
        elif part.arguments and isinstance(part.arguments[0], Word) and len(part.arguments) == 1:
            text = f"{part.function}({part.arguments[0].text})"
        elif not part.arguments:
            text = part.function
        else:
            return None
        value = evaluate(part, self._values)
        return Operand(text, absolute(value, self._values).number)


def _is_dot(expression: Expression) -> bool:
    return isinstance(expression, Name) and expression.name == "."


def _mentions_symbol(expression: Expression) -> bool:
    return any(isinstance(part, Name) and part.name != "." for part in leaves(expression))
