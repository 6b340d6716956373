"""Loading: what rules are made of policies, what extends what, and what is refused before it is read."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from ldcheck import checks
from ldcheck.findings import EvidenceKind, Severity
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.files import find_policy, stock_names
from ldcheck.policy.load import Policies, load_policies
from ldcheck.policy.rule import Named, Rule, names_of

HEADS = {
    "names": Declaration(Key("names", Kind.NAMES, "")),
    "pair": Declaration(Key("pair", Kind.NAME_PAIR, "")),
    "groups": Declaration(Key("groups", Kind.NAME_GROUPS, ""), (Key("page", Kind.SIZE, ""),)),
    "limit": Declaration(Key("limit", Kind.EXPRESSION, ""), (Key("to", Kind.SIZE, "", required=True, minimum=1),)),
    "share": Declaration(Key("share", Kind.SIZE_OR_SHARE, "")),
    # One check's key is another's head.
    "frame": Declaration(Key("frame", Kind.NAME, ""), (Key("names", Kind.NAMES, ""), Key("tight", Kind.FLAG, ""))),
    "every": Declaration(Key("every", Kind.CHOICE, "", choices=("section", "symbol"))),
}
LINTS = {
    "dead": Declaration(Key("dead", Kind.FLAG, ""), (Key("except", Kind.NAMES, ""),)),
    "gap": Declaration(Key("gap", Kind.FLAG, ""), evidence=(EvidenceKind.SCRIPT,)),
}


class Declared:
    """Checks of every kind of key, as a policy author meets them."""

    def names(self) -> tuple[str, ...]:
        return tuple(HEADS)

    def lint_names(self) -> tuple[str, ...]:
        return tuple(LINTS)

    def declaration(self, name: str, lint: bool = False) -> Declaration:
        return (LINTS if lint else HEADS)[name]


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Write policies (`name=text`, the first is loaded) and load them."""
    monkeypatch.chdir(tmp_path)

    def write_and_load(text: str, **others: str) -> Policies:
        for name, content in {"policy": text, **others}.items():
            Path(f"{name}.yaml").write_text("ldcheck: 1\n" + textwrap.dedent(content))
        return load_policies(["policy.yaml"], declarations=Declared())

    return write_and_load


def only(policies: Policies) -> Rule:
    assert policies.errors == ()
    (rule,) = policies.rules
    return rule


def messages(policies: Policies) -> list[str]:
    return [f"{e.location.file}:{e.location.line}:{e.location.column}: {e.message}" for e in policies.errors]


# Values ---------------------------------------------------------------------------------------------------------------


def test_everything_that_a_rule_can_hold(load):
    rule = only(
        load("""\
        params: { PAGE_SIZE: 4K }
        rules:
          - id: all
            limit: _end - _start
            to: 2 * PAGE_SIZE
            severity: warning
            unproven: error
            when: { arch: [arm, '!arm32'], config: CONFIG_X, format: elf, linker: GNU ld, paths: 'xen/**' }
            why: because
            help: mend it
            see: [one, two]
            message: "{subject} is over {to}: {message}"
            optional: true
            evidence: image
        """)
    )
    assert rule.id == "all"
    assert rule.check == "limit"
    assert isinstance(rule.subject, Named)
    assert rule.subject.text == "_end - _start"
    assert (rule.subject.location.line, rule.subject.location.column) == (5, 12)
    assert (rule.location.line, rule.location.column, rule.location.end_column) == (5, 5, 25)
    to = rule.keys["to"]
    assert isinstance(to, Named)
    assert (to.text, to.location.line) == ("2 * PAGE_SIZE", 6)
    assert (rule.severity, rule.unproven) == (Severity.WARNING, Severity.ERROR)
    when = rule.when
    assert (when.arch, when.config, when.format) == (("arm", "!arm32"), ("CONFIG_X",), ("elf",))
    assert (when.linker, when.paths) == (("GNU ld",), ("xen/**",))
    assert (rule.why, rule.help, rule.see) == ("because", "mend it", ("one", "two"))
    assert rule.message == "{subject} is over {to}: {message}"
    assert rule.optional
    assert rule.evidence == (EvidenceKind.IMAGE,)
    assert not rule.lint
    assert rule.policy == "policy.yaml"


