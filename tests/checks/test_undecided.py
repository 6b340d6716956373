"""What the budget of a run does not allow to decide is not checked, whatever the check; and a run that ends says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck import api
from ldcheck.findings import Verdict
from ldcheck.sections import budget

# The two patterns that compete for .text.* have no name in common that a look at their ends would show.
SCRIPT = """
MEMORY { RAM (rwx) : ORIGIN = 0, LENGTH = 64K }
SECTIONS {
  .text : { start = .; KEEP(*(.text.[ab]?c*)) stop = .; *(.text.?b[cd]*) } > RAM
  /DISCARD/ : { *(.note.?[xy]) *(.note.[xy]?) }
}
"""
RULES = {
    "keep": "keep: '.text.?b*'",
    "place": "place: '.text.[ab]b*'\n    in: .text",
    "bracket": "bracket: '.text.[ab]?c*'\n    with: [start, stop]\n    aligned-to: 1",
    "discard": "discard: '.note.?[xy]'",
    "enumerate": "enumerate: '.text.[ab]?c*'\n    before: '.text.*'",
    "first": "first: '.text.[ab]?c*'",
    "no-wildcard-may-shadow": "no-wildcard-may-shadow: '.text.?b[cd]*'",
    "shadowed-pattern": "lint: shadowed-pattern",
    "competing-pattern": "lint: competing-pattern",
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    script, policy = tmp_path / "t.ld", tmp_path / "policy.yaml"
    script.write_text(SCRIPT)
    rules = "".join(f"  - id: {name}-rule\n    {text}\n" for name, text in RULES.items())
    policy.write_text(f"ldcheck: 1\nrules:\n{rules}")
    return str(script), str(policy)


def test_with_the_budget_every_rule_is_decided(files: tuple[str, str]) -> None:
    report = api.check([files[0]], policies=[files[1]])
    assert report.errors == ()
    assert [result.rule for result in report.rules if result.verdict is Verdict.NOT_CHECKED] == []
    assert not any("not decided" in note for note in report.notes)


@pytest.fixture
def forgetful() -> None:
    """What other tests have asked is asked again."""
    from ldcheck.sections import globs

    for part in vars(globs).values():
        if hasattr(part, "cache_clear"):
            part.cache_clear()


@pytest.mark.usefixtures("forgetful")
def test_without_it_none_is(files: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "_STEPS", 0)
    monkeypatch.setattr(budget, "_STEPS_OF_A_RULE", 0)
    report = api.check([files[0]], policies=[files[1]])
    assert {result.rule: result.verdict for result in report.rules} == {
        f"{name}-rule": Verdict.NOT_CHECKED for name in RULES
    }
    assert all("not decided within the budget" in result.reason for result in report.rules)
    assert report.findings == ()
    assert report.status == 2
    assert any("were not decided" in note for note in report.notes)


HOSTILE = {
    "stars": " ".join(f"*(*{chr(97 + n % 26)}*{chr(97 + n // 26 % 26)}*{chr(97 + n // 676)}*)" for n in range(2000)),
    "classes": " ".join(f"*(*[a-{chr(98 + n % 20)}]{'?' * (n % 60)}[[:alpha:]]*)" for n in range(400)),
    "excluded": " ".join(
        f"*(EXCLUDE_FILE({' '.join(f'*{n}*:*{m}*.o' for m in range(40))}) .a{n % 3}*)" for n in range(200)
    ),
    "files": " ".join(f"*{n}*.o(.a{'*b' * (n % 3)}*)" for n in range(1500)),
    "long": f"*(*{'a' * 60000}) *({'?' * 30000}*) *({'a' * 20000}*{'a' * 20000}) *(*{'ab*' * 9000}) *(*)",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_script_ends_with_a_verdict(kind: str, tmp_path: Path) -> None:
    script = tmp_path / "hostile.ld"
    script.write_text(f"SECTIONS {{ .a : {{ {HOSTILE[kind]} }} }}")
    report = api.check([str(script)], policies=["generic", "firmware"])
    assert report.errors == ()
    assert report.rules
    # Nobody takes a guess for a fault.
    assert not any(finding.check == "shadowed-pattern" and not finding.witness for finding in report.findings)
