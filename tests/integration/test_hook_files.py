"""Which paths the hooks of `.pre-commit-hooks.yaml` are run on, as pre-commit decides it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


def test_the_hooks() -> None:
    assert list(HOOKS) == ["ldcheck", "ldcheck-policies", "ldcheck-image"]


@pytest.mark.parametrize(
    "path",
    [
        "xen/arch/x86/xen.lds.S",
        "xen.lds",
        "arch/arm/kernel/vmlinux.lds.S",
        "u-boot.lds",
        "board/link.ld",
        "src/a b/flash.ld.in",
        "sections.ld.S",
        "memory.x",
        "xen/include/xen/xen.lds.h",
        ".ldcheck.yaml",
        "hal/link.x",
        "script.lds.tmpl",
    ],
)
def test_runs_on(path: str) -> None:
    assert re.search(HOOKS["ldcheck"]["files"], path)


@pytest.mark.parametrize(
    "path",
    [
        "build.c",
        "ld",
        ".ld/config",
        "link.ldx",
        "old.lds.bak",
        "xen.lds.S.orig",
        ".xen.lds.cmd",
        "calc.x",
        "mymemory.x",
        "flash.ld.md",
        "fields.yaml",
        "lds",
        "a.lds/readme",
    ],
)
def test_does_not_run_on(path: str) -> None:
    assert not re.search(HOOKS["ldcheck"]["files"], path)


@pytest.mark.parametrize("path", ["ldcheck/xen.yaml", ".ldcheck/a/b.yml", "tools/ldcheck/x.yaml", "board.ldcheck.yaml"])
def test_policies_run_on(path: str) -> None:
    assert re.search(HOOKS["ldcheck-policies"]["files"], path)


@pytest.mark.parametrize(
    "path", [".ldcheck.yaml", "policies/k8s.yaml", "ldcheck.toml", "ldcheck.yaml", "a/.ldcheck.yml"]
)
def test_policies_do_not_run_on(path: str) -> None:
    assert not re.search(HOOKS["ldcheck-policies"]["files"], path)
