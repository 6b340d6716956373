"""The parser on linker scripts as they are: the default ones of GNU ld, and those of Xen and firmware."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

from benchmarks.paired import Result
from ldcheck.script.parser import parse
from ldcheck.script.printer import print_tree
from ldcheck.source import Source, decode
from tests.script.agreement import ldscripts, source_scripts


def measure() -> Iterator[Result]:
    """Megabytes of script text a second on one core, and that the time grows with the size and no faster."""
    default = _texts(ldscripts("binutils-x86-64-linux-gnu"))
    yield _speed("default linker scripts of x86", default, lambda: _parse(default), bar=1.5)
    firmware = _texts(source_scripts("newlib"))
    yield _speed("linker scripts of newlib", firmware, lambda: _parse(firmware), bar=1.5)
    trees = [parse(Source("script", text)).tree for text in default]
    yield _speed("printing the default linker scripts", default, lambda: [print_tree(tree) for tree in trees])
    body = "".join(default).replace("SECTIONS", "\nSECTIONS")
    small, large = [body], [body * 8]
    growth = _seconds(lambda: _parse(large)) / _seconds(lambda: _parse(small))
    yield Result("8 times the text in one script", growth, "x", 12, note="the time of it")


def _texts(paths: list[Path]) -> list[str]:
    return [decode(path.read_bytes()) for path in paths]


def _parse(texts: list[str]) -> None:
    for text in texts:
        parse(Source("script", text))


def _speed(name: str, texts: list[str], work: Callable[[], object], bar: float | None = None) -> Result:
    size = sum(map(len, texts))
    return Result(name, size / 1e6 / _seconds(work), "MB/s", bar, least=True, note=f"{size:,} bytes, processor time")


def _seconds(work: Callable[[], object], rounds: int = 5) -> float:
    """Processor time, the least of some rounds: what others do on the machine does not count."""
    taken = []
    for _ in range(rounds):
        started = process_time()
        work()
        taken.append(process_time() - started)
    return min(taken)
