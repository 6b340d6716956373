"""What was linked for a target: its image, the configuration that it was linked with, and what evidence there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import EvidenceKind

if TYPE_CHECKING:
    from ldcheck.image.model import Image
    from ldcheck.judging.evidence import ScriptView
    from ldcheck.judging.scripts import Scripts
    from ldcheck.project.target import Target


def image_of(target: Target) -> Image | None:
    """What was linked for the target; None if it names nothing. Raises CheckError for what cannot be read."""
    if not (target.image or target.map or target.objects):
        return None
    from ldcheck.image.linked import read_linked

    return read_linked(target.image, target.map, target.objects)


def linked_with(
    target: Target, views: Sequence[ScriptView], image: Image | None, params: Mapping[str, int]
) -> tuple[int, tuple[str, ...]]:
    """Which configuration the image was linked with, and a remark if it was none of them."""
    if not views or image is None or image.elf is None:
        return 0, ()
    from ldcheck.layout.agreement import made_by

    trees = [view.tree for view in views]
    linked, agreement = made_by(trees, image.elf, image.map, params, views[0].linker)
    if agreement.belongs:
        return linked, ()
    return linked, (f"{target.script} did not make {image.elf.path}: {agreement.describe()}",)


def present(scripts: Scripts, image: Image | None) -> list[EvidenceKind]:
    """The kinds of evidence that a target has."""
    found = [EvidenceKind.SCRIPT] if scripts.parses else []
    if image is not None:
        parts = ((EvidenceKind.IMAGE, image.elf), (EvidenceKind.MAP, image.map), (EvidenceKind.OBJECTS, image.objects))
        found += [kind for kind, part in parts if part is not None]
    return found
