"""What a policy says once it is read: rules as data, with the place of every value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ldcheck.findings import EvidenceKind, Severity
from ldcheck.record import dataclass, field
from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.documents.nodes import MappingNode, Node


class Named:
    """A name, pattern or expression as written in a policy, and where it stands.

    `place` is a location or what knows one, here and below: of the thousand texts of a policy, few are ever shown, and
    a location holds a copy of its line.
    """

    __slots__ = ("_place", "text")

    def __init__(self, text: str, place: Location | Node) -> None:
        self.text = text
        self._place = place

    @property
    def location(self) -> Location:
        """Where the text stands."""
        return _located(self._place)

    def __repr__(self) -> str:
        return f"Named({self.text!r})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Excepted:
    """References that a rule allows: all that is given must match.

    `symbols` are two patterns, of what refers and of what is referred to; `sections` and `targets` are patterns of the
    sections of both, any one of which will do, and none of which stands for all; `object` is the file of what refers.
    An `optional` one need not match anything.
    """

    symbols: tuple[str, str]
    sections: tuple[str, ...]
    targets: tuple[str, ...]
    object: str
    reason: str
    optional: bool
    place: Node

    @property
    def location(self) -> Location:
        """Where the exception stands."""
        return self.place.location


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Exceptions:
    """What a rule on references allows, any one of these."""

    entries: tuple[Excepted, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Side:
    """What refers, or is referred to: sections, and where they lie. All that is given must hold; empty is not given.

    `between` and `outside` are each two symbols, `regions` memory regions.
    """

    sections: tuple[Named, ...] = ()
    between: tuple[Named, ...] = ()
    outside: tuple[Named, ...] = ()
    regions: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sides:
    """From where to where."""

    source: Side
    target: Side


# What a key's value is once read: `Named` for names, texts, sizes and expressions (whose values are worked out where
# they are needed, by `ldcheck.policy.sizes` or by a check), tuples for lists, bool for flags.
Value = Named | tuple[Named, ...] | tuple[tuple[Named, ...], ...] | Exceptions | Side | Sides | bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class When:
    """The condition of a rule; an empty field does not restrict, and all that are given must hold.

    `config` are conditions on the configuration: `CONFIG_X`, `!CONFIG_X`, `CONFIG_X=value`. `symbol` and `section` are
    names (or patterns) that must exist in the script or in what was linked; `!name` is one that must not.
    """

    arch: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    symbol: tuple[str, ...] = ()
    section: tuple[str, ...] = ()
    format: tuple[str, ...] = ()
    linker: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RuleTest:
    """A test written in a policy: a script (and its surroundings) for which the rule must hold, or must not.

    `script` is None for a case that names a `file` or gives an image alone. `image` is described
    as `ldcheck.policy.testing` reads it. `verdict` is empty unless the case wants another one than held or violated;
    `finds` are words of the findings' messages, `line` is the line of one.
    """

    valid: bool
    script: str | None
    place: Node
    name: str = ""
    file: str = ""
    arch: str = ""
    params: Mapping[str, Named] = field(default_factory=dict)
    config: tuple[str, ...] = ()
    format: str = ""
    linker: str = ""
    path: str = ""
    image: MappingNode | None = None
    verdict: str = ""
    finds: tuple[str, ...] = ()
    line: int = 0

    @property
    def location(self) -> Location:
        """Where the test stands: its script, or what names that."""
        return self.place.location


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rule:
    """One rule. `check` is its head key (for a lint, the lint's name); `subject` the head key's value.

    `severity` is that of a violation, `unproven` that of a property which only today's image shows; `given` are those
    of the two that the policy says, against which a check's own word does not count. `evidence` is empty
    unless the policy narrows it. `params` are the named sizes that hold for it, for expressions; `constants` are the
    names that the script's sources may give a value, whether or not they have one in `params`. `policy` is the file
    that gave the rule its head key.
    """

    id: str
    check: str
    subject: Value
    place: Location | Node
    keys: Mapping[str, Value] = field(default_factory=dict)
    lint: bool = False
    severity: Severity = Severity.ERROR
    unproven: Severity = Severity.WARNING
    given: tuple[str, ...] = ()
    when: When = When()
    why: str = ""
    help: str = ""
    message: str = ""
    see: tuple[str, ...] = ()
    optional: bool = False
    evidence: tuple[EvidenceKind, ...] = ()
    params: Mapping[str, Named] = field(default_factory=dict)
    constants: frozenset[str] = frozenset()
    tests: tuple[RuleTest, ...] = ()
    policy: str = ""

    @property
    def location(self) -> Location:
        """Where the rule stands: its head key."""
        return _located(self.place)

    @property
    def names(self) -> tuple[Named, ...]:
        """The subject as a list of names, for checks whose head key takes names."""
        return names_of(self.subject)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ignore:
    """Findings that a policy accepts: those of rules that match one of `rules`, at a place that matches one of `where`.

    `until` is the last day on which they are accepted, as YYYY-MM-DD, or empty.
    """

    rules: tuple[str, ...]
    where: tuple[str, ...]
    reason: str
    until: str
    place: Node

    @property
    def location(self) -> Location:
        """Where the entry stands."""
        return self.place.location


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Override:
    """Another severity for findings of some rules in some files; both are patterns."""

    path: str
    rule: str
    severity: Severity
    place: Node

    @property
    def location(self) -> Location:
        """Where the override stands."""
        return self.place.location


def _located(place: Location | Node) -> Location:
    return place if isinstance(place, Location) else place.location


def names_of(value: Value | None) -> tuple[Named, ...]:
    """A value of kind NAME, NAMES, NAME_PAIR or SIDES as a flat tuple; empty for a missing one."""
    if value is None or isinstance(value, bool):
        return ()
    if isinstance(value, Named):
        return (value,)
    if isinstance(value, Sides):
        return names_of(value.source) + names_of(value.target)
    if isinstance(value, Side):
        return value.sections + value.between + value.outside + value.regions
    if isinstance(value, Exceptions):
        return ()
    flat: list[Named] = []
    for item in value:
        flat.extend((item,) if isinstance(item, Named) else item)
    return tuple(flat)
