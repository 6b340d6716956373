"""An image without its symbol table: what it lacks may have been there, so nothing is concluded from that."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

import pytest

from ldcheck.cli.main import main
from tests.support.build import assemble, link
from tests.support.tools import tool

SCRIPT = "SECTIONS { .text : { s = .; *(.text) e = .; } .data : { t = .; *(.data) u = .; } }"
RULES = {
    "align": "{align: s, to: 4}",
    "bracket": "{bracket: .data, with: [t, u], entry-size: 4}",
    "every": "{every: symbol, where: value > 1, require: value % 4 == 0}",
    "limit": "{limit: e - s, to: 4K}",
    "order": "{order: [s, t]}",
    "order of three": "{order: [.text, .data, u]}",
    "pages": "{separate-pages: [.text, [.data, t..u]], page: 1}",
    "assert": "{assert: s < t}",
    "place": "{place: .data, between: [t, u]}",
}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An image, and what is left of it behind `strip`."""
    folder = tmp_path_factory.mktemp("stripped")
    source = '.section .text,"ax"\n.long 1\n.section .data,"aw"\n.long 1\n'
    whole = link(folder, SCRIPT, [assemble(folder, source)]).elf
    assert whole is not None
    subprocess.run([tool("strip"), "-o", folder / "stripped.elf", whole], check=True)
    return whole, folder / "stripped.elf"


@pytest.mark.parametrize("optional", ["", ", optional: true"])
@pytest.mark.parametrize("name", RULES)
def test_nothing_is_concluded_from_it(name, optional, images, tmp_path, capsys):
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"ldcheck: 1\nrules:\n  - {RULES[name][:-1]}, id: it{optional}}}\n")
    verdicts = []
    for image in images:
        status = main(["check", "--policy", str(policy), "--elf", str(image), "--format", "json"])
        (result,) = json.loads(capsys.readouterr().out)["rules"]
        verdicts.append((status, result["verdict"]))
        reason = result.get("reason", "")
    assert verdicts[0] == (0, "held")
    # Nothing at all was checked, which is no success.
    assert verdicts[1] == (2, "not checked")
    assert name in ("assert", "place") or "the ELF file is stripped of its symbols" in reason


LINTS = ("placed-orphan", "failed-assert", "overlapping-load-address", "entry-not-first", "load-address-in-ram")
BODY = SCRIPT + ' ASSERT(SIZEOF(.data) < 100, "much data")'


def verdicts(folder: Path, capsys: pytest.CaptureFixture[str], rules: list[str], *arguments: str) -> dict[str, str]:
    """The verdict on each rule by its id."""
    policy = folder / "policy.yaml"
    policy.write_text("ldcheck: 1\nrules:\n" + "".join(f"  - {rule}\n" for rule in rules))
    main(["check", "--policy", str(policy), "--format", "json", *arguments])
    return {one["rule"]: one["verdict"] for one in json.loads(capsys.readouterr().out)["rules"]}


def test_nothing_is_concluded_from_sections_that_have_no_headers(images, tmp_path, capsys):
    """What is left are the segments."""
    script = tmp_path / "script.lds"
    script.write_text(BODY)
    whole = bytearray(images[0].read_bytes())
    # e_shoff, and the number of headers with that of the names' section.
    struct.pack_into("<Q", whole, 40, 0)
    struct.pack_into("<HH", whole, 60, 0, 0)
    bare = tmp_path / "bare.elf"
    bare.write_bytes(whole)
    rules = [f"{{lint: {name}, id: {name}, evidence: [image]}}" for name in LINTS]
    rules += ["{every: segment, require: align > 0, id: segments}", "{every: output-section, require: size, id: all}"]
    rules += ["{empty: .none, id: empty, optional: true, evidence: [image]}"]
    before = verdicts(tmp_path, capsys, rules, str(script), "--elf", str(images[0]))
    after = verdicts(tmp_path, capsys, rules, str(script), "--elf", str(bare))
    assert before["placed-orphan"] == before["failed-assert"] == before["overlapping-load-address"] == "held"
    assert [name for name, verdict in after.items() if verdict == "held"] == ["segments"]


def test_nothing_is_concluded_from_what_a_map_lacks_that_is_cut_off(images, tmp_path, capsys):
    script = tmp_path / "script.lds"
    script.write_text(SCRIPT)
    whole = images[0].with_suffix(".map").read_text()
    rules = [f"{{lint: {name}, id: {name}, evidence: [map]}}" for name in ("placed-orphan", "collected-table")]
    rules.append("{orphans: none, id: orphans, evidence: [map]}")
    for text, wanted in ((whole, "held"), (whole[: whole.index(" *(.data)")], "not checked")):
        (tmp_path / "link.map").write_text(text)
        found = verdicts(tmp_path, capsys, rules, str(script), "--map", str(tmp_path / "link.map"))
        assert set(found.values()) == {wanted}
