"""The policies that a target without any calls for: what its script and image tell, put to the table of projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.record import replace

if TYPE_CHECKING:
    from ldcheck.image.model import Image
    from ldcheck.judging.scripts import Scripts
    from ldcheck.policy.recognise import Facts
    from ldcheck.project.target import Target
    from ldcheck.script.syntax import Script


def with_policies(target: Target, scripts: Scripts, image: Image | None) -> tuple[Target, tuple[str, ...]]:
    """The target with the policies that apply to it, and a remark on what was recognised beside `generic`."""
    from ldcheck.policy.files import stock_names
    from ldcheck.policy.recognise import GENERIC, Facts, recognise

    facts = _of_script(scripts.parses[0].tree) if scripts.parses else _of_image(image) if image is not None else Facts()
    found = recognise(target.script, facts, stock_names())
    if found is None:
        return replace(target, policies=(GENERIC,)), ()
    remark = f"{target.name}: judged by {GENERIC} and {found.policy}, recognised {found.reason}; --policy names others"
    return replace(target, policies=(GENERIC, found.policy)), (remark,)


def _of_script(tree: Script) -> Facts:
    from ldcheck.policy.recognise import Facts
    from ldcheck.script.syntax import Assignment, MemoryRegion, OutputSection, SectionPattern, walk

    symbols: set[str] = set()
    sections: set[str] = set()
    memory = False
    for node in walk(tree):
        if isinstance(node, Assignment):
            symbols.add(node.target.text)
        elif isinstance(node, OutputSection):
            sections.add(node.name.text)
        elif isinstance(node, SectionPattern):
            sections.add(node.pattern.text)
        elif isinstance(node, MemoryRegion):
            memory = True
    return Facts(symbols, sections, memory)


def _of_image(image: Image) -> Facts:
    """What was linked tells of no MEMORY: only symbols count."""
    from ldcheck.policy.recognise import Facts

    symbols = set(image.elf.symbols) if image.elf is not None else set()
    return Facts(symbols.union(image.map.symbols if image.map is not None else ()))
