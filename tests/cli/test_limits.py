"""Inputs that ask for more time or memory than there is: a verdict or an error of ldcheck's own, and an end."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ldcheck import api
from ldcheck.findings import Verdict
from ldcheck.judging import spent

_MEMORY = 1 << 30


def _doubling(levels: int) -> str:
    return "".join(f"#define A{at} A{at - 1} A{at - 1}\n" for at in range(1, levels))


# What each is too much of, small enough for a test; the larger ones are cut short by the same means.
HOSTILE = {
    "nested-expression.ld": f"x = {'(' * 50_000}1{')' * 50_000};",
    "nested-braces.ld": "SECTIONS {" * 20_000,
    "long-expression.ld": f"x = {' + '.join(f's{at}' for at in range(20_000))};",
    "chain.ld": "s0 = 1;" + "".join(f"s{at} = s{at - 1} + s{at - 1};" for at in range(1, 3_000)),
    "sections.ld": f"SECTIONS {{ {' '.join(f'.s{at} : {{ a{at} = .; *(.s{at}*) }}' for at in range(400))} }}",
    "patterns.ld": f"SECTIONS {{ .a : {{ {' '.join(f'*(.*{at}*a?*)' for at in range(300))} }} }}",
    "stars.ld": f"SECTIONS {{ .a : {{ *({'*a' * 3_000}) *({'*b' * 3_000}) }} }}",
    "excluded.ld": "SECTIONS { .a : { *(EXCLUDE_FILE("
    + " ".join(f"*f{at}.*" for at in range(2_000))
    + ") .t) *(.t) } }",
    "asserts.ld": "SECTIONS { x = .; " + "".join(f'ASSERT(x % {at} == 0, "m")' for at in range(1, 1_000)) + " }",
    "included.ld": "INCLUDE included.ld\n" * 100,
    "doubled.lds.S": _doubling(14) + "#define A0 x = 1;\nA13\n",
    "doubled-argument.lds.S": "#define D(x) x x\n" + "D(" * 12 + "x = 1;" + ")" * 12 + "\n",
    "doubled-without-end.lds.S": _doubling(40) + "#define A0 x = 1;\n#if A39\n#endif\nx = 1;\n",
    "including.lds.S": '#include "including.lds.S"\n' * 3,
    "choices.lds.S": "".join(f"#ifdef CONFIG_{at}\nx{at} = 1;\n#endif\n" for at in range(100)),
    "zeros.ld": "\0" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_with_a_gigabyte_a_run_ends_in_its_own_words(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(HOSTILE[name])
    done = subprocess.run(
        [sys.executable, "-m", "ldcheck", "check", "--policy=generic", "--policy=firmware", name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY)),
    )
    assert done.returncode in (0, 1, 2), done
    assert "Traceback" not in done.stderr + done.stdout
    assert "internal error" not in done.stderr
    assert f"{name}: " in done.stdout or f"{name}:" in done.stderr or done.returncode == 2


def _script(tmp_path: Path) -> str:
    path = tmp_path / "t.ld"
    sections = " ".join(f".s{at} : {{ a{at} = .; *(.s{at} .s{at}.*) . = ALIGN(64); }}" for at in range(400))
    path.write_text(f"SECTIONS {{ {sections} }}")
    return str(path)


def test_what_the_time_is_not_enough_for_is_not_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {result.rule: result.verdict for result in api.check([_script(tmp_path)]).rules}
    monkeypatch.setattr(spent, "SECONDS_OF_A_TARGET", 0.0)
    left_out = 0
    for seconds in (0.01, 0.1, 0.2, 0.4):
        monkeypatch.setattr(spent, "SECONDS", seconds)
        report = api.check([_script(tmp_path)])
        cut = [result for result in report.rules if "processor time" in result.reason]
        left_out += len(cut) or not report.rules
        assert all(result.verdict is Verdict.NOT_CHECKED for result in cut)
        for result in report.rules:
            assert result in cut or result.verdict is whole[result.rule]
        if cut:
            assert any("what was left is not decided" in note for note in report.notes)
        elif not report.rules:
            assert report.status == 2
            assert "is not decided: the run has spent" in report.errors[0].message
    assert left_out > 0


def test_in_a_thread_there_is_no_limit_and_the_verdicts_are_the_same(tmp_path: Path) -> None:
    script = _script(tmp_path)
    found: list[list[tuple[str, Verdict, str]]] = []

    def run() -> None:
        found.append([(result.rule, result.verdict, result.reason) for result in api.check([script]).rules])

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    run()
    assert found[0] == found[1]


def test_what_the_memory_is_not_enough_for_is_not_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_script(*_: object) -> object:
        raise MemoryError

    monkeypatch.setattr("ldcheck.checks.lints.boundary_gap.on_script", on_script)
    report = api.check([_script(tmp_path)])
    (result,) = (result for result in report.rules if result.check == "boundary-gap")
    assert result.verdict is Verdict.NOT_CHECKED
    assert result.reason == "not decided: there is not enough memory"
