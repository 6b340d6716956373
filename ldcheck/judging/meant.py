"""Which linker a target is for: said by the configuration or an option, else by what was linked, else by Kconfig.

Who says otherwise contradicts, which is an error: rules of one linker say nothing of what another one made.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.findings import CheckError, InputError
from ldcheck.linker import GNU, LLD, Linker, read_linkers
from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.project.target import Target

# Linux and others let Kconfig ask the linker: CONFIG_LD_VERSION=24000 is 2.40, CONFIG_LLD_VERSION=190107 is 19.1.7.
_CHOICE = re.compile(r"^(?:#define )?CONFIG_LD_IS_(BFD|LLD)[= ](?:y|1)\s*$", re.MULTILINE)
_NUMBER = re.compile(r"^(?:#define )?CONFIG_(LLD|LD)_VERSION[= ]([0-9]{5,7})\s*$", re.MULTILINE)


class Meant(NamedTuple):
    """The linkers whose rules apply, and who says so. Both are empty where nobody does: then GNU ld's count.

    `is_guess` says that the evidence tells, and no person.
    """

    linkers: tuple[Linker, ...] = ()
    teller: str = ""
    is_guess: bool = False

    def describe(self) -> str:
        """For people: `lld 19.1.7, as .comment in a.elf says`."""
        if not self.linkers:
            return f"{GNU.name}, as nothing says otherwise"
        return f"{' and '.join(map(str, self.linkers))}, as {self.teller} says"


def named_linkers(text: str) -> tuple[Linker, ...]:
    """The linkers that --linker names, none where it is empty. Raises CheckError."""
    try:
        return read_linkers(text) if text else ()
    except ValueError as error:
        raise CheckError(InputError(str(error), Location("--linker"))) from None


def meant_by(target: Target) -> Meant:
    """The linkers that a target is for. Raises CheckError where what is said and what was linked contradict."""
    linked, teller = _linked(target)
    if not target.linkers:
        if linked is not None:
            return Meant((linked,), teller, is_guess=True)
        chosen = _chosen(target.config) if target.config else None
        return Meant((chosen,), target.config, is_guess=True) if chosen is not None else Meant()
    if linked is None:
        return Meant(target.linkers, "the configuration or --linker")
    fitting = [linker for linker in target.linkers if linker.agrees(linked)]
    if not fitting:
        said = " and ".join(map(str, target.linkers))
        message = f"the linker is contradictory: the configuration or --linker says {said}, and {teller} says {linked}"
        raise CheckError(InputError(message, target.location, help="check the image that this linker made"))
    return Meant(target.linkers, "the configuration or --linker")


def _linked(target: Target) -> tuple[Linker | None, str]:
    """The linker that made the image, and what says so."""
    if not target.image and not target.map:
        return None, ""
    from ldcheck.image.linked_by import linker_of_elf, linker_of_map

    if target.image and (found := linker_of_elf(target.image)) is not None:
        return found, f".comment in {target.image}"
    if target.map and (found := linker_of_map(target.map)) is not None:
        return found, f"the form of {target.map}"
    return None, ""


def _chosen(path: str) -> Linker | None:
    """The linker that a configuration of Kconfig was made for; None if it tells none."""
    if not os.path.isfile(path):
        return None
    from ldcheck.documents.files import read_source

    try:
        text = read_source(path, "configuration").text
    except CheckError:
        # Who preprocesses with it says what is wrong with it.
        return None
    found = _CHOICE.search(text)
    if found is None:
        return None
    linker = LLD if found[1] == "LLD" else GNU
    numbers = dict(_NUMBER.findall(text))
    number = int(numbers.get("LLD" if linker is LLD else "LD", 0))
    if not number:
        return linker
    # Two digits for each part but the first; GNU ld's third is a matter of distributions.
    parts = (number // 10000, number // 100 % 100, number % 100)
    return Linker(linker.kind, parts if linker is LLD or parts[2] else parts[:2])
