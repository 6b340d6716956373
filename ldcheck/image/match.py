"""Whether a link map belongs to an ELF file: a map of another build would make every answer wrong."""

from __future__ import annotations

import re
from collections import Counter

from ldcheck.image.by_address import InputsByAddress, is_made
from ldcheck.image.columns import is_ambiguous
from ldcheck.image.files import refuse
from ldcheck.image.model import Elf, ImageSection, LinkMap, MapSection

_ASSIGNMENT = re.compile(r"([^\s(]+?)(?:,| [^\s=]{0,2}=) (.*)")
_NAME = re.compile(r"[\w.$]+")
# STB_LOCAL; STB_GLOBAL and STB_WEAK; STT_NOTYPE, STT_OBJECT and STT_FUNC.
_LOCAL, _GLOBAL = 0, (1, 2)
_PLACED = (0, 1, 2)
# Sections that tools other than the linker write or compress afterwards.
_OTHERS = (".debug", ".zdebug", ".symtab", ".strtab", ".shstrtab", ".gnu_debug", ".comment")


def check_map(elf: Elf, link_map: LinkMap) -> None:
    """Raise CheckError where the map shows other sections than the ELF file has, or has them or symbols elsewhere.

    Allocated sections are compared by address and size. Sections that only one side has are no contradiction as long as
    they are empty in the other: GNU ld drops empty sections from the file, and tools strip what is not loaded.
    """
    differences = _differences(elf, link_map) or _moved(elf, link_map)
    if differences:
        shown = "; ".join(differences[:3])
        more = f"; and {len(differences) - 3:,} more" if len(differences) > 3 else ""
        raise refuse(
            link_map.path,
            f"the map does not belong to {elf.path}: {shown}{more}",
            "give the map that the link of this image wrote",
        )


def _differences(elf: Elf, link_map: LinkMap) -> list[str]:
    mapped: dict[str, list[MapSection]] = {}
    for section in link_map.sections:
        if section.present and (section.size or section.name):
            mapped.setdefault(section.name, []).append(section)
    found = []
    linked: dict[str, list[ImageSection]] = {}
    for image_section in elf.sections:
        if image_section.allocated and image_section.name and image_section.size:
            linked.setdefault(image_section.name, []).append(image_section)
    for name, sections in linked.items():
        ours = [section for section in mapped.get(name, []) if section.size]
        if len(ours) != len(sections):
            # A linker's own section may be missing from a map that was cut off.
            if not ours and link_map.incomplete:
                continue
            found.append(f"{name} is {_count(len(sections))} in the image and {_count(len(ours))} in the map")
            continue
        for there, here in zip(sections, ours, strict=True):
            if (there.address, there.size) != (here.address, here.size):
                found.append(
                    f"{name} is {there.size:,} bytes at {there.address:#x} in the image, "
                    f"{here.size:,} bytes at {here.address:#x} in the map"
                )
    if not linked.keys() & mapped.keys() and linked:
        found.insert(0, "they have no section in common")
    loaded_names = {section.name for section in elf.sections}
    for name, others in mapped.items():
        if name in loaded_names or name.startswith(_OTHERS):
            continue
        missing = next((other for other in others if other.size and other.address), None)
        if missing is not None:
            found.append(f"{name} ({missing.size:,} bytes at {missing.address:#x} in the map) is not in the image")
    return found


def _moved(elf: Elf, link_map: LinkMap) -> list[str]:
    """The global symbols that both have, and that are elsewhere in the map: that sections are equal may be a chance.

    Local symbols have no names of their own. What stands for something else in the file is left out: functions that are
    chosen at run time and thread-local data. So are those that a script assigns from themselves: the map shows one more
    round of that.
    """
    if elf.type not in ("EXEC", "DYN") or not elf.tables or elf.symbols is not elf.tables[0]:
        return []
    kept = {section.index for section in elf.sections if section.allocated}
    listed, again = link_map.symbols, _assigned_again(link_map)
    found = {}
    for name, binding, kind, section, value, _ in elf.tables[0].rows():
        if binding in _GLOBAL and kind in _PLACED and section in kept and name not in again:
            address = listed.get(name, value)
            # The lowest bit tells the instruction set (ARM, MIPS).
            if address ^ value > 1 and not is_ambiguous(listed, name):
                found[name] = value, address
    if not found:
        return []
    inputs = InputsByAddress(link_map)
    for name, binding, _, _, value, _ in elf.tables[0].rows():
        part = inputs.at(found[name][0] & ~1) if name in found else None
        # Functions of other files, and those that are chosen at run time, stand for an entry in a table; and lld's map
        # has local symbols as well.
        if (part is not None and is_made(part.file, part.name)) or (
            binding == _LOCAL and name in found and found[name][1] == value
        ):
            del found[name]
    return [f"{name} is at {one:#x} in the image, at {other:#x} in the map" for name, (one, other) in found.items()]


def _assigned_again(link_map: LinkMap) -> set[str]:
    """The symbols that are assigned more than once, or from themselves."""
    found: Counter[str] = Counter()
    for statement in link_map.statements:
        if statement.kind == "assignment" and (match := _ASSIGNMENT.search(statement.text)):
            found[match[1]] += 1 + (match[1] in _NAME.findall(match[2]))
    return {name for name, times in found.items() if times > 1}


def _count(number: int) -> str:
    return {0: "not there", 1: "there once"}.get(number, f"there {number} times")
