"""All that is known of one link, from the files that were named: an ELF file, a map, object files and archives.

Each reader is imported only where its kind of file is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ldcheck.findings import CheckError, InputError
from ldcheck.image.model import Elf, Image, InputSection, LinkMap
from ldcheck.source import Location

_T = TypeVar("_T")


def read_image(elf: str, map: str, objects: Sequence[str]) -> Image:  # noqa: A002 - as everybody calls the file
    """What was linked. Raises CheckError for what cannot be read, and where nothing is given."""
    found = read_linked(elf, map, objects)
    if found is None:
        raise CheckError(InputError("there is no image to read", Location("."), help="name an ELF file, or a map"))
    return found


def read_linked(elf: str, map: str, objects: Sequence[str]) -> Image | None:  # noqa: A002 - as everybody calls the file
    """What was linked; None where nothing is given. Raises CheckError with the errors of all that cannot be read."""
    if not elf and not map and not objects:
        return None
    errors: list[InputError] = []
    notes: list[str] = []

    def reading(read: Callable[[], _T]) -> _T | None:
        try:
            return read()
        except CheckError as error:
            errors.extend(error.errors)
            return None

    found_elf = reading(lambda: _read_elf(elf)) if elf else None
    found_map = reading(lambda: _read_map(map, found_elf)) if map else None
    found_objects = reading(lambda: _read_objects(objects, notes)) if objects else None
    if errors:
        raise CheckError(*errors)
    parts = [part for part in (found_elf, found_map) if part is not None]
    notes += [f"{part.path}: {text}" for part in parts for text in part.incomplete]
    return Image(found_elf, found_map, found_objects, tuple(notes), tuple(objects))


def _read_elf(path: str) -> Elf:
    from ldcheck.image.elf import read_elf

    return read_elf(path)


def _read_map(path: str, elf: Elf | None) -> LinkMap:
    from ldcheck.image.maps import read_map

    found = read_map(path)
    if elf is not None:
        from ldcheck.image.match import check_map

        check_map(elf, found)
    return found


def _read_objects(paths: Sequence[str], notes: list[str]) -> tuple[InputSection, ...]:
    from ldcheck.image.objects import read_objects

    return read_objects(paths, notes)
