"""What a name means among the symbols of a link.

A symbol that a script hides (HIDDEN, PROVIDE_HIDDEN) is local in the symbol table, as the static variables of C are: a
name may then stand for two. And a function of Thumb code has bit 0 set there, which says how to call it, and is no part
of where it is (ELF for the Arm Architecture, "Symbol Values").
"""

from __future__ import annotations

from typing import NamedTuple

from ldcheck.image.model import Elf, LinkMap
from ldcheck.image.symbols import Symbol


class Meaning(NamedTuple):
    """Where a symbol is. `address` is None where the name stands for several, as `doubt` says in a clause.

    `thumb` is set for a function of Thumb code, whose value in the file is the address with bit 0 set.
    """

    address: int | None
    thumb: bool = False
    doubt: str = ""


def meaning(name: str, elf: Elf | None, link_map: LinkMap | None) -> Meaning | None:
    """The symbol of that name in a link; None if nothing defines it."""
    found = elf.symbols.get(name) if elf is not None else None
    if elf is None or found is None:
        value = link_map.symbols.get(name) if link_map is not None else None
        return None if value is None else Meaning(value)
    if not found.defined:
        return None
    if found.binding == "LOCAL":
        if link_map is not None and name in link_map.assigned:
            # The map tells what the script made of it, and whether it made it or an object has it.
            value = link_map.assigned[name]
            value = link_map.symbols.get(name) if value is None else value
            return None if value is None else Meaning(value)
        if several := elf.local_values(name):
            places = " and ".join(f"{value:#x}" for value in several[:2])
            return Meaning(None, doubt=f"several symbols are called {name}, at {places}")
    thumb = is_thumb(found, elf)
    return Meaning(found.value & ~1 if thumb else found.value, thumb)


def is_thumb(symbol: Symbol, elf: Elf) -> bool:
    """Whether a symbol is a function of Thumb code."""
    return elf.arch == "arm32" and symbol.kind == "FUNC" and bool(symbol.value & 1)
