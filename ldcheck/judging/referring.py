"""What refers to what in one link: by its objects, by an image that kept its relocations, by direct calls."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ldcheck.image.direct_calls import DirectCalls
    from ldcheck.image.linked_references import LinkedReferences
    from ldcheck.image.model import Image
    from ldcheck.image.placed_references import PlacedReferences
    from ldcheck.image.references import References


class Referring:
    """Each kind is read when it is first asked for. Raises CheckError then for what cannot be read."""

    def __init__(self, image: Image) -> None:
        self._image = image

    @cached_property
    def objects(self) -> References | None:
        """What in the objects refers to what; None where there are none."""
        if self._image.references is not None or not self._image.object_paths:
            return self._image.references
        from ldcheck.image.elsewhere import LinkAround
        from ldcheck.image.references import References

        linked = self._image.map is not None or self._path is not None
        around = LinkAround(self._image.map, self._image.elf) if linked else None
        return References(self._image.object_paths, around=around)

    @cached_property
    def placed(self) -> PlacedReferences | None:
        """The same at the addresses that the map has; None without objects, or without a map."""
        if self._image.references is not None or self.objects is None or self._image.map is None:
            return None
        from ldcheck.image.placed_references import PlacedReferences

        return PlacedReferences(self.objects, self._image.map)

    @cached_property
    def linked(self) -> LinkedReferences | None:
        """What in the linked image refers to what; None without an image."""
        path = self._path
        if path is None:
            return None
        from ldcheck.image.linked_references import LinkedReferences

        return LinkedReferences(path, self._image.map)

    @cached_property
    def calls(self) -> DirectCalls | None:
        """The direct calls in the linked image, a part of its references; None without an image."""
        path = self._path
        if path is None:
            return None
        from ldcheck.image.direct_calls import DirectCalls

        return DirectCalls(path, self._image.map)

    @property
    def _path(self) -> str | None:
        elf = self._image.elf
        described = self._image.references is not None
        return None if elf is None or elf.type not in ("EXEC", "DYN") or described else elf.path
