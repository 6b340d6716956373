"""The exit status of `ldcheck check` in every way that a run can end, and what it says about it."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from ldcheck.cli.main import main

ROOT = Path(__file__).parents[2]
GOOD = "SECTIONS {\n  .data : { *(.data.read_mostly) *(.data .data.*) }\n}\n"
BAD = "SECTIONS {\n  .data : { *(.data .data.*) *(.data.read_mostly) }\n}\n"
RULE = "  - id: read-mostly\n    no-wildcard-may-shadow: .data.read_mostly\n"
POLICY = f"ldcheck: 1\nrules:\n{RULE}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".git").mkdir()
    (tmp_path / "good.lds").write_text(GOOD)
    (tmp_path / "bad.lds").write_text(BAD)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


class Run:
    """Runs the command line in this process; `out` and `err` are those of the last run."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        status = main(arguments)
        self.out, self.err = self._captured.readouterr()
        assert "Traceback" not in self.out + self.err
        assert "ldcheck: internal error" not in self.err
        return status


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


def test_held(run: Run) -> None:
    assert run("check", "--policy", "policy.yaml", "good.lds") == 0
    assert run.out == "good.lds: 1 rule, 1 held\n"


def test_violated(run: Run) -> None:
    assert run("check", "--policy", "policy.yaml", "bad.lds") == 1
    assert run.out.startswith(
        "bad.lds:2:21: error: `.data.*` takes .data.read_mostly ahead of its own pattern [read-mostly]"
    )


def test_fail_on(run: Run, folder: Path) -> None:
    (folder / "policy.yaml").write_text(POLICY + "    severity: warning\n")
    arguments = ("check", "--policy", "policy.yaml", "bad.lds", "--fail-on")
    assert run(*arguments, "error") == 0
    assert "bad.lds:2:21: warning:" in run.out
    assert run(*arguments, "warning") == 1
    assert run(*arguments, "note") == 1
    assert run(*arguments, "never") == 0


def test_severity_off_leaves_nothing_to_check(run: Run, folder: Path) -> None:
    (folder / "policy.yaml").write_text(POLICY + "    severity: off\n")
    assert run("check", "--policy", "policy.yaml", "bad.lds") == 2
    assert "nothing was checked on bad.lds" in run.out


def test_empty_policy(run: Run, folder: Path) -> None:
    (folder / "policy.yaml").write_text("ldcheck: 1\nrules: []\n")
    assert run("check", "--policy", "policy.yaml", "good.lds") == 2
    assert "the policy has no rule" in run.out


def test_misspelt_subject(run: Run, folder: Path) -> None:
    (folder / "policy.yaml").write_text(POLICY.replace("read_mostly", "raed_mostly"))
    assert run("check", "--policy", "policy.yaml", "good.lds") == 2
    assert "policy.yaml:4:29: error:" in run.out
    assert ".data.raed_mostly" in run.out
    assert "did you mean" in run.out


def test_optional_subject_leaves_the_others(run: Run, folder: Path) -> None:
    optional = RULE.replace("read-mostly", "other").replace("read_mostly", "none") + "    optional: true\n"
    (folder / "policy.yaml").write_text(POLICY + optional)
    assert run("check", "--policy", "policy.yaml", "good.lds") == 0
    assert run.out == "good.lds: 2 rules, 1 held, 1 not applicable\n"


def test_missing_elf(run: Run) -> None:
    assert run("check", "--policy", "policy.yaml", "--elf", "xen-syms", "good.lds") == 2
    assert "xen-syms: error: " in run.out


def test_no_script(run: Run) -> None:
    assert run("check") == 2
    assert "there is nothing to check" in run.out
    assert run("check", "absent.lds") == 2
    assert "absent.lds: error: " in run.out


def test_no_evidence_for_any_rule(run: Run, folder: Path) -> None:
    (folder / "policy.yaml").write_text("ldcheck: 1\nrules:\n  - id: got\n    empty: .got\n")
    assert run("check", "--policy", "policy.yaml", "good.lds") == 2
    assert "nothing was checked on good.lds" in run.out


def test_no_rule_applies(run: Run, folder: Path) -> None:
    (folder / "policy.yaml").write_text(POLICY + "    when: {arch: arm}\n")
    assert run("check", "--policy", "policy.yaml", "--arch", "x86_64", "good.lds") == 2
    assert "nothing was checked on good.lds: only for arm, this is x86_64" in run.out


