"""Sections that ld adds to an input file by itself, and which the script's patterns see like any other.

They are empty unless relocations need them, and an empty one is dropped in the end; but ld places it, so it can keep an
output section alive that orphans then go next to.

Left out: targets other than x86, where ld adds such sections only when a relocation asks for them.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.image.model import InputSection
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


def linker_made(inputs: Sequence[InputSection], arch: str) -> list[InputSection]:
    """What ld adds to a static link for `arch` (as policies name it), as sections of the file that it adds them to.

    That is the first file with a property note, else the first one (bfd/elfxx-x86.c:
    _bfd_x86_elf_link_setup_gnu_properties). Their indices are negative. `inputs` are in the order of the link.
    """
    if arch not in ("x86_64", "x86_32") or not inputs:
        return []
    first = next((section for section in inputs if section.name == ".note.gnu.property"), inputs[0])
    template = replace(first, size=0, group="", entry_size=0, link=0)
    return [
        replace(template, name=_named(name, arch), type=_typed(kind, arch), flags=flags, align=align, index=-1 - number)
        for number, (name, kind, flags, align) in enumerate(_X86)
    ]


def _named(name: str, arch: str) -> str:
    return name.replace(".rela", ".rel") if arch == "x86_32" else name


def _typed(kind: str, arch: str) -> str:
    return "REL" if kind == "RELA" and arch == "x86_32" else kind
