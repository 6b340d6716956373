"""From the names of policies to rules: finding files, `extends`, params, and the rules that several policies share.

Several policies are one that extends them all, in their order. What a later policy says of a rule id changes the fields
that it gives, and the fields that it does not give stay. A bad rule is reported and left out; the others remain.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from ldcheck.documents import (
    Document,
    MappingNode,
    Node,
    ScalarNode,
    as_choice,
    as_list,
    as_mapping,
    as_texts,
    describe,
    did_you_mean,
    parse_document,
    read_source,
    shown,
    unknown_keys,
)
from ldcheck.findings import CheckError, InputError, Severity
from ldcheck.policy.language import POLICY, SEVERITIES, VERSION
from ldcheck.policy.read_rule import Checks, RuleReader
from ldcheck.policy.read_test import read_params
from ldcheck.policy.rule import Ignore, Named, Override, Rule
from ldcheck.record import dataclass, field
from ldcheck.source import Location, Related

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Policies:
    """What a run is judged by.

    `errors` are what is wrong in the policies; the rules are those that are sound. `params` are the values of the named
    sizes. `files` are the policy files in the order in which they count.
    """

    rules: tuple[Rule, ...]
    errors: tuple[InputError, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    overrides: tuple[Override, ...] = ()
    params: Mapping[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def load_policies(
    names: Sequence[str],
    *,
    declarations: Checks,
    base: str = "",
    params: Mapping[str, str] | None = None,
) -> Policies:
    """The rules of all the policies called `names`: stock names (`xen/arm`) or paths, relative to the folder `base`.

    `declarations` says what checks there are (the module `ldcheck.checks`). `params` replace those of the policies.
    Never raises for bad input: what is wrong is in `errors`.
    """
    loader = _Loader()
    for name in names:
        loader.load(name, base, None)
    return loader.finish(params or {}, declarations)


def stock_folder() -> str:
    """The folder of the stock policies: at the top of a checkout, inside the package where it is installed."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    installed = os.path.join(package, "policies")
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(package), "policies")


def stock_names() -> tuple[str, ...]:
    """The names of the stock policies, sorted."""
    folder = stock_folder()
    found = []
    for place, _, files in os.walk(folder):
        relative = os.path.relpath(place, folder)
        prefix = "" if relative == "." else relative.replace(os.sep, "/") + "/"
        found += [prefix + name.removesuffix(".yaml") for name in files if name.endswith(".yaml")]
    return tuple(sorted(found))


def find_policy(name: str, base: str = "") -> str:
    """The file of a policy. Raises CheckError with what there is for a name that leads nowhere."""
    here = os.path.join(base, name)
    if name.endswith(_SUFFIXES) or name.startswith((".", "/", "~")) or os.path.isabs(name):
        return here
    stock = os.path.join(stock_folder(), *name.split("/")) + ".yaml"
    if ".." not in name.split("/") and os.path.isfile(stock):
        # Errors show the file as a person would name it from where they are.
        near = os.path.relpath(stock)
        return stock if near.startswith("..") else near
    if os.path.exists(here):
        return here
    stocks = stock_names()
    advice = did_you_mean(name, stocks, f"the stock policies are {', '.join(stocks)}; a file ends in .yaml")
    raise CheckError(InputError(f"there is no policy {shown(name)}", Location(name), help=advice))


@dataclass(slots=True, eq=False, repr=False)
class _Entry:
    """A rule while policies are merged: its keys, each from the last policy that gave it. `place` is where it began."""

    keys: dict[str, tuple[ScalarNode, Node]]
    place: Location
    file: str


