"""From where --gc-sections starts: the symbols that ENTRY() and EXTERN() name.

A section that defines one of them stays without a KEEP(). A symbol that the script itself sets is none: it lies in an
output section, and keeps no input section (bfd/elflink.c: _bfd_elf_gc_keep), unless it stands for another symbol
(`_start = reset;`). Left out: --undefined, --entry and --require-defined of the link, and what other objects refer to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from ldcheck.linker import GNU, LLD, Linker
from ldcheck.script.syntax import Assignment, Command, Name, Script, statements

# The symbol that a linker takes for the entry where no ENTRY() says another one. The default scripts of GNU ld have an
# ENTRY(_start), which is gone where -T names a script (ldlang.c: entry_symbol_default; lld/ELF/Driver.cpp).
_DEFAULT_ENTRIES = {GNU.kind: "start", LLD.kind: "_start"}

# What says nothing of which section it is.
_GENERAL = frozenset(("section", "sections", "table", "text", "data", "rodata", "bss", "the"))

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def default_entry(linker: Linker) -> str:
    """The symbol that is the entry where nothing names one."""
    return _DEFAULT_ENTRIES[linker.kind]


def entry(tree: Script) -> str:
    """What ENTRY() names, of which the last counts; empty if there is none."""
    named = [node.arguments[0].text for node in _commands(tree, "ENTRY")]
    return named[-1] if named else ""


def externs(tree: Script) -> tuple[str, ...]:
    """The symbols that EXTERN() names."""
    return tuple(word.text for node in _commands(tree, "EXTERN") for word in node.arguments)


def _commands(tree: Script, keyword: str) -> list[Command]:
    commands = (node for node in statements(tree) if isinstance(node, Command))
    return [node for node in commands if node.keyword == keyword and node.arguments]


def roots(tree: Script, assignments: Mapping[str, Sequence[Assignment]], linker: Linker) -> tuple[str, ...]:
    """The symbols of objects that are roots by the script, of which it sets none to a place of its own."""
    start = entry(tree) or default_entry(linker)
    found = dict.fromkeys(meant(symbol, assignments) for symbol in (start, *externs(tree)))
    return tuple(symbol for symbol in found if symbol)


def meant(symbol: str, assignments: Mapping[str, Sequence[Assignment]]) -> str:
    """The symbol of an object that a root stands for; empty for a place that the script marks."""
    seen: set[str] = set()
    while symbol in assignments and symbol not in seen:
        seen.add(symbol)
        node = assignments[symbol][-1]
        if node.keyword.startswith("PROVIDE"):
            # Only where no object has it, which most do.
            return symbol
        if not isinstance(node.value, Name) or node.value.name == ".":
            return ""
        symbol = node.value.name
    return symbol


def words(name: str) -> frozenset[str]:
    """The words of a symbol or section name that tell what it is: `__isrVectors` has `isr` and `vector`."""
    found = (word.lower() for word in _WORD.findall(name))
    return frozenset(word.removesuffix("s") for word in found if len(word) > 2 and word not in _GENERAL)


@lru_cache(maxsize=1024)
def alike(symbol: str, section: str) -> bool:
    """Whether a symbol and a section are called after each other: `vector_table` and `.vectors`."""
    return bool(words(symbol) & words(section))
