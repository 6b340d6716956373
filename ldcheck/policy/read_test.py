"""The tests that a policy holds: their YAML to `RuleTest`s. `ldcheck.policy.testing.run` runs them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from ldcheck.documents.nodes import MappingNode, Node, ScalarNode, as_list, as_mapping, shown, unknown_keys
from ldcheck.findings import InputError
from ldcheck.policy.declare import Key, Kind
from ldcheck.policy.language import IMAGE, INPUT, REFERENCE, SECTION, SEGMENT, TEST
from ldcheck.policy.read_values import Complaints, read_fields, read_size, read_text, table, text_of, texts_of
from ldcheck.policy.rule import Named, RuleTest, Value
from ldcheck.words import did_you_mean

_TEST = table(TEST)
_IMAGE = table(IMAGE)
_SECTION = table(SECTION)
_SEGMENT = table(SEGMENT)
_INPUT = table(INPUT)
_REFERENCE = table(REFERENCE)


def read_tests(node: Node, params: Collection[str], complaints: Complaints) -> tuple[RuleTest, ...]:
    """The cases under `tests`. `params` are the names of the policy's, which a case may give other values."""
    mapping = as_mapping(node, "`tests`")
    complaints.errors.extend(unknown_keys(mapping, ("valid", "invalid"), "`tests`"))
    tests: list[RuleTest] = []
    for name in ("valid", "invalid"):
        cases = mapping.get(name)
        for case in complaints.attempt(as_list, cases, f"`{name}`") or () if cases is not None else ():
            test = complaints.attempt(_read_test, case, name == "valid", params, complaints)
            if test is not None:
                tests.append(test)
    return tuple(tests)


def read_params(node: Node) -> tuple[dict[str, Named], list[InputError]]:
    """Names with their sizes, the syntax of which is checked, and the errors of those that are wrong."""
    from ldcheck.policy.sizes import is_identifier

    complaints = Complaints()
    params: dict[str, Named] = {}
    mapping = complaints.attempt(as_mapping, node, "`params`")
    for key, value in mapping.items() if mapping is not None else ():
        if not is_identifier(key.text):
            complaints.add(f"`{shown(key.text)}` is no name for a param", key, "letters, digits and _")
            continue
        size = complaints.attempt(read_size, Key(key.text, Kind.SIZE, ""), value)
        if size is not None:
            params[key.text] = size
    return params, complaints.errors


def _read_test(node: Node, valid: bool, params: Collection[str], complaints: Complaints) -> RuleTest:
    if isinstance(node, ScalarNode):
        return RuleTest(valid, read_text(_TEST["script"], node).text, node)
    mapping = as_mapping(node, "a test")
    values = read_fields(mapping, _TEST, "a test", complaints)
    script, file, given = (mapping.values.get(part) for part in ("script", "file", "image"))
    if script is not None and file is not None:
        complaints.add("a test has either `script` or `file`", mapping.keys["file"])
    if script is None and file is None and given is None:
        complaints.add("a test needs `script`, `file` or `image`", mapping)
    image = complaints.attempt(as_mapping, given, "`image`") if given is not None else None
    if image is not None:
        _check_image(image, complaints)
    _check_surroundings(values, complaints)
    if mapping.values.keys() == {"script"} and values:
        return RuleTest(valid, text_of(values, "script"), script or mapping)
    return RuleTest(
        valid=valid,
        script=text_of(values, "script") or None,
        place=script or file or mapping,
        name=text_of(values, "name"),
        file=os.path.join(os.path.dirname(node.source.name), text_of(values, "file")) if "file" in values else "",
        arch=text_of(values, "arch"),
        params=_params(mapping, params, complaints),
        config=texts_of(values, "config"),
        format=text_of(values, "format"),
        linker=text_of(values, "linker"),
        path=text_of(values, "path"),
        image=image,
        verdict=text_of(values, "verdict"),
        finds=texts_of(values, "finds"),
        line=int(text_of(values, "line") or 0),
    )


def _params(mapping: MappingNode, known: Collection[str], complaints: Complaints) -> dict[str, Named]:
    node = mapping.get("params")
    if node is None:
        return {}
    params, errors = read_params(node)
    complaints.errors.extend(errors)
    for name, value in params.items():
        if name not in known:
            advice = did_you_mean(name, known, "the policy has no such param")
            complaints.add(f"unknown param {name}", value.location, advice)
    return params


def _check_surroundings(values: Mapping[str, Value], complaints: Complaints) -> None:
    """What a case says of its target must be of use to `when`."""
    arch = values.get("arch")
    if isinstance(arch, Named):
        from ldcheck.image.arches import canonical, check_name, expand

        if not canonical(arch.text):
            members = expand(arch.text)
            message = f"unknown architecture `{shown(arch.text)}`"
            if members:
                message = f"`{shown(arch.text)}` is a family, and a target has one architecture"
            advice = f"one of {', '.join(members)}" if members else check_name(arch.text)
            complaints.add(message, arch.location, advice)
    config = values.get("config")
    for word in config if isinstance(config, tuple) else ():
        assert isinstance(word, Named)
        if word.text.startswith("!"):
            advice = "leave it out: what is not given is not defined"
            complaints.add("a test's `config` says what is defined", word.location, advice)


def _check_image(image: MappingNode, complaints: Complaints) -> None:
    """The description of an image must be of the right form; its values are worked out when the test is run."""
    read_fields(image, _IMAGE, "`image`", complaints)
    symbols, sections, segments = image.get("symbols"), image.get("sections"), image.get("segments")
    if symbols is not None:
        mapping = complaints.attempt(as_mapping, symbols, "`symbols`")
        for key, value in mapping.items() if mapping is not None else ():
            complaints.attempt(read_size, Key(key.text, Kind.SIZE, ""), value)
    if sections is not None:
        mapping = complaints.attempt(as_mapping, sections, "`sections`")
        for key, value in mapping.items() if mapping is not None else ():
            what = f"the section {shown(key.text)}"
            section = complaints.attempt(as_mapping, value, what)
            if section is not None:
                read_fields(section, _SECTION, what, complaints)
                _check_list(section, "inputs", _INPUT, complaints)
    if segments is not None:
        _check_list(image, "segments", _SEGMENT, complaints)
    for name in ("discarded", "objects"):
        _check_list(image, name, _INPUT, complaints)
    _check_list(image, "references", _REFERENCE, complaints)


def _check_list(parent: MappingNode, name: str, keys: Mapping[str, Key], complaints: Complaints) -> None:
    node = parent.get(name)
    for item in complaints.attempt(as_list, node, f"`{name}`") or () if node is not None else ():
        what = f"an entry of `{name}`"
        mapping = complaints.attempt(as_mapping, item, what)
        if mapping is not None:
            read_fields(mapping, keys, what, complaints)
