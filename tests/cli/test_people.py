"""What people meet: help whose examples work, completion, progress, the verbose account, errors of ldcheck itself."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ldcheck.cli import check, progress
from ldcheck.cli.main import COMMANDS, command_parser, main
from ldcheck.report.model import Report
from tests.support.cache import ROOT
from tests.support.tools import tool
from tools import manual

DEMO = ROOT / "examples" / "demo"


def output(*arguments: str) -> tuple[int, str]:
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        status = main(arguments)
    return status, text.getvalue()


# Help ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command: str) -> None:
    status, text = output(command, "--help")
    assert status == 0
    assert f"  ldcheck {command}" in text.partition("examples:")[2]


EXAMPLES = [
    pytest.param(command, line.strip(), id=line.strip())
    for command in ("check", "baseline", "completion")
    for line in (command_parser(command).epilog or "").partition("examples:\n")[2].partition("\n\n")[0].splitlines()
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which all that the examples name is there."""
    script = (DEMO / "mended" / "hypervisor.lds").read_text()
    for name in ("xen.lds", "xen/arch/x86/xen.lds.S"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(script)
    shutil.copy(DEMO / "mended" / "hypervisor.elf", tmp_path / "xen-syms")
    config = "ldcheck: 1\ntargets:\n  demo:\n    script: xen.lds\n    policies: [generic]\n"
    (tmp_path / ".ldcheck.yaml").write_text(config)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in (".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(("command", "line"), EXAMPLES)
def test_examples_of_the_help(command: str, line: str, project: Path) -> None:
    words = re.split(r"\s{3,}", line)[0]
    if "baseline" in words and "--reason" not in words:
        assert output(*shlex.split('baseline --reason "x" xen.lds'))[0] == 0
    bin_folder = project / "bin"
    bin_folder.mkdir()
    launcher = bin_folder / "ldcheck"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ldcheck "$@"\n')
    launcher.chmod(0o755)
    path = f"{bin_folder}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([tool("bash"), "-c", words], env=environment, capture_output=True, text=True)
    # The demo is no Xen: rules that speak of what it does not have are errors, which is not what is tried here.
    assert done.returncode in (0, 1, 2), done.stderr
    assert "see `ldcheck" not in done.stderr
    assert "internal error" not in done.stderr
    assert "Traceback" not in done.stderr


# Completion -----------------------------------------------------------------------------------------------------------


def complete(*words: str) -> list[str]:
    """What bash offers for the last of `words`."""
    program = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ldcheck; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    script = output("completion", "bash")[1]
    done = subprocess.run(
        [tool("bash"), "-c", program, "bash", "/dev/stdin", *words], input=script, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_bash_completion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xen.lds").touch()
    assert complete("ldcheck", "ch") == ["check"]
    assert complete("ldcheck", "check", "--pol") == ["--policy"]
    assert complete("ldcheck", "check", "--format", "s") == ["sarif"]
    assert complete("ldcheck", "check", "--fail-on", "") == ["error", "warning", "note", "never"]
    assert complete("ldcheck", "check", "xe") == ["xen.lds"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_completions_name_everything(shell: str) -> None:
    script = output("completion", shell)[1]
    assert all(command in script for command in COMMANDS)
    assert "stdin-filename" in script
    assert script.count("'") % 2 == 0


# Progress -------------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard error as a terminal; called within a test, as pytest sets its own again when a test begins."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_progress_comes_late_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    monkeypatch.setattr(progress, "_AFTER_SECONDS", 0.01)
    with progress.Progress() as tell:
        tell("xen/arm: reading the script")
        for _ in range(1000):
            if "reading" in stream.getvalue():
                break
            time.sleep(0.01)
        tell("x" * 100 + "\x1b[31m")
    shown = stream.getvalue()
    assert "\r\x1b[Kxen/arm: reading the script" in shown
    assert shown.endswith("\r\x1b[K")
    assert "\x1b[31m" not in shown
    assert max(len(part) for part in shown.split("\r\x1b[K")) < 40


def test_a_quick_run_shows_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    with progress.Progress() as tell:
        tell("quick")
    assert stream.getvalue() == ""


def test_no_progress_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "_AFTER_SECONDS", 0)
    with progress.Progress() as tell:
        tell("x")
        time.sleep(0.05)
    assert stream.getvalue() == ""


# The rest -------------------------------------------------------------------------------------------------------------


def test_verbose_tells_how_verdicts_came_about() -> None:
    script, elf = str(DEMO / "mended" / "hypervisor.lds"), str(DEMO / "mended" / "hypervisor.elf")
    status, text = output("check", "-v", "--policy", str(DEMO / "policy.yaml"), "--elf", elf, script)
    assert status == 0, text
    assert f"{script} is taken as it is" in text
    assert f"ELF file {elf}" in text
    assert re.search(r"in-order: held, by script and image", text)


def test_verbose_tells_the_configurations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.lds.S").write_text(
        "SECTIONS {\n#ifdef CONFIG_X\n .a : { *(.a) }\n#else\n .b : { *(.b) }\n#endif\n}\n"
    )
    text = output("check", "-v", "x.lds.S")[1]
    assert "x.lds.S: script 1 of 2: " in text
    assert "with CONFIG_X" in text
    assert "without CONFIG_X" in text


def test_an_internal_error_is_an_apology(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Report:
        raise ValueError("::error::\x1b[31m")

    monkeypatch.setattr("ldcheck.api.check", fail)
    status, text = output("check", "x.lds")
    assert status == 2
    assert text.startswith("ldcheck: internal error, nothing was checked (ValueError: ::error::\\x1b[31m)")
    with pytest.raises(ValueError, match="error"):
        main(["check", "x.lds", "--debug"])


def test_an_interrupt_has_its_own_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> Report:
        raise KeyboardInterrupt

    monkeypatch.setattr("ldcheck.api.check", interrupt)
    assert main(["check", "x.lds"]) == 130


def test_a_reader_that_goes_away_changes_nothing() -> None:
    command = [sys.executable, "-m", "ldcheck", "check", "faulty/hypervisor.lds", "--policy", "policy.yaml"]
    run = subprocess.Popen(
        command, cwd=DEMO, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdout is not None
    run.stdout.close()
    assert run.stderr is not None
    assert run.stderr.read() == b""
    run.stderr.close()
    assert run.wait() == 1


def test_a_terminal_gets_colors() -> None:
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "CI")}
    command = [sys.executable, "-m", "ldcheck", "check", "faulty/hypervisor.lds", "--policy", "policy.yaml"]
    run = subprocess.Popen(
        command, cwd=DEMO, env={**environment, "PYTHONPATH": str(ROOT), "TERM": "xterm"}, stdout=theirs
    )
    os.close(theirs)
    text = b""
    with contextlib.suppress(OSError):
        while part := os.read(ours, 65536):
            text += part
    os.close(ours)
    assert run.wait() == 1
    assert b"\x1b[1;31merror:\x1b[0m" in text


def test_every_option_is_in_the_api() -> None:
    """The command line uses nothing else: what `check` takes, `ldcheck.check` takes."""
    import inspect

    from ldcheck import api

    taken = set(inspect.signature(api.check).parameters)
    source = inspect.getsource(check.checked)
    assert taken - {"scripts"} <= set(re.findall(r"(\w+)=", source))


def test_the_manual_page_is_current_and_sound() -> None:
    page = manual.page()
    assert manual.PAGE.read_text() == page, "run `python -m tools.manual`"
    for command in COMMANDS:
        assert f".SS ldcheck {command}\n" in page
    done = subprocess.run([tool("groff"), "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
