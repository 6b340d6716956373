"""Sections that ld adds to an input file by itself, and which the script's patterns see like any other.

They are empty unless relocations need them, and an empty one is dropped in the end; but ld places it, so it can keep an
output section alive that orphans then go next to.

Elsewhere than on x86 it adds some of them only when a relocation asks for them: the caller says which sections have
one.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.image.model import STUBS, InputSection
from ldcheck.linker import GNU, Linker
from ldcheck.record import replace

_READ_ONLY, _WRITABLE, _CODE = 0x2, 0x3, 0x6

# bfd/elflink.c: _bfd_elf_create_got_section, _bfd_elf_create_ifunc_sections, in this order; a size of 0 is what they
# have while sections are placed.
_X86 = (
    (".rela.got", "RELA", _READ_ONLY, 8),
    (".got", "PROGBITS", _WRITABLE, 8),
    (".got.plt", "", _WRITABLE, 8),
    (".iplt", "", _CODE, 1),
    (".rela.iplt", "RELA", _READ_ONLY, 8),
    (".igot.plt", "", _WRITABLE, 8),
)
# Tables of indirect functions (bfd/elf-ifunc.c; elf32-arm.c: create_ifunc_sections).
_INDIRECT = {
    "arm64": (
        (".iplt", "", _CODE, 4),
        (".rela.iplt", "RELA", _READ_ONLY, 8),
        (".igot.plt", "", _WRITABLE, 8),
    ),
    "arm32": (
        (".iplt", "", _CODE, 4),
        (".rel.iplt", "REL", _READ_ONLY, 4),
        (".igot.plt", "", _WRITABLE, 4),
    ),
}
# The first version that was seen to add what x86 has to a file of its own, ahead of all.
_APART = (2, 47)
# What ld for arm has in a file of its own, ahead of all (bfd/elf32-arm.c: bfd_elf32_arm_add_glue_sections_to_bfd).
_GLUE = (".glue_7", ".glue_7t", ".vfp11_veneer", ".v4_bx")


def with_made(
    sections: Sequence[InputSection],
    arch: str,
    asking: tuple[InputSection, Sequence[InputSection]] | None,
    linker: Linker = GNU,
) -> list[InputSection]:
    """The input sections of a link with those that ld adds, where it has them.

    `asking` are a section of the file that gets them, and the sections with relocations that ask for some, where ld
    does not always make them. `linker` is GNU ld of a version.
    """
    found = [*sections]
    added = linker_made(found, arch)
    if added and not linker.may_be_before(*_APART):
        # The relocations of the table come behind it there.
        added[:3] = *added[1:3], added[0]
        found[:0] = [replace(one, file=STUBS, member="", archive="") for one in added]
        added = []
    if asking is not None and arch in _INDIRECT:
        added = _made(asking[0], _INDIRECT[arch])
    elif asking is not None and arch == "riscv64":
        # A table for the relocations of each (bfd/elflink.c: _bfd_elf_make_dynamic_reloc_section).
        names = dict.fromkeys(f".rela{section.name}" for section in asking[1])
        added = _made(asking[0], [(name, "RELA", _READ_ONLY, 8) for name in names])
    if added:
        file = added[0].file, added[0].member
        at = max(at for at, section in enumerate(found) if (section.file, section.member) == file)
        found[at + 1 : at + 1] = added
    if arch == "arm32" and found:
        stubs = replace(found[0], file=STUBS, member="", archive="")
        found[:0] = _made(stubs, tuple((name, "", _CODE, 4) for name in _GLUE), start=100)
    return found


def _made(template: InputSection, rows: Sequence[tuple[str, str, int, int]], start: int = 1) -> list[InputSection]:
    empty = replace(template, size=0, group="", entry_size=0, link=0)
    return [
        replace(empty, name=name, type=kind, flags=flags, align=align, index=-start - number)
        for number, (name, kind, flags, align) in enumerate(rows)
    ]


def linker_made(inputs: Sequence[InputSection], arch: str) -> list[InputSection]:
    """What ld adds to a static link for `arch` (as policies name it), as sections of the file that it adds them to.

    That is the first file with a property note, else the first one (bfd/elfxx-x86.c:
    _bfd_x86_elf_link_setup_gnu_properties). Their indices are negative. `inputs` are in the order of the link.
    """
    if arch not in ("x86_64", "x86_32") or not inputs:
        return []
    first = next((section for section in inputs if section.name == ".note.gnu.property"), inputs[0])
    rows = tuple((_named(name, arch), _typed(kind, arch), flags, align) for name, kind, flags, align in _X86)
    return _made(first, rows)


def _named(name: str, arch: str) -> str:
    return name.replace(".rela", ".rel") if arch == "x86_32" else name


def _typed(kind: str, arch: str) -> str:
    return "REL" if kind == "RELA" and arch == "x86_32" else kind
