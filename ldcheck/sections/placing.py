"""Where each input section of a link goes by the rules of the linker that is meant."""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.image.model import InputSection
from ldcheck.linker import GNU, Linker
from ldcheck.script.syntax import Script
from ldcheck.sections.assign import Placement, assign


def place(
    tree: Script,
    inputs: Sequence[InputSection],
    sort_section: str | None = None,
    arch: str = "",
    linker: Linker = GNU,
) -> list[Placement]:
    """The place of every input section as `assign` tells it for GNU ld, and `assign_lld` for lld."""
    if linker.kind != "lld":
        return assign(tree, inputs, sort_section, arch, linker)
    from ldcheck.sections.lld import assign_lld

    return assign_lld(tree, inputs, sort_section, linker)
