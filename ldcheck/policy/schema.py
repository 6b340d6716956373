"""The JSON schema of policies, made from the declarations that the loader goes by, so that editors complete and check.

A schema sees one file alone and no expressions: what is extended, params, placeholders and the syntax of sizes are the
loader's business. What this schema refuses, the loader refuses as well, with one exception: a rule that gives a head
key again in order to change an extended rule must repeat the keys that go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ldcheck.policy import language
from ldcheck.policy.declare import Checks, Declaration, Key, Kind
from ldcheck.policy.read_rule import LINT

Schema = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"

# Names of definitions that no check can have.
_NAME: Schema = {"$ref": "#/definitions/a-name"}
_NAMES: Schema = {"$ref": "#/definitions/some-names"}
_TEXT: Schema = {"$ref": "#/definitions/a-text"}
_TEXTS: Schema = {"$ref": "#/definitions/some-texts"}
_SIZE: Schema = {"$ref": "#/definitions/a-size"}
_INPUTS: Schema = {"$ref": "#/definitions/input-sections"}
_IDENTIFIER = "^[A-Za-z_][A-Za-z0-9_]*$"


def policy_schema(checks: Checks) -> Schema:
    """The schema of a policy file, with the head keys and lints that `checks` knows."""
    definitions = {name: _check(checks.declaration(name)) for name in checks.names()}
    lints = {name: checks.declaration(name, lint=True) for name in checks.lint_names()}
    definitions[LINT] = _lint(lints)
    definitions["rule"] = _rule(checks, lints)
    definitions.update(_shared())
    schema = _object(language.POLICY)
    schema["properties"]["rules"]["items"] = {"$ref": "#/definitions/rule"}
    return {
        "$schema": DIALECT,
        "title": "ldcheck policy",
        "description": "What must hold of a linker script and of the image that is linked with it.",
        **schema,
        "definitions": definitions,
    }


def _shared() -> dict[str, Schema]:
    """What many keys hold. A name or text may look like a number; YAML then hands it to a validator as one."""
    name: Schema = {"type": ["string", "number"], "pattern": r"^\S+$"}
    text: Schema = {"type": ["string", "number"], "pattern": r"\S"}
    return {
        "a-name": name,
        "some-names": _one_or_more(_NAME),
        "a-text": text,
        "some-texts": _one_or_more(_TEXT),
        "a-size": {"type": ["string", "integer"], "minimum": 0, "pattern": r"\S"},
        "input-sections": _list(_object(language.INPUT)),
    }


def _rule(checks: Checks, lints: Mapping[str, Declaration]) -> Schema:
    """A rule: what every rule may hold, and by its head key what goes with that.

    A rule without a head key changes one of a policy that is extended, and may then hold any key.
    """
    heads = {name: checks.declaration(name) for name in checks.names()}
    properties: dict[str, Schema] = {key.name: _described(key) for key in language.COMMON}
    for declared in heads.values():
        properties.setdefault(declared.head.name, {"description": declared.head.doc})
    properties[LINT] = {"description": "Lints that are switched on: parameterless checks for known faults."}
    for declared in (*heads.values(), *lints.values()):
        for key in declared.keys:
            properties.setdefault(key.name, {"description": key.doc})
    return {
        "type": "object",
        "properties": properties,
        "propertyNames": {"enum": list(properties)},
        "anyOf": [{"required": ["id"]}, {"required": [LINT]}],
        "allOf": [{"if": _has_head(name, heads), "then": {"$ref": f"#/definitions/{name}"}} for name in (*heads, LINT)],
    }


def _has_head(name: str, heads: Mapping[str, Declaration]) -> Schema:
    """Whether a rule has this head key; not where it is a key that goes with another one."""
    with_others = [
        other for other, declared in heads.items() if other != name and any(key.name == name for key in declared.keys)
    ]
    if not with_others:
        return {"required": [name]}
    return {"required": [name], "not": {"anyOf": [{"required": [other]} for other in with_others]}}


def _check(declared: Declaration) -> Schema:
    keys = (declared.head, *declared.keys)
    schema: Schema = {
        "properties": {key.name: _described(key) for key in keys},
        "propertyNames": {"enum": [*(key.name for key in keys), *_common_names()]},
    }
    if required := [key.name for key in declared.keys if key.required]:
        schema["required"] = required
    if declared.one_of:
        schema["allOf"] = [{"anyOf": [{"required": [name]} for name in group]} for group in declared.one_of]
    return schema


def _lint(lints: Mapping[str, Declaration]) -> Schema:
    names: Schema = {"enum": list(lints)}
    keys = {key.name: key for declared in lints.values() for key in declared.keys}
    return {
        "properties": {LINT: _one_or_more(names), **{name: _described(key) for name, key in keys.items()}},
        "propertyNames": {"enum": [LINT, *keys, *_common_names()]},
    }


def _common_names() -> list[str]:
    return [key.name for key in language.COMMON]


def _object(keys: Sequence[Key]) -> Schema:
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _described(key) for key in keys},
    }
    if required := [key.name for key in keys if key.required]:
        schema["required"] = required
    return schema


def _described(key: Key) -> Schema:
    schema = _KINDS[key.kind](key)
    # In this dialect nothing beside a reference counts.
    return {"description": key.doc, **({"allOf": [schema]} if "$ref" in schema else schema)}


def _one_or_more(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _list(item: Schema, **more: int) -> Schema:
    return {"type": "array", "items": item, **more}


def _words(choices: Iterable[str]) -> Schema:
    """An enumeration; what is a number in YAML is allowed as one."""
    words: list[str | int] = list(choices)
    return {"enum": words + [int(word) for word in words if isinstance(word, str) and word.isdecimal()]}


def _size(key: Key) -> Schema:
    return {"allOf": [_SIZE], "minimum": key.minimum} if key.minimum else _SIZE


def _params(_: Key) -> Schema:
    return {
        "type": "object",
        "patternProperties": {_IDENTIFIER: _SIZE},
        "additionalProperties": False,
    }


def _tests(_: Key) -> Schema:
    case = {"anyOf": [_TEXT, {**_object(language.TEST), "anyOf": [{"required": [name]} for name in _SUBJECTS]}]}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "valid": {"description": "Cases in which the rule holds.", **_list(case)},
            "invalid": {"description": "Cases in which the rule is violated.", **_list(case)},
        },
    }


# What a test can be about.
_SUBJECTS = ("script", "file", "image")


def _overrides(_: Key) -> Schema:
    severities: Schema = {"type": "object", "additionalProperties": _words(language.SEVERITIES)}
    return {"type": "object", "additionalProperties": severities}


def _exception() -> Schema:
    one = ("symbol", "section", "to", "object")
    return {**_object(language.EXCEPTION), "anyOf": [{"required": [name]} for name in one]}


def _sections(_: Key) -> Schema:
    return {"type": "object", "additionalProperties": _object(language.SECTION)}


_KINDS: dict[Kind, Callable[[Key], Schema]] = {
    Kind.NAMES: lambda key: _NAMES if key.fewest < 2 else _list(_NAME, minItems=key.fewest),
    Kind.NAME: lambda _: _NAME,
    Kind.NAME_PAIR: lambda _: _list(_NAME, minItems=2, maxItems=2),
    Kind.NAME_GROUPS: lambda key: _list(_NAMES, minItems=key.fewest),
    Kind.SIZE: _size,
    Kind.SIZE_OR_SHARE: lambda _: {"type": ["string", "integer"], "minimum": 0},
    Kind.EXPRESSION: lambda _: {"type": ["string", "integer"]},
    Kind.MEASURE: lambda _: {"type": ["string", "integer"]},
    Kind.TEXT: lambda _: _TEXT,
    Kind.TEXTS: lambda _: _TEXTS,
    Kind.CHOICE: lambda key: _words(key.choices),
    Kind.CHOICES: lambda key: _one_or_more(_words(key.choices)),
    Kind.FLAG: lambda _: {"type": "boolean"},
    Kind.INTEGER: lambda _: {"type": "integer"},
    Kind.DATE: lambda _: {"type": "string", "format": "date"},
    Kind.MESSAGE: lambda _: _TEXT,
    Kind.PARAMS: _params,
    Kind.WHEN: lambda _: _object(language.WHEN),
    Kind.RULES: lambda _: {"type": "array"},
    Kind.TESTS: _tests,
    Kind.IMAGE: lambda _: _object(language.IMAGE),
    Kind.SECTIONS: _sections,
    Kind.SEGMENTS: lambda _: _list(_object(language.SEGMENT)),
    Kind.INPUTS: lambda _: _INPUTS,
    Kind.REFERENCES: lambda _: _list(_object(language.REFERENCE)),
    Kind.SIDE: lambda _: {"anyOf": [_NAMES, {**_object(language.SIDE), "minProperties": 1}]},
    Kind.SIDES: lambda _: _object(language.SIDES),
    Kind.EXCEPTIONS: lambda _: _list(_exception()),
    Kind.OVERRIDES: _overrides,
    Kind.IGNORES: lambda _: _list(_object(language.IGNORE)),
}
