"""Lines in messages: those of another file than the finding's own are named with it."""

from __future__ import annotations

from pathlib import Path

import pytest

import ldcheck
from ldcheck.source import Location

CHECKED = 'ASSERT(ADDR(.table) > ADDR(.rodata), "order")\n'
SCRIPT = """SECTIONS {
.rodata : { *(.rodata .rodata.*) }
.table : { *(.rodata.table) }
%s
}
"""


def test_a_line_of_another_file_is_named_with_it() -> None:
    place = Location("inc.h", 5)
    assert place.told_in("inc.h") == "line 5"
    assert place.told_in("x.lds") == "line 5 in inc.h"


@pytest.mark.parametrize(("inside", "told"), [(CHECKED, "line 4"), ("INCLUDE checks.ld", "line 1 in checks.ld")])
def test_an_assert_that_forbids_a_move_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("checks.ld").write_text(CHECKED)
    Path("x.lds").write_text(SCRIPT % inside)
    Path("policy.yaml").write_text("ldcheck: 1\nrules: [{id: r, no-wildcard-may-shadow: .rodata.table}]\n")
    report = ldcheck.check(["x.lds"], policies=("policy.yaml",))
    assert any(f"the ASSERT in {told} may mean" in one.help for one in report.findings)
