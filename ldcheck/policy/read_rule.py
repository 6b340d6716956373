"""From the YAML of one rule to a `Rule`: its head key, what belongs to it, and everything that may be wrong with it.

All errors of a rule are collected, so that one run tells them all. Files, `extends` and the merging of rules are
`ldcheck.policy.load`'s.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from ldcheck.documents import (
    MappingNode,
    Node,
    ScalarNode,
    as_integer,
    as_list,
    as_mapping,
    as_one_or_more,
    did_you_mean,
    shown,
    suggest,
)
from ldcheck.findings import CheckError, EvidenceKind, InputError, Severity
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.language import COMMON, TEST, WHEN
from ldcheck.policy.message import PLACEHOLDERS, placeholders
from ldcheck.policy.rule import Named, Rule, RuleTest, Value, When
from ldcheck.policy.values import read_name, read_value
from ldcheck.source import Location, Related

LINT = "lint"
_LINT_KEY = Key(LINT, Kind.NAMES, "Lints that are switched on.")
_COMMON = {key.name: key for key in COMMON}
_WHEN = {key.name: key for key in WHEN}
_TEST = {key.name: key for key in TEST}
_T = TypeVar("_T")


class Checks(Protocol):
    """What the loader asks about checks; the module `ldcheck.checks` answers it."""

    def names(self) -> tuple[str, ...]:
        """The head keys."""

    def lint_names(self) -> tuple[str, ...]:
        """The lints."""

    def declaration(self, name: str, lint: bool = False) -> Declaration:
        """What a check or lint declares."""


class RuleReader:
    """Reads the rules of one set of policies. `params` are all named sizes, `values` those that could be worked out."""

    def __init__(self, checks: Checks, params: Mapping[str, Named], values: Mapping[str, int]) -> None:
        self._checks = checks
        self._heads = frozenset((*checks.names(), LINT))
        self._params = params
        self._values = values
        self._errors: list[InputError] = []

    def head(self, entries: Mapping[str, tuple[ScalarNode, Node]]) -> tuple[str, ...]:
        """The head keys among a rule's keys: one, if the rule is sound."""
        heads = tuple(name for name in entries if name in self._heads)
        if len(heads) > 1:
            # One check's key may be another's head.
            heads = tuple(
                name for name in heads if not any(self._takes(other, name) for other in heads if other != name)
            )
        return heads

    def read(
        self, entries: Mapping[str, tuple[ScalarNode, Node]], place: Location
    ) -> tuple[tuple[Rule, ...], list[InputError]]:
        """The rules of one entry of `rules` (several for a list of lints), or the errors that it has instead.

        `entries` are its keys and values, `place` is where it stands.
        """
        self._errors = []
        rules = self._read(entries, place)
        return (() if self._errors else rules), self._errors

    def _read(self, entries: Mapping[str, tuple[ScalarNode, Node]], place: Location) -> tuple[Rule, ...]:
        heads = self.head(entries)
        if len(heads) != 1:
            self._wrong_head(entries, heads, place)
            return ()
        head = heads[0]
        checks = self._lints(entries[LINT][1]) if head == LINT else [(head, None)]
        rules = [self._rule(name, lint, entries, len(checks) > 1) for name, lint in checks]
        return tuple(rule for rule in rules if rule is not None)

    def _lints(self, node: Node) -> list[tuple[str, Named | None]]:
        """The names of the lints that are switched on, those that exist."""
        found: list[tuple[str, Named | None]] = []
        known = self._checks.lint_names()
        for item in self._try(lambda: as_one_or_more(node, f"`{LINT}`")) or ():
            name = self._try(lambda item=item: read_name(_LINT_KEY, item))  # type: ignore[misc]  # bound at once
            if name is None:
                continue
            if name.text not in known:
                advice = did_you_mean(name.text, known, "see `ldcheck rules`")
                self._error(f"there is no lint `{shown(name.text)}`", name.location, advice)
            elif any(name.text == other for other, _ in found):
                self._error(f"the lint `{name.text}` is given twice", name.location)
            else:
                found.append((name.text, name))
        return found

    def _rule(
        self, check: str, lint: Named | None, entries: Mapping[str, tuple[ScalarNode, Node]], many: bool
    ) -> Rule | None:
        declared = self._checks.declaration(check, lint is not None)
        own = {key.name: key for key in declared.keys}
        head_key, head_node = entries[LINT if lint is not None else check]
        subject: Value | None = lint
        if lint is None:
            subject = self._try(lambda: read_value(declared.head, head_node))
        keys: dict[str, Value] = {}
        for name, (key_node, node) in entries.items():
            if name in own:
                value = self._try(lambda name=name, node=node: self._own_value(own[name], node))  # type: ignore[misc]
                if value is not None:
                    keys[name] = value
            elif name not in _COMMON and key_node is not head_key:
                self._unknown_key(check, key_node, own, head_key)
        self._check_keys(check, declared, entries, head_key)
        if subject is not None and declared.head.kind is Kind.SIZE:
            self._check_size(declared.head, subject)
        rule_id = self._id(entries, lint, many)
        if subject is None or rule_id is None:
            return None
        return self._assemble(rule_id, check, subject, lint is not None, entries, keys, head_key, head_node)

    def _assemble(
        self,
        rule_id: str,
        check: str,
        subject: Value,
        lint: bool,
        entries: Mapping[str, tuple[ScalarNode, Node]],
        keys: Mapping[str, Value],
        head_key: ScalarNode,
        head_node: Node,
    ) -> Rule:
        common: dict[str, Value] = {}
        for name, (_, node) in entries.items():
            key = _COMMON.get(name)
            if key is not None and key.kind not in _STRUCTURED:
                value = self._try(lambda key=key, node=node: read_value(key, node))  # type: ignore[misc]
                if value is not None:
                    common[name] = value
        when = When()
        if "when" in entries:
            when = self._try(lambda: self._when(entries["when"][1])) or when
        message = ""
        if "message" in entries:
            message = self._try(lambda: self._message(entries["message"][1], keys)) or ""
        tests: tuple[RuleTest, ...] = ()
        if "tests" in entries:
            tests = self._try(lambda: self._tests(entries["tests"][1])) or ()
        return Rule(
            id=rule_id,
            check=check,
            subject=subject,
            location=_head_location(head_key, head_node),
            keys=keys,
            lint=lint,
            severity=Severity(_text(common, "severity") or "error"),
            unproven=Severity(_text(common, "unproven") or "warning"),
            when=when,
            why=_text(common, "why"),
            help=_text(common, "help"),
            message=message,
            see=_texts(common, "see"),
            optional=common.get("optional") is True,
            evidence=self._evidence(check, lint, common),
            params=self._params,
            tests=tests,
            policy=head_key.source.name,
        )

    # The parts of a rule ----------------------------------------------------------------------------------------------

    def _own_value(self, key: Key, node: Node) -> Value:
        value = read_value(key, node)
        if key.kind in (Kind.SIZE, Kind.SIZE_OR_SHARE):
            self._check_size(key, value)
        return value

    def _check_size(self, key: Key, value: Value) -> None:
        """A size must have a value from numbers and params, so that checks need not ask twice."""
        from ldcheck.policy.sizes import names_in, size_of

        if not isinstance(value, Named) or value.text.endswith("%"):
            return
        # Params that failed have had their error already.
        if any(name in self._params and name not in self._values for name in names_in(value.text)):
            return
        number = self._try(lambda: size_of(value, self._values))
        if number is not None and number < key.minimum:
            self._error(f"`{key.name}` is {number} and must be at least {key.minimum}", value.location)

    def _id(self, entries: Mapping[str, tuple[ScalarNode, Node]], lint: Named | None, many: bool) -> str | None:
        if lint is not None and (many or "id" not in entries):
            if many and "id" in entries:
                self._error(
                    "one `id` for several lints", entries["id"][1].location, "leave it out: each has its own name"
                )
            return lint.text
        if "id" not in entries:
            return None
        name = self._try(lambda: read_name(_COMMON["id"], entries["id"][1]))
        return name.text if name is not None else None

    def _evidence(self, check: str, lint: bool, common: Mapping[str, Value]) -> tuple[EvidenceKind, ...]:
        chosen = common.get("evidence")
        if not isinstance(chosen, tuple):
            return ()
        able = [kind.value for kind in self._checks.declaration(check, lint).evidence]
        kinds = []
        for item in chosen:
            assert isinstance(item, Named)
            if able and item.text not in able:
                self._error(f"`{check}` cannot be judged on {item.text}", item.location, "it takes " + ", ".join(able))
            kinds.append(EvidenceKind(item.text))
        return tuple(dict.fromkeys(kinds))

    def _when(self, node: Node) -> When:
        mapping = as_mapping(node, "`when`")
        self._errors.extend(_unknown(mapping, _WHEN, "`when`"))
        found: dict[str, tuple[str, ...]] = {}
        for name, key in _WHEN.items():
            item = mapping.get(name)
            if item is None:
                continue
            value = self._try(lambda key=key, item=item: read_value(key, item))  # type: ignore[misc]
            if not isinstance(value, tuple):
                continue
            words = [word for word in value if isinstance(word, Named)]
            for word in words:
                self._check_condition(name, word)
            found[name] = tuple(word.text for word in words)
        return When(**found)

    def _check_condition(self, name: str, word: Named) -> None:
        if name == "arch":
            from ldcheck.policy.arches import check_name

            if advice := check_name(word.text):
                self._error(f"unknown architecture `{shown(word.text)}`", word.location, advice)
        elif name == "config":
            from ldcheck.policy.sizes import is_identifier

            symbol, equals, _ = word.text.removeprefix("!").partition("=")
            if not is_identifier(symbol.strip()) or (equals and word.text.startswith("!")):
                advice = "wanted: CONFIG_X, !CONFIG_X or CONFIG_X=value"
                self._error(f"`{shown(word.text)}` is no condition on the configuration", word.location, advice)

    def _message(self, node: Node, keys: Mapping[str, Value]) -> str:
        value = read_value(Key("message", Kind.TEXT, ""), node)
        assert isinstance(value, Named)
        assert isinstance(node, ScalarNode)
        allowed = (*PLACEHOLDERS, *(name for name, value in keys.items() if not isinstance(value, bool)))
        for name in placeholders(value.text):
            if name not in allowed:
                place = _place_of(node, "{" + name + "}")
                self._error(f"unknown placeholder {{{shown(name)}}}", place, did_you_mean(name, allowed))
        rest = value.text
        for name in placeholders(value.text):
            rest = rest.replace("{" + name + "}", "", 1)
        if "{" in rest or "}" in rest:
            self._error(
                "a brace in `message` that is not closed", value.location, "placeholders are {subject} and the like"
            )
        return value.text

    def _tests(self, node: Node) -> tuple[RuleTest, ...]:
        mapping = as_mapping(node, "`tests`")
        self._errors.extend(_unknown(mapping, ("valid", "invalid"), "`tests`"))
        tests: list[RuleTest] = []
        for name in ("valid", "invalid"):
            cases = mapping.get(name)
            if cases is None:
                continue
            for case in self._try(lambda cases=cases, name=name: as_list(cases, f"`{name}`")) or ():  # type: ignore[misc]
                test = self._try(lambda case=case, name=name: self._test(case, name == "valid"))  # type: ignore[misc]
                if test is not None:
                    tests.append(test)
        return tuple(tests)

    def _test(self, node: Node, valid: bool) -> RuleTest:
        if isinstance(node, ScalarNode):
            text = read_value(_TEST["script"], node)
            assert isinstance(text, Named)
            return RuleTest(valid, text.text, node.location)
        mapping = as_mapping(node, "a test")
        self._errors.extend(_unknown(mapping, _TEST, "a test"))
        values: dict[str, Value] = {}
        for name, key in _TEST.items():
            item = mapping.get(name)
            if item is not None and key.kind not in (Kind.PARAMS, Kind.IMAGE):
                value = self._try(lambda key=key, item=item: read_value(key, item))  # type: ignore[misc]
                if value is not None:
                    values[name] = value
        params = self._test_params(mapping)
        image = mapping.get("image")
        described = self._try(lambda: as_mapping(image, "`image`")) if image is not None else None
        if described is not None:
            from ldcheck.policy.described import image_errors

            self._errors.extend(image_errors(described))
        if "script" in mapping.keys and "file" in mapping.keys:
            self._error("a test has either `script` or `file`", mapping.keys["file"].location)
        if not mapping.keys.keys() & {"script", "file", "image"}:
            self._error("a test needs `script`, `file` or `image`", mapping.location)
        self._check_test(values)
        script = values.get("script")
        where = mapping.get("script") or mapping.get("file") or mapping
        line = mapping.get("line")
        return RuleTest(
            valid=valid,
            script=script.text if isinstance(script, Named) else None,
            location=where.location,
            name=_text(values, "name"),
            file=os.path.join(os.path.dirname(node.source.name), _text(values, "file")) if "file" in values else "",
            arch=_text(values, "arch"),
            params=params,
            config=_texts(values, "config"),
            format=_text(values, "format"),
            linker=_text(values, "linker"),
            path=_text(values, "path"),
            image=described,
            verdict=_text(values, "verdict"),
            finds=_texts(values, "finds"),
            line=as_integer(line, "`line`") if line is not None and "line" in values else 0,
        )

    def _test_params(self, mapping: MappingNode) -> dict[str, Named]:
        given = mapping.get("params")
        if given is None:
            return {}
        params, errors = read_params(given)
        self._errors.extend(errors)
        for name in params:
            if name not in self._params:
                key = as_mapping(given, "`params`").keys[name]
                self._error(
                    f"unknown param {name}", key.location, did_you_mean(name, self._params, "the policy has none")
                )
        return params

    def _check_test(self, values: Mapping[str, Value]) -> None:
        arch = values.get("arch")
        if isinstance(arch, Named):
            from ldcheck.policy.arches import canonical, check_name, names

            if not canonical(arch.text):
                advice = check_name(arch.text) or did_you_mean(arch.text, names())
                self._error(f"`{shown(arch.text)}` is no architecture", arch.location, advice)
        config = values.get("config")
        for word in config if isinstance(config, tuple) else ():
            assert isinstance(word, Named)
            if word.text.startswith("!"):
                advice = "leave it out: what is not given is not defined"
                self._error("a test's `config` says what is defined", word.location, advice)

    # Errors -----------------------------------------------------------------------------------------------------------

    def _wrong_head(
        self, entries: Mapping[str, tuple[ScalarNode, Node]], heads: Iterable[str], place: Location
    ) -> None:
        first, *others = [*heads, ""]
        if first and others[0]:
            second = entries[others[0]][0].location
            related = (Related(entries[first][0].location, "the first"),)
            message = f"a rule has one head key, this one has `{first}` and `{others[0]}`"
            self._errors.append(InputError(message, second, help="make two rules of it", related=related))
            return
        for name, (key, _) in entries.items():
            if name not in _COMMON and (close := suggest(name, self._heads)):
                self._error(
                    f"unknown key `{shown(name)}`: no check has this head key", key.location, f"did you mean `{close}`?"
                )
                return
        unknown = [key for name, (key, _) in entries.items() if name not in _COMMON]
        message = "the rule has no head key, which names its check"
        if unknown:
            message = f"unknown key `{shown(unknown[0].text)}`: no check has this head key"
        self._error(message, unknown[0].location if unknown else place, "one of " + ", ".join(sorted(self._heads)))

    def _unknown_key(self, check: str, key: ScalarNode, own: Mapping[str, Key], head: ScalarNode) -> None:
        allowed = (*own, *_COMMON)
        takes = ", ".join(own)
        otherwise = (
            f"`{check}` takes {takes}" if own else f"`{check}` takes no key of its own"
        ) + f", and {', '.join(_COMMON)}"
        related = (Related(head.location, "the rule's head key"),)
        message = f"unknown key `{shown(key.text)}` in a rule with `{check}`"
        advice = did_you_mean(key.text, allowed, otherwise)
        self._errors.append(InputError(message, key.location, help=advice, related=related))

    def _check_keys(
        self,
        check: str,
        declared: Declaration,
        entries: Mapping[str, tuple[ScalarNode, Node]],
        head: ScalarNode,
    ) -> None:
        for key in declared.keys:
            if key.required and key.name not in entries:
                self._error(f"`{check}` needs `{key.name}`", head.location, f"{key.name}: {key.kind.value}")
        for group in declared.one_of:
            if not any(name in entries for name in group):
                wanted = ", ".join(f"`{name}`" for name in group)
                self._error(f"`{check}` needs one of {wanted}", head.location)
        if "id" not in entries and LINT not in entries:
            self._error("the rule has no `id`", head.location, "a short name for findings, such as `text-first`")

    def _takes(self, check: str, name: str) -> bool:
        return check != LINT and any(key.name == name for key in self._checks.declaration(check).keys)

    def _error(self, message: str, place: Location, advice: str = "") -> None:
        self._errors.append(InputError(message, place, help=advice))

    def _try(self, make: Callable[[], _T]) -> _T | None:
        """What `make` returns, or None with its errors noted."""
        try:
            return make()
        except CheckError as error:
            self._errors.extend(error.errors)
            return None


