"""`ldcheck diff`: its outcomes, its formats, and what it makes of two revisions."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ldcheck.cli.main import main
from tests.support.tools import tool

OLD = "SECTIONS {\n  .text : { *(.text) *(.text.startup) }\n  .rest : { *(.text.*) }\n}\n"
SAME = OLD.replace("*(.text)", "*(.text .text)")
MOVED = "SECTIONS {\n  .rest : { *(.text.*) }\n  .text : { *(.text) *(.text.startup) }\n}\n"


@pytest.fixture(autouse=True)
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"old.ld": OLD, "same.ld": SAME, "moved.ld": MOVED, "none.ld": "SECTIONS {"}.items():
        Path(name).write_text(text)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("old.ld", "same.ld", "--expect", "same"), 0),
        (("old.ld", "moved.ld"), 0),
        (("old.ld", "moved.ld", "--expect", "same"), 1),
        (("old.ld",), 2),
        ((), 2),
        (("old.ld", "same.ld", "moved.ld"), 2),
        (("old.ld", "none.ld"), 2),
        (("old.ld", "absent.ld"), 2),
        (("--since", "nowhere", "old.ld"), 2),
    ],
)
def test_exit_status(arguments: tuple[str, ...], status: int) -> None:
    assert main(["diff", *arguments]) == status


def test_text_has_the_cause_with_what_follows(capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", "old.ld", "moved.ld", "--expect", "same"])
    shown = capsys.readouterr().out
    assert shown.splitlines()[-1] == "moved.ld: 1 difference: it is not proved that the image is the same"
    assert "went to .text (`*(.text.startup)`, line 2), and go to .rest (`*(.text.*)`, line 2) now" in shown
    assert "it was at old.ld:" in shown


def test_json_has_the_places_of_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", "old.ld", "moved.ld", "--format", "json"])
    (comparison,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert (comparison["script"], comparison["proved"], comparison["compared"]) == ("moved.ld", False, 1)
    (entry,) = comparison["entries"]
    assert (entry["kind"], entry["old"]["file"], entry["new"]["file"]) == ("moved", "old.ld", "moved.ld")


def test_nothing_of_a_script_is_active_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = '"<img src=x>::error::@everyone ##[x]\x1b[31m"'
    Path("hostile.ld").write_text(OLD.replace("*(.text)", f"{hostile} = 1; *(.text)"))
    for form, forbidden in {
        "markdown": ("<img", "@everyone", "\x1b"),
        "text": ("\x1b",),
        "github": ("\x1b", "\n::error::@"),
    }.items():
        main(["diff", "old.ld", "hostile.ld", "--format", form])
        shown = capsys.readouterr().out
        assert "img" in shown, form
        assert not any(word in shown for word in forbidden), form


def test_markdown_is_short_enough_for_a_comment(capsys: pytest.CaptureFixture[str]) -> None:
    many = "".join(f"symbol_{number}_{'x' * 40} = {number};\n" for number in range(3000))
    Path("long.ld").write_text(f"{many}{OLD}")
    main(["diff", "old.ld", "long.ld", "--format", "markdown"])
    shown = capsys.readouterr().out
    assert len(shown) < 65_536
    assert shown.startswith("## ldcheck diff\n")
    assert shown.count("<details>") == shown.count("</details>") == 1
    assert shown.rstrip().endswith("too long for a comment.")


def test_since_a_revision(capsys: pytest.CaptureFixture[str]) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run([tool("git"), *identity, *arguments], check=True, capture_output=True)

    Path("a.lds.S").write_text('#include "parts.lds.h"\nSECTIONS { .text : { TEXT } }\n')
    Path("parts.lds.h").write_text("#define TEXT *(.text)\n#define SIZE 4096\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    Path("parts.lds.h").write_text(
        "#ifdef CONFIG_A\n#define TEXT *(.text .text.*)\n#else\n#define TEXT *(.text)\n#endif\n"
    )
    assert main(["diff", "--since", "HEAD", "--expect", "same", "a.lds.S"]) == 1
    shown = capsys.readouterr().out
    assert "`*(.text .text.*)` is new" in shown
    assert "only with CONFIG_A" in shown
    Path("parts.lds.h").write_text("#define TEXT *(.text) /* all of it */\n")
    assert main(["diff", "--since", "HEAD", "--expect", "same", "a.lds.S"]) == 0
    assert capsys.readouterr().out == "a.lds.S: the same image, whatever is linked: proved\n"
    status = subprocess.run([tool("git"), "status", "--short"], check=True, capture_output=True, text=True).stdout
    assert status == " M parts.lds.h\n"


def test_what_is_only_assumed_proves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for name, pattern in {"old": ".text", "new": ".text.*"}.items():
        Path(name).mkdir()
        header = f"#ifdef CONFIG_A\n#define TEXT *({pattern})\n#else\n#define TEXT *(.text)\n#endif\n"
        Path(name, "config.h").write_text(header)
        Path(name, "a.lds.S").write_text('#include "config.h"\nSECTIONS { .text : { TEXT } }\n')
    assert main(["diff", "--expect", "same", "old/a.lds.S", "new/a.lds.S"]) == 1
    shown = capsys.readouterr().out
    assert "nothing differs, which is not proved: not known and taken as not defined: CONFIG_A" in shown
