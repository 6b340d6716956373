"""Every check on whole cases: `tests/cases/<check>/<case>/` holds a script, a policy and the wanted report.

The script is `script.lds` (or `script.lds.S` with its headers); a line of options for `ldcheck check` may stand in
`options`. The wanted text ends with the exit status. `pytest --update` rewrites it: read what changed.
"""

from __future__ import annotations

import io
import shlex
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from ldcheck import checks
from ldcheck.cli.main import main
from tests.support.cases import Wanted

CASES = Path(__file__).parent.parent / "cases"
FOLDERS = sorted(folder.parent for folder in CASES.glob("*/*/wanted.txt"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(CASES)))
def test_case(folder: Path, wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    scripts = sorted(entry.name for entry in folder.glob("script.lds*"))
    options = shlex.split((folder / "options").read_text()) if (folder / "options").exists() else []
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        status = main(["check", "--policy", "policy.yaml", *options, *scripts])
    wanted(folder / "wanted.txt", f"{output.getvalue()}exit {status}\n")


def test_every_check_has_a_case_that_fires_and_one_that_does_not() -> None:
    for name in (*checks.names(), *checks.lint_names()):
        texts = [(folder / "wanted.txt").read_text() for folder in FOLDERS if folder.parent.name == name]
        assert any(text.endswith("exit 0\n") for text in texts), f"{name} has no case in which it holds"
        assert any(text.endswith("exit 1\n") for text in texts), f"{name} has no case in which it is violated"
