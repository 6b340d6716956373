"""Whether a linker takes a script: what it refuses to read is in the table of differences, else all read it.

The judge reads a second script behind the one in question, which no linker can read: if it complains of that one, it
has read the first. Mutants hold the grammar to the other versions of GNU ld, whose language is that of 2.40 but for a
few corners of it.
"""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest

from ldcheck.judging.differing import occurrences
from ldcheck.judging.evidence import ScriptView
from ldcheck.linker import Linker as Meant
from ldcheck.script.dialect import LLD as DIALECT
from ldcheck.script.difference import REFUSES
from ldcheck.script.differences import BY_NAME
from ldcheck.script.parser import parse
from ldcheck.source import Source, decode
from tests.layout.random_scripts import random_script
from tests.script.agreement import SCRIPTS, files_below
from tests.script.mutants import mutants
from tests.script.verdict import judge
from tests.sections import random_links
from tests.support.linkers import ALL, GNU, LLD, Linker, as_params, command

# A colon alone for a file, which no script in use has: GNU ld 2.35 takes it for punctuation.
_LONE_COLON = re.compile(r"(?<![\w*\].]):(?=[ ()])")
# What other versions do not read of the scripts that have all of the language, and what stands in its place.
REPLACED: dict[str, tuple[tuple[bytes, bytes], ...]] = {
    "2.35": (
        (rb"#[^\n]*\n", b"\n"),
        (rb"PT_GNU_(?:RELRO|PROPERTY)", b"PT_GNU_STACK"),
        (rb"RAM, :", b"RAM :"),
        (rb"KEEP = 1; BYTE = 2; SORT = 3; NOLOAD = 4;", b""),
        (rb"o = 1; len = _etext-_stext; MEMORY = 1;", b""),
        (rb"GROUP \? 3", b"3 ? 3"),
        (rb"\.readonly \(READONLY\)[^\n]*\n", b"\n"),
        (rb" \+ LOADADDR\(name:with=strange,chars\)", b""),
    ),
    "2.47": ((rb"MAP\(out\.map\)\n", b""),),
}


def reads(linker: Linker, script: str, folder: Path) -> bool:
    """Whether a linker can read a script."""
    (folder / "s.ld").write_text(script)
    (folder / "sentinel").write_text("SECTIONS { ;")
    done = subprocess.run(
        [command(linker), "-T", "s.ld", "-T", "sentinel"],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
    )
    return "sentinel:" in done.stderr


def unexplained(linker: Linker, seeds: range, folder: Path) -> tuple[list[str], int]:
    """The scripts that a linker does not read, though nothing in the table tells; and how many it reads."""
    meant = Meant(linker.kind, tuple(map(int, linker.version.split("."))))
    found, accepted = [], 0
    for seed in seeds:
        chance = random.Random(seed)
        script = random_script(chance, firmware=seed % 4 == 0) if seed % 2 else random_links.script(chance)[0]
        if reads(linker, script, folder):
            accepted += 1
            continue
        parsed = parse(Source("s.ld", script))
        names = {one.difference for one in occurrences(ScriptView(parsed.tree, parsed.sources))}
        told = any(BY_NAME[name].ways(meant) == {REFUSES} for name in names)
        if not told and not (linker.version == "2.35" and _LONE_COLON.search(script)):
            found.append(f"seed {seed}:\n{script}")
    return found, accepted


@pytest.mark.parametrize("linker", as_params(ALL))
def test_what_is_refused_is_a_difference(linker: Linker, tmp_path: Path) -> None:
    found, accepted = unexplained(linker, range(60), tmp_path)
    assert found == []
    assert accepted > 10


@pytest.mark.sweep
@pytest.mark.parametrize("linker", [pytest.param(one, id=str(one)) for one in ALL])
def test_what_is_refused_of_many_is_a_difference(
    linker: Linker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, accepted = unexplained(linker, range(100, 900), tmp_path)
    with capsys.disabled():
        print(f"\n{linker}: 800 scripts, {800 - accepted} refused, {len(found)} of them without a difference")
    assert found[:3] == []
    assert accepted > 100


@pytest.mark.parametrize("linker", as_params(LLD))
def test_lld_reads_what_is_made_for_it(linker: Linker, tmp_path: Path) -> None:
    for seed in range(30):
        for script in (
            random_script(random.Random(seed), seed % 2 == 0, True),
            random_links.script_for_lld(random.Random(seed)),
        ):
            if linker.version in ("14", "16") and "OVERLAY" in script:
                continue
            assert parse(Source("s.ld", script), dialect=DIALECT).ok
            assert reads(linker, script, tmp_path), script


@pytest.mark.sweep
@pytest.mark.parametrize("linker", [pytest.param(one, id=str(one)) for one in GNU if not one.every_run])
def test_mutants_have_the_verdict_of_other_years(
    linker: Linker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripts = [path.read_bytes() for path in files_below(SCRIPTS)]
    for pattern, replacement in REPLACED.get(linker.version, ()):
        changed = [re.sub(pattern, replacement, script) for script in scripts]
        # Each of them is one that this version does not read.
        for before, after in zip(scripts, changed, strict=True):
            assert before == after or not judge(before, tmp_path, command(linker)).accepted, pattern
        scripts = changed
    assert all(judge(script, tmp_path, command(linker)).accepted for script in scripts)
    count, other = 1500, []
    for script, how, data in mutants(scripts, count, 42):
        verdict = judge(data, tmp_path, command(linker))
        if verdict.accepted != parse(Source("s.ld", decode(verdict.text))).ok:
            other.append(f"{how} in {script}: {verdict.line} {verdict.message}")
    with capsys.disabled():
        print(f"\n{linker}: {count} mutants, {len(other)} with another verdict")
    # 2.35 stops at characters that others pass over.
    assert len(other) <= count * (0.05 if linker.version == "2.35" else 0.002), "\n".join(other)
