"""A rule that speaks of what is nowhere never holds: for every head key, every key that has names, and all evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from ldcheck import checks
from ldcheck.documents.nodes import as_mapping
from ldcheck.documents.parser import parse_document
from ldcheck.findings import Verdict
from ldcheck.image.model import Image
from ldcheck.judging.applicable import ScriptCase, Target
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.judge import Judged, judge
from ldcheck.policy.load import load_policies
from ldcheck.policy.testing.described_image import image_of
from ldcheck.script.parser import parse
from ldcheck.source import Source

SCRIPT = """\
MEMORY { rom (rx) : ORIGIN = 0x1000, LENGTH = 64K }
PHDRS { text PT_LOAD; }
SECTIONS {
  . = 0x1000;
  _start = .;
  .text : { KEEP(*(.vectors)) *(.text.hot) *(.text .text.*) } > rom :text
  . = ALIGN(4K);
  .rodata : ALIGN(4K) { table_start = .; *(.table) table_end = .; *(.rodata .rodata.*) } > rom :text
  . = ALIGN(4K);
  .data : ALIGN(4K) { *(.data.hot) *(.data .data.*) . = ALIGN(4K); } > rom :text
  _end = .;
  /DISCARD/ : { *(.scrap) }
}
"""

IMAGE = """\
sections:
  .text:
    { at: 0x1000, size: 64, flags: AX,
      inputs: [{ name: .vectors, size: 16 }, { name: .text.hot, size: 16 }, { name: .text, size: 32 }] }
  .rodata: { at: 0x2000, size: 64, flags: A, inputs: [{ name: .table, size: 16 }, { name: .rodata, size: 48 }] }
  .data: { at: 0x3000, size: 64, flags: WA, inputs: [{ name: .data.hot, size: 16 }, { name: .data, size: 48 }] }
symbols: { _start: 0x1000, table_start: 0x2000, table_end: 0x2010, _end: 0x4000 }
discarded: [{ name: .scrap }]
objects:
  [{ name: .vectors }, { name: .text.hot }, { name: .text }, { name: .table }, { name: .rodata }, { name: .data.hot },
   { name: .data }]
