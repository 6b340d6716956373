"""Reading a link map, whichever linker wrote it: the kind is found out by looking."""

from __future__ import annotations

import re

from ldcheck.image.files import describe, read_text, refuse
from ldcheck.image.model import LinkMap

# Xen's list of its symbols, named like a map: `0xffff82d040201000 t x86_64/entry.S#restore_all_guest`.
_SYMBOL_LIST = re.compile(r"(?:0x[0-9a-f]{1,16}|[0-9a-f]{8,16}) [A-Za-z?] \S")
_LISTED = re.compile(r"^(?:0x)?([0-9a-f]{1,16}) ([A-Za-z?]) (\S.*)$", re.MULTILINE)
# Maps that are not read, by what only they have.
_OTHERS = (
    (re.compile(r"^Memory map\n\n \*\* file header$", re.MULTILINE), "a link map of gold"),
    (re.compile(r"^ *VMA +Size +Align +Out +In +Symbol *$", re.MULTILINE), "a link map of mold"),
    (
        re.compile(r"^(?:Archive member included |Allocating common symbols$)", re.MULTILINE),
        "a link map that is cut off",
    ),
)
_LLD_HEAD = re.compile(r"^ *VMA +LMA +Size +Align +Out +In +Symbol *$", re.MULTILINE)
_BEGINNINGS = re.compile(
    rb"\A\s*(?:Archive member included |Memory Configuration$|Allocating common symbols$)|\n\*default\* +0x|"
    rb"\A *VMA +(?:LMA +)?Size +Align +Out +In +Symbol *$",
    re.MULTILINE,
)


def looks_like_map(head: bytes) -> bool:
    """Whether a file that begins so is likely a map; a map whose headings are translated may not be told."""
    return _BEGINNINGS.search(head) is not None


def read_map(path: str) -> LinkMap:
    """Read a map of GNU ld (`-Map`) or lld (`-Map`, `--print-map`).

    Raises CheckError where the file cannot be read or is something else, and says what it looks like.
    """
    text = read_text(path, "a link map")
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if head := is_lld_map(text):
        from ldcheck.image.lld_map import read_lld_map

        return read_lld_map(path, text, head.end())
    from ldcheck.image.gnu_map import looks_like_gnu_map, read_gnu_map

    if looks_like_gnu_map(text):
        return read_gnu_map(path, text)
    if _SYMBOL_LIST.match(text):
        raise refuse(
            path,
            "expected a link map, this is a list of symbols such as Xen's xen-syms.map",
            "link with -Map=FILE for the link map; symbols are better taken from the ELF file (--elf)",
        )
    raise refuse(path, f"expected a link map of GNU ld or lld, this looks like {_kind(text)}", "link with -Map=FILE")


def is_lld_map(text: str) -> re.Match[str] | None:
    """The head line of a map of lld; None if the text is none."""
    head = _LLD_HEAD.search(text, 0, 1 << 16)
    return head if head is not None and head.start() < 1 << 12 else None


def _kind(text: str) -> str:
    """What a text that is no map of the two linkers looks like."""
    for pattern, name in _OTHERS:
        if pattern.search(text):
            return name
    return describe(text[:4096].encode("utf-8", "surrogateescape"))


def read_symbols(path: str) -> dict[str, int]:
    """What a list of symbols such as Xen's xen-syms.map can say: addresses by name, a defined global one first.

    Names of local symbols carry the file that they come from (`x86_64/entry.S#restore_all_guest`). Raises CheckError
    where the file is no such list.
    """
    text = read_text(path, "a list of symbols")
    if not _SYMBOL_LIST.match(text):
        raise refuse(path, f"expected a list of symbols, this looks like {_kind(text)}", "nm FILE writes one")
    symbols: dict[str, int] = {}
    entries = _LISTED.findall(text)
    # Lower-case letters are local symbols (nm's types).
    entries.sort(key=lambda entry: entry[1].islower())
    for address, _, name in entries:
        symbols.setdefault(name, int(address, 16))
    return symbols
