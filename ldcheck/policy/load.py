"""From the names of policies to rules: finding files, `extends`, params, and the rules that several policies share.

Several policies are one that extends them all, in their order. What a later policy says of a rule id changes the fields
that it gives, and the fields that it does not give stay. A bad rule is reported and left out; the others remain.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from ldcheck.documents.nodes import (
    MappingNode,
    Node,
    ScalarNode,
    as_choice,
    as_list,
    as_mapping,
    as_texts,
    describe,
    shown,
    unknown_keys,
)
from ldcheck.documents.parser import Document
from ldcheck.findings import CheckError, InputError, Severity
from ldcheck.policy.declare import Checks
from ldcheck.policy.files import document_of, find_policy
from ldcheck.policy.language import POLICY, SEVERITIES, VERSION
from ldcheck.policy.read_rule import RuleReader
from ldcheck.policy.read_test import read_params
from ldcheck.policy.read_values import Complaints
from ldcheck.policy.rule import Ignore, Named, Override, Rule
from ldcheck.record import dataclass, field
from ldcheck.source import Location, Related
from ldcheck.words import did_you_mean

# Nobody builds policies on one another that far.
_MOST_STEPS = 64
_MOST_PATTERNS = 200


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Policies:
    """What a run is judged by.

    `errors` are what is wrong in the policies; the rules are those that are sound. `params` are the values of the named
    sizes, `sizes` their texts; `constants` are the names that the script's sources may give a value. `files` are the
    policy files in the order in which they count.
    """

    rules: tuple[Rule, ...]
    errors: tuple[InputError, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    overrides: tuple[Override, ...] = ()
    params: Mapping[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    sizes: Mapping[str, Named] = field(default_factory=dict)
    constants: tuple[str, ...] = ()

    def params_with(self, constant: Callable[[str], int | None]) -> Mapping[str, int]:
        """The values of the params for a script whose sources give some: `constant` tells the number of a macro."""
        found = {name: value for name in self.constants if (value := constant(name)) is not None}
        if not found:
            return self.params
        from ldcheck.policy.sizes import evaluate_params

        texts = {name: Named(str(value), Location(name, excerpt=name)) for name, value in found.items()}
        return evaluate_params({**self.sizes, **texts})[0]


def load_policies(
    names: Sequence[str],
    *,
    declarations: Checks,
    base: str = "",
    params: Mapping[str, str] | None = None,
    tests: bool = True,
    texts: Mapping[str, str] | None = None,
) -> Policies:
    """The rules of all the policies called `names`: stock names (`xen/arm`) or paths, relative to the folder `base`.

    `declarations` says what checks there are (the module `ldcheck.checks`). `params` replace those of the policies.
    Without `tests`, those of stock policies are not read. `texts` stand for the contents of files, by their real paths.
    Never raises for bad input: what is wrong is in `errors`.
    """
    loader = _Loader(tests, texts or {})
    for name in names:
        loader.load(name, base, None)
    return loader.finish(params or {}, declarations)


@dataclass(slots=True, eq=False, repr=False)
class _Entry:
    """A rule while policies are merged: its keys, each from the last policy that gave it. `place` is where it began."""

    keys: dict[str, tuple[ScalarNode, Node]]
    place: Node
    file: str
    identity: str


class _Loader:
    """Collects what the files say, each file once, those that are extended ahead of those that extend them."""

    def __init__(self, tests: bool, texts: Mapping[str, str]) -> None:
        self._tests = tests
        self._texts = texts
        self._complaints = Complaints()
        self._files: list[str] = []
        self._params: dict[str, Named] = {}
        self._constants: dict[str, None] = {}
        self._entries: list[_Entry] = []
        self._ignores: list[Ignore] = []
        self._overrides: list[Override] = []
        self._seen: set[str] = set()
        # The files that led to the one being read.
        self._path: list[str] = []

    def load(self, name: str, base: str, asked: ScalarNode | None) -> None:
        """Take up one policy with all that it extends. `asked` is where a policy names it."""
        try:
            path = find_policy(name, base)
            real = os.path.realpath(path)
            if real in self._path or len(self._path) > _MOST_STEPS:
                self._too_far(real, asked)
                return
            if real in self._seen:
                return
            self._seen.add(real)
            document = document_of(path, self._tests, self._texts.get(real))
        except ValueError:
            # A NUL or half a character, which YAML can escape, and no file's name holds.
            self._complaints.add(f"there is no policy {shown(name)}", asked if asked is not None else Location(name))
            return
        except CheckError as error:
            self._complaints.errors += error.errors if asked is None else [_at(asked, one) for one in error.errors]
            return
        self._path.append(real)
        try:
            self._complaints.attempt(self._take, document, path)
        finally:
            self._path.pop()

    def _too_far(self, real: str, asked: ScalarNode | None) -> None:
        place = asked if asked is not None else Location(real)
        if real not in self._path:
            self._complaints.add(f"policies extend each other over more than {_MOST_STEPS} steps", place)
            return
        steps = [os.path.basename(step) for step in (*self._path[self._path.index(real) :], real)]
        self._complaints.add(f"policies extend each other in a circle: {' -> '.join(steps)}", place)

    def _take(self, document: Document, path: str) -> None:
        """What one file says; its rules are kept as YAML until everything is merged."""
        self._complaints.errors += [error for _, error in document.faults]
        root = as_mapping(document.root, "the policy")
        _check_version(root)
        self._complaints.errors += unknown_keys(root, [key.name for key in POLICY], "a policy")
        for part, take in (
            ("extends", self._take_extends),
            ("params", self._take_params),
            ("from-script", self._take_constants),
            ("paths", self._take_overrides),
            ("ignore", self._take_ignores),
        ):
            node = root.get(part)
            if node is not None:
                self._complaints.attempt(take, node)
        self._files.append(path)
        rules = root.get("rules")
        if rules is not None:
            self._complaints.attempt(self._take_rules, rules, [offset for offset, _ in document.faults])

    def _take_extends(self, node: Node) -> None:
        folder = os.path.dirname(node.source.name)
        for name in as_texts(node, "`extends`"):
            if not self._complaints.full:
                self.load(name.text, folder, name)

    def _take_params(self, node: Node) -> None:
        params, errors = read_params(node)
        self._complaints.errors += errors
        self._params.update(params)

    def _take_constants(self, node: Node) -> None:
        from ldcheck.policy.sizes import is_identifier

        for name in as_texts(node, "`from-script`"):
            if is_identifier(name.text):
                self._constants[name.text] = None
            else:
                self._complaints.add(f"`{shown(name.text)}` is no name for a param", name, "letters, digits and _")

    def _take_rules(self, node: Node, bad: Sequence[int]) -> None:
        for item in as_list(node, "`rules`"):
            # The fault within it is told already.
            if any(item.start <= offset <= item.end for offset in bad):
                continue
            mapping = self._complaints.attempt(as_mapping, item, "a rule")
            if mapping is not None:
                keys = {key.text: (key, value) for key, value in mapping.items()}
                self._entries.append(_Entry(keys, _first_key(mapping), node.source.name, _identity(mapping)))

    def _take_overrides(self, node: Node) -> None:
        for pattern, changes in as_mapping(node, "`paths`").items():
            if not isinstance(changes, MappingNode):
                advice = "rules with their severities, such as { some-rule: note } or { '*': off }"
                message = f"`paths` for {shown(pattern.text)} is {describe(changes)} and must be a mapping"
                self._complaints.add(message, changes, advice)
                continue
            for rule, severity in changes.items():
                what = f"the severity of `{shown(rule.text)}`"
                word = self._complaints.attempt(as_choice, severity, what, SEVERITIES)
                if word is not None:
                    self._overrides.append(Override(pattern.text, rule.text, Severity(word), rule))

    def _take_ignores(self, node: Node) -> None:
        from ldcheck.policy.read_ignore import read_ignore

        for item in as_list(node, "`ignore`"):
            mapping = self._complaints.attempt(as_mapping, item, "an entry of `ignore`")
            entry = self._complaints.attempt(read_ignore, mapping) if mapping is not None else None
            if entry is not None:
                self._ignores.append(entry)

    # Merging ----------------------------------------------------------------------------------------------------------

    def finish(self, given: Mapping[str, str], checks: Checks) -> Policies:
        """Merge the rules and read them."""
        from ldcheck.policy.sizes import evaluate_params

        for name, text in given.items():
            self._params[name] = Named(text, Location(f"param {name}", excerpt=text))
        # What is given for this run goes before what the sources say.
        constants = tuple(name for name in self._constants if name not in given)
        values, errors = evaluate_params(self._params, constants)
        self._complaints.errors += errors
        rules = self._read_rules(RuleReader(checks, self._params, values, constants))
        if not self._complaints.errors:
            self._check_references(rules)
        if not rules and not self._complaints.errors:
            where = Location(self._files[-1] if self._files else "")
            self._complaints.add("the policy has no rule", where, "give it `rules`, or let it extend one")
        order = {file: at for at, file in enumerate(self._files)}

        def position(error: InputError) -> tuple[int, int, int]:
            return order.get(error.location.file, -1), error.location.line, error.location.column

        return Policies(
            tuple(rules.values()),
            tuple(sorted(self._complaints.errors, key=position)),
            tuple(self._ignores),
            tuple(self._overrides),
            values,
            tuple(self._files),
            self._params,
            constants,
        )

    def _read_rules(self, reader: RuleReader) -> dict[str, Rule]:
        rules: dict[str, Rule] = {}
        ids = {entry.identity for entry in self._entries if entry.identity and reader.head(entry.keys)}
        for entry in self._merged(reader):
            if self._complaints.full:
                break
            found, errors = reader.read(entry.keys, entry.place, ids)
            self._complaints.errors += errors
            for rule in found:
                if rule.id in rules:
                    related = (Related(rules[rule.id].location, "the first"),)
                    message = f"two rules have the id `{shown(rule.id)}`"
                    self._complaints.add(message, rule.location, "give this one `id`", related)
                else:
                    rules[rule.id] = rule
        return rules

    def _merged(self, reader: RuleReader) -> Iterable[_Entry]:
        """The entries of `rules`, in the order in which their ids first occur, with what later policies change."""
        merged: dict[object, _Entry] = {}
        for entry in self._entries:
            first = merged.get(entry.identity) if entry.identity else None
            if first is None:
                merged[entry.identity or object()] = entry
            elif first.file != entry.file:
                self._change(first, entry, reader)
            elif not self._complaints.full:
                related = (Related(first.place.location, "the first"),)
                self._complaints.add(f"two rules have the id `{shown(entry.identity)}`", entry.place, related=related)
        return merged.values()

    def _change(self, first: _Entry, later: _Entry, reader: RuleReader) -> None:
        heads = reader.head(later.keys)
        before = reader.head(first.keys)
        if heads and before and set(heads) != set(before):
            related = (Related(first.place.location, f"the rule with `{before[0]}`"),)
            name = shown(first.identity)
            message = f"`{name}` is a rule with `{before[0]}`, and a later policy cannot make it `{heads[0]}`"
            advice = "give the new rule another id, and switch the old one off: `severity: off`"
            self._complaints.add(message, later.keys[heads[0]][0], advice, related)
            return
        first.keys.update(later.keys)
        first.file = later.file

    def _check_references(self, rules: Mapping[str, Rule]) -> None:
        """Patterns of rule ids in `paths` and `ignore` that mean no rule are mistakes."""
        import fnmatch

        named = [(override.rule, override.place) for override in self._overrides]
        named += [(pattern, ignore.place) for ignore in self._ignores for pattern in ignore.rules]
        # Each pattern once: there may be many overrides, of many rules.
        known: dict[str, bool] = {}
        for pattern, place in named:
            if pattern not in known:
                wild = any(sign in pattern for sign in "*?[") and len(known) < _MOST_PATTERNS
                known[pattern] = pattern in rules or (wild and bool(fnmatch.filter(rules, pattern)))
            if not known[pattern] and not self._complaints.full:
                advice = did_you_mean(pattern, rules, "see the `id`s of the rules")
                self._complaints.add(f"there is no rule `{shown(pattern)}`", place, advice)


def _check_version(root: MappingNode) -> None:
    node = root.get("ldcheck")
    if node is None:
        advice = f"the first line of a policy is `ldcheck: {VERSION}`, the version of its language"
        raise CheckError(
            InputError(f"no `ldcheck: {VERSION}`: is this a policy?", _first_key(root).location, help=advice)
        )
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


def _first_key(mapping: MappingNode) -> Node:
    """What stands for a mapping as a whole in errors: its first key."""
    return next(iter(mapping.keys.values()), mapping)


def _at(asked: ScalarNode, error: InputError) -> InputError:
    """An error of a whole file, told where a policy names the file."""
    if error.location.line:
        return error
    return InputError(error.message, asked.location, error.label, error.help, error.related)
