"""Whether what a rule speaks of is there at all: in the script, or in what was linked.

A rule on a name that nothing has would hold of nothing, and nobody would see the misspelling. Which names a rule has
says its check's declaration (`ldcheck.policy.declare.Names`); who knows a name is asked here, of all evidence at once:
a symbol of an object is in no script, and a section without content in no image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.findings import EvidenceKind
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.expressions import expression_of, image_regions
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Named, Rule, names_of
from ldcheck.policy.sizes import region_in
from ldcheck.script.syntax import Call, Name, Word, walk
from ldcheck.script.uses import symbol_lines

if TYPE_CHECKING:
    from ldcheck.sections.globs import Glob

# The keys whose names are those of places where nothing must be.
_FORBIDDEN = frozenset(("never-in",))
# The functions that are asked of memory regions.
_OF_REGIONS = frozenset(("ORIGIN", "LENGTH"))
# Kinds of values that hold names of the evidence.
_NAMING = (Kind.NAMES, Kind.NAME_PAIR, Kind.NAME_GROUPS, Kind.EXPRESSION, Kind.MEASURE)


class Lack(NamedTuple):
    """A name that nothing has. `told` says whether the evidence would show it, if it were there.

    `demanded` says whether a script that lacks it breaks the rule: not so for one of several places that will do, and
    for a place that is forbidden.
    """

    name: str
    named: Named
    demanded: bool
    told: bool
    reason: str


class _Asked(NamedTuple):
    """A name that a rule speaks of: `sense` is what it is, `computed` that it stands in an expression.

    `region`: a memory region is meant, as in ORIGIN().
    """

    name: str
    named: Named
    sense: Names
    computed: bool = False
    region: bool = False


def lacking(
    rule: Rule, declared: Declaration, scripts: Sequence[ScriptView], image: ImageView | None
) -> tuple[Lack, ...]:
    """The names of a rule that neither the scripts nor the image have; none for a rule that was judged on nothing."""
    if not scripts and image is None:
        return ()
    from ldcheck.sections.globs import has_wildcard

    found = []
    params = (*scripts, *((image,) if image is not None else ()))[0].params
    for key, value in _values(rule, declared):
        asked = list(_names(key, value, params))
        absent = [one for one in asked if not _exists(one, scripts, image)]
        if key.names is Names.ANY and len(absent) < len(asked):
            continue
        demanded = key.names is not Names.ANY and key.name not in _FORBIDDEN
        found += [
            _lack(one, rule, demanded, scripts, image) for one in absent if demanded or not has_wildcard(one.name)
        ]
    return tuple(found)


def has_symbol(name: str, scripts: Sequence[ScriptView], image: ImageView | None) -> bool:
    """Whether a script assigns or uses a symbol of that name (or pattern), or the image has it."""
    from ldcheck.sections.globs import has_wildcard, name_glob

    if not has_wildcard(name):
        used = any(name in view.assignments or name in view.mentioned for view in scripts)
        return used or _linked_symbol(name, image)
    glob = name_glob(name)
    for view in scripts:
        # Most patterns begin as no name does.
        if f"\n{glob.prefix}" in symbol_lines(view.tree) and any(
            map(glob.matches, (*view.assignments, *view.mentioned))
        ):
            return True
    return image is not None and any(map(glob.matches, image.symbols))


def has_section(name: str, scripts: Sequence[ScriptView], image: ImageView | None) -> bool:
    """Whether a script has an output section of that name (or pattern) or names such inputs, or the image has one."""
    from ldcheck.sections.globs import section_glob

    glob = section_glob(name)
    return any(_named_section(glob, view) for view in scripts) or _linked_section(glob, image)


def _values(rule: Rule, declared: Declaration) -> Iterator[tuple[Key, object]]:
    for key in (declared.head, *declared.keys):
        if key.kind in _NAMING and key.names is not Names.FREE:
            value = rule.subject if key is declared.head else rule.keys.get(key.name)
            if value is not None:
                yield key, value


def _names(key: Key, value: object, params: Mapping[str, int]) -> Iterator[_Asked]:
    for named in names_of(value):  # type: ignore[arg-type] # by the key's kind
        if key.kind is Kind.MEASURE and region_in(named.text):
            # No object can bring a memory region along: its check sees to that.
            continue
        if key.kind in (Kind.EXPRESSION, Kind.MEASURE):
            for name, sense, region in _in_expression(named):
                if name not in params:
                    yield _Asked(name, named, sense, True, region)
        elif key.kind is Kind.NAME_GROUPS and ".." in named.text.lstrip("."):
            for end in named.text.split(".."):
                yield _Asked(end, named, Names.DECLARED)
        else:
            yield _Asked(named.text, named, key.names)


def _in_expression(named: Named) -> Iterator[tuple[str, Names, bool]]:
    """The names in an expression, and whether each is a memory region's.

    DEFINED() asks itself whether one exists, and SIZEOF of no section is 0.
    """
    expression = expression_of(named)
    asking = {id(word) for node in walk(expression) if isinstance(node, Call) for word in node.arguments}
    for node in walk(expression):
        if isinstance(node, Name) and node.name != "." and id(node) not in asking:
            yield node.name, Names.DECLARED, False
        elif isinstance(node, Call) and node.function not in ("DEFINED", "CONSTANT"):
            for argument in node.arguments:
                if isinstance(argument, Word):
                    yield argument.text, Names.EMITTED, node.function in _OF_REGIONS
                elif isinstance(argument, Name) and argument.name != ".":
                    yield argument.name, Names.DECLARED, node.function in _OF_REGIONS


def _exists(asked: _Asked, scripts: Sequence[ScriptView], image: ImageView | None) -> bool:
    from ldcheck.sections.families import is_emitted
    from ldcheck.sections.globs import section_glob
    from ldcheck.sections.reach import reaching

    name = asked.name
    if any(view.declared(name) is not None or name in view.mentioned for view in scripts):
        return True
    if asked.region:
        return name in image_regions(image)
    if _linked_symbol(name, image):
        return True
    if asked.sense is Names.EMITTED and is_emitted(name):
        return True
    glob = section_glob(name)
    if any(_named_section(glob, view) for view in scripts) or _linked_section(glob, image):
        return True
    return asked.sense in (Names.TAKEN, Names.EMITTED) and any(
        found.takers or found.undecided for view in scripts if (found := reaching(view.rules, name))
    )


def _named_section(glob: Glob, view: ScriptView) -> bool:
    """Whether the script has such an output section, or a pattern that names such inputs."""
    from ldcheck.sections.reach import names

    if any(map(glob.matches, view.output_sections)):
        return True
    return any(rule.pattern is not None and names(rule.names, glob) for rule in view.rules)


def _linked_symbol(name: str, image: ImageView | None) -> bool:
    return image is not None and name in image.symbols


def _linked_section(glob: Glob, image: ImageView | None) -> bool:
    if image is None:
        return False
    if glob.literal is not None:
        return glob.literal in image.section_names
    return any(glob.matches(name) for name in image.section_names)


def _lack(asked: _Asked, rule: Rule, demanded: bool, scripts: Sequence[ScriptView], image: ImageView | None) -> Lack:
    section = asked.name.startswith(".")
    if asked.region:
        shown = bool(image_regions(image))
    else:
        shown = image is not None and (
            _tells_sections(image) if section else image.map is not None or _tells_symbols(image)
        )
    # What an expression uses may be a symbol of an object, which a script need not mention unless it has to see to it.
    named = section or not asked.computed or rule.evidence == (EvidenceKind.SCRIPT,)
    read = not any(view.unread for view in scripts)
    told = shown or (bool(scripts) and named and read and not _hidden(asked, image))
    if asked.region and not scripts and not shown:
        reason = f"only the script, or a map of GNU ld, tells the memory regions, such as {asked.name}"
        return Lack(asked.name, asked.named, demanded, False, reason)
    where = "nothing in the script is called" if scripts else "the image has no"
    reason = f"{where} {asked.name}" + (", and the image has no such name" if scripts and shown else "")
    return Lack(asked.name, asked.named, demanded, told, reason)


def _tells_sections(image: ImageView) -> bool:
    """Whether the image would show a section that the rule may mean.

    Objects may be a few of many, and a map of lld prints no patterns.
    """
    return image.map is not None and image.map.linker != "lld"


def _tells_symbols(image: ImageView) -> bool:
    return image.elf is not None and not image.elf.stripped


def _hidden(asked: _Asked, image: ImageView | None) -> bool:
    """Whether the name may be a symbol that was taken out of the image."""
    return image is not None and image.stripped and not asked.name.startswith(".")
