"""The Python interface: `check` is the gate, `parse` reads a linker script, `image` what was linked.

The command line uses nothing else. Bad input never raises in `check`: it is told in the report's `errors`, and the
status is 2. What the parts of a report mean is said in `ldcheck.findings`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Never

from ldcheck import gate, outcome
from ldcheck.findings import CheckError, EvidenceKind, InputError, Report, Severity
from ldcheck.project import Target
from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.image.model import Image
    from ldcheck.script.parser import Parse

STOCK = "generic"
_NOTHING: Mapping[str, Never] = MappingProxyType({})


def check(
    scripts: Sequence[str] = (),
    *,
    policies: Sequence[str] = (),
    elf: str = "",
    map: str = "",  # noqa: A002 - named as the option, and as everybody calls the file
    objects: Sequence[str] = (),
    arch: str = "",
    includes: Sequence[str] = (),
    definitions: Mapping[str, str | None] = _NOTHING,
    include_first: Sequence[str] = (),
    kconfig: str = "",
    command_file: str = "",
    vary: Mapping[str, tuple[str | None, ...]] = _NOTHING,
    fail_on: Severity | None = Severity.ERROR,
    require: Collection[EvidenceKind] = (),
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    text: str | None = None,
) -> Report:
    """Judge policies on scripts, and on what was linked with them.

    `policies` are names of stock policies or paths; the stock policy `generic` if none is given. With an image and no
    script, the rules are judged on the image alone.

    A script whose name ends in `.S` is preprocessed, in every configuration that gives another script: `includes` are
    folders, `definitions` the symbols that have a value or (None) are not defined, `include_first` headers that come
    first, `kconfig` a .config or autoconf.h, `command_file` the command that the build recorded, and `vary` the values
    to be tried of a symbol, None for not defined.

    `text` stands for the content of the one script named. The status
    of the report is 1 for findings of severity `fail_on` or heavier (None: for none), 2 for what could not be checked.
    """
    errors: list[InputError] = []
    linked = elf or map or objects
    if len(scripts) > 1 and linked:
        message = "an image belongs to one script, and several are given"
        advice = "run ldcheck once for each, or name targets in .ldcheck.yaml"
        errors.append(InputError(message, Location(scripts[1]), help=advice))
    if not scripts and not linked:
        message = "there is nothing to check: no script, no image, and no .ldcheck.yaml that names targets"
        errors.append(InputError(message, Location("."), help="name a linker script"))
    if errors:
        return Report(outcome.NOT_CHECKED, errors=tuple(errors))
    asked = gate.Asked(tuple(select), tuple(ignore), tuple(require), arch, text)
    targets = [
        Target(
            name=name,
            script=name if scripts else "",
            image=elf,
            map=map,
            objects=tuple(objects),
            policies=tuple(policies) or (STOCK,),
            includes=tuple(includes),
            definitions=definitions,
            include_first=tuple(include_first),
            config=kconfig,
            command_file=command_file,
            vary=vary,
            location=Location(name),
        )
        for name in scripts or (elf or map or objects[0],)
    ]
    return _report([gate.check_target(target, asked) for target in targets], fail_on)


def _report(checked: Sequence[gate.Checked], fail_on: Severity | None) -> Report:
    findings = tuple(finding for one in checked for finding in one.findings)
    # Targets that share a policy share its errors.
    errors = tuple(dict.fromkeys(error for one in checked for error in one.errors))
    inputs: dict[str, tuple[str, ...]] = {}
    for one in checked:
        for kind, names in one.inputs.items():
            inputs[kind] = tuple(dict.fromkeys((*inputs.get(kind, ()), *names)))
    return Report(
        outcome.status(findings, errors, fail_on),
        findings,
        tuple(result for one in checked for result in one.results),
        errors,
        inputs,
        tuple(dict.fromkeys(note for one in checked for note in one.notes)),
    )


def parse(path: str) -> Parse:
    """Read a linker script as GNU ld would; what is wrong with it is in the result.

    Raises CheckError where the file cannot be read.
    """
    return gate.parse_script(path)


def image(elf: str = "", map: str = "", objects: Sequence[str] = ()) -> Image:  # noqa: A002 - as for `check`
    """Read what was linked: an ELF file, the linker's map, object files and archives; any of them.

    Raises CheckError where one of them cannot be read, or none is named.
    """
    found = gate.read_image(elf, map, objects)
    if found is None:
        raise CheckError(InputError("there is no image to read", Location("."), help="name an ELF file, or a map"))
    return found