def test_required_evidence(run: Run) -> None:
    for kind, what in (("image", "ELF file"), ("map", "map"), ("objects", "objects")):
        assert run("check", "--policy", "policy.yaml", "--require", kind, "good.lds") == 2
        assert f"there is no {what} of good.lds, which is required" in run.out
    assert run("check", "--policy", "policy.yaml", "--require", "script", "good.lds") == 0


def test_one_bad_rule_does_not_hide_the_others(run: Run, folder: Path) -> None:
    (folder / "policy.yaml").write_text(POLICY + "  - id: broken\n    algin: .data\n")
    assert run("check", "--policy", "policy.yaml", "bad.lds") == 2
    assert "did you mean" in run.out
    assert "bad.lds:2:21: error:" in run.out


def test_one_unreadable_script_does_not_hide_the_others(run: Run) -> None:
    assert run("check", "--policy", "policy.yaml", "absent.lds", "bad.lds") == 2
    assert "bad.lds:2:21: error:" in run.out


def test_select_and_ignore(run: Run, folder: Path) -> None:
    arguments = ("check", "--policy", "policy.yaml", "bad.lds")
    assert run(*arguments, "--select", "read-mostly") == 1
    assert run(*arguments, "--select", "no-wildcard-may-shadow") == 1
    assert run(*arguments, "--ignore", "read-mostly") == 2
    assert "nothing was checked" in run.out
    assert run(*arguments, "--select", "raed-mostly") == 2
    assert "did you mean `read-mostly`?" in run.out


def test_unparsable_script(run: Run, folder: Path) -> None:
    (folder / "x.lds").write_text("SECTIONS {\n  .text : { *(.text .text.* }\n}\n")
    assert run("check", "--policy", "policy.yaml", "x.lds") == 2
    assert "x.lds:2:29: error: " in run.out


def test_one_image_for_several_scripts(run: Run) -> None:
    assert run("check", "--policy", "policy.yaml", "--elf", "x", "good.lds", "bad.lds") == 2
    assert "x belongs to one target, and there are 2" in run.out


# Bad input: file:line:column where there is a line, a sentence that helps, never a traceback.


def elf(bits: int = 64, big: bool = False, sections: int = 0) -> bytes:
    """An ELF header without anything behind it; its section headers, if any, are said to lie beyond the end."""
    order = ">" if big else "<"
    ident = b"\x7fELF" + bytes([bits // 32, 2 if big else 1, 1]) + bytes(9)
    address = "Q" if bits == 64 else "I"
    size = 64 if bits == 64 else 52
    fields = (
        2,
        8 if big else 62,
        1,
        0,
        0,
        size if sections else 0,
        0,
        size,
        0,
        0,
        64 if bits == 64 else 40,
        sections,
        0,
    )
    return ident + struct.pack(f"{order}HHI{address}{address}{address}IHHHHHH", *fields)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"not an ELF file at all\n", "expected an ELF file"),
        (b"\x7fELF", "xen-syms"),
        (elf(sections=30), "xen-syms"),
        (elf(32, big=True, sections=3), "xen-syms"),
        (os.urandom(64), "expected an ELF file"),
    ],
    ids=["empty", "text", "truncated header", "truncated sections", "32-bit big-endian", "random"],
)
def test_bad_elf(run: Run, folder: Path, content: bytes, words: str) -> None:
    (folder / "xen-syms").write_bytes(content)
    assert run("check", "--policy", "policy.yaml", "--elf", "xen-syms", "good.lds") == 2
    assert "xen-syms: error: " in run.out
    assert words in run.out


@pytest.mark.parametrize("option", ["--elf", "--map", "--objects", "--policy", "--kconfig", "--config"])
@pytest.mark.parametrize("kind", ["directory", "missing", "random", "empty", "undecodable"])
def test_bad_file(run: Run, folder: Path, option: str, kind: str) -> None:
    name = "input.yaml" if option in ("--policy", "--config") else "input"
    path = folder / name
    if kind == "directory":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(
            {"random": bytes(range(256)) * 40, "empty": b"", "undecodable": b"\xff\xfe\x80: [\x80]\n"}[kind]
        )
    (folder / "x.lds.S").write_text(GOOD)
    arguments = ["check", option, name, "x.lds.S"] + ([] if option == "--policy" else ["--policy", "policy.yaml"])
    status = run(*arguments)
    # An empty .config is a configuration in which nothing is chosen.
    assert status == (0 if (option, kind) == ("--kconfig", "empty") else 2), run.out
    if status:
        assert ": error: " in run.out


