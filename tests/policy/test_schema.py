"""The JSON schemas: generated as they are committed, and of one mind with the loader."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from ldcheck import checks
from ldcheck.cli import schema as command
from ldcheck.cli.main import main
from ldcheck.policy import language
from ldcheck.policy.declare import Kind
from ldcheck.policy.load import load_policies
from ldcheck.policy.schema import _KINDS, policy_schema
from tests.support.cache import ROOT

POLICIES = sorted(ROOT.glob("policies/**/*.yaml"))
CASES = sorted(Path(__file__).parent.glob("cases/*/policy.yaml"))

# What only the loader sees: other files, expressions, placeholders, names that must exist, and YAML itself.
LOADER_ONLY = {
    *("cycle", "duplicate-key", "missing-rule", "no-rules", "overrides", "param-cycle", "placeholders", "references"),
    *("same-id", "unknown-extends"),
}
# What no YAML library would hand to a validator.
NO_YAML = {"alias-bomb", "not-a-policy", "tabs", "tag"}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    schema = policy_schema(checks)
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def data(path: Path) -> object:
    """As editors and check-jsonschema read it: by YAML 1.2, for which `off` is a text."""
    reader = YAML(typ="safe", pure=True)
    reader.allow_duplicate_keys = True
    return reader.load(path.read_text())


@pytest.mark.parametrize("kind", command.KINDS)
def test_the_committed_schema_is_the_generated_one(kind):
    """After a change of keys: `ldcheck schema KIND > schema/ldcheck-KIND.json`."""
    assert (ROOT / "schema" / f"ldcheck-{kind}.json").read_text() == command.text(kind)


@pytest.mark.parametrize("kind", command.KINDS)
def test_the_command_prints_it(kind, capsys):
    assert main(["schema", kind]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(command.text(kind))


def test_the_configuration_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(json.loads(command.text("config")))


def test_every_kind_of_value_has_a_schema():
    assert set(_KINDS) == set(Kind)


def test_every_key_is_explained():
    tables = (language.POLICY, language.COMMON, language.WHEN, language.TEST, language.IGNORE, language.IMAGE)
    for keys in (*tables, language.SECTION, language.SEGMENT, language.INPUT):
        for key in keys:
            assert key.doc.endswith(".")
            assert key.doc[0].isupper()


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: str(path.relative_to(ROOT)))
def test_stock_policies_are_valid(path, validator):
    assert [error.message for error in validator.iter_errors(data(path))] == []


@pytest.mark.parametrize(
    "path", [path for path in CASES if path.parent.name not in NO_YAML], ids=lambda path: path.parent.name
)
def test_bad_policies_are_not(path, validator):
    """The schema refuses what the loader refuses, but for what it cannot see."""
    valid = validator.is_valid(data(path))
    assert valid == (path.parent.name in LOADER_ONLY)


def rules(*entries: object) -> object:
    return {"ldcheck": 1, "rules": list(entries)}


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "x", "order": ["_start", "_end"]},
        {"id": "x", "align": ".data", "to": 4096},
        {"id": "x", "align": ".data", "to": "PAGE_SIZE", "when": {"arch": ["arm", "!arm32"]}},
        {"id": "x", "to": "8K"},
        {"id": "x", "severity": "off"},
        {"lint": "shadowed-pattern", "severity": "note"},
        {
            "id": "x",
            "empty": ".got",
            "tests": {"valid": ["SECTIONS { }", {"image": {"sections": {".got": {"size": 0}}}}]},
        },
        {"id": "x", "empty": ".got", "see": ["a", "b"], "evidence": "image"},
    ],
)
def test_the_schema_allows_what_the_loader_allows(entry, validator, tmp_path):
    assert [error.message for error in validator.iter_errors(rules(entry))] == []
    errors = load(entry, tmp_path)
    # Without a policy that is extended, a change of a rule changes nothing.
    assert [error for error in errors if "no head key" not in error] == []


@pytest.mark.parametrize(
    "entry",
    [
        {"order": ["_start", "_end"]},
        {"id": "x", "align": ".data"},
        {"id": "x", "align": ".data", "to": 4096, "empty": ".got"},
        {"id": "x", "align": ".data", "to": True},
        {"id": "x", "align": ".data", "to": -1},
        {"id": "x", "empty": []},
        {"id": "x", "empty": "a b"},
        {"id": "x", "empty": ".got", "to": "4K"},
        {"id": "x", "empty": ".got", "severity": "loud"},
        {"id": "x", "empty": ".got", "when": {"archs": "arm"}},
        {"id": "x", "empty": ".got", "when": {}, "optional": "true"},
        {"id": "x", "empty": ".got", "tests": {"valid": [{"arch": "arm64"}]}},
        {"id": "x", "empty": ".got", "why": " "},
        {"lint": "shadowed"},
        {"lint": []},
        {"why": "x"},
        "x",
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(entry, validator, tmp_path):
    assert not validator.is_valid(rules(entry))
    assert load(entry, tmp_path)


def load(entry: object, folder: Path) -> list[str]:
    path = folder / "policy.yaml"
    # JSON is YAML, and keeps apart what is quoted and what is not.
    path.write_text(
        json.dumps({"ldcheck": 1, "params": {"PAGE_SIZE": "4K"}, "rules": [entry]}).replace(
            '"ldcheck": 1', "ldcheck: 1"
        )
    )
    return [error.message for error in load_policies([str(path)], declarations=checks).errors]
