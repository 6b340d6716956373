"""Both scripts of a comparison, played through with the inputs of one link.

With the map of the old build, the old script has to come to what that link has, to the byte; else nothing is predicted
of the new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ldcheck.compare.inputs import Inputs
from ldcheck.compare.predicted import PredictedSide
from ldcheck.findings import CheckError, InputError
from ldcheck.image.link_inputs import LinkInputs, from_map, from_objects
from ldcheck.image.padding import loaded_sections
from ldcheck.layout.knowledge import NotPredicted, Options
from ldcheck.layout.link_options import link_options
from ldcheck.layout.player import play
from ldcheck.layout.refusals import REWRITTEN
from ldcheck.record import replace
from ldcheck.source import Location
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.image.model import LinkMap
    from ldcheck.layout.played import Played
    from ldcheck.script.result import Parse

# Pairs of scripts that are tried on a map.
_MOST_TRIED = 16


def played_sides(pairs: Sequence[tuple[Parse, Parse]], inputs: Inputs) -> tuple[PredictedSide, PredictedSide]:
    """The two sides, of the pair of scripts that belongs to the inputs. Raises CheckError for what is not predicted."""
    first = Location(inputs.map or inputs.objects[0])
    if inputs.map and inputs.objects:
        raise CheckError(InputError("the inputs are named twice: give objects or a map", first))
    if not pairs:
        raise CheckError(InputError("inputs are played through two scripts, and none are given", first))
    found = _read(inputs)
    try:
        options = link_options(inputs.options, Options(arch=found.arch))
    except NotPredicted as why:
        raise CheckError(InputError(f"not predicted: {why.reason}", Location("--link-options"))) from None
    if len(pairs) > 1 and found.map is None:
        message = f"not predicted: inputs belong to one configuration, and {counted(len(pairs), 'pair')} are compared"
        raise CheckError(InputError(message, first, help="give the map of the old build, or fix the others with -D"))
    errors: list[InputError] = []
    for before, after in pairs[:_MOST_TRIED]:
        try:
            return _sides(before, after, found, options)
        except CheckError as error:
            errors.extend(error.errors)
    raise CheckError(errors[0])


def _read(inputs: Inputs) -> LinkInputs:
    if not inputs.map:
        return from_objects(inputs.objects)
    from ldcheck.image.maps import read_map

    return from_map(read_map(inputs.map))


def _sides(before: Parse, after: Parse, inputs: LinkInputs, options: Options) -> tuple[PredictedSide, PredictedSide]:
    old, options = _as_linked(before, inputs, options)
    new = _played(after, inputs, options)
    for name in REWRITTEN:
        if _order(old, name) != _order(new, name):
            message = f"not predicted: sections {name} change places, and GNU ld rewrites them in their order"
            raise CheckError(InputError(message, Location(_name(after))))
    return _side(before, old, inputs), _side(after, new, inputs)


def _as_linked(parse: Parse, inputs: LinkInputs, options: Options) -> tuple[Played, Options]:
    """The old script played through, with the options that the link had as far as its map tells them."""
    if inputs.map is None:
        return _played(parse, inputs, options), options
    errors: list[CheckError] = []
    for collects in (False, True)[options.collects :]:
        options = replace(options, collects=collects)
        try:
            played = _played(parse, inputs, options)
        except CheckError as error:
            errors.append(error)
            continue
        difference = next(_differences(played, inputs.map), "")
        if not difference:
            return played, options
        message = f"not predicted: played through, {difference}"
        advice = "name the options of the link with --link-options, and the script that it used"
        errors.append(CheckError(InputError(message, Location(inputs.map.path), help=advice)))
    raise errors[0]


def _played(parse: Parse, inputs: LinkInputs, options: Options) -> Played:
    try:
        return play(parse.tree, inputs.sections, inputs.symbols, options, inputs.known)
    except NotPredicted as why:
        place = Location(_name(parse))
        if why.node is not None and why.node.end:
            place = parse.sources.locate(why.node.start, why.node.end)
        raise CheckError(InputError(f"not predicted: {why.reason}", place)) from None


def _name(parse: Parse) -> str:
    return parse.sources.name


def _side(parse: Parse, played: Played, inputs: LinkInputs) -> PredictedSide:
    return PredictedSide(_name(parse), played, parse, inputs.symbols)


def _order(played: Played, name: str) -> list[tuple[str, str]]:
    return [
        (one.input.file, one.input.member)
        for section in played.sections
        for one in section.inputs
        if one.input.name == name
    ]


def _differences(played: Played, link_map: LinkMap) -> Iterator[str]:
    """Where the layout of a script is not that of the link."""
    ours = {(one.name, one.address): one for one in played.sections if one.present and one.allocated and one.size}
    theirs = {(one.name, one.address): one for one in loaded_sections(link_map, frozenset(key[0] for key in ours))}
    for one in theirs.values():
        found = ours.get((one.name, one.address))
        if found is None:
            near = [f"{address:#x}" for name, address in ours if name == one.name]
            yield f"{one.name} is at {', '.join(near) or 'no address'}, and at {one.address:#x} in the link"
        elif (found.size, found.load_address) != (one.size, one.load_address):
            yield (
                f"{one.name} has {counted(found.size, 'byte')} loaded from {found.load_address:#x}, and in the link "
                f"{counted(one.size, 'byte')} from {one.load_address:#x}"
            )
    for key, section in ours.items():
        if key not in theirs:
            yield f"there is a section {section.name} at {section.address:#x}, which the link does not have"
            continue
        placed = sorted((one.input.name, one.input.file, one.address, one.size) for one in section.inputs if one.size)
        linked = sorted((one.name, one.file, one.address, one.size) for one in theirs[key].inputs if one.size)
        if placed != linked:
            odd = next(iter({*linked} ^ {*placed}), ("", "", 0, 0))
            yield f"{odd[0]} of {odd[1]} at {odd[2]:#x} is where the link does not have it, or the other way round"
