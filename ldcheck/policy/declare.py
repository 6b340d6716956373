"""How a check declares its head key and the keys beside it.

One declaration serves the loader (what is allowed, of which type), the JSON schema, the documentation and "did you
mean". The policy package knows nothing of how a check works; the checks hand their declarations in.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from ldcheck.findings import EvidenceKind
from ldcheck.record import dataclass


class Kind(Enum):
    """What a key's value is, as a person writes it. The second half is the policy language's own; checks do without."""

    NAMES = "one name or pattern, or a list of them"
    NAME = "a name"
    NAME_PAIR = "a list of two names"
    NAME_GROUPS = "a list of groups, each a name or a list of names"
    SIZE = "a size or an expression such as 4K, 0x1000 or PAGE_SIZE"
    SIZE_OR_SHARE = "a size such as 4K, or a share such as 3%"
    EXPRESSION = "an expression in the linker's language"
    MEASURE = "an expression in the linker's language, or `region` and the name of a memory region"
    TEXT = "a text"
    CHOICE = "one of a few words"
    FLAG = "true or false"
    SIDES = "`from` and `to`, each a name or pattern, a list of them, or ranges"
    EXCEPTIONS = "a list of exceptions, each with symbol, section, to or object"

    SIDE = "a name or pattern, a list of them, or a mapping with section, between, outside or region"
    TEXTS = "one text, or a list of them"
    CHOICES = "one or several of a few words"
    INTEGER = "a whole number"
    DATE = "a date such as 2027-06-30"
    MESSAGE = "a text with placeholders such as {subject}"
    PARAMS = "names with their sizes (NAME: 4K)"
    WHEN = "conditions (arch, config, symbol, section, format, linker, paths)"
    RULES = "a list of rules"
    TESTS = "cases under `valid` and `invalid`"
    IMAGE = "sections, symbols and segments of an image"
    SECTIONS = "sections by name"
    SEGMENTS = "a list of segments"
    INPUTS = "a list of input sections"
    REFERENCES = "a list of references between sections"
    OVERRIDES = "path patterns, each with rules and their severities"
    IGNORES = "a list of what is accepted, each with rule and reason"


class Names(Enum):
    """What the names under a key are, and with that which of them must exist somewhere in the evidence.

    DECLARED: output sections, symbols, or sections that a pattern of the script names. TAKEN: input sections, also
    those that a wider pattern takes. EMITTED: as TAKEN, and the names that toolchains give need not be there. ANY: as
    DECLARED, one of them will do. FREE: none need exist; the check itself sees to that.
    """

    DECLARED = "declared"
    TAKEN = "taken"
    EMITTED = "emitted"
    ANY = "any"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a rule. `doc` is one sentence; `choices` belongs to CHOICE, `minimum` to SIZE.

    `names` is what the names are that the value holds, where its kind is names or an expression. A size may speak of
    memory regions (`LENGTH(RAM)`) with `regions`: it has no value before there is a script. `fewest` is how many names
    or groups say anything.
    """

    name: str
    kind: Kind
    doc: str
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: int = 0
    names: Names = Names.DECLARED
    regions: bool = False
    fewest: int = 1


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Declaration:
    """What a check takes: its head key, the keys that go with it, and the evidence that it can use.

    `one_of` lists groups of keys of which at least one must be given. `headerless`: what it says of an ELF holds
    without section headers too, because it looks at segments, or sees to that itself.
    """

    head: Key
    keys: tuple[Key, ...] = ()
    evidence: tuple[EvidenceKind, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    headerless: bool = False


class Checks(Protocol):
    """What those who read policies ask about checks; the module `ldcheck.checks` answers it."""

    def names(self) -> tuple[str, ...]:
        """The head keys."""

    def lint_names(self) -> tuple[str, ...]:
        """The lints."""

    def declaration(self, name: str, lint: bool = False) -> Declaration:
        """What a check or lint declares."""
