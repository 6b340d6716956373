"""Which of the files that a comparison was given are scripts, which ELF files and which maps: told by looking."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ldcheck.findings import CheckError, InputError
from ldcheck.image.files import OpenFile
from ldcheck.judging.meant import named_linkers
from ldcheck.project.target import Target
from ldcheck.record import dataclass, replace
from ldcheck.source import Location

_HEAD = 1 << 16


@dataclass(frozen=True, slots=True)
class Operands:
    """The files of both sides. `scripts` are the old and the new one, or none; with `since`, any number."""

    scripts: tuple[str, ...]
    old_elf: str = ""
    new_elf: str = ""
    old_map: str = ""
    new_map: str = ""
    since: str = ""


def sorted_out(given: Operands, *, proof: bool) -> Operands:
    """The operands with ELF files and maps among the scripts where they belong.

    `proof` says that scripts are needed. Raises CheckError where a side is missing, or the sides are of two kinds.
    """
    if given.since:
        return given
    kinds = [_kind(name) for name in given.scripts]
    first = Location(given.scripts[0] if given.scripts else ".")
    builds = any((given.old_elf, given.new_elf, given.old_map, given.new_map))
    if len(kinds) == 1:
        message = "one side is missing: give the old and the new one, or --since REV"
        raise CheckError(InputError(message, first))
    if len(kinds) > 2 or (not kinds and not builds):
        message = "two scripts or two builds are compared at a time: give the old and the new one, or --since REV"
        raise CheckError(InputError(message, first))
    if kinds and kinds[0] != kinds[1]:
        if missing := [name for name in given.scripts if not os.path.exists(name)]:
            raise CheckError(InputError("there is no such file", Location(missing[0])))
        message = f"{given.scripts[0]} is {_KINDS[kinds[0]]} and {given.scripts[1]} is {_KINDS[kinds[1]]}"
        raise CheckError(InputError(message, first, help="compare two of one kind; --old-elf and --old-map go beside"))
    found = _moved(given, kinds)
    if proof and not found.scripts:
        message = "--expect same is proved of two scripts, and none is given"
        raise CheckError(
            InputError(message, first, help="give both scripts, and the builds as --old-elf and --new-elf")
        )
    return found


_KINDS = {"script": "no ELF file and no map", "elf": "an ELF file", "map": "a map"}


def _moved(given: Operands, kinds: Sequence[str]) -> Operands:
    if not kinds or kinds[0] == "script":
        return given
    old, new = given.scripts
    said = (given.old_elf, given.new_elf) if kinds[0] == "elf" else (given.old_map, given.new_map)
    if any(said):
        raise CheckError(InputError(f"{_KINDS[kinds[0]]} of one side is given twice", Location(old)))
    if kinds[0] == "elf":
        return replace(given, scripts=(), old_elf=old, new_elf=new)
    return replace(given, scripts=(), old_map=old, new_map=new)


def _kind(path: str) -> str:
    """What a file is; what cannot be read is left to whoever reads it as a script."""
    try:
        with OpenFile(path, "a script or a build") as window:
            head = window.read(0, _HEAD)
    except CheckError:
        return "script"
    if head.startswith((b"\x7fELF", b"MZ")):
        return "elf"
    from ldcheck.image.maps import looks_like_map

    return "map" if looks_like_map(head) else "script"


def without_files(
    arch: str,
    linker: str,
    includes: Sequence[str],
    definitions: Mapping[str, str | None],
    include_first: Sequence[str],
) -> Target:
    """A target without files, of what an option says of all. Raises CheckError for what is no linker."""
    return Target(
        "",
        "",
        arch=arch,
        includes=tuple(includes),
        definitions=dict(definitions),
        include_first=tuple(include_first),
        linkers=named_linkers(linker),
    )
