"""The parser on linker scripts as they are: the default ones of GNU ld, and those of Xen and firmware."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.paired import Result, cpu_rate, least_cpu
from ldcheck.script.parser import parse
from ldcheck.script.printer import print_tree
from ldcheck.source import Source, decode
from tests.script.agreement import ldscripts, source_scripts


def measure() -> Iterator[Result]:
    """Megabytes of script text a second on one core, and that the time grows with the size and no faster."""
    default = _texts(ldscripts("binutils-x86-64-linux-gnu"))
    yield cpu_rate("default linker scripts of x86", lambda: _parse(default), _size(default), bar=1.5)
    firmware = _texts(source_scripts("newlib"))
    yield cpu_rate("linker scripts of newlib", lambda: _parse(firmware), _size(firmware), bar=1.5)
    trees = [parse(Source("script", text)).tree for text in default]
    yield cpu_rate("printing the default linker scripts", lambda: [print_tree(tree) for tree in trees], _size(default))
    body = "".join(default).replace("SECTIONS", "\nSECTIONS")
    small, large = [body], [body * 8]
    growth = least_cpu(lambda: _parse(large)) / least_cpu(lambda: _parse(small))
    yield Result("8 times the text in one script", growth, "x", 12, note="the time of it")


def _texts(paths: list[Path]) -> list[str]:
    return [decode(path.read_bytes()) for path in paths]


def _size(texts: list[str]) -> int:
    return sum(map(len, texts))


def _parse(texts: list[str]) -> None:
    for text in texts:
        parse(Source("script", text))
