"""The old side of a comparison with the new names of macros, where a change gave macros other names.

Scripts do not tell that what was CONFIG_A is CONFIG_B now: a build sets it. Whoever says so has the rest proved. Each
name has to be gone from the new sources, and its new name may not be in the old ones, else two macros would be taken
for one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError, InputError
from ldcheck.preprocess.lexer import without_comments
from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.judging.scripts import Scripts

_MACRO = re.compile(r"[A-Za-z_]\w*\Z")


def renaming(text: str) -> tuple[str, str]:
    """The old and the new name in `OLD=NEW`. Raises CheckError for anything else."""
    old, _, new = text.partition("=")
    if old == new or not _MACRO.match(old) or not _MACRO.match(new):
        raise CheckError(InputError(f"`{text}` is no renaming", Location("--renamed"), help="write OLD=NEW"))
    return old, new


def with_new_names(old: Scripts, new: Scripts, renamed: Mapping[str, str]) -> dict[str, str]:
    """The texts of the old side's files in which macros get their new names. Raises CheckError for an ambiguous one."""
    before, after = _texts(old), _texts(new)
    if len(set(renamed.values())) < len(renamed):
        raise CheckError(InputError("two macros have one new name", Location("--renamed")))
    for texts, names, side in ((after, renamed.keys(), "new"), (before, renamed.values(), "old")):
        for file, text in texts.items():
            if found := sorted(set(re.findall(r"\w+", without_comments(text))).intersection(names)):
                message = f"{found[0]} is in the {side} sources as well: it is not one macro with two names"
                raise CheckError(InputError(message, Location(file)))
    return {
        file: re.sub(r"[A-Za-z_]\w*", lambda word: renamed.get(word[0], word[0]), text)
        for file, text in before.items()
        if not renamed.keys().isdisjoint(re.findall(r"\w+", text))
    }


def _texts(scripts: Scripts) -> dict[str, str]:
    """The code of all files that a side is read from."""
    names = scripts.files()
    if not scripts.preprocessed:
        return {source.name: source.text for parse in scripts.parses for source in parse.sources.sources}
    files = scripts.preprocessed[0].origin.files.all()
    return {os.path.normpath(file.name): file.text for file in files if file.name in names and not file.virtual}
