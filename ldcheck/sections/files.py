"""Which files a file pattern of an input section description takes, EXCLUDE_FILE included.

A file is a plain object, or a member of an archive; ld compares a member by its own name, and by the archive's name
only in the form `archive:member` and in EXCLUDE_FILE (ldlang.c: walk_wild_section_match,
input_statement_is_archive_path, walk_wild_file_in_exclude_list). Names are those given on the command line.
"""

from __future__ import annotations

from functools import lru_cache

from ldcheck.record import dataclass
from ldcheck.sections.globs import Glob, fnmatch_glob, has_wildcard, name_glob, witness


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FileBox:
    """Files of one kind: plain objects, or archive members; names that all of one list match and none of the other."""

    archived: bool
    wanted: tuple[Glob, ...] = ()
    unwanted: tuple[Glob, ...] = ()
    archive_wanted: tuple[Glob, ...] = ()
    archive_unwanted: tuple[Glob, ...] = ()

    def takes(self, name: str, archive: str | None) -> bool:
        """Whether the file `name`, of the archive if one is given, is in the set."""
        if self.archived != (archive is not None):
            return False
        if not all(glob.matches(name) for glob in self.wanted) or any(glob.matches(name) for glob in self.unwanted):
            return False
        if archive is None:
            return True
        return all(glob.matches(archive) for glob in self.archive_wanted) and not any(
            glob.matches(archive) for glob in self.archive_unwanted
        )

    @property
    def everything(self) -> bool:
        """Whether every file of the kind is in the set."""
        return not (self.wanted or self.unwanted or self.archive_wanted or self.archive_unwanted)

    def meet(self, other: FileBox) -> FileBox | None:
        """The files in both; None if they are of different kinds (an empty result may still be returned)."""
        if self.archived != other.archived:
            return None
        return FileBox(
            self.archived,
            _joined(self.wanted, other.wanted),
            _joined(self.unwanted, other.unwanted),
            _joined(self.archive_wanted, other.archive_wanted),
            _joined(self.archive_unwanted, other.archive_unwanted),
        )

    def without(self, other: FileBox) -> tuple[FileBox, ...]:
        """The files that are not in `other`, as disjoint sets, some of them perhaps empty."""
        if self.archived != other.archived:
            return (self,)
        pieces: list[FileBox] = []
        rest = self
        for name, positive in (
            ("wanted", True),
            ("unwanted", False),
            ("archive_wanted", True),
            ("archive_unwanted", False),
        ):
            for glob in getattr(other, name):
                if glob in getattr(rest, name):
                    continue
                pieces.append(_limited(rest, glob, name.startswith("archive"), not positive))
                rest = _limited(rest, glob, name.startswith("archive"), positive)
        return tuple(pieces)

    def example(self) -> tuple[str, str | None] | None:
        """A file of the set, its archive second, as short as it can be; None if the set is empty."""
        name = _example(self.wanted, self.unwanted, "x.o")
        if name is None:
            return None
        if not self.archived:
            return name, None
        archive = _example(self.archive_wanted, self.archive_unwanted, "x.a")
        return None if archive is None else (name, archive)


def _joined(one: tuple[Glob, ...], other: tuple[Glob, ...]) -> tuple[Glob, ...]:
    if not one or one is other:
        return other
    return one + tuple(glob for glob in other if glob not in one)


def _limited(box: FileBox, glob: Glob, archive: bool, positive: bool) -> FileBox:
    extra = (glob,)
    if archive and positive:
        return FileBox(box.archived, box.wanted, box.unwanted, box.archive_wanted + extra, box.archive_unwanted)
    if archive:
        return FileBox(box.archived, box.wanted, box.unwanted, box.archive_wanted, box.archive_unwanted + extra)
    if positive:
        return FileBox(box.archived, box.wanted + extra, box.unwanted, box.archive_wanted, box.archive_unwanted)
    return FileBox(box.archived, box.wanted, box.unwanted + extra, box.archive_wanted, box.archive_unwanted)


@lru_cache(maxsize=4096)
def _example(wanted: tuple[Glob, ...], unwanted: tuple[Glob, ...], usual: str) -> str | None:
    """`usual` if it will do, else the shortest name."""
    if all(glob.matches(usual) for glob in wanted) and not any(glob.matches(usual) for glob in unwanted):
        return usual
    if not wanted:
        wanted = (fnmatch_glob("?*"),)
    return witness(wanted, unwanted)


OBJECTS = FileBox(False)
MEMBERS = FileBox(True)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Files:
    """The files that a file pattern takes, as a union of boxes. `everything` if it takes all files."""

    boxes: tuple[FileBox, ...]

    @property
    def everything(self) -> bool:
        """Whether no file is left out."""
        return self is EVERY_FILE

    def takes(self, name: str, archive: str | None = None) -> bool:
        """Whether the file `name`, of the archive if one is given, is taken."""
        return self is EVERY_FILE or any(box.takes(name, archive) for box in self.boxes)


EVERY_FILE = Files((OBJECTS, MEMBERS))


@lru_cache(maxsize=4096)
def files(pattern: str | None, exclude: tuple[str, ...] = ()) -> Files:
    """The files that `pattern` takes unless they are excluded; None stands for no pattern, which takes all."""
    if not exclude and (pattern is None or set(pattern) == {"*"}):
        return EVERY_FILE
    boxes = _named(pattern)
    for entry in exclude:
        for excluded in _excluded(entry):
            boxes = tuple(piece for box in boxes for piece in box.without(excluded))
    return Files(tuple(box for box in boxes if box.everything or box.example() is not None))


def _named(pattern: str | None) -> tuple[FileBox, ...]:
    if pattern is None or set(pattern) == {"*"}:
        return (OBJECTS, MEMBERS)
    if ":" in pattern:
        return (_archive_path(pattern),)
    if has_wildcard(pattern):
        glob = fnmatch_glob(pattern)
        return (FileBox(False, (glob,)), FileBox(True, (glob,)))
    # A plain name is looked up among the files of the command line, where members of archives do not occur.
    return (FileBox(False, (name_glob(pattern),)),)


def _archive_path(pattern: str) -> FileBox:
    archive, _, member = pattern.partition(":")
    wanted = (name_glob(member),) if member else ()
    if not archive:
        return FileBox(False, wanted)
    return FileBox(True, wanted, (), (name_glob(archive),))


def _excluded(entry: str) -> tuple[FileBox, ...]:
    if ":" in entry:
        return (_archive_path(entry),)
    glob = name_glob(entry)
    return (FileBox(False, (glob,)), FileBox(True, (glob,)), FileBox(True, (), (), (glob,)))
