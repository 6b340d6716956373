"""Statements that configurations share are parsed once: the same trees, at the same places, as when each is parsed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ldcheck.judging.scripts import read_scripts
from ldcheck.preprocess.run import preprocess
from ldcheck.project.read import read_project
from ldcheck.project.target import Target
from ldcheck.script.parser import parse
from ldcheck.script.result import Parse
from ldcheck.script.syntax import same, walk
from ldcheck.source import Location
from tests.preprocess.support import tree
from tests.support.xen import xen

EXAMPLE = Path(__file__).parents[2] / "examples" / "xen" / ".ldcheck.yaml"
SMALL = """\
#ifdef CONFIG_A
MEMORY { R (rwx) : ORIGIN = 0, LENGTH = 1M }
#endif
size = 4;
SECTIONS {
  .text : { *(.text) }
#ifdef CONFIG_B
  > R
#endif
  .data : { *(.data)
#ifdef CONFIG_C
    *(.data.*)
#endif
    _edata = .; }
  INCLUDE more.ld
  .bss : { *(.bss) }
}
end = .; ASSERT(end < 10
#ifdef CONFIG_D
  + size
#endif
  , "large")
"""


def places(parsed: Parse) -> Iterator[tuple[str, Location]]:
    for node in walk(parsed.tree):
        if node is not parsed.tree:
            yield type(node).__name__, parsed.sources.locate(node.start, node.end)


def compared(target: Target) -> int:
    """How many configurations were compared with parses of their own."""
    texts = preprocess(target)
    shared = read_scripts(target).parses
    for text, together in zip(texts, shared, strict=True):
        alone = parse(text.source, origin=text.origin)
        assert same(alone.tree, together.tree)
        assert list(places(alone)) == list(places(together))
        assert [one.message for one in alone.problems] == [one.message for one in together.problems]
    # That the texts share nodes at all.
    nodes = [{id(node) for node in walk(one.tree)} for one in shared]
    assert len(shared) == 1 or nodes[0] & nodes[1]
    return len(shared)


def test_a_small_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"a.lds.S": SMALL})
    monkeypatch.chdir(tmp_path)
    assert compared(Target("a", "a.lds.S")) == 16


@pytest.mark.parametrize("name", ["xen/x86", "xen/arm64"])
def test_xen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "xen").symlink_to(xen("x86_64").tree)
    shutil.copy(EXAMPLE, tmp_path)
    monkeypatch.chdir(tmp_path)
    target = next(one for one in read_project(".ldcheck.yaml").targets if one.name == name)
    assert compared(target) > 10
