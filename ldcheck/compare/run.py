"""One comparison from the files that were named: two scripts, two builds, or both, and what they are held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.compare.configurations import Comparison, belonging, compare_targets
from ldcheck.compare.inputs import Inputs
from ldcheck.findings import CheckError, InputError
from ldcheck.record import dataclass, replace
from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.compare.everywhere import Sources
    from ldcheck.image.model import Image
    from ldcheck.judging.scripts import Scripts
    from ldcheck.layout.picture import Picture
    from ldcheck.project.target import Target
    from ldcheck.script.result import Parse

# Configurations that a comparison looks at, before it only covers pairs of values.
_MOST_CONFIGURATIONS = 256
_NO_TEXTS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """What builds are held to: budgets as they are written, and whether nothing may grow. `pictures`: draw both.

    `inputs` are those of a link with which both scripts are to be played through.
    """

    budgets: tuple[str, ...] = ()
    no_growth: bool = False
    pictures: bool = False
    inputs: Inputs = Inputs()


class Read(NamedTuple):
    """One side as it was read; `image` is None where no build was named, `sources` where there are no scripts."""

    name: str
    scripts: Scripts
    image: Image | None
    sources: Sources | None = None


def read(target: Target) -> Read:
    """One side of a comparison. Raises CheckError for what cannot be read."""
    from ldcheck.judging.scripts import read_scripts

    image = read_build(target.image, target.map)
    scripts = read_scripts(replace(target, limit=_MOST_CONFIGURATIONS))
    raise_errors(scripts)
    return Read(target.name, scripts, image, sources_of(target, "", scripts, {}))


def with_renamed(
    side: Read,
    target: Target,
    arch: str,
    new: Scripts,
    renamed: Mapping[str, str],
    texts: Mapping[str, str] = _NO_TEXTS,
) -> Read:
    """The old side with the new names of macros; `texts` are those that it was read with. Raises CheckError."""
    if not renamed:
        return side
    from ldcheck.compare.renamed import with_new_names

    edited = {**texts, **with_new_names(side.scripts, new, renamed)}
    scripts = read_before(target, arch, side.scripts, edited)
    return Read(side.name, scripts, side.image, sources_of(target, arch, scripts, edited))


def read_build(elf: str, map: str) -> Image | None:  # noqa: A002 - as everybody calls the file
    """What was linked; None where nothing is named. Raises CheckError for what cannot be read."""
    if not elf and not map:
        return None
    from ldcheck.image.linked import read_linked

    return read_linked(elf, map, ())


def read_before(target: Target, arch: str, after: Scripts, texts: dict[str, str]) -> Scripts:
    """The scripts of a target as they were with other `texts`. Raises CheckError."""
    from ldcheck.judging.scripts import read_edited

    before = read_edited(replace(target, limit=_MOST_CONFIGURATIONS), arch, after, texts) if texts else after
    raise_errors(before)
    return before


def sources_of(target: Target, arch: str, scripts: Scripts, texts: Mapping[str, str]) -> Sources | None:
    """The sources of scripts that were read of a target, of which some files have other `texts`."""
    if not scripts.preprocessed:
        return None
    from ldcheck.compare.everywhere import Sources
    from ldcheck.judging.scripts import read_edited

    limited = replace(target, limit=_MOST_CONFIGURATIONS)

    def edited(text: str) -> Scripts:
        return read_edited(limited, arch, scripts, {**texts, target.script: text}, anew=True)

    defined = frozenset(name for name, value in target.definitions.items() if value is not None)
    return Sources(target.script, edited, target.include_first, defined)


def raise_errors(scripts: Scripts) -> None:
    """Raise CheckError if one of the scripts is none."""
    from ldcheck.judging.scripts import script_errors

    errors = [error for parse in scripts.parses for error in script_errors(parse)]
    if errors:
        raise CheckError(*dict.fromkeys(errors))


def compare(old: Read, new: Read, asked: Asked) -> Comparison:
    """What two sides do differently. Raises CheckError for what one of them lacks."""
    if old.scripts.parses and new.scripts.parses:
        sources = None if old.sources is None or new.sources is None else (old.sources, new.sources)
        found = compare_targets(old.scripts, new.scripts, sources)
    else:
        found = Comparison((), (), False, "no two scripts were given", 0)
    if asked.inputs.named:
        if old.image is not None or new.image is not None:
            message = "builds are linked already, and inputs are to be played through: compare one of the two"
            raise CheckError(InputError(message, Location(new.name)))
        return _with_played(found, old, new, asked)
    if old.image is not None and new.image is not None:
        return _with_builds(found, old, new, asked)
    missing = [side for side, one in (("old", old), ("new", new)) if one.image is None]
    if len(missing) == 1:
        message = f"one side is missing: no build is given of the {missing[0]} side"
        help_text = f"give --{missing[0]}-elf or --{missing[0]}-map"
        raise CheckError(InputError(message, Location(new.name), help=help_text))
    if asked.budgets or asked.no_growth:
        message = "budgets and growth are those of two builds, and none is given"
        help_text = "give --old-elf and --new-elf, --old-map and --new-map, or --objects"
        raise CheckError(InputError(message, Location(new.name), help=help_text))
    return found


def _with_played(found: Comparison, old: Read, new: Read, asked: Asked) -> Comparison:
    from ldcheck.compare.builds import compare_builds
    from ldcheck.compare.gates import budget, unmet
    from ldcheck.compare.playing import played_sides

    budgets = [budget(text) for text in asked.budgets]
    pairs = [(old.scripts.parses[one], new.scripts.parses[other]) for one, other in belonging(old.scripts, new.scripts)]
    before, after = played_sides(pairs, asked.inputs)
    builds = compare_builds(before, after)
    missed = tuple(unmet(builds, after, budgets, no_growth=asked.no_growth))
    return replace(found, builds=builds, unmet=missed)


def _with_builds(found: Comparison, old: Read, new: Read, asked: Asked) -> Comparison:
    from ldcheck.compare.builds import compare_builds
    from ldcheck.compare.gates import budget, unmet
    from ldcheck.compare.sides import Side

    budgets = [budget(text) for text in asked.budgets]
    assert old.image is not None
    assert new.image is not None
    one, other = (Side(_called(side.image), side.image, _linked(side)) for side in (old, new) if side.image)
    for side in (one, other):
        if not side.sections:
            raise CheckError(InputError(f"nothing in {side.name} takes memory", Location(side.name)))
    if budgets or asked.no_growth:
        _refuse_incomplete(old.image, new.image)
    if message := _apart(old.image, new.image):
        raise CheckError(InputError(message, Location(other.name)))
    builds = compare_builds(one, other)
    missed = tuple(unmet(builds, other, budgets, no_growth=asked.no_growth))
    pictures = _pictures((old, new)) if asked.pictures else ()
    return replace(found, builds=builds, unmet=missed, pictures=pictures)


def _refuse_incomplete(*images: Image) -> None:
    """Raise CheckError for a build of which a part is missing: what is not there would count as saved."""
    for image in images:
        for part in (image.elf, image.map):
            if part is not None and part.incomplete:
                message = f"budgets and growth are not told by a part: {part.incomplete[0]}"
                raise CheckError(InputError(message, Location(part.path), help="copy or link it anew"))


def _apart(old: Image, new: Image) -> str:
    """Why two builds are not of one program; empty where nothing tells that."""
    if old.elf is not None and new.elf is not None:
        kinds = old.elf.arch, new.elf.arch
    elif old.map is not None and new.map is not None:
        kinds = old.map.output_format, new.map.output_format
    else:
        return ""
    return f"the old build is {kinds[0]}, and the new one is {kinds[1]}" if all(kinds) and kinds[0] != kinds[1] else ""


def _called(image: Image) -> str:
    for part in (image.elf, image.map):
        if part is not None:
            return part.path
    return ""


def _linked(side: Read) -> Parse | None:
    """The script, in the configuration that the build was most likely linked with; None if there is none."""
    parses = side.scripts.parses
    if len(parses) < 2 or side.image is None or side.image.elf is None:
        return parses[0] if parses else None
    from ldcheck.layout.agreement import made_by

    at, _ = made_by([parse.tree for parse in parses], side.image.elf, side.image.map, {})
    return parses[at]


def _pictures(sides: Sequence[Read]) -> tuple[Picture, ...]:
    from ldcheck.layout.drawing import draw

    found = []
    for side in sides:
        linked = _linked(side)
        drawn = draw(side.name, side.image, linked.tree if linked is not None else None) if side.image else None
        found += [drawn] if drawn is not None else []
    return tuple(found)