def test_kinds_of_values(load):
    policies = load("""\
        rules:
          - { id: a, names: .text }
          - { id: b, names: [.text, '.data.*'] }
          - { id: c, pair: [start, stop] }
          - { id: d, groups: [.text, [.data, .bss]], page: 0x1000 }
          - { id: e, share: 3.5% }
          - { id: f, share: 4K }
          - { id: g, every: section }
          - { id: h, frame: .tbl, names: [x], tight: true }
        """)
    assert policies.errors == ()
    rules = {rule.id: rule for rule in policies.rules}

    def texts(rule: str) -> list[str]:
        return [name.text for name in rules[rule].names]

    assert texts("a") == [".text"]
    assert texts("b") == [".text", ".data.*"]
    assert texts("c") == ["start", "stop"]
    groups = rules["d"].subject
    assert isinstance(groups, tuple)
    assert [[name.text for name in names_of(group)] for group in groups] == [[".text"], [".data", ".bss"]]
    assert texts("e") == ["3.5%"]
    assert texts("f") == ["4K"]
    assert texts("g") == ["section"]
    assert rules["h"].check == "frame"
    assert rules["h"].keys["tight"] is True


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("pair: [a]", "`pair` has 1 entries and must be a list of two names"),
        ("pair: a", "`pair` is the text `a` and must be a list"),
        ("groups: [a, []]", "`groups` has an empty group"),
        ("groups: []", "`groups` is an empty list"),
        ("groups: [{a: b}]", "a group of `groups` is a mapping"),
        ("share: 101%", "must be a share from 0% to 100%"),
        ("share: x%", "must be a share from 0% to 100%"),
        ("share: four", "unknown param four"),
        ("every: thing", "must be one of section, symbol"),
        ("{limit: a, to: 0}", "`to` is 0 and must be at least 1"),
        ("limit: a +", "syntax error"),
        ("{limit: a, to: 4K, names: b}", "one head key"),
        ("{frame: a, tight: 'true'}", "must be true or false"),
        ("{frame: .a .b}", "a name holds no blanks"),
        ("{frame: '*(.a .b)'}", "a name holds no blanks"),
        ("{lint: dead, id: a b}", "a name holds no blanks"),
        ("{lint: [dead, gap], id: x}", "one `id` for several lints"),
        ("{lint: gap, evidence: image}", "`gap` cannot be judged on image"),
    ],
)
def test_wrong_values(load, rule, message):
    flow = rule if rule.startswith("{") else f"{{{rule}}}"
    flow = flow if "lint" in flow else flow.replace("{", "{id: x, ", 1)
    policies = load(f"rules:\n  - {flow}\n")
    assert policies.rules == ()
    assert any(message in text for text in messages(policies)), messages(policies)


def test_a_list_of_lints_is_as_many_rules(load):
    policies = load("rules:\n  - { lint: [dead, gap], severity: note }\n")
    assert policies.errors == ()
    assert [(rule.id, rule.check, rule.lint, rule.severity) for rule in policies.rules] == [
        ("dead", "dead", True, Severity.NOTE),
        ("gap", "gap", True, Severity.NOTE),
    ]


def test_a_lint_takes_an_id_and_its_own_keys(load):
    rule = only(load("rules:\n  - { id: my-dead, lint: dead, except: .text }\n"))
    assert (rule.id, rule.check) == ("my-dead", "dead")
    assert [name.text for name in names_of(rule.keys["except"])] == [".text"]


def test_a_bad_rule_does_not_hide_the_others(load):
    policies = load("""\
        rules:
          - { id: good, names: .text }
          - { id: bad, nmaes: .text }
          - { id: twice, names: .text, names: .data }
          - { id: tagged, names: !x .text }
          - { id: also-good, names: .text }
        """)
    assert [rule.id for rule in policies.rules] == ["good", "also-good"]
    assert messages(policies) == [
        "policy.yaml:4:16: unknown key `nmaes`: no check has this head key",
        "policy.yaml:5:32: the key `names` is given twice",
        "policy.yaml:6:26: the tag `!x` is not allowed: only plain data is read",
    ]


def test_tests_of_a_rule(load):
    rule = only(
        load("""\
        params: { SIZE: 4K }
        rules:
          - id: x
            names: .text
            tests:
              valid:
                - 'SECTIONS { }'
                - { file: sub/good.lds, arch: aarch64, params: { SIZE: 8K }, config: [CONFIG_X, CONFIG_Y=2] }
              invalid:
                - { name: why, image: { symbols: { a: SIZE } }, verdict: unproven, finds: a b, line: 0x10, path: a/b }
        """)
    )
    first, second, third = rule.tests
    assert (first.valid, first.script, first.location.line) == (True, "SECTIONS { }", 8)
    assert (second.file, second.arch, second.config) == ("sub/good.lds", "aarch64", ("CONFIG_X", "CONFIG_Y=2"))
    assert {name: value.text for name, value in second.params.items()} == {"SIZE": "8K"}
    assert (third.valid, third.script, third.verdict, third.finds, third.line) == (
        False,
        None,
        "unproven",
        ("a b",),
        16,
    )
    assert third.image is not None
    assert third.path == "a/b"


