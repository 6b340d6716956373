"""What was linked for a target: its image, the configuration that it was linked with, and what evidence there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError, EvidenceKind, InputError
from ldcheck.source import Location

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

    found = read_linked(target.image, target.map, target.objects)
    if found is not None and found.elf is not None and found.elf.type == "REL":
        # Its addresses are all 0, so that rules on them would hold of nothing.
        message = "this is an object that was not linked"
        help_text = "give it with --objects, and with --elf the image that was linked of it"
        raise CheckError(InputError(message, Location(found.elf.path), help=help_text))
    return found


def linked_with(
    target: Target, views: Sequence[ScriptView], image: Image | None, params: Mapping[str, int], *, whole: bool = True
) -> tuple[int, tuple[str, ...]]:
    """Which configuration the image was linked with, and a remark if it was hardly one of them.

    Raises CheckError for the image of another script, which is evidence of nothing here. `whole`: the scripts are known
    to the last header; else their symbols are not.
    """
    if not views or image is None or (image.elf is None and image.map is None):
        return 0, ()
    from ldcheck.layout.agreement import agreement_of_map, made_by

    trees = [view.tree for view in views]
    if image.elf is not None:
        path = image.elf.path
        linked, agreement = made_by(trees, image.elf, image.map, params, views[0].linker)
    else:
        assert image.map is not None
        path = image.map.path
        found = [agreement_of_map(tree, image.map) for tree in trees]
        linked, agreement = 0, min(found, key=lambda one: len(one.misplaced))
    said = f"{target.script} did not make {path}"
    if agreement.contradicts and whole:
        help_text = "give the image that was linked with this script, or the script of this image"
        raise CheckError(InputError(f"{said}: {agreement.describe()}", Location(path), help=help_text))
    if not agreement.belongs or agreement.contradicts:
        return linked, (f"{said}: {agreement.describe()}",)
    if image.elf is not None and image.elf.stripped and agreement.is_blind:
        return linked, (f"nothing in {path} tells whether {target.script} made it: it has no symbols",)
    return linked, ()


def present(scripts: Scripts, image: Image | None) -> list[EvidenceKind]:
    """The kinds of evidence that a target has."""
    found = [EvidenceKind.SCRIPT] if scripts.parses else []
    if image is not None:
        parts = ((EvidenceKind.IMAGE, image.elf), (EvidenceKind.MAP, image.map), (EvidenceKind.OBJECTS, image.objects))
        found += [kind for kind, part in parts if part is not None]
    return found
