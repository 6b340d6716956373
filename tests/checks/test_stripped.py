"""An image without its symbol table: what it lacks may have been there, so nothing is concluded from that."""

from __future__ import annotations

import json
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
