"""Damaged scripts, policies and configurations: always a status and words, never a traceback.

LDCHECK_FUZZ=N tries N inputs of each kind; the seed is fixed.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ldcheck.cli.main import main
from ldcheck.report.formats import FORMATS
from tests.support.cache import ROOT

DEMO = ROOT / "examples" / "demo"
TRIES = int(os.environ.get("LDCHECK_FUZZ", "40"))
SCRIPT = (DEMO / "faulty" / "hypervisor.lds").read_bytes()
POLICY = (DEMO / "policy.yaml").read_bytes()
CONFIG = b"ldcheck: 1\ntargets:\n  a:\n    script: x.lds\n    policies: [policy.yaml]\n    arch: arm64\n"
PIECES = (
    *(
        b"{",
        b"}",
        b"(",
        b")",
        b";",
        b":",
        b"\n",
        b"\0",
        b"\xff",
        b"\x1b[2J",
        b"::error::x",
        b"*",
        b"/*",
        b'"',
        b"ALIGN(",
    ),
    *(
        b"SECTIONS",
        b"KEEP",
        b". = ",
        b"9" * 40,
        b"\t",
        b"- ",
        b"&a ",
        b"*a",
        b"!!x ",
        b"#",
        b"[",
        b"]",
        b"%",
        b"'",
        b"|\n",
    ),
)


def damaged(random_source: random.Random, data: bytes) -> bytes:
    """`data` with a few pieces taken out, doubled, or put in."""
    for _ in range(random_source.randint(1, 4)):
        at = random_source.randrange(len(data) + 1)
        end = min(len(data), at + random_source.choice((0, 1, 3, 20, 200)))
        put = random_source.choice((b"", data[at:end] * 2, random_source.choice(PIECES), random_source.randbytes(3)))
        data = data[:at] + put + data[end:]
    return data


def inputs(kind: str) -> Iterator[tuple[bytes, bytes, bytes | None]]:
    """A script, a policy and a configuration, one of them damaged."""
    random_source = random.Random(f"hostile {kind}")
    for _ in range(TRIES):
        script = damaged(random_source, SCRIPT) if kind == "script" else SCRIPT
        policy = damaged(random_source, POLICY) if kind == "policy" else POLICY
        config = damaged(random_source, CONFIG) if kind == "config" else None
        yield script, policy, config


@pytest.mark.parametrize("kind", ["script", "policy", "config"])
def test_damaged_input(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    formats = list(FORMATS)
    for at, (script, policy, config) in enumerate(inputs(kind)):
        (tmp_path / "x.lds").write_bytes(script)
        (tmp_path / "policy.yaml").write_bytes(policy)
        arguments = ["check", "x.lds", "--policy", "policy.yaml"]
        if config is not None:
            (tmp_path / ".ldcheck.yaml").write_bytes(config)
            arguments = ["check"]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            # With --debug an internal error is raised, and fails the test with its place.
            status = main([*arguments, "--debug", "--format", formats[at % len(formats)]])
        assert status in (0, 1, 2)
        assert err.getvalue() == ""
        assert all(line.isprintable() for line in out.getvalue().split("\n"))
