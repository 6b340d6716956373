"""What the tests of preprocessing share: a tree of files, and what the compiler makes of a text."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ldcheck.preprocess.files import Files, SourceFile
from ldcheck.preprocess.lexer import tokens, without_comments
from ldcheck.preprocess.run import preprocess
from ldcheck.project import Target
from ldcheck.record import replace
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


def same_by_pcpp(target: Target) -> int:
    """Compare what the compiler and pcpp give: tokens, and the place and the macro uses of each. Counts the tokens."""
    compared = 0
    by_compiler = preprocess(replace(target, preprocessor="compiler"))
    by_pcpp = preprocess(replace(target, preprocessor="pcpp"))
    assert [one.defined for one in by_compiler] == [one.defined for one in by_pcpp]
    for one, other in zip(by_compiler, by_pcpp, strict=True):
        assert words(one.source.text) == words(other.source.text)
        for left, right in zip(tokens(one.source.text), tokens(other.source.text), strict=True):
            end = left.start + len(left.text), right.start + len(right.text)
            place = one.origin.locate(one.source, left.start, end[0])
            assert place == other.origin.locate(other.source, right.start, end[1])
            assert one.origin.related(one.source, left.start, end[0]) == other.origin.related(
                other.source, right.start, end[1]
            )
            # Never in a temporary file, and always a text that the place really has.
            assert Path(place.file).is_file()
            assert not Path(place.file).is_absolute()
            compared += 1
    return compared
