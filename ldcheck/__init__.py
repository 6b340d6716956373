"""A gate for linker scripts and the images they produce.

`ldcheck.check`, `ldcheck.diff`, `ldcheck.parse` and `ldcheck.image` are the Python interface; the command line uses
nothing else. They are looked up in `ldcheck.api` on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ldcheck.api import check as check
    from ldcheck.api import diff as diff
    from ldcheck.api import image as image
    from ldcheck.api import parse as parse

__all__ = ["check", "diff", "image", "parse"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from ldcheck import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
