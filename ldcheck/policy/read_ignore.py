"""From YAML to the entries of `ignore`. What they accept is `ldcheck.accepted.ignores`' to say."""

from __future__ import annotations

from ldcheck.documents.nodes import MappingNode, Node, as_scalar, fail, shown, unknown_keys
from ldcheck.findings import CheckError, InputError
from ldcheck.policy.language import IGNORE
from ldcheck.policy.read_values import read_names, read_text
from ldcheck.policy.rule import Ignore

_KEYS = {key.name: key for key in IGNORE}


def read_ignore(mapping: MappingNode) -> Ignore:
    """One entry of `ignore`. Raises CheckError with everything that is wrong in it."""
    errors = unknown_keys(mapping, _KEYS, "an entry of `ignore`")
    texts: dict[str, tuple[str, ...]] = {}
    for name, key in _KEYS.items():
        node = mapping.get(name)
        if node is None:
            if key.required:
                errors.append(InputError(f"an entry of `ignore` needs `{name}`", mapping.location, help=key.doc))
            continue
        try:
            if name == "reason":
                texts[name] = (read_text(key, node).text,)
            elif name == "until":
                texts[name] = (_day(node),)
            else:
                texts[name] = tuple(word.text for word in read_names(key, node))
        except CheckError as error:
            errors.extend(error.errors)
    if errors:
        raise CheckError(*errors)
    first = mapping.keys["rule"]
    return Ignore(
        rules=texts["rule"],
        where=texts.get("where", ()),
        reason=texts["reason"][0],
        until=texts.get("until", ("",))[0],
        place=first,
    )


def _day(node: Node) -> str:
    from datetime import date

    scalar = as_scalar(node, "`until`", "a day (YYYY-MM-DD)")
    try:
        return date.fromisoformat(scalar.text).isoformat()
    except ValueError:
        fail(scalar, f"`until` is `{shown(scalar.text)}` and must be a day such as 2027-06-30")
