"""Patterns of paths, as `when: {paths: ...}`, `paths` and `ignore` have them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase


def path_matches(path: str, pattern: str) -> bool:
    """Whether a path matches a pattern, or ends with what does: `*` stays within a folder, `**` crosses folders.

    `*.lds.S` means such files anywhere, `arch/x86/**` whatever is below a folder `arch/x86`.
    """
    names = [name for name in path.replace("\\", "/").split("/") if name not in ("", ".")]
    wanted = [name for name in pattern.split("/") if name not in ("", ".")]
    if pattern.startswith("/"):
        return _match(names, wanted)
    return any(_match(names[start:], wanted) for start in range(len(names)))


def _match(names: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether all the names match all the wanted ones. Steps over `**` one name at a time, in linear space."""
    reached = {0}
    for part in wanted:
        if part == "**":
            reached = set(range(min(reached, default=len(names) + 1), len(names) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(names) and fnmatchcase(names[at], part)}
    return len(names) in reached
