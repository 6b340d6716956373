"""For which targets a rule is meant: its `when`, and the constants of the sources that it needs.

Here is what a set of rules is judged on, and which of its scripts a rule's conditions leave.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache

from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.policy.rule import Rule, names_of
from ldcheck.record import dataclass
from ldcheck.source import Location


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ScriptCase:
    """One distinct script, and the definitions of every configuration that yields it (empty: not preprocessed)."""

    view: ScriptView
    definitions: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Target:
    """What one set of rules is judged on.

    `image_case` is the index of the script that the image was linked with. `condition` words a choice of scripts
    ("only with CONFIG_X") for what was found at some places, empty for all of them. `facts` is what else a `when` can
    ask for: format and linkers, by the names that policies use; of several linkers one will do.
    """

    name: str
    arch: str
    scripts: tuple[ScriptCase, ...] = ()
    image: ImageView | None = None
    image_case: int = 0
    condition: Callable[[Collection[int], Sequence[Location]], str] = lambda *_: ""
    format: str = ""
    linkers: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def excluded(rule: Rule, target: Target) -> str:
    """Why the rule's `when` excludes the target; empty if it does not."""
    when = rule.when
    if when.arch:
        from ldcheck.image.arches import allows

        if not target.arch:
            return f"only for {', '.join(when.arch)}, and the architecture is not known (give --arch)"
        if not allows(when.arch, target.arch):
            return f"only for {', '.join(when.arch)}, this is {target.arch}"
    for wanted, actual, word in (
        (when.format, (target.format,) if target.format else (), "format"),
        (when.linker, target.linkers, "linker"),
    ):
        if wanted and not set(actual) & set(wanted):
            said = f", this is {' and '.join(actual)}" if actual else ""
            return f"only for the {word} {', '.join(wanted)}{said}"
    if when.paths:
        from ldcheck.policy.paths import path_matches

        if not any(path_matches(path, pattern) for path in target.paths for pattern in when.paths):
            return f"only for {', '.join(when.paths)}"
    return ""


def lacks(rule: Rule, target: Target, case: int | None) -> str:
    """Which condition on a symbol or section one script (None: there is none) does not satisfy; empty if it does.

    What was linked counts for the script that it was linked with.
    """
    if not rule.when.symbol and not rule.when.section:
        return ""
    from ldcheck.judging.existence import has_section, has_symbol

    views = [target.scripts[case].view] if case is not None else []
    image = target.image if case is None or case == target.image_case else None
    for words, exists, what in (
        (rule.when.symbol, has_symbol, "symbol"),
        (rule.when.section, has_section, "section"),
    ):
        for word in words:
            name, wanted = word.removeprefix("!"), not word.startswith("!")
            if exists(name, views, image) is not wanted:
                return f"only where there is {'a' if wanted else 'no'} {what} {name}"
    return ""


def unvalued(rule: Rule, target: Target, case: int | None) -> str:
    """Which constant of the sources the rule needs and one script (None: there is none) does not tell; empty if none.

    A script that is taken as it is, and an image, say nothing of the macros behind them.
    """
    if not rule.constants:
        return ""
    view = target.scripts[case].view if case is not None else target.image
    for name in _constants(rule):
        if view is None or name not in view.params:
            return f"{name} is a constant of the sources, and nothing here tells its value"
    return ""


@lru_cache(maxsize=1024)
def _constants(rule: Rule) -> tuple[str, ...]:
    """The constants of the sources that a rule uses."""
    from ldcheck.policy.sizes import names_in

    texts = [named.text for value in (rule.subject, *rule.keys.values()) for named in names_of(value)]
    # Few texts have one, and to look into an expression takes longer than to look for their letters.
    maybe = [text for text in texts if any(name in text for name in rule.constants)]
    return tuple(sorted({name for text in maybe for name in names_in(text) if name in rule.constants}))


def config_holds(conditions: Sequence[str], definitions: Sequence[Mapping[str, str]]) -> bool:
    """Whether some configuration behind a script satisfies every condition of `when: {config: ...}`.

    A script that was not preprocessed here has no known definitions: it is judged.
    """
    if not conditions or not definitions:
        return True
    return any(all(_condition_holds(condition, defined) for condition in conditions) for defined in definitions)


def _condition_holds(condition: str, defined: Mapping[str, str]) -> bool:
    if condition.startswith("!"):
        return condition[1:].strip() not in defined
    name, equals, value = condition.partition("=")
    if equals:
        return defined.get(name.strip()) == value.strip()
    return name in defined
