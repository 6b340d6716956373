"""`make demo` shows what it promises."""

from __future__ import annotations

import subprocess
import sys

from tests.support.cache import ROOT


def test_the_demo_refuses_the_faulty_one_and_passes_the_mended_one():
    done = subprocess.run([sys.executable, ROOT / "examples/demo/run.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    faulty, mended = done.stdout.split("exit status 1\n")
    for rule in ("read-mostly-not-shadowed", "page-aligned-first", "ro-after-init-page-aligned"):
        assert f"[{rule}]" in faulty
    assert "error" not in mended
    assert "exit status 0\n\nTry next" in mended
