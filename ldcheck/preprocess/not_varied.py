"""CONFIG_ symbols of which nothing is known, and which decide a macro that the script uses.

They stand in headers that are no linker scripts, where no condition of the script leads (`varied` has those), so they
are not varied; without Kconfig's choices they count as not defined. People must be told, for the script may be another
one in their build.
"""

from __future__ import annotations

from collections.abc import Mapping

from ldcheck.preprocess.files import SourceFile
from ldcheck.preprocess.inputs import Survey, is_linker_script
from ldcheck.preprocess.lexer import WORD
from ldcheck.words import listed

MOST = 6


def unknown_choices(survey: Survey, missing: Mapping[str, tuple[SourceFile, int]]) -> str:
    """A note on the symbols among `missing` that decide what a used macro is; empty if there are none."""
    outside = {name: place for name, place in missing.items() if not is_linker_script(place[0].name)}
    if not outside:
        return ""
    used = _used_macros(survey)
    said = []
    for name, (file, at) in sorted(outside.items()):
        if macro := next((defined for defined in _defined_within(file, at) if defined in used), ""):
            said.append(f"{name} (decides {macro}, {file.name}:{file.directives[at].line})")
    if not said:
        return ""
    return f"not known and taken as not defined: {listed(said, MOST)}; give them under `config`, `pin` or `vary`"


def _used_macros(survey: Survey) -> set[str]:
    """Names that the script's text uses, directly or through the bodies of macros."""
    bodies: dict[str, set[str]] = {}
    pending: set[str] = set()
    for file in survey.files:
        code, at = file.code, 0
        script = is_linker_script(file.name) or file is survey.files[0]
        for directive in file.directives:
            if directive.keyword == "define":
                name, *body = WORD.findall(code, directive.start, directive.end) or [""]
                bodies.setdefault(name, set()).update(body)
            if script:
                pending.update(WORD.findall(code, at, directive.start))
                at = directive.end
        if script:
            pending.update(WORD.findall(code, at))
    used: set[str] = set()
    while pending:
        name = pending.pop()
        if name in bodies and name not in used:
            used.add(name)
            pending |= bodies[name]
    return used


def _defined_within(file: SourceFile, at: int) -> list[str]:
    """The macros that a conditional defines in any of its branches."""
    lines = file.directives
    end = at
    while lines[end].other >= 0:
        end = lines[end].other
    return [
        match.group()
        for directive in lines[at:end]
        if directive.keyword == "define" and (match := WORD.search(file.code, directive.start, directive.end))
    ]
