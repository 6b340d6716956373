"""What the tests of preprocessing share: a tree of files, and what the compiler makes of a text."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ldcheck.preprocess.files import Files, SourceFile
from ldcheck.preprocess.lexer import tokens, without_comments
from tests.support.tools import tool


def tree(folder: Path, files: dict[str, str]) -> Path:
    """Write files, by their path below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def words(text: str) -> list[str]:
    """The preprocessing tokens of a text, as written."""
    return [token.text for token in tokens(without_comments(text))]


def virtual(text: str, name: str = "script.lds.S") -> SourceFile:
    """A file that is only in memory."""
    file = Files({name: text}).get(name)
    assert file is not None
    return file


def by_compiler(text: str, *options: str) -> str:
    """What gcc makes of a text, without line markers."""
    command = [tool("gcc"), "-E", "-P", "-undef", "-nostdinc", "-x", "assembler-with-cpp", *options, "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
