"""What a rule of a check has to say at least, and what is told of one that says less."""

from __future__ import annotations

from pathlib import Path

import pytest

import ldcheck


@pytest.mark.parametrize(
    ("rule", "message", "advice"),
    [
        ("order: [.data]", "`order` has 1 entry and needs 2: one says nothing of another", "write [.data, another]"),
        ("order: .data", "`order` has 1 entry and needs 2: one says nothing of another", "write [.data, another]"),
        (
            "separate-pages: [[.data, .bss]], page: 4K",
            "`separate-pages` has 1 entry and needs 2: one says nothing of another",
            "write [.data, another]",
        ),
        (
            "separate-pages: [.data, a...b], page: 4K",
            "`separate-pages` has `a...b`, which is no range",
            "a range has two dots: a..b",
        ),
        ("permissions: .data, are: rx", "`are` is `rx` and must be one of r--, r-x, rw-, rwx", "did you mean `r-x`?"),
        ("permissions: .data, are: rw", "`are` is `rw` and must be one of r--, r-x, rw-, rwx", "did you mean `rw-`?"),
        ("permissions: .data, are: r", "`are` is `r` and must be one of r--, r-x, rw-, rwx", "did you mean `r--`?"),
    ],
)
def test_what_says_too_little_is_told(tmp_path: Path, rule: str, message: str, advice: str) -> None:
    policy, script = tmp_path / "p.yaml", tmp_path / "t.ld"
    policy.write_text(f"ldcheck: 1\nrules:\n  - {{id: r, {rule}}}\n")
    script.write_text("SECTIONS { .text : { *(.text) } .data : { *(.data) } }\n")
    (error,) = ldcheck.check([str(script)], policies=[str(policy)]).errors
    assert (error.message, error.help) == (message, advice)


@pytest.mark.parametrize("rule", ["order: [.text, .data]", "separate-pages: [.text, .data, a..b], page: 4K"])
def test_two_are_enough(tmp_path: Path, rule: str) -> None:
    policy, script = tmp_path / "p.yaml", tmp_path / "t.ld"
    policy.write_text(f"ldcheck: 1\nrules:\n  - {{id: r, {rule}}}\n")
    script.write_text("SECTIONS { .text : { a = .; *(.text) b = .; } .data : { *(.data) } }\n")
    assert not ldcheck.check([str(script)], policies=[str(policy)]).errors
