"""Reads the command that Kbuild recorded for a linker script (`.xen.lds.cmd`, `.vmlinux.lds.cmd`).

The file is a piece of a makefile: `cmd_arch/x86/xen.lds := gcc -E -P ...`, `savedcmd_...` since Linux 6.x, and
the list of files that were read. It is taken apart as a shell would, and whatever only a shell could do is refused.
"""

from __future__ import annotations

import os
import re

from ldcheck.documents.files import read_source
from ldcheck.findings import CheckError, InputError
from ldcheck.preprocess.options import Options, RefusedOptionError, sift
from ldcheck.record import dataclass
from ldcheck.source import Source

_COMMAND = re.compile(r"^(?:saved)?cmd_(\S+)[ \t]*:=[ \t]*(.*)$", re.MULTILINE)
_DEPENDENCIES = re.compile(r"^(?:deps|source)_\S+[ \t]*:=((?:[^\\\n]|\\\n|\\.)*)$", re.MULTILINE)
_WILDCARD = re.compile(r"\$\([^()]*\)")
_WORD = re.compile(r"""(?:[^\s'"\\;|&<>()$`*?\[\]]|\\.|'[^']*'|"(?:[^"\\$`]|\\.)*")+""")
_UNQUOTE = re.compile(r"""\\(.)|'([^']*)'|"((?:[^"\\]|\\.)*)\"""")
_WRAPPERS = frozenset({"ccache", "distcc", "sccache"})
MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Recorded:
    """A recorded command. `directory` is the folder in which it ran; `script` is a path from there."""

    compiler: str
    options: Options
    directory: str
    script: str
    source: Source


def read_command(path: str, script: str) -> Recorded:
    """The command in the file `path`, which must be about `script`. Raises CheckError."""
    source = read_source(path, "recorded command", MAX_BYTES)
    match = _COMMAND.search(source.text)
    if match is None:
        advice = "Kbuild writes a line `cmd_path/to/xen.lds := gcc -E ...`"
        raise CheckError(InputError("this holds no recorded command", source.locate(0, 0), help=advice))
    directory = _directory(source, match, path)
    words = _words(source, match)
    texts = [text for text, _ in words]
    if texts and os.path.basename(texts[0]) in _WRAPPERS:
        words, texts = words[1:], texts[1:]
    if not texts:
        raise CheckError(InputError("the recorded command is empty", source.locate(*match.span(2))))
    try:
        options = sift(texts[1:])
    except RefusedOptionError as error:
        start, end = words[min(error.word + 1, len(words) - 1)][1]
        raise CheckError(InputError(str(error), source.locate(start, end))) from None
    if len(options.operands) != 1:
        message = f"the command reads {len(options.operands)} files, and one is expected"
        raise CheckError(InputError(message, source.locate(*match.span(2))))
    named = os.path.join(directory, options.operands[0])
    if not _same_file(named, script):
        message = f"this command was recorded for {options.operands[0]}, and not for {script}"
        where = source.locate(*next(span for text, span in words if text == options.operands[0]))
        raise CheckError(InputError(message, where, help="name the script's own .cmd file under `command-file`"))
    return Recorded(texts[0], options, directory, options.operands[0], source)


def dependencies(path: str) -> frozenset[str]:
    """The files that the recorded command read, as paths from the current folder; none if there is no such command."""
    try:
        source = read_source(path, "recorded command", MAX_BYTES)
        match = _COMMAND.search(source.text)
        directory = _directory(source, match, path) if match is not None else "."
    except CheckError:
        return frozenset()
    found = set()
    for listed in _DEPENDENCIES.finditer(source.text):
        for word in _WILDCARD.sub(" ", listed.group(1).replace("\\\n", " ")).split():
            found.add(os.path.normpath(os.path.relpath(os.path.join(directory, word))))
    return frozenset(found)


def _directory(source: Source, match: re.Match[str], path: str) -> str:
    """The folder in which the command ran: the .cmd file's, less the folders that the target's name begins with."""
    folder = os.path.dirname(os.path.abspath(path))
    target = os.path.normpath(match.group(1))
    if os.path.isabs(target):
        within, root = target, os.sep
    else:
        parts = os.path.dirname(target)
        root = folder[: len(folder) - len(parts)].rstrip(os.sep) or os.sep
        within = os.path.join(root, target)
    if os.path.dirname(within) != folder or target.startswith(".."):
        message = f"this command was recorded for {match.group(1)}, which does not lie beside the file"
        advice = "a .cmd file stands beside what it makes, as the build left it"
        raise CheckError(InputError(message, source.locate(*match.span(1)), help=advice))
    return os.path.relpath(root)


def _words(source: Source, match: re.Match[str]) -> list[tuple[str, tuple[int, int]]]:
    """The words of the command with their spans in the file."""
    text, at, end = source.text, match.start(2), match.end(2)
    found: list[tuple[str, tuple[int, int]]] = []
    while at < end:
        if text[at] in " \t\r":
            at += 1
            continue
        # Kbuild doubles the dollar and writes `#` as $(pound), for make; both are plain characters.
        if text.startswith("$(pound)", at) or text.startswith("$$", at):
            raise _shell(source, at, "$")
        word = _WORD.match(text, at, end)
        if word is None or (word.end() < end and text[word.end()] not in " \t\r"):
            raise _shell(source, word.end() if word else at, text[word.end() if word else at])
        plain = _UNQUOTE.sub(_unquoted, word.group()).replace("$(pound)", "#").replace("$$", "$")
        found.append((plain, word.span()))
        at = word.end()
    return found


def _unquoted(match: re.Match[str]) -> str:
    escaped, single, double = match.groups()
    if escaped is not None:
        return escaped
    if single is not None:
        return single
    return re.sub(r'\\(["\\$`])', r"\1", double)


def _shell(source: Source, at: int, character: str) -> CheckError:
    message = f"`{character}` would need a shell, and ldcheck runs none"
    return CheckError(InputError(message, source.locate(at, at + 1)))


def _same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False
