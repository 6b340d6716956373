"""What is released: the wheel's contents, its reproducibility, and that it works where it is installed."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.cache import ROOT
from tests.support.tools import unavailable

DEMO = ROOT / "examples" / "demo"


def build_wheel(folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_packages_and_the_policies(names):
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "ldcheck").rglob("*.py")}
    policies = {f"ldcheck/{path.relative_to(ROOT)}" for path in (ROOT / "policies").rglob("*.yaml")}
    assert "ldcheck/policies/xen/arm.yaml" in policies
    compiled = {f"{name}.compiled" for name in policies}
    assert modules | policies | compiled | {"ldcheck/py.typed"} <= names


def test_the_wheel_holds_nothing_else(names):
    others = {name for name in names if not name.startswith("ldcheck/") and ".dist-info/" not in name}
    assert {name.partition(".data/")[2] for name in others} == {"data/share/man/man1/ldcheck.1"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".orig", ".rej"))]


def test_the_wheel_is_reproducible(wheel, tmp_path):
    assert build_wheel(tmp_path).read_bytes() == wheel.read_bytes()


def test_an_installed_ldcheck_finds_stock_policies_from_any_folder(wheel, tmp_path):
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.lds").write_text("SECTIONS { .text : { *(.text) } }\n")
    command = [sys.executable, "-m", "ldcheck", "check", "a.lds", "--policy", "xen/arm", "--arch", "arm64"]
    done = subprocess.run(
        [*command, "--format", "json"],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert "read-mostly-page-aligned" in {rule["rule"] for rule in json.loads(done.stdout)["rules"]}


def pythons() -> dict[str, str]:
    """Every Python from 3.11 on that this machine has, by version: on PATH, and what pyenv has installed."""
    candidates = [sys.executable, *(f"python3.{minor}" for minor in range(11, 30))]
    pyenv = os.environ.get("PYENV_ROOT")
    candidates += map(str, Path(pyenv).glob("versions/*/bin/python") if pyenv else ())
    found: dict[str, str] = {}
    for candidate in candidates:
        with contextlib.suppress(OSError):
            code = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
            done = subprocess.run([candidate, "-c", code], capture_output=True, text=True)
            version = done.stdout.strip()
            if done.returncode == 0 and tuple(map(int, version.split("."))) >= (3, 11):
                found.setdefault(version, candidate)
    return found


def clean_environment(folder: Path, *packages: str | Path, python: str = sys.executable) -> Path:
    """A virtual environment with nothing but these packages and what they need. Returns its `bin`."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    done = subprocess.run([*pip, *packages], capture_output=True, text=True)
    if done.returncode:
        unavailable(f"packages cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
    return folder / "bin"


def run_demo(bin_folder: Path, cwd: Path) -> None:
    """The demo by the installed `ldcheck` alone, from a folder that is not the repository."""
    for variant, wanted in (("faulty", 1), ("mended", 0)):
        image = DEMO / variant / "hypervisor"
        done = subprocess.run(
            [
                bin_folder / "ldcheck",
                "check",
                f"{image}.lds",
                "--policy",
                DEMO / "policy.yaml",
                "--elf",
                f"{image}.elf",
                "--map",
                f"{image}.map",
            ],
            cwd=cwd,
            env={"PATH": str(bin_folder)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == wanted, done.stdout + done.stderr


@pytest.mark.sweep
@pytest.mark.parametrize("version", sorted(pythons()))
def test_it_works_in_a_clean_environment_of_every_python(wheel, tmp_path, version):
    bin_folder = clean_environment(tmp_path / "venv", wheel, python=pythons()[version])
    run_demo(bin_folder, tmp_path)


@pytest.mark.sweep
def test_the_source_distribution_builds_the_same_wheel(wheel, tmp_path):
    hatchling = [sys.executable, "-m", "hatchling", "build"]
    subprocess.run([*hatchling, "-t", "sdist", "-d", tmp_path], cwd=ROOT, check=True, capture_output=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    subprocess.run([*hatchling, "-t", "wheel", "-d", tmp_path], cwd=unpacked, check=True, capture_output=True)
    (again,) = tmp_path.glob("*.whl")
    assert zipfile.ZipFile(again).namelist() == zipfile.ZipFile(wheel).namelist()


@pytest.mark.sweep
def test_it_works_with_the_lowest_versions_that_it_allows(wheel, tmp_path):
    import tomllib

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    lowest = [requirement.replace(">=", "==") for requirement in declared]
    assert all("==" in requirement for requirement in lowest)
    bin_folder = clean_environment(tmp_path / "venv", wheel, *lowest)
    run_demo(bin_folder, tmp_path)
