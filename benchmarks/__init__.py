"""How long things take, as ratios that mean something on any machine: medians of paired runs against a reference.

Each `bench_*.py` in this folder has a function `measure() -> Iterator[Result]`; `python -m benchmarks [WORD...]` runs
those whose name contains one of the words, or all. Nothing here fails a build: a missed bar is marked, and that is all.
"""
