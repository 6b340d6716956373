"""Which files the words of a script for files take, by the linker that is meant: file patterns, and EXCLUDE_FILE.

GNU ld compares a pattern with the name of an object or of a member; what it does with a plain name has changed twice.
lld compares it with the whole of `archive:member`. Where a pattern has several wildcards that may take the colon, what
it takes of archives is no product of names of archives and of members, and is not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ldcheck.image.model import InputSection
from ldcheck.linker import LLD, Linker
from ldcheck.script.syntax import Word
from ldcheck.sections.files import FilePattern, Files, every_file_but, files
from ldcheck.sections.globs import Glob, fnmatch_glob
from ldcheck.sections.older import is_older

# From here on the plain name of a file means members and archives of that name as well.
_BY_MEMBER = (2, 44)
# From here on `:file` means one that is in no archive, in lld.
_COLON = (20,)
_EVERY = (":*", "*:")

# The text of a word, and whether it is in quotes.
_Said = tuple[str, bool]


def is_by_member(linker: Linker) -> bool:
    """Whether GNU ld takes members of archives by a plain name."""
    return linker.kind != LLD.kind and not linker.may_be_before(*_BY_MEMBER)


def has_colons(linker: Linker) -> bool:
    """Whether a colon in a file pattern has a meaning of its own to lld."""
    return not linker.is_before(*_COLON)


def files_of(linker: Linker, word: Word | None, outside: Sequence[Word] = (), inside: Sequence[Word] = ()) -> Files:
    """The files that a file pattern takes, with the EXCLUDE_FILE `outside` of the parentheses and `inside`.

    Where lld takes what cannot be told, it is what GNU ld takes: see `is_told`.
    """
    told = _of_lld(_said(word), tuple(map(_said, inside)), linker) if linker.kind == LLD.kind else None
    if told is not None:
        return told
    names = tuple(one.text for one in outside), tuple(one.text for one in inside)
    return _of_gnu(linker, None if word is None else word.text, *names)


def is_told(linker: Linker, word: Word | None, inside: Sequence[Word] = ()) -> bool:
    """Whether it can be told which files a file pattern takes."""
    return linker.kind != LLD.kind or _of_lld(_said(word), tuple(map(_said, inside)), linker) is not None


def in_file_of_lld(word: Word, section: InputSection, *, colons: bool) -> bool:
    """Whether a file pattern of lld takes the file that a section is from."""
    if colons and not word.quoted:
        if word.text in _EVERY:
            return True
        if word.text.endswith(":"):
            return fnmatch_glob(word.text[:-1]).matches(section.file if section.member else "")
        if word.text.startswith(":"):
            return not section.member and fnmatch_glob(word.text[1:]).matches(section.file)
    name = f"{section.file}:{section.member}" if section.member else section.file
    return word.text == name if word.quoted else fnmatch_glob(word.text).matches(name)


@lru_cache(maxsize=16384)
def _of_gnu(linker: Linker, name: str | None, outside: tuple[str, ...], inside: tuple[str, ...]) -> Files:
    found = files(name, (*outside, *inside))
    if found.plain and is_older(linker):
        return found.with_archive(outside, inside)
    return found.with_members() if found.plain and is_by_member(linker) else found


def _said(word: Word | None) -> _Said:
    return ("*", False) if word is None else (word.text, word.quoted)


@lru_cache(maxsize=16384)
def _of_lld(word: _Said, excluded: tuple[_Said, ...], linker: Linker) -> Files | None:
    colons = has_colons(linker)
    left_out: list[FilePattern] = []
    for one in excluded:
        # What EXCLUDE_FILE names is compared as a whole.
        taken = _patterns(one, colons=False)
        if taken is None:
            return None
        left_out += taken
    if word == ("*", False):
        return every_file_but(tuple(left_out))
    patterns = _patterns(word, colons=colons)
    if patterns is None:
        return None
    objects = [one for one in patterns if not one.archived]
    members = [one for one in patterns if one.archived]
    if len(members) > 1:
        return None
    return Files(objects[0] if objects else None, members[0] if members else None, tuple(left_out))


def _patterns(word: _Said, *, colons: bool) -> list[FilePattern] | None:
    """What a word takes, objects and members apart; None where that cannot be told."""
    text, quoted = word
    if quoted:
        archive, colon, member = text.partition(":")
        return [FilePattern(True, _literal(member), _literal(archive)) if colon else FilePattern(False, _literal(text))]
    if colons and text in _EVERY:
        return [FilePattern(False), FilePattern(True)]
    if "[" in text or "\\" in text or text.count(":") > 1:
        return None
    if colons and text.endswith(":"):
        glob = fnmatch_glob(text[:-1])
        # An object is in an archive without a name.
        return [FilePattern(True, None, glob), *([FilePattern(False)] if glob.matches("") else [])]
    if colons and text.startswith(":"):
        return [FilePattern(False, fnmatch_glob(text[1:]))]
    archive, colon, member = text.partition(":")
    if colon:
        return [FilePattern(True, fnmatch_glob(member), fnmatch_glob(archive))] if archive and member else []
    found = [FilePattern(False, fnmatch_glob(text))]
    for at, letter in enumerate(text):
        # The wildcard that takes the colon.
        before, behind = (text[: at + 1], text[at:]) if letter == "*" else (text[:at], text[at + 1 :])
        if letter in "*?" and before and behind:
            found.append(FilePattern(True, _glob(behind), _glob(before)))
    return found


def _glob(text: str) -> Glob | None:
    return None if text == "*" else fnmatch_glob(text)


def _literal(text: str) -> Glob:
    return Glob(text, (tuple(text),))
