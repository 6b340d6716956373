"""Which linker made an image: by what the linker itself left in the file, and by the form of its map.

lld writes its version into .comment; GNU ld writes nothing unless its script says LINKER_VERSION.
"""

from __future__ import annotations

import os
import re

from ldcheck.findings import CheckError
from ldcheck.image.elf_file import ElfFile
from ldcheck.image.files import OpenFile
from ldcheck.image.maps import is_lld_map
from ldcheck.linker import GNU, LLD, Linker, version_of

_LLD = re.compile(rb"Linker: (?:[\w.()-]+ )*LLD (\d[\d.]*)")
_GNU = re.compile(rb"GNU ld \([^()\0]{0,80}\) (\d[\d.]*)")
# Compilers leave a line each: more than this is no list of tools.
_MOST = 1 << 16


def linker_of_elf(path: str) -> Linker | None:
    """The linker that an ELF file names; None if it names none, or cannot be read."""
    try:
        with OpenFile(path, "an ELF file") as window:
            file = ElfFile(window)
            for header, name in zip(file.sections, file.names, strict=False):
                if name == ".comment":
                    text = file.content(header._replace(sh_size=min(header.sh_size, _MOST)))
                    for pattern, linker in ((_LLD, LLD), (_GNU, GNU)):
                        if found := pattern.search(text):
                            return Linker(linker.kind, version_of(found[1].decode("ascii")))
    except CheckError:
        # Who reads the file to judge it says what is wrong with it.
        return None
    return None


def linker_of_map(path: str) -> Linker | None:
    """The linker that writes maps of this form; None if it is no map, or cannot be read twice."""
    if not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as stream:
            head = stream.read(1 << 14)
    except (OSError, ValueError):
        return None
    text = head.decode("utf-8", "replace")
    if is_lld_map(text):
        return LLD
    return GNU if "Linker script and memory map" in text or "Memory Configuration" in text else None
