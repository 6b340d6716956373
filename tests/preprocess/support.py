"""What the tests of preprocessing share: a tree of files, and what the compiler makes of a text."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ldcheck.preprocess.files import Files, SourceFile
from ldcheck.preprocess.lexer import tokens, without_comments
from ldcheck.preprocess.run import Preprocessed, preprocess
from ldcheck.project.target import Target
from ldcheck.record import replace
from ldcheck.source import Location, Related
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
    """Compare what the compiler, pcpp and the walks give: tokens, and the place and the macro uses of each.

    What is expanded here has the compiler's blanks as well. Counts the tokens.
    """
    compared = 0
    rendered = preprocess(replace(target, preprocessor="auto"))
    by_compiler = preprocess(replace(target, preprocessor="compiler"))
    by_pcpp = preprocess(replace(target, preprocessor="pcpp"))
    assert [one.defined for one in by_compiler] == [one.defined for one in by_pcpp]
    assert [one.defined for one in by_compiler] == [one.defined for one in rendered]
    for one, other, own in zip(by_compiler, by_pcpp, rendered, strict=True):
        assert words(one.source.text) == words(other.source.text)
        assert one.source.text.split() == own.source.text.split()
        found = places(one)
        assert found == places(other)
        assert found == places(own)
        # Never in a temporary file.
        assert all(Path(place.file).is_file() and not Path(place.file).is_absolute() for place, _ in found)
        compared += len(found)
    return compared


def places(script: Preprocessed) -> list[tuple[Location, tuple[Related, ...]]]:
    """The place of every token, with the macro uses that lead to it."""
    found = []
    for token in tokens(script.source.text):
        end = token.start + len(token.text)
        location = script.origin.locate(script.source, token.start, end)
        found.append((location, script.origin.related(script.source, token.start, end)))
    return found
