"""The gate from end to end on the mini hypervisor: each fault is found at its line, in the script and in the image."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import ldcheck
from ldcheck.findings import Verdict
from tests.support.images import ARCHITECTURES, mini_image

POLICY = """\
ldcheck: 1
params: { PAGE_SIZE: 4K }
rules:
  - id: not-shadowed
    no-wildcard-may-shadow: .data.read_mostly
  - id: enumerated
    enumerate: .text.page_aligned
    before: .text.*
  - id: page-aligned
    align: .data.read_mostly
    to: PAGE_SIZE
  - id: in-order
    order: [_stext, _etext, _srodata, _erodata, __init_begin, __init_end, __bss_start, __bss_end, _end]
  - id: init-aligned
    align: [__init_begin, __init_end]
    to: PAGE_SIZE
  - id: init-stays-in-init
    place: [.init.text, .init.data, .init.rodata, .initcall1.init]
    between: [__init_begin, __init_end]
  - id: notes-go
    discard: .note.GNU-stack
  - id: fits
    limit: _end - _start
    to: 2M
  - id: nothing-dynamic
    empty: [.got, .plt]
    optional: true
"""

# The rule that convicts each variant, and the line of the script at which it does.
FAULTS = {
    "swallowed": ("not-shadowed", "*(.data .data.*)"),
    "wildcard-first": ("enumerated", "*(.text.*)"),
    "unaligned": ("page-aligned", "DECL_SECTION(.data.read_mostly) {"),
}
# What else a fault breaks: read-mostly data that joined .data is where .data has room for it.
FOLLOWS = {"swallowed": {"page-aligned"}}


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    path = tmp_path_factory.mktemp("policy") / "mini.yaml"
    path.write_text(POLICY)
    return path


def check(image, policy, *evidence):
    """Run `ldcheck check` in the image's folder. Returns the report as JSON has it."""
    done = subprocess.run(
        [sys.executable, "-m", "ldcheck", "check", "--policy", policy, "--format", "json", *evidence],
        cwd=image.folder,
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["status"] == done.returncode
    return report


def script(image):
    return ["mini.lds"]


def source(image):
    return ["mini.lds.S", *(f"-D{name}" for name in image.defines)]


def elf(image):
    return ["--elf", "mini.elf", "--map", "mini.map"]


def verdicts(report):
    return {rule["rule"]: rule["verdict"] for rule in report["rules"]}


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("evidence", [(script,), (source,), (script, elf), (elf,)])
def test_the_good_one_passes(arch, evidence, policy):
    image = mini_image(arch)
    report = check(image, policy, "--arch", arch, *(word for part in evidence for word in part(image)))
    assert report["findings"] == []
    assert report["status"] == 0
    allowed = {"held", "not checked"} if len(evidence) == 1 else {"held"}
    assert set(verdicts(report).values()) <= allowed
    assert verdicts(report)["page-aligned"] == "held"


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_tables_begin_and_end_at_their_symbols(arch):
    image = mini_image(arch)
    report = ldcheck.check([str(image.preprocessed)], policies=["generic"], elf=str(image.elf), map=str(image.map))
    (verdict,) = [result.verdict for result in report.rules if result.rule == "boundary-gap"]
    assert verdict is Verdict.HELD


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("variant", FAULTS)
@pytest.mark.parametrize("evidence", [(script,), (source,), (script, elf)])
def test_each_fault_is_found_at_the_line_to_edit(arch, variant, evidence, policy):
    image = mini_image(arch, variant)
    rule, line = FAULTS[variant]
    report = check(image, policy, "--arch", arch, *(word for part in evidence for word in part(image)))
    assert report["status"] == 1
    found = [finding for finding in report["findings"] if finding["rule"] == rule]
    assert [finding["location"]["line"] for finding in found] == [image.line_of(line)]
    assert found[0]["location"]["file"].endswith("mini.lds.S")
    assert verdicts(report)[rule] == "violated"
    assert {finding["rule"] for finding in report["findings"]} <= {rule} | FOLLOWS.get(variant, set())


# The order in which patterns were written does not show in an image, only what came of it.
@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("variant", ["swallowed", "unaligned"])
def test_a_fault_shows_in_the_image_alone(arch, variant, policy):
    image = mini_image(arch, variant)
    report = check(image, policy, "--arch", arch, *elf(image))
    assert report["status"] == 1
    assert FAULTS[variant][0] in {finding["rule"] for finding in report["findings"]}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_what_holds_by_accident_is_unproven(arch, policy):
    image = mini_image(arch, "accidental")
    report = check(image, policy, "--arch", arch, *script(image), *elf(image))
    assert report["status"] == 0
    assert verdicts(report)["page-aligned"] == "unproven"
    (finding,) = report["findings"]
    assert finding["severity"] == "warning"
    assert finding["location"]["line"] == image.line_of("DECL_SECTION(.data.read_mostly) {")
    assert check(image, policy, "--arch", arch, *elf(image))["findings"] == []
    assert check(image, policy, "--arch", arch, *script(image))["status"] == 1
