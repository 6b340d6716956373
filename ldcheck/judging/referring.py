"""What refers to what in the evidence of a link, by the kinds of it; each is read when a check asks."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ldcheck.image.direct_calls import DirectCalls
    from ldcheck.image.linked_references import LinkedReferences
    from ldcheck.image.model import Elf, Image
    from ldcheck.image.references import References


class Referring:
    """The references of objects, of a linked image, and the calls in its code."""

    def __init__(self, image: Image) -> None:
        self._image = image

    @cached_property
    def objects(self) -> References | None:
        """What in the objects refers to what; None where there are none. Raises CheckError for what cannot be read."""
        if self._image.references is not None or not self._image.object_paths:
            return self._image.references
        from ldcheck.image.references import References

        return References(self._image.object_paths)

    @cached_property
    def linked(self) -> LinkedReferences | None:
        """What in the linked image refers to what; None without an image. Raises CheckError for what cannot be read."""
        elf = self._linked_elf()
        if elf is None:
            return None
        from ldcheck.image.linked_references import LinkedReferences

        return LinkedReferences(elf.path, self._image.map)

    @cached_property
    def calls(self) -> DirectCalls | None:
        """The direct calls in the linked image, a part of its references; None without an image."""
        elf = self._linked_elf()
        if elf is None:
            return None
        from ldcheck.image.direct_calls import DirectCalls

        return DirectCalls(elf.path, self._image.map)

    def _linked_elf(self) -> Elf | None:
        elf = self._image.elf
        if elf is None or elf.type not in ("EXEC", "DYN") or self._image.references is not None:
            return None
        return elf
