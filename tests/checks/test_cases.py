"""Every check on whole cases: `tests/cases/<check>/<case>/` holds a script, a policy and the wanted report.

The script is `script.lds`; a line of options for `ldcheck check` may stand in `options`. An `image.s` is assembled and
linked with that script by the real tools (with the options in `link-options`), and the check is given the ELF file and
the map; with `link.lds` in place of `script.lds`, the check is not given the script, and with `linked-with.lds` it is
given another one. With a file `objects-only`, nothing is linked and the check is given the object. A file `objcopy`
holds options with which the object is copied ahead of the link. The wanted text ends with the exit status. `pytest
--update` rewrites it: read what changed.
"""

from __future__ import annotations

import io
import shlex
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from ldcheck import checks
from ldcheck.cli.main import main
from tests.support.build import assemble, link
from tests.support.cases import Wanted
from tests.support.tools import tool

CASES = Path(__file__).parent.parent / "cases"
FOLDERS = sorted(folder.parent for folder in CASES.glob("*/*/wanted.txt"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(CASES)))
def test_case(folder: Path, wanted: Wanted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    work = tmp_path / "case"
    shutil.copytree(folder, work)
    monkeypatch.chdir(work)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    arguments = ["check", "--policy", "policy.yaml"]
    if (work / "options").exists():
        arguments += shlex.split((work / "options").read_text())
    arguments += sorted(entry.name for entry in work.glob("script.lds*"))
    if (work / "image.s").exists():
        arguments += _link(work)
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        status = main(arguments)
    assert "internal error" not in output.getvalue()
    wanted(folder / "wanted.txt", f"{output.getvalue()}exit {status}\n")


def _link(work: Path) -> list[str]:
    """Assemble and link the case's image in its folder; the options that hand it to the check."""
    scripts = [work / name for name in ("linked-with.lds", "script.lds", "link.lds") if (work / name).exists()]
    built = assemble(work, (work / "image.s").read_text(), name="image.o")
    if (work / "objcopy").exists():
        copying = shlex.split((work / "objcopy").read_text())
        subprocess.run([tool("objcopy"), *copying, built], check=True, timeout=60)
    if (work / "objects-only").exists():
        return ["--objects", built.name]
    given = work / "link-options"
    options = shlex.split(given.read_text()) if given.exists() else []
    result = link(work, scripts[0].read_text(), [built], options=options)
    assert result.elf is not None, result.output
    assert result.map is not None
    shutil.copy(result.elf, "image.elf")
    shutil.copy(result.map, "image.map")
    return ["--elf", "image.elf"] + ([] if (work / "no-map").exists() else ["--map", "image.map"])


def test_every_check_has_a_case_that_fires_and_one_that_does_not() -> None:
    for name in (*checks.names(), *checks.lint_names()):
        texts = [(folder / "wanted.txt").read_text() for folder in FOLDERS if folder.parent.name == name]
        assert any(text.endswith("exit 0\n") for text in texts), f"{name} has no case in which it holds"
        assert any(text.endswith("exit 1\n") for text in texts), f"{name} has no case in which it is violated"
