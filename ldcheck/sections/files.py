"""Which files a file pattern of an input section description takes, EXCLUDE_FILE included.

A file is a plain object, or a member of an archive; ld compares a member by its own name, and by the archive's name
only in the form `archive:member` and in EXCLUDE_FILE (ldlang.c: walk_wild_section_match,
input_statement_is_archive_path, walk_wild_file_in_exclude_list). Names are those given on the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ldcheck.record import dataclass
from ldcheck.sections.affixes import Affixes
from ldcheck.sections.globs import Glob, fnmatch_glob, has_wildcard, name_glob

# Up to so many names of an EXCLUDE_FILE are tried one after the other.
_FEW = 8
_EVERY_NAME = fnmatch_glob("*")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FilePattern:
    """Files of one kind: plain objects, or archive members. None stands for every name."""

    archived: bool
    name: Glob | None = None
    archive: Glob | None = None

    @property
    def everything(self) -> bool:
        """Whether every file of the kind is in the set."""
        return self.name is None and self.archive is None

    def takes(self, name: str, archive: str | None) -> bool:
        """Whether the file `name`, of the archive if one is given, is in the set."""
        if self.archived != (archive is not None) or (self.name is not None and not self.name.matches(name)):
            return False
        return archive is None or self.archive is None or self.archive.matches(archive)


_OBJECTS = FilePattern(False)
_MEMBERS = FilePattern(True)


class Files:
    """The files that a file pattern takes: those of `objects` and `members`, but for the ones of `excluded`.

    `objects` or `members` is None if the pattern takes none of that kind. `plain` is the pattern if it is the name of a
    file, without a wildcard.
    """

    __slots__ = ("_index", "excluded", "members", "objects", "plain")

    def __init__(
        self,
        objects: FilePattern | None,
        members: FilePattern | None,
        excluded: tuple[FilePattern, ...] = (),
        plain: str = "",
    ) -> None:
        self.objects = objects
        self.members = members
        self.excluded = excluded
        self.plain = plain
        self._index: _Index | None = None

    @property
    def everything(self) -> bool:
        """Whether no file is left out."""
        return self is EVERY_FILE

    @property
    def wide(self) -> bool:
        """Whether no file is left out, but for those of an EXCLUDE_FILE."""
        return self.objects is _OBJECTS and self.members is _MEMBERS

    def takes(self, name: str, archive: str | None = None) -> bool:
        """Whether the file `name`, of the archive if one is given, is taken."""
        if self is EVERY_FILE:
            return True
        pattern = self.objects if archive is None else self.members
        return pattern is not None and pattern.takes(name, archive) and self.excluding(name, archive) is None

    def takes_by_name(self, member: str, archive: str) -> bool:
        """Whether GNU ld takes a member, by its own or the archive's name, which it does since 2.44 at the latest."""
        return bool(self.plain) and self.plain in (member, archive) and self.excluding(member, archive) is None

    def with_members(self) -> Files:
        """The files that GNU ld since 2.44 takes by a plain name: members of that name, or of an archive of that name.

        A name that ends in `.a` is taken for one of an archive, and any other one for one of a member.
        """
        glob = name_glob(self.plain)
        of_archive = self.plain.endswith(".a")
        members = FilePattern(True, None, glob) if of_archive else FilePattern(True, glob)
        return Files(self.objects, members, self.excluded, self.plain)

    def with_archive(self, outside: Sequence[str], inside: Sequence[str]) -> Files:
        """The files that GNU ld before 2.40 takes by a plain name: the members of an archive of that name as well.

        What an EXCLUDE_FILE outside of the parentheses names is compared with the archive alone, the names of one
        inside with its members.
        """
        gone = any(entry.takes(self.plain, None) for name in outside for entry in _excluded(name))
        entries = [entry for entry in self.excluded if not entry.archived]
        entries += [entry for name in inside for entry in _excluded(name) if entry.archived]
        members = None if gone else FilePattern(True, None, name_glob(self.plain))
        return Files(self.objects, members, tuple(dict.fromkeys(entries)), self.plain)

    def excluding(self, name: str, archive: str | None = None) -> FilePattern | None:
        """An entry of EXCLUDE_FILE that leaves the file out; None if there is none."""
        if len(self.excluded) <= _FEW:
            return next((entry for entry in self.excluded if entry.takes(name, archive)), None)
        return next(self._excluded().matching(name, archive), None)

    def exclusions(self, names: Sequence[Glob], archives: Sequence[Glob], archived: bool) -> Sequence[FilePattern]:
        """The entries of EXCLUDE_FILE that may leave out files of one kind whose names match all of the globs."""
        if len(self.excluded) <= _FEW:
            return [entry for entry in self.excluded if entry.archived == archived]
        name, archive = (max(globs, key=_told, default=_EVERY_NAME) for globs in (names, archives))
        return list(self._excluded().near(name, archive, archived))

    def _excluded(self) -> _Index:
        if self._index is None:
            self._index = _Index(self.excluded)
        return self._index


