"""The placeholders that a rule's `message` may hold, and filling them in.

Not `str.format`: a template comes from a policy, and `{x.__class__}` must mean nothing.
"""

from __future__ import annotations

import re

from ldcheck.findings import Problem
from ldcheck.policy.rule import Named, Rule

_PLACEHOLDER = r"\{([^{}]*)\}"

# What `{...}` may name besides the rule's own keys (`{to}`, `{before}`).
PLACEHOLDERS = ("subject", "message", "witness", "rule", "check", "file", "line")


def placeholders(template: str) -> tuple[str, ...]:
    """The names in braces in a template, in order."""
    return tuple(match[1] for match in re.finditer(_PLACEHOLDER, template))


def fill(template: str, rule: Rule, problem: Problem) -> str:
    """The message of a finding. A placeholder that means nothing here stays as written."""
    location = problem.location or rule.location
    values = {
        "subject": problem.subject,
        "message": problem.message,
        "witness": problem.witness,
        "rule": rule.id,
        "check": rule.check,
        "file": location.file,
        "line": str(location.line),
    }
    for key, value in rule.keys.items():
        if isinstance(value, Named):
            values.setdefault(key, value.text)
        elif isinstance(value, tuple):
            values.setdefault(key, ", ".join(item.text for item in value if isinstance(item, Named)))
    return re.sub(_PLACEHOLDER, lambda match: values.get(match[1], match[0]), template)
