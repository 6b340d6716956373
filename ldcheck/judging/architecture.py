"""The architecture of a target: said by the configuration, an option, the ELF file or the script, in this order.

Who says otherwise contradicts, which is an error. What architectures there are is `ldcheck.image.arches`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError, InputError
from ldcheck.image.arches import check_name, expand, family_of, from_script
from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.image.model import Image
    from ldcheck.project.target import Target
    from ldcheck.script.syntax import Script


def resolve_arch(
    target: str = "",
    option: str = "",
    elf: str = "",
    script: Sequence[str] = (),
    place: Location | None = None,
) -> str:
    """The architecture of a target, in this order: the configuration's, `--arch`, the ELF's, the script's.

    `script` is what `from_script` returned. Raises CheckError for an unknown name and for a contradiction. A family
    (`riscv`) if nobody tells which of it, as OUTPUT_ARCH(riscv) does not; empty if nobody tells anything.
    """
    place = place or Location("")
    found = ""
    teller = ""
    for said, source in (
        (target, "the configuration"),
        (option, "--arch"),
        (elf, "the ELF file"),
        (tuple(script), "the script"),
    ):
        allowed = said if isinstance(said, tuple) else _understood(said, source, place)
        if not allowed:
            continue
        if found:
            if not set(allowed) & set(expand(found)):
                message = f"{teller} says {found}, and {source} says {' or '.join(allowed)}"
                raise CheckError(InputError(f"the architecture is contradictory: {message}", place))
            # A family that came first is narrowed by whoever knows more.
            if len(expand(found)) > 1:
                narrowed = [name for name in allowed if name in expand(found)]
                found = narrowed[0] if len(narrowed) == 1 else found
            continue
        teller = source
        found = allowed[0] if len(allowed) == 1 else family_of(allowed[0])
    return found


def find_arch(target: Target, option: str, image: Image | None, output_arch: str, output_format: str) -> str:
    """The architecture by all that is said of a target. Raises CheckError as `resolve_arch` does."""
    return resolve_arch(
        target=target.arch,
        option=option,
        elf=image.elf.arch if image is not None and image.elf is not None else "",
        script=from_script(output_arch, output_format),
        place=target.location,
    )


def declared(tree: Script) -> tuple[str, str]:
    """The architecture and the format that a script, or one that it INCLUDEs, declares."""
    from ldcheck.script.syntax import Command
    from ldcheck.script.uses import statements_of

    said = {"OUTPUT_ARCH": "", "OUTPUT_FORMAT": ""}
    for statement in statements_of(tree):
        if isinstance(statement, Command) and statement.keyword in said and statement.arguments:
            said[statement.keyword] = statement.arguments[0].text
    return said["OUTPUT_ARCH"], said["OUTPUT_FORMAT"]


def _understood(name: str, source: str, place: Location) -> tuple[str, ...]:
    if not name:
        return ()
    known = expand(name)
    if not known and source != "the ELF file":
        raise CheckError(InputError(f"{source} names an unknown architecture: {name}", place, help=check_name(name)))
    return known or (name,)