"""

# For each head key rules that hold on the evidence above.
RULES: Mapping[str, tuple[str, ...]] = {
    "align": ("align: [.rodata, _start], to: 4K",),
    "assert": ("assert: _start < _end", "assert: SIZEOF(.data) > 0 && ADDR(.rodata) == table_start"),
    "bracket": ("bracket: .table, with: [table_start, table_end], entry-size: 8",),
    "discard": ("discard: .scrap",),
    "empty": ("empty: .scrap",),
    "enumerate": ("enumerate: .text.hot, before: .text.*",),
    "every": (
        "every: output-section, named: [.text, .data], require: size > 0 && address >= _start",
        "every: symbol, named: table_start, where: value > 0, require: value < _end",
        "every: segment, where: executable, require: address >= _start",
        "every: input-pattern, named: .vectors, require: kept",
    ),
    "first": ("first: .vectors",),
    "keep": ("keep: .vectors",),
    "limit": ("limit: _end - _start, to: 64K", "limit: .text, to: 4K"),
    "load-address": ("load-address: [.text, .data], is: ADDR(.text) + (. - _start)",),
    "no-wildcard-may-shadow": ("no-wildcard-may-shadow: [.text.hot, .data.hot]",),
    "order": ("order: [_start, table_start, _end]", "order: [.text, .rodata, .data]"),
    "padding": ("padding: [.text, .data], at-most: 64",),
    "permissions": ("permissions: [.text], are: r-x",),
    "place": (
        "place: .table, in: .rodata",
        "place: [.table, .data.hot], never-in: .text",
        "place: .table, between: [_start, _end]",
        "place: .vectors, never-between: [table_start, table_end]",
    ),
    "separate-pages": (
        "separate-pages: [.text, .rodata, [.data]], page: 4K",
        "separate-pages: [.text, table_start..table_end], page: 4K",
    ),
}
# Without a name of their own; and what only real objects tell (see test_no_reference.py and test_split.py).
NAMELESS = {"orphans", "no-reference", "split"}

EVIDENCE = ("script", "elf", "map", "objects", "script+elf", "script+elf+map", "script+objects")


def rules() -> Iterator[tuple[str, str, str]]:
    """Each rule, and the same with one of its names misspelled: head key, sound text, spoiled text."""
    for head, texts in RULES.items():
        for text in texts:
            for name in NAMES:
                spoiled = _replaced(text, name)
                if spoiled != text:
                    yield head, text, spoiled


# Names of the script and of the image, and attributes of what `every` goes through.
NAMES = (
    "_start", "_end", "table_start", "table_end", ".text.hot", ".text.*", ".text", ".rodata", ".data.hot", ".data",
    ".table", ".vectors", ".scrap", "size", "address", "value", "kept", "executable",
)  # fmt: skip


def _replaced(text: str, name: str) -> str:
    """The text with the first use of a name turned into one that is nowhere."""
    typo = ".typo.hidden" if name.startswith(".") else "__typo"
    return re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w.*:-])", typo, text, count=1)


@cache
def linked(evidence: str, view: ScriptView | None) -> ImageView | None:
    """The image with the parts that are named, and the script that it was linked with."""
    root = as_mapping(parse_document(Source("image.yaml", IMAGE)).root, "the image")
    whole = image_of(root, {}, "arm64")
    parts = {part: getattr(whole, part) for part in ("elf", "map", "objects") if part in evidence.split("+")}
    return ImageView(Image(**parts), "arm64", view) if parts else None


@cache
def script() -> ScriptView:
    """The script, once for all tests."""
    parsed = parse(Source("s.lds", SCRIPT))
    assert parsed.ok
    return ScriptView(parsed.tree, parsed.sources, "arm64")


def judged(tmp_path: Path, rule: str, evidence: str) -> Judged:
    """The verdict on one rule by the real judge, on the evidence that is named."""
    path = tmp_path / "policy.yaml"
    path.write_text(f"ldcheck: 1\nrules:\n  - {{ id: it, {rule} }}\n")
    policies = load_policies([str(path)], declarations=checks)
    assert not policies.errors, [error.message for error in policies.errors]
    view = script() if "script" in evidence else None
    scripts = (ScriptCase(view),) if view is not None else ()
    return judge(policies.rules, Target("", "arm64", scripts, linked(evidence, view), format="elf"), checks)


def test_every_head_key_is_here() -> None:
    assert set(checks.names()) == set(RULES) | NAMELESS


@pytest.mark.parametrize(("head", "text"), [(head, text) for head, texts in RULES.items() for text in texts])
def test_the_rules_hold_where_all_is_there(tmp_path: Path, head: str, text: str) -> None:
    held = [evidence for evidence in EVIDENCE if judged(tmp_path, text, evidence).results[0].verdict is Verdict.HELD]
    assert held, text


@pytest.mark.parametrize("evidence", EVIDENCE)
@pytest.mark.parametrize(("head", "text", "spoiled"), list(rules()))
def test_a_name_that_is_nowhere_is_never_held(
    tmp_path: Path, head: str, text: str, spoiled: str, evidence: str
) -> None:
    sound, outcome = judged(tmp_path, text, evidence), judged(tmp_path, spoiled, evidence)
    assert outcome.results[0].verdict is not Verdict.HELD, spoiled
    # A symbol in an expression may be one of an object, which only a link shows; that is asked for then.
    asking = "give --elf or --map" in outcome.results[0].reason and evidence in ("script", "script+objects")
    if sound.results[0].verdict is Verdict.HELD and evidence != "elf" and not asking:
        assert outcome.errors or outcome.findings, f"{spoiled}: {outcome.results[0].reason}"
