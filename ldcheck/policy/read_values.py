"""From YAML values to what rules hold, by the kind that a key declares. Errors say what is allowed at that place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ParamSpec, TypeVar

from ldcheck.documents.nodes import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    as_choice,
    as_flag,
    as_integer,
    as_list,
    as_mapping,
    as_one_or_more,
    as_scalar,
    describe,
    fail,
    shown,
    unknown_keys,
)
from ldcheck.findings import CheckError, InputError
from ldcheck.policy.declare import Key, Kind
from ldcheck.policy.language import EXCEPTION, SIDE, SIDES
from ldcheck.policy.rule import Excepted, Exceptions, Named, Side, Sides, Value, names_of
from ldcheck.record import replace
from ldcheck.source import Location, Related
from ldcheck.words import counted

_P = ParamSpec("_P")
_T = TypeVar("_T")


# More errors help nobody, and each may cost a search for what was meant.
MOST_ERRORS = 100


class Complaints:
    """The errors found so far, for readers that go on after one. From a hundred on nothing more is read."""

    __slots__ = ("errors",)

    def __init__(self) -> None:
        self.errors: list[InputError] = []

    @property
    def full(self) -> bool:
        """Whether there are enough."""
        return len(self.errors) >= MOST_ERRORS

    def add(self, message: str, place: Node | Location, advice: str = "", related: tuple[Related, ...] = ()) -> None:
        """Note an error."""
        if not self.full:
            where = place if isinstance(place, Location) else place.location
            self.errors.append(InputError(message, where, help=advice, related=related))

    def attempt(self, read: Callable[_P, _T], *args: _P.args, **keywords: _P.kwargs) -> _T | None:
        """What `read` returns, or None with its errors noted."""
        if self.full:
            return None
        try:
            return read(*args, **keywords)
        except CheckError as error:
            self.errors.extend(error.errors)
            return None


def read_fields(mapping: MappingNode, keys: Mapping[str, Key], what: str, complaints: Complaints) -> dict[str, Value]:
    """The values of the keys that are plain values. Unknown and missing keys and wrong values are noted."""
    values: dict[str, Value] = {}
    known = 0
    for name, node in mapping.values.items():
        key = keys.get(name)
        if key is None:
            continue
        known += 1
        reader = _READERS.get(key.kind)
        if reader is not None:
            try:
                values[name] = reader(key, node)
            except CheckError as error:
                complaints.errors.extend(error.errors)
    if known < len(mapping.values) and not complaints.full:
        complaints.errors.extend(unknown_keys(mapping, keys, what))
    for name, key in keys.items():
        if key.required and name not in mapping.values:
            complaints.add(f"{what} needs `{name}`", mapping, key.doc)
    return values


def table(keys: Sequence[Key]) -> dict[str, Key]:
    """Keys by their names."""
    return {key.name: key for key in keys}


def text_of(values: Mapping[str, Value], name: str) -> str:
    """The text of a value, empty if it is not there."""
    value = values.get(name)
    return value.text if isinstance(value, Named) else ""


def texts_of(values: Mapping[str, Value], name: str) -> tuple[str, ...]:
    """The texts of a list, empty if it is not there."""
    value = values.get(name)
    return tuple(item.text for item in value if isinstance(item, Named)) if isinstance(value, tuple) else ()


def read_value(key: Key, node: Node) -> Value:
    """The value of a key as a rule holds it. Raises CheckError where it is not of the declared kind."""
    reader = _READERS.get(key.kind)
    if reader is None:
        raise ValueError(f"{key.name}: a check cannot declare a key of the kind {key.kind.name}")
    return reader(key, node)


def read_name(key: Key, node: Node) -> Named:
    """A name or pattern: a text without blanks."""
    scalar = as_scalar(node, f"`{key.name}`", "a name")
    text = scalar.text
    if not text:
        fail(scalar, f"`{key.name}` is an empty text and must be a name")
    if len(text.split(None, 1)) > 1 or text != text.strip():
        advice = "several names are a list: [a, b]"
        if "(" in text:
            advice = f"give the section pattern alone, {advice}"
        fail(scalar, f"`{key.name}` is `{shown(text)}`, and a name holds no blanks", advice=advice)
    return Named(text, scalar)


def read_names(key: Key, node: Node) -> tuple[Named, ...]:
    """One name or a list of them."""
    names = tuple(read_name(key, item) for item in as_one_or_more(node, f"`{key.name}`"))
    _check_fewest(key, len(names), names[0].text, node)
    return names


def _check_fewest(key: Key, count: int, first: str, node: Node) -> None:
    if count < key.fewest:
        what = f"`{key.name}` has {counted(count, 'entry')} and needs {key.fewest}: one says nothing of another"
        fail(node, what, advice=f"write [{shown(first)}, another]")


def read_text(key: Key, node: Node) -> Named:
    """A text that is not blank."""
    scalar = as_scalar(node, f"`{key.name}`")
    if not scalar.text.strip():
        fail(scalar, f"`{key.name}` is an empty text")
    return Named(scalar.text, scalar)


def read_texts(key: Key, node: Node) -> tuple[Named, ...]:
    """One text or a list of them."""
    return tuple(read_text(key, item) for item in as_one_or_more(node, f"`{key.name}`"))


def read_choice(key: Key, node: Node) -> Named:
    """One of the key's words."""
    return Named(as_choice(node, f"`{key.name}`", key.choices), node)


