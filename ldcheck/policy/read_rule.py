"""From the YAML of one rule to a `Rule`: its head key, what belongs to it, and everything that may be wrong with it.

All errors of a rule are collected, so that one run tells them all. Files, `extends` and the merging of rules are
`ldcheck.policy.load`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ldcheck.documents.nodes import Node, ScalarNode, as_mapping, as_one_or_more, describe, fail, shown
from ldcheck.findings import EvidenceKind, InputError, Severity
from ldcheck.policy.declare import Checks, Declaration, Key, Kind
from ldcheck.policy.language import COMMON, WHEN
from ldcheck.policy.message import PLACEHOLDERS, placeholders
from ldcheck.policy.read_test import read_tests
from ldcheck.policy.read_values import (
    Complaints,
    read_fields,
    read_name,
    read_text,
    read_value,
    table,
    text_of,
    texts_of,
)
from ldcheck.policy.rule import Named, Rule, RuleTest, Value, When, names_of
from ldcheck.policy.sizes import is_identifier, names_in, regions_in, size_of
from ldcheck.source import Location, Related
from ldcheck.words import did_you_mean, suggest

LINT = "lint"
_LINT_KEY = Key(LINT, Kind.NAMES, "Lints that are switched on.")
_COMMON = table(COMMON)
_STRUCTURED = frozenset(("id", "when", "tests", "message"))
_PLAIN = {name: key for name, key in _COMMON.items() if name not in _STRUCTURED}
_WHEN = table(WHEN)

# A rule's keys: the key's own node and its value. A merged rule has them from several files.
Entries = Mapping[str, tuple[ScalarNode, Node]]


class RuleReader:
    """Reads the rules of one set of policies. `params` are all named sizes, `values` those that could be worked out.

    `constants` are the names that the script's sources may give a value.
    """

    def __init__(
        self,
        checks: Checks,
        params: Mapping[str, Named],
        values: Mapping[str, int],
        constants: Collection[str] = (),
    ) -> None:
        self._constants = frozenset(constants)
        self._checks = checks
        self._heads = frozenset((*checks.names(), LINT))
        self._params = params
        self._values = values
        self._complaints = Complaints()
        self._others: Collection[str] = ()

    def head(self, entries: Entries) -> tuple[str, ...]:
        """The head keys among a rule's keys: one, if the rule is sound."""
        heads = tuple(name for name in entries if name in self._heads)
        if len(heads) > 1:
            # One check's key may be another's head.
            heads = tuple(
                name for name in heads if not any(self._takes(other, name) for other in heads if other != name)
            )
        return heads

    def read(
        self, entries: Entries, place: Node, others: Collection[str] = ()
    ) -> tuple[tuple[Rule, ...], list[InputError]]:
        """The rules of one entry of `rules` (several for a list of lints), or the errors that it has instead.

        `place` is where the entry stands, `others` are the ids of rules that it may have been meant to change.
        """
        self._others = others
        self._complaints = Complaints()
        rules = self._read(entries, place)
        errors = self._complaints.errors
        return (() if errors else rules), errors

    def _read(self, entries: Entries, place: Node) -> tuple[Rule, ...]:
        heads = self.head(entries)
        if len(heads) != 1:
            self._wrong_head(entries, heads, place)
            return ()
        if heads[0] != LINT:
            checks: list[tuple[str, Named | None]] = [(heads[0], None)]
        else:
            checks = [(lint.text, lint) for lint in self._lints(entries[LINT][1])]
        if len(checks) > 1 and "id" in entries:
            self._complaints.add("one `id` for several lints", entries["id"][1], "each has its own name")
        rules = [self._rule(check, lint, entries) for check, lint in checks]
        return tuple(rule for rule in rules if rule is not None)

    def _lints(self, node: Node) -> list[Named]:
        """The lints that are switched on, those that exist."""
        found: list[Named] = []
        known = self._checks.lint_names()
        for item in self._complaints.attempt(as_one_or_more, node, f"`{LINT}`") or ():
            name = self._complaints.attempt(read_name, _LINT_KEY, item)
            if name is None:
                continue
            if name.text not in known:
                advice = did_you_mean(name.text, known, "see `ldcheck rules`")
                if name.text in self._heads:
                    advice = f"it is a head key of its own: write `{name.text}: ...`"
                self._complaints.add(f"there is no lint `{shown(name.text)}`", name.location, advice)
            elif any(name.text == other.text for other in found):
                self._complaints.add(f"the lint `{name.text}` is given twice", name.location)
            else:
                found.append(name)
        return found

    def _rule(self, check: str, lint: Named | None, entries: Entries) -> Rule | None:
        declared = self._checks.declaration(check, lint is not None)
        head_key, head_node = entries[LINT if lint is not None else check]
        subject: Value | None = lint
        if lint is None:
            subject = self._own_value(declared.head, head_node)
        keys = self._own_keys(check, declared, entries, head_key)
        if "id" in entries:
            rule_id = self._complaints.attempt(read_name, _COMMON["id"], entries["id"][1])
        else:
            rule_id = lint
            if lint is None:
                advice = "a short name for findings, such as `text-first`"
                self._complaints.add("the rule has no `id`", head_key, advice)
        common: dict[str, Value] = {}
        for name, key in _PLAIN.items():
            if name in entries:
                value = self._complaints.attempt(read_value, key, entries[name][1])
                if value is not None:
                    common[name] = value
        when, message, tests = self._structured(entries, keys)
        if subject is None or rule_id is None:
            return None
        return Rule(
            id=rule_id.text,
            check=check,
            subject=subject,
            place=_head_place(head_key, head_node),
            keys=keys,
            lint=lint is not None,
            severity=Severity(text_of(common, "severity") or "error"),
            unproven=Severity(text_of(common, "unproven") or "warning"),
            given=tuple(name for name in ("severity", "unproven") if name in common),
            when=when,
            why=text_of(common, "why"),
            help=text_of(common, "help"),
            message=message,
            see=texts_of(common, "see"),
            optional=common.get("optional") is True,
            evidence=self._evidence(check, declared, common),
            params=self._params,
            constants=self._constants,
            tests=tests,
            policy=head_key.source.name,
        )

    # The parts of a rule ----------------------------------------------------------------------------------------------

    def _own_keys(self, check: str, declared: Declaration, entries: Entries, head: ScalarNode) -> dict[str, Value]:
        """The keys that go with the head key; what is missing or unknown is noted."""
        own = {key.name: key for key in declared.keys}
        keys: dict[str, Value] = {}
        for name, (key_node, node) in entries.items():
            if name in own:
                value = self._own_value(own[name], node)
                if value is not None:
                    keys[name] = value
            elif name not in _COMMON and key_node is not head:
                self._unknown_key(check, key_node, own, head)
        for key in declared.keys:
            if key.required and key.name not in entries:
                self._complaints.add(f"`{check}` needs `{key.name}`", head, f"{key.name}: {key.kind.value}")
        for group in declared.one_of:
            if not any(name in entries for name in group):
                wanted = ", ".join(f"`{name}`" for name in group)
                self._complaints.add(f"`{check}` needs one of {wanted}", head)
        return keys

    def _own_value(self, key: Key, node: Node) -> Value | None:
        value = self._complaints.attempt(read_value, key, node)
        if key.kind in (Kind.SIZE, Kind.SIZE_OR_SHARE) and isinstance(value, Named) and value.text[-1:] != "%":
            self._check_size(key, value)
        return value

    def _check_size(self, key: Key, value: Named) -> None:
        """A size must have a value from numbers and params, so that no check need ask."""
        # Params that failed have had their error already, and what only a script tells has none yet.
        without = {*self._params, *self._constants} - self._values.keys()
        if any(name in without for name in names_in(value.text)) or (key.regions and regions_in(value.text)):
            return
        number = self._complaints.attempt(size_of, value, self._values)
        if number is not None and number < key.minimum:
            self._complaints.add(f"`{key.name}` is {number} and must be at least {key.minimum}", value.location)

    def _structured(self, entries: Entries, keys: Mapping[str, Value]) -> tuple[When, str, tuple[RuleTest, ...]]:
        attempt = self._complaints.attempt
        when: When | None = None
        message: str | None = None
        tests: tuple[RuleTest, ...] | None = None
        if "when" in entries:
            when = attempt(_read_when, entries["when"][1], self._complaints)
        if "message" in entries:
            message = attempt(_read_message, entries["message"][1], keys, self._complaints)
        if "tests" in entries:
            tests = attempt(read_tests, entries["tests"][1], {*self._params, *self._constants}, self._complaints)
        return when or When(), message or "", tests or ()

    def _evidence(self, check: str, declared: Declaration, common: Mapping[str, Value]) -> tuple[EvidenceKind, ...]:
        chosen = common.get("evidence")
        able = [kind.value for kind in declared.evidence]
        kinds = []
        for item in chosen if isinstance(chosen, tuple) else ():
            assert isinstance(item, Named)
            if able and item.text not in able:
                advice = "it takes " + ", ".join(able)
                self._complaints.add(f"`{check}` cannot be judged on {item.text}", item.location, advice)
            kinds.append(EvidenceKind(item.text))
        return tuple(dict.fromkeys(kinds))

    def _takes(self, check: str, name: str) -> bool:
        return check != LINT and any(key.name == name for key in self._checks.declaration(check).keys)

    # Errors -----------------------------------------------------------------------------------------------------------

    def _wrong_head(self, entries: Entries, heads: Iterable[str], place: Node) -> None:
        first, second, *_ = *heads, "", ""
        if second:
            related = (Related(entries[first][0].location, "the first"),)
            message = f"a rule has one head key, this one has `{first}` and `{second}`"
            self._complaints.add(message, entries[second][0], "make two rules of it", related)
            return
        unknown = [key for name, (key, _) in entries.items() if name not in _COMMON]
        for key in unknown:
            if key.text in self._checks.lint_names():
                message = f"unknown key `{key.text}`: it is the name of a lint"
                self._complaints.add(message, key, f"write `lint: {key.text}`")
                return
            if close := suggest(key.text, self._heads):
                message = f"unknown key `{shown(key.text)}`: no check has this head key"
                self._complaints.add(message, key, f"did you mean `{close}`?")
                return
        given = entries.get("id")
        if given is not None and isinstance(given[1], ScalarNode):
            name = given[1].text
            if close := suggest(name, self._others):
                message = f"the rule has no head key, and no policy that is extended has a rule `{shown(name)}`"
                self._complaints.add(message, given[1], f"did you mean `{close}`?")
                return
        where = unknown[0] if unknown else place
        message = "the rule has no head key, which names its check"
        advice = "one of " + ", ".join(sorted(self._heads))
        if unknown:
            takers = [head for head in sorted(self._heads) if self._takes(head, unknown[0].text)]
            if takers:
                message += f"; `{unknown[0].text}` goes with one"
                advice = "one of " + ", ".join(takers)
            else:
                message = f"unknown key `{shown(unknown[0].text)}`: no check has this head key"
        self._complaints.add(message, where, advice)

    def _unknown_key(self, check: str, key: ScalarNode, own: Mapping[str, Key], head: ScalarNode) -> None:
        if self._complaints.full:
            return
        takes = f"`{check}` takes {', '.join(own)}" if own else f"`{check}` takes no key of its own"
        advice = did_you_mean(key.text, (*own, *_COMMON), f"{takes}, and every rule {', '.join(_COMMON)}")
        related = (Related(head.location, "the rule's head key"),)
        message = f"unknown key `{shown(key.text)}` in a rule with `{check}`"
        self._complaints.add(message, key, advice, related)


