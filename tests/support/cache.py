"""The folder for what tests download or build and keep: outside of git, shared by parallel workers and later runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def cache_folder() -> Path:
    """`$LDCHECK_CACHE`, or `.cache` in the checkout."""
    given = os.environ.get("LDCHECK_CACHE")
    return Path(given).resolve() if given else ROOT / ".cache"


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock between processes; its file is `name` below the cache folder."""
    import fcntl

    path = cache_folder() / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
