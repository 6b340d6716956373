"""The files of a link as its map calls them, which was written in another folder perhaps."""

from __future__ import annotations

import os

from ldcheck.image.model import LinkMap


class LinkFiles:
    """The files of one link, by the paths under which they are at hand."""

    def __init__(self, link_map: LinkMap) -> None:
        names = {part.file for output in link_map.sections for part in output.inputs} | set(link_map.loaded)
        self._names = names
        self._by_last: dict[str, set[str]] = {}
        for name in names:
            self._by_last.setdefault(os.path.basename(name), set()).add(name)

    def named(self, path: str) -> str | None:
        """What the map calls a file; None where it does not have it, or several of that name."""
        if path in self._names:
            return path
        found = {name for name in self._by_last.get(os.path.basename(path), ()) if _same_end(name, path)}
        return found.pop() if len(found) == 1 else None


def _same_end(name: str, path: str) -> bool:
    """Whether one of two paths may be the other, seen from another folder."""
    shorter, longer = sorted((os.path.normpath(name).split("/"), os.path.normpath(path).split("/")), key=len)
    shorter = [part for part in shorter if part not in ("..", "")]
    return longer[-len(shorter) :] == shorter