class _Loader:
    """Collects what the files say, each file once, those that are extended ahead of those that extend them."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.errors: list[InputError] = []
        self.params: dict[str, Named] = {}
        self.entries: list[tuple[_Entry, str]] = []
        self.ignores: list[Ignore] = []
        self.overrides: list[Override] = []
        self._seen: set[str] = set()
        self._path: list[str] = []

    def load(self, name: str, base: str, asked: ScalarNode | None) -> None:
        """Take up one policy with all that it extends. `asked` is where a policy names it."""
        try:
            path = find_policy(name, base)
            real = os.path.realpath(path)
            if real in self._path:
                self._cycle(real, asked)
                return
            if real in self._seen:
                return
            self._seen.add(real)
            document = parse_document(read_source(path, "policy"))
        except CheckError as error:
            self.errors.extend(error.errors if asked is None else [_at(asked, one) for one in error.errors])
            return
        self._path.append(real)
        try:
            self._take(document, path)
        finally:
            self._path.pop()

    def _cycle(self, real: str, asked: ScalarNode | None) -> None:
        path = [*self._path[self._path.index(real) :], real]
        names = " -> ".join(os.path.basename(step) for step in path)
        place = asked.location if asked is not None else Location(real)
        self.errors.append(InputError(f"policies extend each other in a circle: {names}", place))

    def _take(self, document: Document, path: str) -> None:
        """What one file says; its rules are kept as YAML until everything is merged."""
        bad = [offset for offset, _ in document.faults]
        self.errors.extend(error for _, error in document.faults)
        try:
            root = as_mapping(document.root, "the policy")
            _check_version(root)
        except CheckError as error:
            self.errors.extend(error.errors)
            return
        self.errors.extend(unknown_keys(root, [key.name for key in POLICY], "a policy"))
        for part, take in (
            ("extends", self._take_extends),
            ("params", self._take_params),
            ("paths", self._take_overrides),
            ("ignore", self._take_ignores),
        ):
            node = root.get(part)
            if node is not None:
                try:
                    take(node)
                except CheckError as error:
                    self.errors.extend(error.errors)
        self.files.append(path)
        rules = root.get("rules")
        if rules is not None:
            self._take_rules(rules, bad)

    def _take_extends(self, node: Node) -> None:
        folder = os.path.dirname(node.source.name)
        for name in as_texts(node, "`extends`"):
            self.load(name.text, folder, name)

    def _take_params(self, node: Node) -> None:
        params, errors = read_params(node)
        self.errors.extend(errors)
        self.params.update(params)

    def _take_rules(self, node: Node, bad: Sequence[int]) -> None:
        try:
            items = as_list(node, "`rules`")
        except CheckError as error:
            self.errors.extend(error.errors)
            return
        for item in items:
            # The fault within it is told already.
            if any(item.start <= offset <= item.end for offset in bad):
                continue
            try:
                mapping = as_mapping(item, "a rule")
            except CheckError as error:
                self.errors.extend(error.errors)
                continue
            keys = {key.text: (key, value) for key, value in mapping.items()}
            self.entries.append((_Entry(keys, _first_line(mapping), node.source.name), _identity(mapping)))

    def _take_overrides(self, node: Node) -> None:
        for pattern, changes in as_mapping(node, "`paths`").items():
            if not isinstance(changes, MappingNode):
                advice = "rules with their severities, such as { some-rule: note } or { '*': off }"
                message = f"`paths` for {shown(pattern.text)} is {describe(changes)} and must be a mapping"
                self.errors.append(InputError(message, changes.location, help=advice))
                continue
            for rule, severity in changes.items():
                try:
                    word = as_choice(severity, f"the severity of `{shown(rule.text)}`", SEVERITIES)
                except CheckError as error:
                    self.errors.extend(error.errors)
                    continue
                self.overrides.append(Override(pattern.text, rule.text, Severity(word), rule.location))

    def _take_ignores(self, node: Node) -> None:
        from ldcheck.policy.waive import read_ignore

        for item in as_list(node, "`ignore`"):
            try:
                self.ignores.append(read_ignore(as_mapping(item, "an entry of `ignore`")))
            except CheckError as error:
                self.errors.extend(error.errors)

    # Merging ----------------------------------------------------------------------------------------------------------

    def finish(self, given: Mapping[str, str], checks: Checks) -> Policies:
        """Merge the rules and read them."""
        from ldcheck.policy.sizes import evaluate_params

        for name, text in given.items():
            self.params[name] = Named(text, Location(f"param {name}", excerpt=text))
        values, errors = evaluate_params(self.params)
        self.errors.extend(errors)
        reader = RuleReader(checks, self.params, values)
        rules: dict[str, Rule] = {}
        ids = {identity for entry, identity in self.entries if identity and reader.head(entry.keys)}
        for entry in self._merged(reader):
            found, errors = reader.read(entry.keys, entry.place, ids)
            self.errors.extend(errors)
            for rule in found:
                first = rules.get(rule.id)
                if first is not None:
                    related = (Related(first.location, "the first"),)
                    message = f"two rules have the id `{shown(rule.id)}`"
                    self.errors.append(InputError(message, rule.location, help="give this one `id`", related=related))
                else:
                    rules[rule.id] = rule
        self._check_references(rules)
        if not rules and not self.errors:
            where = Location(self.files[-1] if self.files else "")
            self.errors.append(
                InputError("the policy has no rule", where, help="give it `rules`, or let it extend one")
            )
        order = {file: at for at, file in enumerate(self.files)}
        self.errors.sort(
            key=lambda error: (order.get(error.location.file, -1), error.location.line, error.location.column)
        )
        return Policies(
            tuple(rules.values()),
            tuple(self.errors),
            tuple(self.ignores),
            tuple(self.overrides),
            values,
            tuple(self.files),
        )

    def _merged(self, reader: RuleReader) -> Iterable[_Entry]:
        """The entries of `rules`, in the order in which their ids first occur, with what later policies change."""
        merged: dict[object, _Entry] = {}
        for entry, identity in self.entries:
            first = merged.get(identity) if identity else None
            if first is None:
                merged[identity or object()] = entry
            elif first.file == entry.file:
                related = (Related(first.place, "the first"),)
                message = f"two rules have the id `{shown(identity)}`"
                self.errors.append(InputError(message, entry.place, related=related))
            else:
                self._change(first, entry, identity, reader)
        return merged.values()

    def _change(self, first: _Entry, later: _Entry, identity: str, reader: RuleReader) -> None:
        heads = reader.head(later.keys)
        before = reader.head(first.keys)
        if heads and before and set(heads) != set(before):
            related = (Related(first.place, f"the rule with `{before[0]}`"),)
            message = (
                f"`{shown(identity)}` is a rule with `{before[0]}`, and a later policy cannot make it `{heads[0]}`"
            )
            advice = "give the new rule another id, and switch the old one off: `severity: off`"
            self.errors.append(InputError(message, later.keys[heads[0]][0].location, help=advice, related=related))
            return
        first.keys.update(later.keys)
        first.file = later.file

    def _check_references(self, rules: Mapping[str, Rule]) -> None:
        """Patterns of rule ids in `paths` and `ignore` that mean no rule are mistakes."""
        from fnmatch import fnmatchcase

        # With broken rules in it, a reference may well mean one of them.
        if self.errors:
            return
        named = [(override.rule, override.location) for override in self.overrides]
        named += [(pattern, ignore.location) for ignore in self.ignores for pattern in ignore.rules]
        for pattern, place in named:
            if pattern not in rules and not any(fnmatchcase(rule, pattern) for rule in rules):
                advice = did_you_mean(pattern, rules)
                self.errors.append(InputError(f"there is no rule `{shown(pattern)}`", place, help=advice))


def _check_version(root: MappingNode) -> None:
    node = root.get("ldcheck")
    if node is None:
        advice = f"the first line of a policy is `ldcheck: {VERSION}`, the version of its language"
        raise CheckError(InputError(f"no `ldcheck: {VERSION}`: is this a policy?", _first_line(root), help=advice))
    if isinstance(node, ScalarNode) and node.text == VERSION:
        return
    if isinstance(node, ScalarNode) and node.text.isdecimal() and int(node.text[:9]) > int(VERSION):
        message = f"the policy is written in version {shown(node.text)} of the language, this ldcheck knows {VERSION}"
        raise CheckError(InputError(message, node.location, help="use a newer ldcheck"))
    as_choice(node, "`ldcheck`", (VERSION,))


def _identity(mapping: MappingNode) -> str:
    """The id by which later policies speak of a rule; a lone lint has its own name. Empty where there is none."""
    for key in ("id", "lint"):
        node = mapping.get(key)
        if isinstance(node, ScalarNode) and not node.is_null:
            return node.text
    return ""


def _first_line(mapping: MappingNode) -> Location:
    """Where a mapping begins: its first key."""
    first = next(iter(mapping.keys.values()), None)
    return first.location if first is not None else mapping.location


def _at(asked: ScalarNode, error: InputError) -> InputError:
    """An error of a whole file, told where a policy names the file."""
    if error.location.line:
        return error
    return InputError(error.message, asked.location, error.label, error.help, error.related)


def _position(place: Location) -> tuple[int, int]:
    return place.line, place.column
