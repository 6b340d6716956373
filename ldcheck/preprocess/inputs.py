"""What a script is preprocessed from: its files, where they are looked for, and what is defined beforehand.

`survey` follows every #include in every branch, without deciding any condition: quick, and complete but for includes
whose name is a macro.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ldcheck.preprocess.files import Files, SourceFile
from ldcheck.preprocess.lexer import WORD, Directive
from ldcheck.record import dataclass, field

_INCLUDE = re.compile(r'\s*(?:<([^>\n]+)>|"([^"\n]+)")')
_LINKER_SCRIPT = re.compile(r"(\.lds?(\.[a-z]+)?|\.ld[a-z]*\.h|linker[^/]*\.h)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Inputs:
    """All that preprocessing one script depends on, but for the symbols that are varied.

    Paths are as the preprocessor is given them. `definitions` holds None for a name that is undefined on purpose;
    `predefined` is a text of #define lines that stands for the compiler's own macros.
    """

    script: str
    files: Files
    includes: tuple[str, ...] = ()
    definitions: Mapping[str, str | None] = field(default_factory=dict)
    include_first: tuple[str, ...] = ()
    predefined: str = ""

    def find(self, name: str, angled: bool, beside: str) -> SourceFile | None:
        """The file that `#include` finds; `beside` is the path of the including file."""
        if os.path.isabs(name):
            return self.files.get(name)
        folders = self.includes if angled else (os.path.dirname(beside), *self.includes)
        for folder in folders:
            if found := self.files.get(os.path.join(folder, name)):
                return found
        return None

    def with_definitions(self, definitions: Mapping[str, str | None]) -> Inputs:
        """The same, with other definitions."""
        return Inputs(self.script, self.files, self.includes, definitions, self.include_first, self.predefined)

    def with_predefined(self, predefined: str) -> Inputs:
        """The same, with other macros of the compiler."""
        return Inputs(self.script, self.files, self.includes, self.definitions, self.include_first, predefined)


def is_linker_script(name: str) -> bool:
    """Whether a file is, by its name, a linker script or a header for linker scripts (`xen.lds.h`)."""
    return bool(_LINKER_SCRIPT.search(name))


def included_name(file: SourceFile, directive: Directive) -> tuple[str, bool] | None:
    """The name in an #include and whether it stands in angle brackets; None if it is a macro."""
    match = _INCLUDE.match(file.code, directive.start, directive.end)
    if match is None:
        return None
    return (match.group(1) or match.group(2)).strip(), match.group(1) is not None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Survey:
    """Every file that some configuration may include, the script first, and the names under which they are included.

    `missing` are the names that were not found, with the #include that asks for each.
    """

    files: tuple[SourceFile, ...]
    named: Mapping[str, SourceFile]
    missing: Mapping[str, tuple[SourceFile, Directive]]

    def defines(self, name: str) -> bool:
        """Whether some file defines a macro of this name under some condition."""
        return any(
            directive.keyword == "define"
            and (word := WORD.search(file.code, directive.start, directive.end)) is not None
            and word.group() == name
            for file in self.files
            for directive in file.directives
        )


def survey(inputs: Inputs) -> Survey:
    """Follow all #include lines, whatever the conditions around them say."""
    missing: dict[str, tuple[SourceFile, Directive]] = {}
    names: dict[str, SourceFile] = {}
    seen: dict[str, SourceFile] = {}
    pending = [found for path in (inputs.script, *inputs.include_first) if (found := inputs.files.get(path))]
    pending.reverse()
    while pending:
        file = pending.pop()
        if file.name in seen:
            continue
        seen[file.name] = file
        for directive in file.directives:
            if directive.keyword not in ("include", "include_next") or not (named := included_name(file, directive)):
                continue
            found = inputs.find(*named, file.name)
            if found is None:
                missing.setdefault(named[0], (file, directive))
                continue
            names.setdefault(named[0], found)
            if found.name not in seen:
                pending.append(found)
    return Survey(tuple(seen.values()), names, missing)