def read_choices(key: Key, node: Node) -> tuple[Named, ...]:
    """One or several of the key's words."""
    return tuple(read_choice(key, item) for item in as_one_or_more(node, f"`{key.name}`"))


def read_size(key: Key, node: Node) -> Named:
    """A size or an expression, its syntax checked; its value needs the params and perhaps the image's symbols."""
    scalar = as_scalar(node, f"`{key.name}`", Kind.SIZE.value)
    return _expression(key, scalar)


def read_expression(key: Key, node: Node) -> Named:
    """An expression in the linker's language, its syntax checked."""
    scalar = as_scalar(node, f"`{key.name}`", Kind.EXPRESSION.value)
    return _expression(key, scalar)


def _read_measure(key: Key, node: Node) -> Named:
    from ldcheck.policy.sizes import region_in

    scalar = as_scalar(node, f"`{key.name}`", Kind.MEASURE.value)
    return Named(scalar.text, scalar) if region_in(scalar.text) else _expression(key, scalar)


def _expression(key: Key, scalar: ScalarNode) -> Named:
    from ldcheck.policy.sizes import check_syntax

    error = check_syntax(scalar.text)
    if error:
        fail(scalar, f"`{key.name}` is `{shown(scalar.text)}`: {error}", advice=f"wanted: {key.kind.value}")
    return Named(scalar.text, scalar)


def _read_size_or_share(key: Key, node: Node) -> Named:
    scalar = as_scalar(node, f"`{key.name}`", Kind.SIZE_OR_SHARE.value)
    if scalar.text.endswith("%"):
        number = scalar.text[:-1].strip()
        whole, _, part = number.partition(".")
        digits = whole.isdecimal() and (part or "0").isdecimal() and number.isascii() and len(number) < 20
        if digits and float(number) <= 100:
            return Named(scalar.text, scalar)
        fail(scalar, f"`{key.name}` is `{shown(scalar.text)}` and must be a share from 0% to 100%")
    return _expression(key, scalar)


def _read_pair(key: Key, node: Node) -> tuple[Named, ...]:
    items = as_list(node, f"`{key.name}`")
    if len(items) != 2:
        fail(node, f"`{key.name}` has {len(items)} entries and must be {Kind.NAME_PAIR.value}: [start, end]")
    return tuple(read_name(key, item) for item in items)