_STRUCTURED = frozenset((Kind.WHEN, Kind.TESTS, Kind.MESSAGE))


def read_params(node: Node) -> tuple[dict[str, Named], list[InputError]]:
    """The named sizes of a `params` mapping, their syntax checked, and the errors of the others."""
    from ldcheck.policy.sizes import is_identifier
    from ldcheck.policy.values import read_size

    errors: list[InputError] = []
    params: dict[str, Named] = {}
    try:
        mapping = as_mapping(node, "`params`")
    except CheckError as error:
        return {}, list(error.errors)
    for key, value in mapping.items():
        if not is_identifier(key.text):
            errors.append(
                InputError(f"`{shown(key.text)}` is no name for a param", key.location, help="letters, digits and _")
            )
            continue
        try:
            params[key.text] = read_size(Key(key.text, Kind.SIZE, ""), value)
        except CheckError as error:
            errors.extend(error.errors)
    return params, errors


def _unknown(mapping: MappingNode, allowed: Iterable[str], what: str) -> list[InputError]:
    from ldcheck.documents import unknown_keys

    return unknown_keys(mapping, allowed, what)


def _text(values: Mapping[str, Value], name: str) -> str:
    value = values.get(name)
    return value.text if isinstance(value, Named) else ""


def _texts(values: Mapping[str, Value], name: str) -> tuple[str, ...]:
    value = values.get(name)
    return tuple(item.text for item in value if isinstance(item, Named)) if isinstance(value, tuple) else ()


def _head_location(key: ScalarNode, value: Node) -> Location:
    """The head key with its value as far as that stands on the same line."""
    source = key.source
    if value.source is not source:
        return key.location
    line, _ = source.position(key.start)
    if source.position(value.end)[0] == line:
        return source.locate(key.start, value.end)
    return key.location


def _place_of(node: ScalarNode, part: str) -> Location:
    """Where a part of a text stands, if it stands in the file as it is read."""
    at = node.source.text.find(part, node.start, node.end)
    return node.location if at < 0 else node.source.locate(at, at + len(part))