def test_elf_file_as_script(run: Run, folder: Path) -> None:
    (folder / "x.lds").write_bytes(b"\x7fELF" + bytes(300))
    assert run("check", "--policy", "policy.yaml", "x.lds") == 2
    assert run.out.startswith("x.lds: error: this is an ELF file, not a linker script\n")


@pytest.mark.parametrize("content", [bytes(range(256)), b"\xff\xfe\x00", b"\x00" * 9, GOOD.encode() + b"\0"])
def test_binary_file_as_script(run: Run, folder: Path, content: bytes) -> None:
    (folder / "x.lds").write_bytes(content)
    assert run("check", "--policy", "policy.yaml", "x.lds") == 2
    assert re.search(r"^x\.lds:\d+:\d+: error: ", run.out)


def test_empty_script_and_directory_as_script(run: Run, folder: Path) -> None:
    for empty in (b"", b"\n", b"/* nothing */\n;"):
        (folder / "x.lds").write_bytes(empty)
        assert run("check", "--policy", "policy.yaml", "x.lds") == 2
        assert "x.lds: error: there is nothing in this linker script" in run.out
    (folder / "d.lds").mkdir()
    assert run("check", "--policy", "policy.yaml", "d.lds") == 2
    assert "d.lds: error: " in run.out


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (POLICY + "    no-wildcard-may-shadow: .text\n", "policy.yaml:5:5", "twice"),
        (POLICY + "    severity: [error]\n", "policy.yaml:5:15", "list"),
        (POLICY + "    severety: error\n", "policy.yaml:5:5", "did you mean `severity`?"),
        (POLICY + "    severity: fatal\n", "policy.yaml:5:15", "error, warning, note, off"),
        ("ldcheck: 1\nrules: {}\n", "policy.yaml:2:8", "list"),
        ("rules: []\n", "policy.yaml:1:1", "ldcheck: 1"),
        ("ldcheck: 1\nrules:\n - id: [\n", "policy.yaml:", ""),
        ("a: &a [*a]\n", "policy.yaml:", ""),
        ("!!python/object/apply:os.system ['touch owned']\n", "policy.yaml:1:1", ""),
    ],
)
def test_bad_policy(run: Run, folder: Path, text: str, place: str, words: str) -> None:
    (folder / "policy.yaml").write_text(text)
    assert run("check", "--policy", "policy.yaml", "good.lds") == 2
    assert place in run.out
    assert words in run.out
    assert not (folder / "owned").exists()


# Usage.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "commands:"),
        (["chekc"], "did you mean check?"),
        (["check", "--polcy", "x"], "did you mean --policy?"),
        (["check", "--format", "sraif"], "invalid choice"),
        (["check", "--output", "sarif"], "FORMAT=PATH"),
        (["check", "--output", "sraif=x"], "did you mean sarif?"),
        (["check", "--fail-on", "fatal"], "invalid choice"),
        (["check", "-", "x.lds"], "goes with no other script"),
        (["check", "--elf"], "expected one argument"),
        (["--verison"], "did you mean --version?"),
    ],
)
def test_usage(run: Run, arguments: list[str], words: str) -> None:
    assert run(*arguments) == 2
    assert run.out == ""
    assert words in run.err


def test_help_and_version(run: Run) -> None:
    assert run("--help") == 0
    assert "commands:" in run.out
    assert run("check", "--help") == 0
    assert "examples:" in run.out
    assert run("--version") == 0
    assert run.out.startswith("ldcheck ")


# Output.


def test_outputs_serve_all_formats_in_one_run(run: Run, folder: Path) -> None:
    outputs = [f"--output={name}={name}.out" for name in ("json", "sarif", "gitlab", "junit", "rdjson", "markdown")]
    assert run("check", "--policy", "policy.yaml", "bad.lds", "--format", "concise", *outputs) == 1
    assert run.out == "bad.lds:2:21: error: `.data.*` takes .data.read_mostly ahead of its own pattern [read-mostly]\n"
    assert json.loads((folder / "json.out").read_text())["findings"][0]["route"]
    assert sorted(path.stem for path in folder.glob("*.out")) == [
        "gitlab",
        "json",
        "junit",
        "markdown",
        "rdjson",
        "sarif",
    ]


