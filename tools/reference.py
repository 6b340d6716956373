"""Writes docs/reference/ from the code, so that the reference cannot drift: `make docs` does it ahead of the site.

The commands' pages come from their argument parsers, the checks' from their docstrings and declarations, the policy
language's from its tables, the formats' from the list of reporters. The pages are not committed.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import ldcheck
from ldcheck import api, checks
from ldcheck.cli.main import COMMANDS, command_parser
from ldcheck.policy import language
from ldcheck.policy.declare import Declaration, Key
from ldcheck.policy.files import find_policy, stock_names
from ldcheck.policy.load import load_policies
from ldcheck.project import keys as project_keys
from ldcheck.project import read
from ldcheck.report.formats import FORMATS

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"


def pages() -> dict[str, str]:
    """The generated pages by their path below docs/reference."""
    made = {
        "commands.md": _commands(),
        "configuration.md": _configuration(),
        "policy.md": _policy(),
        "stock.md": _stock(),
        "checks.md": _index(),
        "formats.md": _formats(),
        "python.md": _python(),
    }
    for name in checks.names():
        made[f"checks/{name}.md"] = _check(name, lint=False)
    for name in checks.lint_names():
        made[f"lints/{name}.md"] = _check(name, lint=True)
    return made


def _commands() -> str:
    text = "# Commands\n\n"
    text += _table(("command", "does"), ((f"[`{name}`](#{name})", purpose) for name, purpose in COMMANDS.items()))
    for name in COMMANDS:
        parser = command_parser(name)
        text += f"\n## {name}\n\n{parser.description}\n\n```text\n{_usage(parser, name)}\n```\n"
        for group in parser._action_groups:
            options = [action for action in group._group_actions if action.help != argparse.SUPPRESS]
            if options:
                rows = [(f"`{_spelling(action)}`", _help(action)) for action in options]
                text += f"\n{_table((_group(group.title), ''), rows)}"
        if parser.epilog:
            text += f"\n```text\n{parser.epilog.strip()}\n```\n"
    return text


def _usage(parser: argparse.ArgumentParser, name: str) -> str:
    # argparse's own usage line differs between versions of Python.
    positional = [_spelling(action) for action in parser._get_positional_actions()]
    return " ".join(["ldcheck", name, "[OPTION...]", *positional])


def _spelling(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else (action.dest or "").upper()
    if action.choices is not None and not action.metavar:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if not action.option_strings:
        many = {"*": f"[{value}...]", "+": f"{value}...", "?": f"[{value}]"}
        return many.get(str(action.nargs), value)
    options = ", ".join(action.option_strings)
    return options if action.nargs == 0 else f"{options} {value}"


def _help(action: argparse.Action) -> str:
    return (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")


def _group(title: str | None) -> str:
    return {"positional arguments": "argument", "options": "option", "optional arguments": "option"}.get(
        title or "", title or "option"
    )


def _configuration() -> str:
    documentation = _fenced(read.__doc__ or "")
    text = f"# The configuration\n\n{documentation}\n\n## Keys of a target, and of `defaults`\n\n"
    return text + _table(("key", "meaning"), ((f"`{key.name}`", key.doc) for key in project_keys.KEYS))


def _python() -> str:
    text = f"# The Python interface\n\n{api.__doc__}\n"
    for name in ldcheck.__all__:
        function = getattr(api, name)
        text += f"\n## ldcheck.{name}\n\n```python\n{_signature(name, function)}\n```\n\n"
        text += _fenced(inspect.getdoc(function) or "") + "\n"
    return text


def _signature(name: str, function: Callable[..., object]) -> str:
    signature = inspect.signature(function)
    lines, keywords = [f"def {name}("], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not keywords:
            lines.append("    *,")
            keywords = True
        default = "" if parameter.default is parameter.empty else f" = {_default(parameter.default)}"
        lines.append(f"    {parameter.name}: {parameter.annotation}{default},")
    return "\n".join([*lines, f") -> {signature.return_annotation}: ..."])


def _default(value: object) -> str:
    # An immutable empty mapping is, for whoever calls, an empty mapping.
    if isinstance(value, Mapping):
        return "{}"
    return str(value) if isinstance(value, Enum) else repr(value)


def _policy() -> str:
    text = "# Policies\n\nEvery key that a policy can hold. [Writing a policy](../how-to/policy.md) shows how.\n"
    tables = {
        "What a policy holds": language.POLICY,
        "What every rule may hold": language.COMMON,
        "`when`": language.WHEN,
        "A case in `tests`": language.TEST,
        "An entry of `ignore`": language.IGNORE,
    }
    for title, keys in tables.items():
        text += f"\n## {title}\n\n{_keys(keys)}"
    text += "\n## Head keys\n\nA rule has exactly one head key; it names the check.\n\n"
    return text + _heads(checks.names(), lint=False)


def _stock() -> str:
    text = "# Stock policies\n\nThey come with ldcheck and are named without a path, as in `--policy xen/arm`.\n"
    for name in stock_names():
        path = Path(find_policy(name)).resolve()
        head = (line.removeprefix("#").strip() for line in takewhile(_is_comment, path.read_text().splitlines()))
        text += f"\n## {name}\n\n{' '.join(head)}\n\n"
        rules = load_policies([name], declarations=checks).rules
        own = [rule for rule in rules if Path(rule.location.file).resolve() == path]
        folder = {True: "lints", False: "checks"}
        rows = ((f"`{rule.id}`", f"[{rule.check}]({folder[rule.lint]}/{rule.check}.md)", rule.why) for rule in own)
        text += _table(("rule", "check", "why"), rows)
    return text


def _is_comment(line: str) -> bool:
    return line.startswith("#")


def _keys(keys: Iterable[Key]) -> str:
    return _table(("key", "value", "meaning"), ((f"`{key.name}`", _value(key), _meaning(key)) for key in keys))


def _value(key: Key) -> str:
    return " ".join(f"`{choice}`" for choice in key.choices) if key.choices else key.kind.value


def _meaning(key: Key) -> str:
    return f"{key.doc} Required." if key.required else key.doc


def _heads(names: Iterable[str], lint: bool) -> str:
    folder = "lints" if lint else "checks"
    return _table(
        ("head key" if not lint else "lint", "says", "judged on"),
        (
            (f"[`{name}`]({folder}/{name}.md)", _summary(name, lint), _evidence(checks.declaration(name, lint)))
            for name in names
        ),
    )


def _index() -> str:
    text = "# Checks and lints\n\n## Checks\n\n" + _heads(checks.names(), lint=False)
    text += "\n## Lints\n\nA lint takes no parameters; `lint: NAME` as a rule's head switches it on.\n\n"
    text += _heads(checks.lint_names(), lint=True)
    text += "\n```{toctree}\n:hidden:\n:glob:\n\nchecks/*\nlints/*\n```\n"
    return text


def _check(name: str, lint: bool) -> str:
    declared = checks.declaration(name, lint)
    summary, _, body = (checks.module(name, lint).__doc__ or "").partition("\n")
    text = f"# {name}\n\n{summary}\n\nJudged on: {_evidence(declared)}.\n"
    if declared.head.kind.value and not lint:
        text += "\n" + _keys((declared.head, *declared.keys))
    elif declared.keys:
        text += "\n" + _keys(declared.keys)
    return f"{text}\n{_fenced(body.strip())}\n"


def _fenced(body: str) -> str:
    """A docstring's indented examples as fenced ones, with the language that they are in."""
    out: list[str] = []
    lines = body.splitlines()
    at = 0
    while at < len(lines):
        if not lines[at].startswith("    "):
            out.append(lines[at])
            at += 1
            continue
        block = []
        while at < len(lines) and (lines[at].startswith("    ") or not lines[at].strip()):
            block.append(lines[at][4:])
            at += 1
        text = "\n".join(block).strip("\n")
        kind = "yaml" if text.startswith(("rules:", "- id:", "params:", "ldcheck:")) else "text"
        if out and out[-1].strip():
            out.append("")
        out += [f"```{kind}", text, "```", ""]
    return "\n".join(out).rstrip()


def _summary(name: str, lint: bool) -> str:
    return (checks.module(name, lint).__doc__ or "").split("\n", 1)[0]


def _evidence(declared: Declaration) -> str:
    return ", ".join(kind.value for kind in declared.evidence) or "script"


def _formats() -> str:
    text = "# Output formats\n\n`--format NAME` on standard output, `--output NAME=PATH` in files, repeatable.\n\n"
    text += _table(("format", "is"), ((f"`{name}`", purpose) for name, (_, purpose) in FORMATS.items()))
    for name, (module, _) in FORMATS.items():
        documentation = (import_module(f"ldcheck.report.{module}").__doc__ or "").strip()
        text += f"\n## {name}\n\n{documentation}\n"
    return text


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def write(folder: Path, wanted: Mapping[str, str]) -> None:
    """Write the pages, and remove those of checks that are no more."""
    for stale in set(folder.rglob("*.md")) - {folder / path for path in wanted}:
        stale.unlink()
    for path, text in wanted.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


if __name__ == "__main__":
    write(FOLDER, pages())
    sys.exit(0)
