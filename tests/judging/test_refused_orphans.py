"""Proofs about addresses take for granted that there are no orphans only where the rules of the run refuse them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ldcheck import check
from ldcheck.findings import Verdict

SCRIPT = """SECTIONS {
  . = 0x10000; .text : { *(.text .text.*) . = ALIGN(0x1000); } .rodata : { *(.rodata .rodata.*) }
  /DISCARD/ : { *(.comment) }
}"""


def verdict(folder: Path, orphans: str, **options: Any) -> Verdict:
    """The verdict on an alignment that any orphan ahead of the section would break."""
    (folder / "a.ld").write_text(SCRIPT)
    rules = f"[{{ id: aligned, why: x, align: .rodata, to: 4K }}, {{ id: orphans, why: x, {orphans} }}]"
    (folder / "p.yaml").write_text(f"ldcheck: 1\nrules: {rules}\n")
    report = check([str(folder / "a.ld")], policies=[str(folder / "p.yaml")], **options)
    return next(result.verdict for result in report.rules if result.rule == "aligned")


@pytest.mark.parametrize(
    ("orphans", "options"),
    [
        ("orphans: none", {}),
        ("orphans: none, except: [.comment, '.debug_*']", {}),
        ("orphans: none, when: { arch: arm64 }", {"arch": "arm64"}),
    ],
)
def test_refused(tmp_path: Path, orphans: str, options: dict[str, Any]) -> None:
    assert verdict(tmp_path, orphans, **options) is Verdict.HELD


@pytest.mark.parametrize(
    ("orphans", "options"),
    [
        ("orphans: none, except: [mycode]", {}),
        ("orphans: none, except: ['.note.*']", {}),
        ("orphans: none, when: { arch: arm64 }", {"arch": "x86_64"}),
        ("orphans: none, when: { symbol: gone }", {}),
        ("orphans: none, severity: note", {}),
        ("orphans: none", {"ignore": ["orphans"]}),
        ("orphans: none", {"select": ["aligned"]}),
    ],
)
def test_not_refused(tmp_path: Path, orphans: str, options: dict[str, Any]) -> None:
    assert verdict(tmp_path, orphans, **options) is Verdict.VIOLATED