def _read_when(node: Node, complaints: Complaints) -> When:
    if isinstance(node, ScalarNode) and not node.is_null:
        advice = f"such as {{ arch: {shown(node.text)} }}; it takes {', '.join(_WHEN)}"
        fail(node, f"`when` is {describe(node)} and must be a mapping (key: value)", advice=advice)
    values = read_fields(as_mapping(node, "`when`"), _WHEN, "`when`", complaints)
    for name in ("arch", "config", "symbol", "section"):
        words = names_of(values.get(name))
        for word in words:
            _check_condition(name, word, complaints)
    return When(**{name: texts_of(values, name) for name in values})


def _check_condition(name: str, word: Named, complaints: Complaints) -> None:
    if name == "arch":
        from ldcheck.image.arches import check_name

        if advice := check_name(word.text):
            complaints.add(f"unknown architecture `{shown(word.text)}`", word.location, advice)
        return
    if name in ("symbol", "section"):
        if not word.text.removeprefix("!"):
            complaints.add(f"`!` is no name of a {name}", word.location, f"wanted: a {name}, or `!` and one")
        return
    symbol, equals, _ = word.text.removeprefix("!").partition("=")
    if not is_identifier(symbol.strip()) or (equals and word.text.startswith("!")):
        advice = "wanted: CONFIG_X, !CONFIG_X or CONFIG_X=value"
        complaints.add(f"`{shown(word.text)}` is no condition on the configuration", word.location, advice)


def _read_message(node: Node, keys: Mapping[str, Value], complaints: Complaints) -> str:
    template = read_text(_COMMON["message"], node).text
    assert isinstance(node, ScalarNode)
    allowed = (*PLACEHOLDERS, *(name for name, value in keys.items() if not isinstance(value, bool)))
    for name in dict.fromkeys(placeholders(template)):
        if complaints.full:
            break
        if name not in allowed:
            place = _place_of(node, "{" + name + "}")
            complaints.add(f"unknown placeholder {{{shown(name)}}}", place, did_you_mean(name, allowed))
    braces = len(placeholders(template))
    if template.count("{") != braces or template.count("}") != braces:
        complaints.add("a brace without its partner in `message`", node, "a placeholder is {subject} or the like")
    return template


def _head_place(key: ScalarNode, value: Node) -> Node:
    """The head key, with its value as far as that stands on the same line."""
    if value.source is key.source and "\n" not in key.source.text[key.start : value.end]:
        return Node(key.source, key.start, value.end)
    return key


def _place_of(node: ScalarNode, part: str) -> Location:
    """Where a part of a text stands, if it stands in the file as it is read."""
    at = node.source.text.find(part, node.start, node.end)
    return node.location if at < 0 else node.source.locate(at, at + len(part))