# Params ---------------------------------------------------------------------------------------------------------------


def test_params_may_use_one_another(load):
    policies = load("""\
        params: { LIMIT: 2 * PAGE_SIZE + 1, PAGE_SIZE: 1 << SHIFT, SHIFT: 12 }
        rules: [{ id: x, limit: a, to: LIMIT }]
        """)
    assert policies.errors == ()
    assert policies.params == {"LIMIT": 0x2001, "PAGE_SIZE": 0x1000, "SHIFT": 12}


def test_given_params_replace_those_of_the_policy(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("ldcheck: 1\nparams: { A: 1, B: A + 1 }\nrules: [{ id: x, names: a }]\n")
    policies = load_policies([str(path)], declarations=Declared(), params={"A": "4K"})
    assert policies.errors == ()
    assert policies.params == {"A": 4096, "B": 4097}


def test_a_param_counts_for_what_is_extended_too(load):
    policies = load(
        "extends: base.yaml\nparams: { PAGE_SIZE: 64K }\n",
        base="params: { PAGE_SIZE: 4K }\nrules: [{ id: x, limit: a, to: PAGE_SIZE }]\n",
    )
    assert policies.params == {"PAGE_SIZE": 65536}
    assert only(policies).params["PAGE_SIZE"].text == "64K"


# Extends --------------------------------------------------------------------------------------------------------------


def test_a_later_rule_changes_what_it_gives(load):
    policies = load(
        "extends: base.yaml\nrules:\n  - { id: b, severity: note, when: { arch: arm } }\n  - { id: c, names: .c }\n",
        base="rules:\n  - { id: a, names: .a }\n  - { id: b, names: .b, why: reason }\n",
    )
    assert policies.errors == ()
    assert [rule.id for rule in policies.rules] == ["a", "b", "c"]
    changed = policies.rules[1]
    assert (changed.severity, changed.when.arch, changed.why) == (Severity.NOTE, ("arm",), "reason")
    assert changed.location.file == "base.yaml"


def test_a_rule_may_be_given_anew_with_the_same_check(load):
    rule = only(
        load("extends: base.yaml\nrules: [{ id: a, names: .new }]\n", base="rules: [{ id: a, names: .a, why: w }]\n")
    )
    assert ([name.text for name in rule.names], rule.why, rule.policy) == ([".new"], "w", "policy.yaml")


def test_a_lint_is_changed_by_its_name(load):
    rule = only(load("extends: base.yaml\nrules: [{ id: dead, severity: off }]\n", base="rules: [{ lint: dead }]\n"))
    assert rule.severity is Severity.OFF


def test_a_diamond_is_loaded_once(load):
    policies = load(
        "extends: [left.yaml, right.yaml]\nrules: [{ id: top, names: a }]\n",
        left="extends: base.yaml\nrules: [{ id: left, names: a }]\n",
        right="extends: ./base.yaml\nrules: [{ id: right, names: a }, { id: base, severity: note }]\n",
        base="rules: [{ id: base, names: a }]\n",
    )
    assert policies.errors == ()
    assert [(rule.id, rule.severity.value) for rule in policies.rules] == [
        ("base", "note"),
        ("left", "error"),
        ("right", "error"),
        ("top", "error"),
    ]
    assert [os.path.basename(file) for file in policies.files] == [
        "base.yaml",
        "left.yaml",
        "right.yaml",
        "policy.yaml",
    ]


def test_a_policy_that_extends_itself(load):
    policies = load("extends: policy.yaml\nrules: [{ id: x, names: a }]\n")
    assert messages(policies) == [
        "policy.yaml:2:10: policies extend each other in a circle: policy.yaml -> policy.yaml"
    ]


def test_a_cycle_through_a_link_is_seen(load, tmp_path):
    (tmp_path / "alias.yaml").symlink_to(tmp_path / "policy.yaml")
    policies = load("extends: alias.yaml\nrules: [{ id: x, names: a }]\n")
    assert "in a circle" in messages(policies)[0]


@pytest.mark.parametrize(("steps", "found"), [(60, ["x"]), (2000, [])])
def test_a_long_chain_of_policies(load, steps, found):
    chain = {f"p{n}": f"extends: p{n + 1}.yaml\n" for n in range(steps)}
    policies = load("extends: p0.yaml\n", **{**chain, f"p{steps}": "rules: [{ id: x, names: a }]\n"})
    assert [rule.id for rule in policies.rules] == found
    if not found:
        assert messages(policies) == ["p63.yaml:2:10: policies extend each other over more than 64 steps"]


def test_extends_is_relative_to_the_file(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/base.yaml").write_text("ldcheck: 1\nrules: [{ id: x, names: a }]\n")
    (tmp_path / "sub/next.yaml").write_text("ldcheck: 1\nextends: base.yaml\n")
    (tmp_path / "top.yml").write_text("ldcheck: 1\nextends: sub/next.yaml\n")
    policies = load_policies(["top.yml"], base=str(tmp_path), declarations=Declared())
    assert [rule.id for rule in policies.rules] == ["x"]


def test_several_policies_are_one_that_extends_them_all(load):
    Path("other.yaml").write_text("ldcheck: 1\nrules: [{ id: x, severity: note }, { id: y, names: b }]\n")
    load("rules: [{ id: x, names: a }]\n")
    policies = load_policies(["policy.yaml", "other.yaml", "policy.yaml"], declarations=Declared())
    assert [(rule.id, rule.severity.value) for rule in policies.rules] == [("x", "note"), ("y", "error")]


# Finding files --------------------------------------------------------------------------------------------------------


def test_stock_policies_have_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert {"generic", "xen/arm", "xen/common", "xen/x86"} <= set(stock_names())
    assert os.path.isfile(find_policy("xen/arm"))
    assert find_policy("./generic") == "./generic"


def test_a_name_does_not_leave_the_stock_folder():
    policies = load_policies(["xen/../../pyproject"], declarations=Declared())
    assert "there is no policy" in policies.errors[0].message


@pytest.mark.parametrize("name", stock_names())
def test_stock_policies_load(name):
    policies = load_policies([name], declarations=checks)
    assert messages(policies) == []
    assert policies.rules


# What cannot be read --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ldcheck: 1\nrules: \xff\n", "byte 0xff is not UTF-8"),
        (b"", "is empty"),
        (b"\x7fELF\x02\x01\x01\0", "the character U+007F is not allowed"),
        (b"ldcheck: 1\n" + b"#" * (600 << 10), "larger than 512 KiB"),
        (None, "is a folder, not a policy"),
    ],
)
def test_unreadable_files(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    Path("top.yaml").write_text("ldcheck: 1\nextends: bad.yaml\nrules: [{ id: x, names: a }]\n")
    if content is None:
        Path("bad.yaml").mkdir()
    else:
        Path("bad.yaml").write_bytes(content)
    alone = load_policies(["bad.yaml"], declarations=Declared())
    assert [error.message for error in alone.errors if message in error.message]
    assert alone.rules == ()
    # Named by another policy, the error stands there, unless it has a line of its own.
    extended = load_policies(["top.yaml"], declarations=Declared())
    (error,) = extended.errors
    assert message in error.message
    assert error.location.line == (2 if error.location.file == "top.yaml" else error.location.line)
    assert error.location.line >= 1
    assert [rule.id for rule in extended.rules] == ["x"]


def test_a_file_of_50_megabytes_is_refused_unread(tmp_path):
    path = tmp_path / "huge.yaml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    (error,) = load_policies([str(path)], declarations=Declared()).errors
    assert "larger than" in error.message


@pytest.mark.parametrize("name", [r"a\x00.yaml", r"a\x00", r"\ud800.yaml", "a" * 5000 + ".yaml", "a/" * 3000, "", "."])
def test_names_that_no_file_has(load, name):
    policies = load(f'extends: "{name}"\nrules: [{{ id: x, names: a }}]\n')
    (message,) = messages(policies)
    assert message.startswith("policy.yaml:2:10: ")
    assert len(message) < 200
    assert [rule.id for rule in policies.rules] == ["x"]


def test_a_policy_that_may_not_be_read(tmp_path):
    path = tmp_path / "locked.yaml"
    path.symlink_to(path)
    (error,) = load_policies([str(path)], declarations=Declared()).errors
    assert "cannot be read" in error.message
