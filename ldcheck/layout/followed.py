"""Where the walk does not follow a linker: statements because of which nothing is known of a script's addresses."""

from __future__ import annotations

from ldcheck.layout.flow import flow
from ldcheck.linker import Linker
from ldcheck.script.syntax import OutputSection, Script

# Until then, GNU ld makes one section of all that have the same name.
_APART = (2, 40)


def not_followed(tree: Script, linker: Linker) -> OutputSection | None:
    """The output section that makes a linker order sections in a way that the walk does not follow; None if none does.

    lld sorts all that stands behind a section to which its ONLY_IF_RO or ONLY_IF_RW does not apply. Older GNU ld puts
    what the second section of a name holds into the first one.
    """
    names: set[str] = set()
    for section in flow(tree).sections:
        if section.constraint and linker.kind == "lld":
            return section
        if section.name.text in names and linker.kind != "lld" and linker.is_before(*_APART):
            return section
        if section.name.text != "/DISCARD/":
            names.add(section.name.text)
    return None
