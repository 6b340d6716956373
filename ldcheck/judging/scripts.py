"""Reads the scripts of a target: as they stand or in every configuration, parsed, with what is wrong in them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError, InputError
from ldcheck.record import dataclass, replace
from ldcheck.script.dialect import GNU, Dialect, dialect_of
from ldcheck.script.foreign import is_unpreprocessed
from ldcheck.source import Location, Related, Source, SourceMap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldcheck.judging.evidence import ScriptView
    from ldcheck.linker import Linker
    from ldcheck.policy.load import Policies
    from ldcheck.preprocess.files import Files
    from ldcheck.preprocess.run import Preprocessed
    from ldcheck.project.target import Target
    from ldcheck.script.result import Diagnostic, Parse
    from ldcheck.script.sharing import SharedStatements

# A text that is no linker script has as many errors as lines; the first ones tell.
_MOST_ERRORS = 20
_MOST_WARNINGS = 5
# What the first kilobytes of what was linked have, and next to no script.
_HEAD = 1 << 12
_LINKED = re.compile(
    r"\A(?:\x7fELF|!<(?:arch|thin)>\n|MZ[\0-\x08\x0e-\x1f\udc80-\udcff])"
    r"|^(?:Archive member included |Memory Configuration$|Allocating common symbols$| *VMA +)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scripts:
    """The distinct scripts of a target, parsed. `condition` words a choice of them, for what is found at some places.

    `described` tells the configurations of each, where it was preprocessed, `preprocessed` is how that went, and
    `constants` the number that a macro of its sources stands for; `sources` are the files that people edit. `shared` is
    what their texts have in common, parsed.
    """

    parses: tuple[Parse, ...] = ()
    definitions: tuple[tuple[Mapping[str, str], ...], ...] = ()
    condition: Callable[[Collection[int], Sequence[Location]], str] = lambda *_: ""
    notes: tuple[str, ...] = ()
    described: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    constants: tuple[Callable[[str], int | None], ...] = ()
    preprocessed: tuple[Preprocessed, ...] = ()
    shared: tuple[SourceMap, SharedStatements] | None = None

    @property
    def missing(self) -> bool:
        """Whether a header was taken as empty because it is not there, so that nobody knows its macros."""
        return any(one.missing for one in self.preprocessed)

    def files(self) -> frozenset[str]:
        """The names of all files that the scripts are read from."""
        named = {source.name for parse in self.parses if not self.preprocessed for source in parse.sources.sources}
        return frozenset(named.union(*(one.headers for one in self.preprocessed)))


def read_scripts(target: Target, arch: str = "", text: str | None = None) -> Scripts:
    """The scripts of a target, of which `text` stands for the content. Raises CheckError for what cannot be read.

    `arch` is the architecture where the target does not say it: it decides with which compiler, or with whose macros,
    a script is preprocessed.
    """
    if not target.script:
        return Scripts()
    if text is None and is_preprocessed(target):
        return _preprocessed(_ready(target, arch))
    if text is None:
        text = read_script(target.script).text
        if is_unpreprocessed(text):
            return _preprocessed(_ready(target, arch))
    parsed = parse_script(target.script, text, target.includes, dialect_of(target.linkers))
    return Scripts((parsed,), sources=parsed.sources.sources)


def read_edited(target: Target, arch: str, before: Scripts, texts: Mapping[str, str], *, anew: bool = False) -> Scripts:
    """The same scripts as they would be with other texts of some files. Raises CheckError, and OSError.

    `before` is what was read of the target with the same `arch`; the names of files are those of its sources. `anew`:
    the configurations are found out again, also where those of `before` would do.
    """
    if before.preprocessed:
        files = before.preprocessed[0].origin.files.with_edits(texts)
        return _preprocessed(_ready(target, arch), files, None if anew else before)
    from ldcheck.script.includes import searched
    from ldcheck.script.parser import parse

    found = searched(target.includes)

    def include(path: str, includer: str) -> Source | None:
        source = found(path, includer)
        return Source(source.name, texts[source.name]) if source is not None and source.name in texts else source

    first = before.parses[0].sources.sources[0]
    edited = Source(first.name, texts.get(first.name, first.text))
    parsed = parse(edited, include=include, dialect=dialect_of(target.linkers))
    return Scripts((parsed,), sources=parsed.sources.sources)


def views_of(
    scripts: Scripts, policies: Policies, arch: str, *, orphans: bool, linkers: tuple[Linker, ...] = ()
) -> list[ScriptView]:
    """What the rules of the policies are judged on; see `ScriptView` for `arch`, `orphans` and `linkers`."""
    from ldcheck.judging.evidence import ScriptView

    params = [policies.params_with(constant) for constant in scripts.constants]
    params = params or [policies.params] * len(scripts.parses)
    made = scripts.preprocessed or [None] * len(scripts.parses)
    return [
        ScriptView(parse.tree, parse.sources, arch, known, orphans, linkers, one)
        for parse, known, one in zip(scripts.parses, params, made, strict=True)
    ]


def is_preprocessed(target: Target) -> bool:
    """Whether the script goes through a preprocessor: by its suffix `.S`, or because the target says how."""
    said = target.command_file or target.definitions or target.include_first or target.vary or target.pin
    return target.script.endswith(".S") or bool(said) or target.preprocessor != "auto"


def _ready(target: Target, arch: str) -> Target:
    """A target to be preprocessed, for an architecture where it says none."""
    if not is_preprocessed(target):
        # Nobody said how it is preprocessed, nor that it is: what it includes and is not at hand would be asked for in
        # vain. The macros of such a header are symbols, as they are to a linker.
        target = replace(target, generated=("*",))
    return target if target.arch else replace(target, arch=arch)


def _preprocessed(target: Target, files: Files | None = None, before: Scripts | None = None) -> Scripts:
    """The scripts of a target that is preprocessed; those whose text is one of `before` are not parsed again."""
    from ldcheck.preprocess.configurations import smallest_condition
    from ldcheck.preprocess.relevance import Relevance
    from ldcheck.preprocess.run import preprocess
    from ldcheck.script.includes import searched
    from ldcheck.script.parser import parse
    from ldcheck.script.sharing import SharedStatements, Text

    found = preprocess(target, files, before.preprocessed if before is not None else ())
    every = [configuration for one in found for configuration in one.configurations]

    relevance = Relevance(found[0].origin.files.all(), {name for one in every for name in one.definitions})

    def condition(chosen: Collection[int], places: Sequence[Location]) -> str:
        those = [configuration for at in chosen for configuration in found[at].configurations]
        if found[0].complete:
            return smallest_condition(every, those)
        enclosing = relevance.enclosing(places[0]) if places else ()
        return smallest_condition(every, those, relevance.deciding(places), enclosing)

    include, dialect = searched(target.includes), dialect_of(target.linkers)
    # Configurations share most of their statements: all lie in one address space, and each is parsed once.
    sources, shared = SourceMap(), SharedStatements()
    if before is not None and before.shared is not None:
        sources, shared = before.shared
    known: dict[str, Parse] = {}
    if before is not None:
        texts = (one.source.text for one in before.preprocessed)
        known = dict(zip(texts, before.parses, strict=True))

    def parsed(one: Preprocessed) -> Parse:
        if one.source.text in known:
            return known[one.source.text]
        text = Text(shared, one.lines, one.source.line_starts) if one.lines else None
        return parse(one.source, origin=one.origin, sources=sources, include=include, shared=text, dialect=dialect)

    return Scripts(
        tuple(parsed(one) for one in found),
        tuple(one.defined for one in found),
        condition,
        tuple(dict.fromkeys(note for one in found for note in one.notes)),
        tuple(_described(one) for one in found),
        tuple(source for one in found for source in one.sources()),
        tuple(one.constant for one in found),
        found,
        (sources, shared),
    )


def _described(script: Preprocessed) -> str:
    named = [configuration.describe() or "the only configuration" for configuration in script.configurations[:8]]
    more = len(script.configurations) - len(named)
    return "; or ".join(named) + (f"; or {more:,} others" if more else "")


def parse_script(path: str, text: str | None = None, folders: Sequence[str] = (), dialect: Dialect = GNU) -> Parse:
    """Parse a script as it stands; line markers in it lead back to the files that they name.

    `text` stands for the content of the file. `folders` are looked through for INCLUDE, like those of `ld -L`.
    """
    from ldcheck.preprocess.linemarkers import origin_of
    from ldcheck.script.includes import searched
    from ldcheck.script.parser import parse

    source = Source(path, text) if text is not None else read_script(path)
    origin = origin_of(source, (os.path.dirname(path),))
    return parse(source, origin=origin, include=searched(folders), dialect=dialect)


def read_script(path: str) -> Source:
    """The text of a linker script. Raises CheckError for what cannot be read, and for what a link reads or writes."""
    from ldcheck.documents.files import read_source

    source = read_source(path, "linker script", 64 << 20)
    if _LINKED.search(source.text, 0, _HEAD):
        _refuse_linked(source)
    return source


def _refuse_linked(source: Source) -> None:
    """Raise CheckError where the text is an image, an object or a map: as a script it is full of errors."""
    from ldcheck.image.files import describe
    from ldcheck.image.maps import looks_like_map

    head = source.text[:_HEAD].encode("utf-8", "surrogateescape")
    if looks_like_map(head):
        what, option = "a link map", "--map"
    elif _LINKED.match(source.text):
        what, option = describe(head), "--objects" if head.startswith(b"!") else "--elf"
    else:
        return
    advice = f"give it with {option}, and the script it was linked with, if there is one, as the script"
    raise CheckError(InputError(f"this is {what}, not a linker script", Location(source.name), help=advice))


def all_errors(scripts: Scripts) -> list[InputError]:
    """The errors of every script of a target, each once, with the configurations that have it if others do not."""
    found: dict[tuple[str, Location], tuple[InputError, list[int]]] = {}
    for at, parse in enumerate(scripts.parses):
        for error in script_errors(parse):
            found.setdefault((error.message, error.location), (error, []))[1].append(at)
    return [_under(scripts, error, where) for error, where in found.values()]


def _under(scripts: Scripts, error: InputError, where: list[int]) -> InputError:
    condition = scripts.condition(where, [error.location]) if len(where) < len(scripts.parses) else ""
    if not condition:
        return error
    others = f"{condition}: settle such a symbol with `-U` or `-D`, and what is left is judged until it is mended"
    return replace(error, help=f"{error.help}; {others}" if error.help else others)


def script_errors(parse: Parse) -> list[InputError]:
    """The errors of a script as errors of the run, at the lines that people edit.

    Beyond what GNU ld refuses, these are a file without any statement, one with NUL characters (which ld skips), and a
    template. A text of another kind is called what it is, once.
    """
    errors = [problem for problem in parse.problems if problem.severity == "error"]
    foreign = _foreign(parse, refused=bool(errors))
    if foreign is not None:
        return [foreign]
    if not errors:
        return _no_script(parse)
    shown = [_script_error(parse.sources, problem) for problem in errors[:_MOST_ERRORS]]
    if len(errors) > _MOST_ERRORS:
        last = shown[-1]
        more = f"{len(errors) - _MOST_ERRORS:,} more errors follow; is this a linker script?"
        shown[-1] = replace(last, help=f"{last.help}; {more}" if last.help else more)
    return shown


def _foreign(parse: Parse, *, refused: bool) -> InputError | None:
    """What the file is that is no script, where something tells."""
    first = parse.sources.sources[0]
    if not parse.problems and "mapping[" not in first.text:
        return None
    from ldcheck.script.foreign import recognise

    found = recognise(first.text, refused=refused)
    if found is None:
        return None
    place = parse.sources.locate(parse.tree.start + found.start, parse.tree.start + found.end)
    return InputError(found.message, place, help=found.help)


def _no_script(parse: Parse) -> list[InputError]:
    source, _, _ = parse.sources.find(parse.tree.start)
    at = source.text.find("\0")
    if at >= 0:
        message = "this is a binary file, not a linker script"
        return [InputError(message, source.locate(at, at + 1), label="a NUL character")]
    if not parse.tree.statements:
        return [
            InputError("there is nothing in this linker script", Location(source.name), help="is this the right file?")
        ]
    return []


def warnings(parse: Parse) -> list[str]:
    """What GNU ld would warn of, as notes; of many, the first."""
    warnings = [problem for problem in parse.problems if problem.severity != "error"]
    notes = []
    for problem in warnings[:_MOST_WARNINGS]:
        place = parse.sources.locate(problem.start, problem.end)
        notes.append(f"{place.file}:{place.line}:{place.column}: {problem.message}")
    if len(warnings) > _MOST_WARNINGS:
        notes.append(f"{parse.sources.name}: {len(warnings) - _MOST_WARNINGS:,} more such remarks")
    return notes


def _script_error(sources: SourceMap, problem: Diagnostic) -> InputError:
    related = [Related(sources.locate(start, end), label) for start, end, label in problem.related]
    related += sources.related(problem.start, problem.end)
    label = f"expected {problem.expected}" if problem.expected else ""
    return InputError(problem.message, sources.locate(problem.start, problem.end), label, problem.hint, tuple(related))
