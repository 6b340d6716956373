"""Chooses how a target is preprocessed: by the command that its build recorded, by a compiler, or by pcpp."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError, InputError
from ldcheck.image.arches import canonical, expand, family_of
from ldcheck.preprocess.compiler import find_program
from ldcheck.preprocess.predefined import clang_triplet, predefined
from ldcheck.project.target import Target
from ldcheck.record import dataclass
from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.preprocess.recorded import Recorded

# Names that every system with a compiler has one of.
_NATIVE = ("gcc", "cc", "clang")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Way:
    """A way of preprocessing. `command` is empty for pcpp.

    `predefined` are the compiler's own macros as far as they are known without asking it. Paths count from the current
    folder, where a recorded command is run as well: that changes nothing but how its files are called.
    """

    command: tuple[str, ...]
    includes: tuple[str, ...]
    definitions: Mapping[str, str | None]
    include_first: tuple[str, ...]
    predefined: str
    recorded: bool
    notes: tuple[str, ...]


def choose(target: Target, recorded: bool = True) -> Way:
    """The first way that there is. Raises CheckError where the target insists on one that there is not.

    Without `recorded`, the build's command does not count.
    """
    if recorded and target.preprocessor in ("auto", "recorded") and (path := _command_file(target)):
        from ldcheck.preprocess.recorded import read_command

        command = read_command(path, target.script)
        if _is_for(command.compiler, target.arch) and (target.command_file or _fits(target, command)):
            return _by_record(target, command)
    if target.preprocessor == "recorded":
        advice = "name it under `command-file`"
        raise CheckError(InputError("there is no recorded command", target.location, help=advice))
    return _by_compiler(target)


def _is_for(compiler: str, arch: str) -> bool:
    """Whether a compiler, by the triplet that its name begins with, may be for `arch`.

    Most make code of both widths of a family; arm64 and arm32 have one each, and may share a script.
    """
    name = os.path.basename(compiler)
    known = canonical(name) or canonical(name.partition("-")[0])
    if not arch or not known:
        return True
    return known in expand(arch) or (family_of(known) != "arm" and family_of(known) == family_of(expand(arch)[0]))


def _command_file(target: Target) -> str:
    if target.command_file:
        return target.command_file
    folder, name = os.path.split(target.script)
    path = os.path.join(folder, f".{name.removesuffix('.S')}.cmd")
    return path if os.path.isfile(path) else ""


def _fits(target: Target, recorded: Recorded) -> bool:
    """Whether a command that was found, not named, defines what the target does: xen.lds and efi.lds share a script."""
    made = recorded.options.definitions
    return all(made.get(name) == value for name, value in target.definitions.items())


def _by_record(target: Target, recorded: Recorded) -> Way:
    options = recorded.options
    directory = recorded.directory
    here = "" if directory == "." else directory
    includes = tuple(_seen_from_here(path, here) for path in options.includes)
    first = tuple(_first(path, here, includes) for path in options.include_first)
    notes: tuple[str, ...] = ()
    program = ""
    if target.preprocessor != "pcpp":
        try:
            program = find_program(recorded.compiler, (target.root, directory or "."))
        except ValueError as error:
            start = recorded.source.text.find(recorded.compiler)
            location = recorded.source.locate(start, start + len(recorded.compiler))
            raise CheckError(InputError(str(error), location)) from None
    if options.unknown:
        notes = (f"left out of the recorded command, as tuning of the code alone: {', '.join(options.unknown)}",)
    kept = tuple(option for option in options.kept if option != "-nostdinc")
    if program:
        kept = (*kept, *_machine(program, target.arch, kept))
        command = (program, "-E", "-dD", "-nostdinc", "-x", "assembler-with-cpp", *kept)
        own = ""
    else:
        notes += (f"the build's compiler {recorded.compiler} is not here: pcpp preprocesses with its options",)
        command = ()
        own = predefined(target.arch)
    return Way(command, includes, options.definitions, first, own, recorded=True, notes=notes)


def _by_compiler(target: Target) -> Way:
    insists = target.preprocessor == "compiler"
    program, native = "", False
    if target.preprocessor != "pcpp":
        program = _first_found(target, target.compiler)
        if not program and not (insists and target.compiler):
            program, native = _first_found(target, _NATIVE), True
    if not program and insists:
        wanted = ", ".join(target.compiler or _NATIVE)
        raise CheckError(InputError(f"no compiler is here (looked for {wanted})", target.location))
    notes: tuple[str, ...] = ()
    if target.compiler and target.preprocessor == "auto" and (native or not program):
        instead = f"{os.path.basename(program)} preprocesses in its place" if program else "pcpp preprocesses"
        notes = (f"{target.compiler[0]} is not here: {instead}",)
    own = ""
    command: tuple[str, ...] = ()
    if program:
        command = (program, "-E", "-dD", "-nostdinc", "-x", "assembler-with-cpp")
        command += () if native else _machine(program, target.arch, ())
    if native or not program:
        own = predefined(target.arch)
    if program and native:
        # The native compiler's own macros tell of this machine, and not of the one that the script is for.
        command += ("-undef", *_options(own))
    return Way(command, target.includes, target.definitions, target.include_first, own, recorded=False, notes=notes)


# A compiler whose name begins with a triplet is for that machine (`aarch64-linux-gnu-clang`).
_CLANG = re.compile(r"clang(-cpp)?(-[0-9.]+)?\Z")


def _machine(program: str, arch: str, options: Sequence[str]) -> tuple[str, ...]:
    """The option that makes clang preprocess for `arch`: one program serves all machines, this one if not told."""
    if not arch or not _CLANG.match(os.path.basename(program)):
        return ()
    if any(option == "-target" or option.startswith("--target=") for option in options):
        return ()
    triplet = clang_triplet(arch)
    return (f"--target={triplet}",) if triplet else ()


def _first_found(target: Target, names: Sequence[str]) -> str:
    """The path of the first compiler that is here, or an empty string. Raises CheckError for what is none."""
    for name in names:
        try:
            program = find_program(name, (target.root, "."))
        except ValueError as error:
            raise CheckError(InputError(str(error), target.location)) from None
        if program:
            return program
    return ""


def _options(text: str) -> tuple[str, ...]:
    """-D options for #define lines."""
    words = (line.split(" ", 2) for line in text.splitlines())
    return tuple(f"-D{name}={value}" for _, name, value in words)


def _seen_from_here(path: str, directory: str) -> str:
    return path if os.path.isabs(path) or not directory else os.path.join(directory, path)


def _first(path: str, directory: str, includes: tuple[str, ...]) -> str:
    """The path of a file that -include names: in the folder of the command, or else on the include path."""
    if os.path.isabs(path):
        return path
    for folder in (directory or ".", *includes):
        if os.path.isfile(candidate := os.path.join(folder, path)):
            return candidate
    raise CheckError(InputError(f"there is no file {path}, which is to be included first", Location(path)))
