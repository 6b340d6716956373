"""`ldcheck diff`: its outcomes, its formats, and what it makes of two revisions."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ldcheck.cli.main import main
from tests.support.build import assemble, link
from tests.support.cache import ROOT
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


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    """Two maps and ELF files of links between which a hostile name grew and went elsewhere."""
    found = []
    for number, script in enumerate((".text : { *(.text) *(*img*) }", ".text : { *(.text) } .late : { *(*img*) }")):
        folder = tmp_path / str(number)
        folder.mkdir()
        source = f'.section "s{HOSTILE}","aw"\n.globl "{HOSTILE}"\n"{HOSTILE}": .fill {8 + 8 * number}\n'
        source += f'.size "{HOSTILE}", {8 + 8 * number}\n.type "{HOSTILE}", @object\n'
        made = assemble(folder, source, name="<img src=x>&@everyone.o")
        done = link(folder, f"SECTIONS {{ {script} }}", [made], options=["-e0"])
        assert done.ok, done.output
        found += [str(done.elf), str(done.map)]
    return found


HOSTILE = "<img src=x>::error::@everyone ##[x]"


@pytest.mark.parametrize(
    ("form", "forbidden"),
    [
        ("text", ("\n::error::", "##[")),
        ("markdown", ("<img", "@everyone", "##[")),
        ("github", ("\n::error::@", "##[")),
        ("gitlab", ()),
        ("json", ()),
        ("html", ("<img",)),
    ],
)
def test_names_of_a_build_are_active_nowhere(
    images: list[str], form: str, forbidden: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    old_elf, old_map, new_elf, new_map = images
    status = main(
        ["diff", old_elf, new_elf, "--old-map", old_map, "--new-map", new_map, "--format", form, "--budget", ".late=8"]
    )
    shown = capsys.readouterr().out
    assert status == 1
    assert ".late" in shown or form == "gitlab"
    assert not [word for word in forbidden if word in shown]
    if form in ("json", "gitlab"):
        json.loads(shown)


def test_reports_go_to_files_too(images: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    old_elf, _, new_elf, _ = images
    outputs = ["--output", "markdown=comment.md", "--output", "html=page.html", "--output", "json=diff.json"]
    assert main(["diff", old_elf, new_elf, *outputs]) == 0
    assert Path("comment.md").read_text().startswith("## ldcheck diff\n<!-- ldcheck diff -->\n")
    # Both images are drawn.
    assert Path("page.html").read_text().count("class=picture>") == 2
    (comparison,) = json.loads(Path("diff.json").read_text())["comparisons"]
    assert [one["name"] for one in comparison["builds"]["totals"]] == ["memory", "file", "segments"]
    assert main(["diff", old_elf, new_elf, "--output", "json=nowhere/diff.json"]) == 2
    capsys.readouterr()


def test_what_goes_with_what(images: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    old_elf, old_map, new_elf, new_map = images
    for arguments, message in {
        (old_elf,): "one side is missing",
        (old_elf, "old.ld"): "is an ELF file and old.ld is no ELF file",
        (old_elf, new_elf, "--old-elf", old_elf): "given twice",
        (old_elf, new_elf, "--expect", "same"): "proved of two scripts",
        (old_elf, new_elf, "--budget", "FLASH=5%"): "no memory region and no output section FLASH",
        ("old.ld", "same.ld", "--old-map", old_map): "no build is given of the new side",
        ("old.ld", "same.ld", "--budget", "memory=1K"): "none is given",
        (old_map, new_elf): "is a map and",
        (old_elf, new_elf, "--old-map", new_map, "--new-map", old_map): "the map does not belong to",
    }.items():
        assert main(["diff", *arguments]) == 2, arguments
        assert message in capsys.readouterr().err, arguments


def test_one_target_that_cannot_be_read_does_not_end_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run([tool("git"), *identity, *arguments], check=True, capture_output=True)

    git("init", "-q")
    git("add", "old.ld", "none.ld")
    git("commit", "-qm", "first")
    assert main(["diff", "--since", "HEAD", "--expect", "same", "none.ld", "old.ld", "same.ld"]) == 2
    shown = capsys.readouterr().out
    assert "old.ld: the same image, whatever is linked: proved" in shown
    assert "none.ld: it could not be compared" in shown
    assert "same.ld was not there at HEAD" in shown


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


def test_what_moved_in_the_build_stands_below_the_statement_that_moved_it(capsys: pytest.CaptureFixture[str]) -> None:
    sides = [ROOT / "examples/demo" / variant / "hypervisor" for variant in ("faulty", "mended")]
    arguments = [f"{side}.lds" for side in sides]
    for word, side in zip(("old", "new"), sides, strict=True):
        arguments += [f"--{word}-elf", f"{side}.elf", f"--{word}-map", f"{side}.map"]
    assert main(["diff", *arguments]) == 0
    shown = capsys.readouterr().out
    paragraph = next(part for part in shown.split("\n\n") if "features" in part)
    first, *rest = paragraph.splitlines()
    assert first == f"{sides[1]}.lds:28:5: the output section .data.read_mostly stands elsewhere"
    assert "  1 input section (128 bytes) went from .data to .data.read_mostly" in rest
    assert "  features: .data.read_mostly of main.o, 128 bytes" in rest
    # Nothing is told twice.
    assert shown.count("features") == 1
