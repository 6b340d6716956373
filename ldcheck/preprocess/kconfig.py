"""Reads what Kconfig chose: a `.config` file, or the `autoconf.h` that was made from one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ldcheck.documents.files import read_source
from ldcheck.findings import CheckError, InputError
from ldcheck.source import Source

MAX_BYTES = 16 << 20
_SET = re.compile(r'(CONFIG_\w+)=("(?:[^"\\]|\\.)*"|[-+]?\w*)\s*\Z')
_NOT_SET = re.compile(r"#\s*(CONFIG_\w+) is not set\s*\Z")
_DEFINE = re.compile(r"\s*#\s*define\s+(CONFIG_\w+)(?:\s+(.*?))?\s*\Z")
_UNDEF = re.compile(r"\s*#\s*(undef\s+CONFIG_\w+|ifn?def\b.*|define\s+\w+(\s.*)?|endif\b.*|if\b.*|else\b.*)\s*\Z")


def read_config(path: str) -> dict[str, str]:
    """The symbols that are set, with their values as C sees them (`y` is 1; `m` defines CONFIG_..._MODULE).

    Raises CheckError for a file that cannot be read and, at its place, for a line that Kconfig does not write.
    """
    source = read_source(path, "configuration", MAX_BYTES)
    header = _is_header(source.text)
    symbols: dict[str, str] = {}
    comment = False
    for number, line in enumerate(source.text.split("\n"), 1):
        if header:
            comment = _header_line(source, number, line, comment, symbols)
        else:
            _config_line(source, number, line.strip(), symbols)
    return symbols


def is_of_another(symbols: Mapping[str, str], arch: str) -> bool:
    """Whether a configuration is that of another architecture than `arch` (empty: not known)."""
    from ldcheck.image.arches import expand
    from ldcheck.project.machines import machines

    mine = machines(symbols)
    return bool(arch and mine and not set(mine) & set(expand(arch)))


def _is_header(text: str) -> bool:
    """Whether the first line that says anything is C: `.config` has `#` comments only in front of its symbols."""
    for line in text.split("\n"):
        if line.strip().startswith(("/*", "//", "#define", "#ifndef", "#pragma")):
            return True
        if line.strip() and (_SET.match(line.strip()) or _NOT_SET.match(line.strip())):
            return False
    return False


def _config_line(source: Source, number: int, line: str, symbols: dict[str, str]) -> None:
    if not line or line.startswith("#"):
        return
    match = _SET.match(line)
    if match is None:
        raise _garbage(source, number, line, "a line of .config reads `CONFIG_NAME=value`, or is a comment")
    name, value = match.groups()
    if value == "m":
        symbols[name + "_MODULE"] = "1"
    elif value not in ("n", ""):
        symbols[name] = "1" if value == "y" else value


def _header_line(source: Source, number: int, line: str, comment: bool, symbols: dict[str, str]) -> bool:
    """Read a line of autoconf.h; returns whether a comment is open behind it."""
    if comment:
        return "*/" not in line
    text = line.strip()
    if text.startswith("/*"):
        return "*/" not in text
    if not text or text.startswith(("//", "#pragma")) or _UNDEF.match(line):
        if (match := _DEFINE.match(line)) is None:
            return False
    else:
        match = _DEFINE.match(line)
    if match is None:
        raise _garbage(source, number, text, "a line of autoconf.h reads `#define CONFIG_NAME value`")
    symbols[match.group(1)] = match.group(2) or ""
    return False


def _garbage(source: Source, number: int, line: str, advice: str) -> CheckError:
    start = source.line_starts[number - 1] + source.line(number).find(line[:1])
    location = source.locate(start, start + len(line))
    return CheckError(InputError("this is not what Kconfig writes", location, help=advice))