def _read_groups(key: Key, node: Node) -> tuple[tuple[Named, ...], ...]:
    items = as_list(node, f"`{key.name}`")
    if not items:
        fail(node, f"`{key.name}` is an empty list and must be {Kind.NAME_GROUPS.value}")
    for item in items:
        if isinstance(item, SequenceNode) and not item.items:
            fail(item, f"`{key.name}` has an empty group")
        if not isinstance(item, (ScalarNode, SequenceNode)):
            fail(item, f"a group of `{key.name}` is {describe(item)} and must be a name or a list of names")
    each = replace(key, fewest=1)
    groups = tuple(read_names(each, item) for item in items)
    for named in (name for group in groups for name in group):
        if "..." in named.text.strip("."):
            start, _, end = named.text.partition("..")
            advice = f"a range has two dots: {start}..{end.lstrip('.')}"
            fail(node, f"`{key.name}` has `{shown(named.text)}`, which is no range", advice=advice)
    _check_fewest(key, len(groups), groups[0][0].text, node)
    return groups


def _read_flag(key: Key, node: Node) -> bool:
    return as_flag(node, f"`{key.name}`")


def _read_sides(key: Key, node: Node) -> Sides:
    values = _read_own(as_mapping(node, f"`{key.name}`"), SIDES, f"`{key.name}`")
    source, target = values["from"], values["to"]
    assert isinstance(source, Side)
    assert isinstance(target, Side)
    return Sides(source, target)


def _read_side(key: Key, node: Node) -> Side:
    if not isinstance(node, MappingNode):
        return Side(read_names(key, node))
    what = f"`{key.name}`"
    values = _read_own(node, SIDE, what)
    if not values:
        fail(node, f"{what} needs one of {', '.join(f'`{one.name}`' for one in SIDE)}")
    return Side(*(names_of(values.get(one.name)) for one in SIDE))


def _read_exceptions(key: Key, node: Node) -> Exceptions:
    found = []
    for item in as_list(node, f"`{key.name}`"):
        what = f"an entry of `{key.name}`"
        values = _read_own(as_mapping(item, what), EXCEPTION, what)
        if not values.keys() & {"symbol", "section", "to", "object"}:
            fail(item, f"{what} needs one of `symbol`, `section`, `to`, `object`")
        symbols = [name.text for name in names_of(values.get("symbol"))] or ["*", "*"]
        found.append(
            Excepted(
                symbols=(symbols[0], symbols[1]),
                sections=tuple(name.text for name in names_of(values.get("section"))),
                targets=tuple(name.text for name in names_of(values.get("to"))),
                object=text_of(values, "object"),
                reason=text_of(values, "reason"),
                optional=values.get("optional") is True,
                place=item,
            )
        )
    return Exceptions(tuple(found))


def _read_own(mapping: MappingNode, keys: Sequence[Key], what: str) -> dict[str, Value]:
    """The values of a mapping. Raises CheckError for all that is wrong with it."""
    complaints = Complaints()
    values = read_fields(mapping, table(keys), what, complaints)
    if complaints.errors:
        raise CheckError(*complaints.errors)
    return values


def _read_integer(key: Key, node: Node) -> Named:
    return Named(str(as_integer(node, f"`{key.name}`")), node)


_READERS: dict[Kind, Callable[[Key, Node], Value]] = {
    Kind.NAMES: read_names,
    Kind.NAME: read_name,
    Kind.NAME_PAIR: _read_pair,
    Kind.NAME_GROUPS: _read_groups,
    Kind.SIZE: read_size,
    Kind.SIZE_OR_SHARE: _read_size_or_share,
    Kind.EXPRESSION: read_expression,
    Kind.MEASURE: _read_measure,
    Kind.TEXT: read_text,
    Kind.TEXTS: read_texts,
    Kind.CHOICE: read_choice,
    Kind.CHOICES: read_choices,
    Kind.FLAG: _read_flag,
    Kind.INTEGER: _read_integer,
    Kind.SIDE: _read_side,
    Kind.SIDES: _read_sides,
    Kind.EXCEPTIONS: _read_exceptions,
}
