"""A target: one linker script, how it is preprocessed, what was linked with it, and its policies."""

from __future__ import annotations

from collections.abc import Mapping

from ldcheck.findings import InputError
from ldcheck.linker import Linker
from ldcheck.record import dataclass, field
from ldcheck.source import Location

FILE_NAME = ".ldcheck.yaml"
DEFAULT_LIMIT = 64


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Target:
    """One linker script and all that belongs to it. Paths count from the current folder.

    `definitions` holds None for a name that is undefined on purpose. `compiler` are names to try in turn; empty: the
    native one, with the macros of `arch`. `config` is a `.config` or `autoconf.h`. `vary` gives symbols their values,
    None for not defined; `pin` gives them one. `generated` are patterns of headers that may be missing.
    `preprocessor` is `auto`, or the one way to use: `recorded`, `compiler`, `pcpp`. `limit` is the number of distinct
    scripts above which pairs of values are covered instead of everything. `root` is the folder of the tree, from which
    no program is run. `notes` say what of a build is missing, `errors` what else
    is, so that this target cannot be checked. Without `linkers` the evidence tells which one is meant, else it is GNU
    ld. Without `policies` those apply that the script calls for.
    """

    name: str
    script: str
    arch: str = ""
    includes: tuple[str, ...] = ()
    definitions: Mapping[str, str | None] = field(default_factory=dict)
    include_first: tuple[str, ...] = ()
    compiler: tuple[str, ...] = ()
    preprocessor: str = "auto"
    command_file: str = ""
    config: str = ""
    generated: tuple[str, ...] = ()
    vary: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    pin: Mapping[str, str | None] = field(default_factory=dict)
    limit: int = DEFAULT_LIMIT
    image: str = ""
    map: str = ""
    objects: tuple[str, ...] = ()
    linkers: tuple[Linker, ...] = ()
    policies: tuple[str, ...] = ()
    optional: bool = False
    root: str = "."
    location: Location = field(default_factory=lambda: Location(FILE_NAME))
    notes: tuple[str, ...] = ()
    errors: tuple[InputError, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Project:
    """What a `.ldcheck.yaml` says. `left_out` are notes on optional targets whose script is not in this tree."""

    path: str
    targets: tuple[Target, ...]
    left_out: tuple[str, ...] = ()
