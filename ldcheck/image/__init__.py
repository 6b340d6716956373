"""What was built: ELF files, link maps of GNU ld and lld, object files and archives. Knows nothing of scripts."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldcheck.image.model import Image


class _Package(ModuleType):
    """The package as a module that can be called: `ldcheck.image(...)` is a function of the Python interface."""

    def __call__(self, elf: str = "", map: str = "", objects: Sequence[str] = ()) -> Image:  # noqa: A002 - as there
        from ldcheck.image.linked import read_image

        return read_image(elf, map, objects)


sys.modules[__name__].__class__ = _Package
