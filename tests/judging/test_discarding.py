"""Advice to discard sections is such that the linkers follow it."""

from __future__ import annotations

import pytest

from ldcheck.judging.discarding import advice
from ldcheck.judging.evidence import ScriptView
from ldcheck.linker import GNU, LLD
from ldcheck.script.parser import parse
from ldcheck.source import Source
from tests.support.build import assemble, link
from tests.support.linkers import ALL, Linker, as_params, command

_SCRIPT = "SECTIONS {{ . = 0x1000; .text : {{ *(.text) }} .data : {{ *(.data) }} /DISCARD/ : {{ *({}) }} }}"
_OBJECT = ".globl _start\n.text\n_start: ret\n.data\n.quad _start\n"
_NAMES = (
    ".hash",
    ".gnu.hash",
    ".dynsym",
    ".dynstr",
    ".dynamic",
    ".interp",
    ".rela.dyn",
    ".got",
    ".eh_frame",
    ".comment",
)


@pytest.mark.parametrize("linker", as_params(ALL))
def test_what_a_linker_refuses_to_discard_is_not_advised(tmp_path, linker: Linker):
    script = parse(Source("t.lds", _SCRIPT.format(".other")))
    view = ScriptView(script.tree, script.sources, linkers=(LLD if linker.kind == "lld" else GNU,))
    built = assemble(tmp_path, _OBJECT)
    options = ("-pie", "--no-dynamic-linker", "--hash-style=both")
    refused = set()
    for name in _NAMES:
        done = link(tmp_path, _SCRIPT.format(name), [built], "x86_64", options, linker=command(linker))
        if not done.ok:
            assert f"could not find section {name}" in done.output
            refused.add(name)
        assert advice([name], view)[1] is done.ok, name
    assert refused == (set() if linker.kind == "lld" else {".hash", ".gnu.hash", ".dynsym"})
    does, allowed = advice([".scrap", ".hash"], view)
    assert allowed is (linker.kind == "lld")
    assert does.startswith("add `*(.scrap .hash)` to it" if allowed else "add `*(.scrap)` to it, and take .hash out")
