"""Headers that a build generates and a bare source tree does not have: what stands in for them.

A header of Kconfig's gets the target's configuration, a wrapper that Linux would generate for `asm/x.h` gets its
`asm-generic/x.h`, and any other is taken as empty. All are virtual files below one folder; a compiler needs it on disk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ldcheck.preprocess.files import Files, SourceFile
from ldcheck.preprocess.inputs import Inputs, Survey, is_linker_script, survey
from ldcheck.preprocess.lexer import Directive

_GENERATED = re.compile(r"(^|/)generated/|(^|/)(autoconf|asm-offsets|compile|bounds|utsrelease)\.h\Z")
_AUTOCONF = re.compile(r"(^|/)autoconf\.h\Z")
_PLAIN = re.compile(r"[\w+-][\w.+-]*(/[\w+-][\w.+-]*)*\Z")
MAX_ROUNDS = 50


def is_generated(name: str) -> bool:
    """Whether a header is, by its path, one that builds make and nobody edits."""
    return _GENERATED.search(name) is not None


class Missing(NamedTuple):
    """A header of which nothing is known; `has_statements` says that it may hold more than definitions."""

    name: str
    has_statements: bool


class Stubs:
    """The headers that stand in for missing ones, below `folder`; `texts` are their contents by path."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.texts: dict[str, str] = {}
        self._meanings: dict[str, str] = {}
        self._unknown: dict[str, Missing] = {}

    def add_empty(self, name: str, file: SourceFile, directive: Directive) -> None:
        """Let `name`, which a file asks for, be a header of which nothing is known."""
        kind = "generated header" if is_generated(name) else "header"
        path = self.add(name, "", f"the {kind} {name} is missing and taken as empty")
        before = file.code[: directive.start]
        inside = is_linker_script(file.name) and before.count("{") > before.count("}")
        self._unknown[path] = Missing(name, inside or not name.endswith(".h"))

    def add(self, name: str, text: str, meaning: str) -> str:
        """Let `name` be the header with this text, and say where it is.

        `meaning` says so in the notes (empty: not worth a word).
        """
        path = os.path.normpath(os.path.join(self.folder, name))
        self.texts[path] = text
        self._meanings[path] = meaning
        return path

    def notes(self, read: Mapping[str, None]) -> list[str]:
        """What was stubbed of the files that were read."""
        return [meaning for path, meaning in self._meanings.items() if path in read and meaning]

    def missing(self, read: Mapping[str, None]) -> tuple[Missing, ...]:
        """The headers of which nothing is known, of the files that were read."""
        return tuple(header for path, header in self._unknown.items() if path in read)

    def write(self) -> None:
        """Put the headers on disk, in a folder that did not exist before and that only this user may enter."""
        os.mkdir(self.folder, 0o700)
        for path, text in self.texts.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "x", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(text)

    def remove(self) -> None:
        """Take the folder away again."""
        if os.path.isdir(self.folder):
            from shutil import rmtree

            rmtree(self.folder, ignore_errors=True)


def temporary_folder() -> str:
    """A path for a folder that is not there yet."""
    base = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108  # only a name: it is made anew, exclusively
    return os.path.join(base, f"ldcheck-{os.getpid()}-{os.urandom(8).hex()}")


def stand_in(inputs: Inputs, config: Mapping[str, str] | None, patterns: Sequence[str]) -> tuple[Inputs, Survey, Stubs]:
    """The inputs with all generated headers that are missing, the files that they reach, and the stubs.

    `config` is the target's configuration, if it names one: it takes the place even of an autoconf.h that exists.
    """
    stubs = Stubs(temporary_folder())
    wanted = _matcher(patterns)
    found = survey(inputs)
    for _ in range(MAX_ROUNDS):
        before = len(stubs.texts)
        for name, (file, directive) in found.missing.items():
            if not _PLAIN.match(name):
                continue
            generic = re.sub(r"^asm/", "asm-generic/", name)
            if generic != name and inputs.find(generic, True, file.name):
                stubs.add(name, f"#include <{generic}>\n", f"{name} is missing; {generic} stands in, as in a build")
            elif wanted(name) and not (config is not None and _AUTOCONF.search(name)):
                stubs.add_empty(name, file, directive)
        if config is not None:
            _add_config(stubs, found, config)
        if len(stubs.texts) == before:
            break
        includes = inputs.includes if stubs.folder in inputs.includes else (stubs.folder, *inputs.includes)
        inputs = Inputs(
            inputs.script, Files(stubs.texts, inputs.files), includes, inputs.definitions, inputs.include_first,
            inputs.predefined,
        )  # fmt: skip
        found = survey(inputs)
    return inputs, found, stubs


def _add_config(stubs: Stubs, found: Survey, config: Mapping[str, str]) -> None:
    text = "".join(f"#define {name} {value}\n" for name, value in config.items())
    for name in (*found.missing, *found.named):
        if _AUTOCONF.search(name) and _PLAIN.match(name):
            stubs.add(name, text, "")


def _matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether a header that is missing may be: by the patterns of the target, or because builds generate it."""
    if not patterns:
        return is_generated
    from fnmatch import fnmatchcase

    return lambda name: is_generated(name) or any(fnmatchcase(name, pattern) for pattern in patterns)
