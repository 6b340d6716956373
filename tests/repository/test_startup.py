"""A hook's start-up is part of its speed: what a run of `check` must not have imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.support.cache import ROOT
from tools.compiled import compile_policies

DEMO = ROOT / "examples" / "demo"

# Too slow to load for every run, or of no use to it.
HEAVY = {
    *("asyncio", "concurrent", "difflib", "email", "elftools", "http", "importlib.metadata", "importlib.resources"),
    *("logging", "multiprocessing", "pathlib", "pcpp", "pefile", "ply", "pytest", "random", "socket"),
    *("subprocess", "tempfile", "unittest", "urllib", "xml", "zipfile"),
}

PROBE = """
import json, sys
from ldcheck.cli.main import main
before = set(sys.modules)
status = main(sys.argv[1:])
sys.stderr.write(json.dumps([status, sorted(sys.modules)]))
"""


def loaded(*arguments: str) -> tuple[int, set[str]]:
    """The exit status of a command and the modules that it imported beside those of a bare interpreter."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    bare = subprocess.run(
        [sys.executable, "-c", "import json, sys; print(json.dumps(sorted(sys.modules)))"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], cwd=DEMO, env=environment, capture_output=True, text=True
    )
    status, modules = json.loads(done.stderr.splitlines()[-1])
    return status, set(modules) - set(json.loads(bare.stdout))


def heavy(modules: set[str]) -> set[str]:
    return {name for name in HEAVY if any(module == name or module.startswith(f"{name}.") for module in modules)}


@pytest.mark.parametrize("variant", ["mended", "faulty"])
def test_a_check_of_a_script_loads_nothing_heavy(variant):
    status, modules = loaded("check", f"{variant}/hypervisor.lds", "--policy", "policy.yaml")
    assert status == (variant == "faulty")
    assert heavy(modules) == set()


def test_only_the_checks_that_are_used_are_loaded():
    _, modules = loaded("check", "mended/hypervisor.lds", "--policy", "policy.yaml")
    assert "ldcheck.checks.align" in modules
    assert "ldcheck.checks.empty" not in modules


def test_a_check_with_an_image_loads_nothing_but_the_reader():
    image = ["--elf", "mended/hypervisor.elf", "--map", "mended/hypervisor.map"]
    status, modules = loaded("check", "mended/hypervisor.lds", "--policy", "policy.yaml", *image)
    assert status == 0
    assert heavy(modules) <= {"elftools"}


def test_a_check_with_stock_policies_loads_no_yaml_parser():
    compile_policies()
    status, modules = loaded("check", "mended/hypervisor.lds", "--policy", "hardening")
    assert status in (0, 1)
    assert "yaml" not in modules
    _, modules = loaded("check", "mended/hypervisor.lds", "--policy", "policy.yaml")
    assert "yaml" in modules
