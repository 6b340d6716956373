"""Where commands write: standard output that may go away in the middle, files, and a terminal that may have colours."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def emit(text: str) -> None:
    """Write to standard output. A reader that has gone (`| head`) is no error: the exit status still tells."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        silence()


def silence() -> None:
    """Let what is still to be written to standard output go nowhere, instead of failing at the interpreter's end."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    os.close(sink)


def colored(stream: TextIO) -> bool:
    """Whether to colour: NO_COLOR and FORCE_COLOR decide where set and not empty, else a terminal that can."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width(stream: TextIO) -> int:
    """The columns of the terminal that `stream` is; COLUMNS decides where set; 0 where there is no terminal."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0


def checkout(here: str) -> str:
    """The checkout that a CI system takes paths to be relative to, else the current folder."""
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        root = os.environ.get(name, "")
        if root and os.path.commonpath([os.path.realpath(root), os.path.realpath(here)]) == os.path.realpath(root):
            return os.path.realpath(root)
    return here
