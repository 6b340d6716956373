"""Running a compiler: what it starts ends with it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ldcheck.findings import CheckError
from ldcheck.preprocess.compiler import run_all

# As gcc does, the program leaves the work to another one; that one says who it is, and does not come to an end.
DRIVER = """#!/bin/sh
sh -c 'echo $$ > worker; exec {work}' &
wait
"""


def gone(process: int, seconds: float = 10.0) -> bool:
    """Whether a process has ended, or does so soon."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(("work", "said"), [("sleep 1000", "come to an end"), ("yes", "writes more than")])
def test_the_workers_of_a_compiler_end_with_it(
    work: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ldcheck.preprocess.compiler.SECONDS", 2.0)
    monkeypatch.setattr("ldcheck.preprocess.compiler.MAX_OUTPUT", 1 << 16)
    driver = tmp_path / "driver"
    driver.write_text(DRIVER.format(work=work))
    driver.chmod(0o755)
    with pytest.raises(CheckError) as raised:
        run_all([[os.fspath(driver)]])
    assert said in raised.value.errors[0].message
    assert gone(int((tmp_path / "worker").read_text()))