def test_an_output_that_cannot_be_written_is_no_success(run: Run) -> None:
    assert run("check", "--policy", "policy.yaml", "good.lds", "--output", "json=absent/x.json") == 2
    assert "cannot write absent/x.json" in run.err
    assert "1 held" in run.out


def test_json_is_the_contract(run: Run) -> None:
    assert run("check", "--policy", "policy.yaml", "bad.lds", "--format", "json") == 1
    report = json.loads(run.out)
    assert {"version", "status", "findings", "rules", "inputs"} <= set(report)
    assert report["status"] == 1
    wanted = {"rule", "check", "severity", "message", "location", "related", "route", "configurations", "evidence"}
    assert wanted | {"witness", "help"} <= set(report["findings"][0])
    assert set(report["findings"][0]["location"]) == {"file", "line", "column", "end_line", "end_column"}
    assert {"rule", "check", "verdict", "reason", "evidence"} <= set(report["rules"][0])
    assert report["inputs"]["script"] == ["bad.lds"]


def test_github_is_chosen_on_github(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run("check", "--policy", "policy.yaml", "bad.lds") == 1
    assert run.out.startswith("::error file=bad.lds,line=2,col=21,")
    assert run("check", "--policy", "policy.yaml", "bad.lds", "--format", "text") == 1
    assert run.out.startswith("bad.lds:2:21: error:")


def test_colors(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("check", "--policy", "policy.yaml", "bad.lds")
    run(*arguments)
    assert "\x1b" not in run.out
    monkeypatch.setenv("FORCE_COLOR", "1")
    run(*arguments)
    assert "\x1b[1;31merror:\x1b[0m" in run.out
    monkeypatch.setenv("NO_COLOR", "1")
    run(*arguments)
    assert "\x1b" not in run.out


def test_columns(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bad.lds").write_text(BAD.replace("*(.data .data.*)", "*(.a) " * 60 + "*(.data .data.*)"))
    monkeypatch.setenv("COLUMNS", "60")
    assert run("check", "--policy", "policy.yaml", "bad.lds") == 1
    assert all(len(line) <= 60 for line in run.out.splitlines() if line.lstrip()[:1].isdigit())


def test_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    class Stdin:
        buffer = io.BytesIO(b'# 40 "xen/arch/x86/xen.lds.S"\n' + BAD.encode())

    monkeypatch.setattr("sys.stdin", Stdin())
    assert run("check", "--policy", "policy.yaml", "--stdin-filename", "xen.lds", "-") == 1
    assert "xen/arch/x86/xen.lds.S:41:21: error:" in run.out
    assert "xen.lds: 1 rule, 1 violated" in run.out


@pytest.mark.parametrize(
    ("redirected", "status", "said"),
    [
        ("", 1, ""),
        (">/dev/full", 2, "ldcheck: error: cannot write to standard output: No space left on device\n"),
        (">&-", 1, ""),
        (">&- 2>&-", 1, ""),
    ],
    ids=["pipe", "full", "closed", "all closed"],
)
def test_where_the_output_goes(redirected: str, status: int, said: str) -> None:
    """The program itself: all of the report is out before it ends, and who cannot take it hears why."""
    command = f'"$0" -m ldcheck check --policy policy.yaml bad.lds {redirected}'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable], capture_output=True, text=True, env=environment, check=False
    )
    assert (done.returncode, done.stderr) == (status, said)
    assert done.stdout.endswith("bad.lds: 1 rule, 1 violated\n") or redirected


def test_the_summary_says_which_violations_are_accepted(run: Run, folder: Path) -> None:
    """Who sees exit status 0 beside a violated rule must not wonder."""
    comment = "/* ldcheck: allow(read-mostly) -- measured */"
    (folder / "allowed.lds").write_text(BAD.replace("  .data", f"  {comment}\n  .data"))
    assert run("check", "--policy", "policy.yaml", "allowed.lds") == 0
    assert run.out.endswith("\nallowed.lds: 1 rule, 1 violated (accepted)\n")
    (folder / "policy.yaml").write_text(POLICY + RULE.replace("id: read-mostly", "id: other"))
    assert run("check", "--policy", "policy.yaml", "allowed.lds") == 1
    assert run.out.endswith("\nallowed.lds: 2 rules, 2 violated (1 accepted)\n")
