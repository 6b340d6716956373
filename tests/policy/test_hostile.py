"""Policies that mean harm, or that a cat wrote: whatever they are, loading ends soon, with rules or with errors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ldcheck import checks
from ldcheck.policy.load import Policies, load_policies
from ldcheck.policy.read_values import MOST_ERRORS
from ldcheck.policy.testing.run import run_tests
from tests.support.cache import ROOT

# More cases: LDCHECK_EXAMPLES=100000.
EXAMPLES = int(os.environ.get("LDCHECK_EXAMPLES", "80"))

MANY = 6000


def load(folder: Path, text: str) -> Policies:
    path = folder / "policy.yaml"
    path.write_text("ldcheck: 1\n" + text, encoding="utf-8")
    return load_policies([str(path)], declarations=checks)


def numbered(pattern: str, count: int = MANY) -> str:
    return ", ".join(pattern.replace("#", str(n)) for n in range(count))


# Each takes minutes or gigabytes where something grows with the square of the input.
FLOODS = {
    "unknown keys in a policy": numbered("k#: 1").replace(", ", "\n"),
    "unknown keys in a rule": "rules: [{ id: x, empty: .got, " + numbered("k#: 1") + " }]",
    "rules with unknown keys": "rules: [" + numbered("{ id: r#, emtpy: .got }") + "]",
    "rules with unknown lints": "rules: [{ lint: [" + numbered("lint-#") + "] }]",
    "rules on one line": "rules: [" + numbered("{ id: r#, empty: .got, why: w }") + "]",
    "rules of one id": "rules: [" + numbered("{ id: r, empty: .got }") + "]",
    "unknown policies": "extends: [" + numbered("p#") + "]",
    "params that use one another": "params: { " + numbered("P#: P1#") + " }\nrules: [{ id: x, empty: .got }]",
    "a chain of params": "params: { " + ", ".join(f"P{n}: P{n + 1}" for n in range(MANY)) + f", P{MANY}: 1 }}",
    "a circle of params": "params: { " + ", ".join(f"P{n}: P{(n + 1) % MANY}" for n in range(MANY)) + " }",
    "bad params": "params: { " + numbered("P#: 4Q") + " }",
    "placeholders": "rules: [{ id: x, empty: .got, message: '" + "{x}" * MANY + "{" * MANY + "' }]",
    "different placeholders": "rules: [{ id: x, empty: .got, message: '" + numbered("{x#}") + "' }]",
    "bad tests": "rules: [{ id: x, empty: .got, tests: { valid: [" + numbered("{ script: a, archs: # }") + "] } }]",
    "bad images": "rules: [{ id: x, empty: .got, tests: { valid: [{ image: { sections: { "
    + numbered(".s#: { sise: 1 }")
    + " } } }] } }]",
    "ignores of nothing": "rules: [{ id: x, empty: .got }]\nignore: [" + numbered("{ rule: r#*, reason: r }") + "]",
    "overrides of many rules": "rules: ["
    + numbered("{ id: r#, empty: .got }", 3000)
    + "]\npaths: { a: { "
    + numbered("r#*: note", 3000)
    + " } }",
    "ignores of many rules": "rules: ["
    + numbered("{ id: r#, empty: .got }", 3000)
    + "]\nignore: ["
    + numbered("{ rule: '*a*a*a*a*#', reason: r }", 3000)
    + "]",
    "conditions": "rules: [{ id: x, empty: .got, when: { config: [" + numbered("'X #'") + "] } }]",
    "a long name": "rules: [{ id: x, " + "k" * 100_000 + ": y }]",
    "a long size": "rules: [{ id: x, align: a, to: '" + "1+" * 100_000 + "1' }]",
    "a deep size": "rules: [{ id: x, align: a, to: '" + "(" * 100_000 + "1' }]",
    "large numbers": "params: { " + numbered("P#: 1 << 63 << 63", 500) + " }",
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods(name, tmp_path):
    policies = load(tmp_path, FLOODS[name])
    assert policies.rules or policies.errors
    assert len(policies.errors) <= 2 * MOST_ERRORS
    for error in policies.errors:
        assert len(error.message) < 1000


WORDS = st.sampled_from(
    [
        *("id", "x", "align", "to", "4K", "empty", ".got", "order", "lint", "shadowed-pattern", "when", "arch", "arm"),
        *("tests", "valid", "invalid", "script", "SECTIONS { }", "image", "sections", "at", "size", "inputs", "name"),
        *(
            "symbols",
            "params",
            "PAGE_SIZE",
            "extends",
            "generic",
            "rules",
            "paths",
            "ignore",
            "rule",
            "reason",
            "until",
        ),
        *(
            "message",
            "{subject}",
            "{",
            "severity",
            "off",
            "evidence",
            "map",
            "optional",
            "true",
            "",
            "~",
            "0",
            "-1",
            "*",
        ),
        *(
            "config",
            "!CONFIG_X",
            "verdict",
            "held",
            "place",
            "between",
            "in",
            "file",
            "objects",
            "segments",
            "\u0000",
            "ä",
        ),
    ]
)
VALUES = st.recursive(
    WORDS | st.booleans() | st.none() | st.integers(-2, 5000),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)
THOROUGH = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def loads_and_runs(folder: Path, data: object) -> None:
    import yaml

    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    policies = load_policies([str(path)], declarations=checks)
    assert policies.rules or policies.errors
    run_tests(policies.rules[:3])


@given(VALUES)
@THOROUGH
def test_any_document(tmp_path, data):
    loads_and_runs(tmp_path, data)


@given(st.dictionaries(WORDS, VALUES, max_size=6))
@THOROUGH
def test_any_policy(tmp_path, data):
    loads_and_runs(tmp_path, {**data, "ldcheck": 1})


@given(st.lists(st.dictionaries(WORDS, VALUES, max_size=6), max_size=3))
@THOROUGH
def test_any_rules(tmp_path, data):
    loads_and_runs(
        tmp_path, {"ldcheck": 1, "params": {"PAGE_SIZE": "4K"}, "rules": [{"id": "x", **rule} for rule in data]}
    )


@given(st.data())
@THOROUGH
def test_damaged_stock_policies(tmp_path, data):
    stock = sorted(ROOT.glob("policies/**/*.yaml"))
    text = data.draw(st.sampled_from(stock)).read_bytes()
    at = data.draw(st.integers(0, len(text)))
    more = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"\t", b": ", b"- ", b"[", b"}", b"'", b'"', b"&a ", b"*a "])
    )
    path = tmp_path / "policy.yaml"
    path.write_bytes(text[:at] + more + text[at + data.draw(st.integers(0, 20)) :])
    policies = load_policies([str(path)], declarations=checks)
    assert policies.rules or policies.errors
