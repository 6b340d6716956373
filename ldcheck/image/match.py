"""Whether a link map belongs to an ELF file: a map of another build would make every answer wrong."""

from __future__ import annotations

from ldcheck.image.files import refuse
from ldcheck.image.model import Elf, ImageSection, LinkMap, MapSection

# Sections that tools other than the linker write or compress afterwards.
_OTHERS = (".debug", ".zdebug", ".symtab", ".strtab", ".shstrtab", ".gnu_debug", ".comment")


def check_map(elf: Elf, link_map: LinkMap) -> None:
    """Raise CheckError where the map shows other sections than the ELF file has, or has them elsewhere.

    Allocated sections are compared by address and size. Sections that only one side has are no contradiction as long as
    they are empty in the other: GNU ld drops empty sections from the file, and tools strip what is not loaded.
    """
    differences = [*_differences(elf, link_map)]
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


def _count(number: int) -> str:
    return {0: "not there", 1: "there once"}.get(number, f"there {number} times")
