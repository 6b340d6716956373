"""The text of a file that a person named: policies, configurations, scripts."""

from __future__ import annotations

import os

from ldcheck.documents.nodes import MAX_BYTES, shown
from ldcheck.findings import CheckError, InputError
from ldcheck.source import Location, Source, decode


def read_source(path: str, what: str = "file", limit: int = MAX_BYTES) -> Source:
    """The text of a file that a person named. Raises CheckError for what cannot be read or is over `limit` bytes."""
    where = Location(path)
    try:
        if os.path.isdir(path):
            raise CheckError(InputError(f"{shown(path)} is a folder, not a {what}", where))
        with open(path, "rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        raise CheckError(InputError(f"there is no {what} {shown(path)}", where)) from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", "") or str(error)).lower()
        raise CheckError(InputError(f"the {what} {shown(path)} cannot be read: {reason}", where)) from None
    if len(data) > limit:
        raise CheckError(
            InputError(f"the {what} is larger than {limit // 1024} KiB", where, help=f"is this the right {what}?")
        )
    return Source(path, decode(data))