def _told(glob: Glob) -> int:
    return len(glob.prefix) + len(glob.suffix)


class _Index:
    """The entries of an EXCLUDE_FILE, plain objects by name, members by archive and then by name."""

    __slots__ = ("members", "objects")

    def __init__(self, entries: Sequence[FilePattern]) -> None:
        self.objects: Affixes[list[FilePattern]] = Affixes(list)
        self.members: Affixes[Affixes[list[FilePattern]]] = Affixes(lambda: Affixes(list))
        for entry in entries:
            table = self.members.at(entry.archive or _EVERY_NAME) if entry.archived else self.objects
            table.at(entry.name or _EVERY_NAME).append(entry)

    def matching(self, name: str, archive: str | None) -> Iterator[FilePattern]:
        tables = [self.objects] if archive is None else [table for _, table in self.members.matching(archive)]
        for table in tables:
            for _, entries in table.matching(name):
                yield from entries

    def near(self, name: Glob, archive: Glob, archived: bool) -> Iterator[FilePattern]:
        tables = [table for _, table in self.members.near(archive)] if archived else [self.objects]
        for table in tables:
            for _, entries in table.near(name):
                yield from entries


EVERY_FILE = Files(_OBJECTS, _MEMBERS)


def every_file_but(excluded: tuple[FilePattern, ...]) -> Files:
    """All files but for some."""
    return Files(_OBJECTS, _MEMBERS, excluded) if excluded else EVERY_FILE


@lru_cache(maxsize=16384)
def files(pattern: str | None, exclude: tuple[str, ...] = ()) -> Files:
    """The files that `pattern` takes unless they are excluded; None stands for no pattern, which takes all."""
    every = pattern is None or set(pattern) == {"*"}
    if every and not exclude:
        return EVERY_FILE
    excluded = tuple(dict.fromkeys(part for entry in exclude for part in _excluded(entry)))
    if pattern is None or every:
        return Files(_OBJECTS, _MEMBERS, excluded)
    if ":" in pattern:
        path = _archive_path(pattern)
        return Files(None, path, excluded) if path.archived else Files(path, None, excluded)
    if has_wildcard(pattern):
        glob = fnmatch_glob(pattern)
        return Files(FilePattern(False, glob), FilePattern(True, glob), excluded)
    # A plain name is looked up among the files of the command line, where members of archives do not occur.
    return Files(FilePattern(False, name_glob(pattern)), None, excluded, plain=pattern)


def _archive_path(pattern: str) -> FilePattern:
    archive, _, member = pattern.partition(":")
    name = name_glob(member) if member else None
    return FilePattern(True, name, name_glob(archive)) if archive else FilePattern(False, name)


@lru_cache(maxsize=65536)
def _excluded(entry: str) -> tuple[FilePattern, ...]:
    if ":" in entry:
        return (_archive_path(entry),)
    glob = name_glob(entry)
    return (FilePattern(False, glob), FilePattern(True, glob), FilePattern(True, None, glob))
