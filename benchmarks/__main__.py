"""Runs the benchmarks of this folder and prints one table."""

from __future__ import annotations

import compileall
import gc
import sys
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.paired import Result


def main(words: list[str]) -> int:
    """Run the benchmark modules whose names contain one of `words`, or all."""
    # As pip does for whoever installs ldcheck; an editable install that may not write bytecode compiles at every start.
    compileall.compile_dir(Path(__file__).parents[1] / "ldcheck", quiet=1)
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        if words and not any(word in path.stem for word in words):
            continue
        print(path.stem.removeprefix("bench_").replace("_", " "))
        # What the benchmarks before left behind is not gone through again and again.
        gc.collect()
        gc.freeze()
        try:
            for result in import_module(f"benchmarks.{path.stem}").measure():
                print(_line(result), flush=True)
        except pytest.skip.Exception as lacking:
            print(f"  the rest is not measured: {lacking}", flush=True)
    return 0


def _line(result: Result) -> str:
    bar = ""
    if result.bar is not None:
        bar = f"{'at least' if result.least else 'at most'} {result.bar:g}{'' if result.within else '  MISSED'}"
    return f"  {result.name:52} {result.value:8.2f} {result.unit:5} {bar:22} {result.note}".rstrip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
