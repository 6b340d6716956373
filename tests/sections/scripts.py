"""Scripts as text, parsed for tests."""

from __future__ import annotations

from ldcheck.script.parser import parse
from ldcheck.script.syntax import Script
from ldcheck.sections.rules import InputRule, input_rules
from ldcheck.source import Source


def tree(text: str) -> Script:
    """The tree of a script that ld would read."""
    parsed = parse(Source("test.lds", text))
    assert parsed.ok, (text, [problem.message for problem in parsed.problems])
    return parsed.tree


def rules(text: str) -> tuple[InputRule, ...]:
    """The rules of the output sections in `text`, or of a whole script."""
    return input_rules(tree(text if "SECTIONS" in text else f"SECTIONS {{ {text} }}"))
