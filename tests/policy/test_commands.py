"""`ldcheck rules`: the list of the checks, and the explanation of one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ldcheck import checks
from ldcheck.cli.main import main
from tests.support.cache import ROOT


def test_the_list_has_every_check(capsys):
    assert main(["rules"]) == 0
    listed = capsys.readouterr().out
    for name in (*checks.names(), *checks.lint_names()):
        (line,) = [line for line in listed.splitlines() if line.startswith(f"  {name} ")]
        assert line.endswith(".")


@pytest.mark.parametrize("name", checks.names())
def test_a_check_is_explained_with_its_keys(name, capsys):
    assert main(["rules", name]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"# {name}\n")
    declared = checks.declaration(name)
    for key in (declared.head, *declared.keys):
        assert f"\n  {key.name}" in text
        assert key.doc in text


@pytest.mark.parametrize("name", checks.lint_names())
def test_a_lint_is_explained(name, capsys):
    assert main(["rules", name]) == 0
    assert capsys.readouterr().out.startswith(f"# {name}\n")


def test_a_wrong_name_gets_help(capsys):
    assert main(["rules", "no_wildcards_may_shadow"]) == 2
    assert "did you mean no-wildcard-may-shadow?" in capsys.readouterr().err
    assert main(["rules", "zzzzzz"]) == 2
    assert "see `ldcheck rules`" in capsys.readouterr().err


def test_checks_are_named_after_their_modules():
    for lint, names in ((False, checks.names()), (True, checks.lint_names())):
        assert list(names) == sorted(names)
        for name in names:
            assert "_" not in name
            assert checks.module(name, lint).__name__.endswith("." + name.replace("-", "_"))


def test_a_module_that_does_not_exist():
    assert not checks.exists("../policy/load")
    with pytest.raises(KeyError):
        checks.module("../policy/load")


def test_listing_the_names_imports_no_check():
    code = "import sys; from ldcheck import checks; checks.names(), checks.lint_names(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [name for name in done.stdout.split() if name.startswith("ldcheck.checks.")] == []
