"""`ldcheck rules`: lists the checks and lints, or prints the documentation of one."""

from __future__ import annotations

import argparse

from ldcheck.cli.arguments import stop
from ldcheck.cli.output import emit


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "rules",
        description="List the checks that policies can use, or explain one.",
        epilog="examples:\n  ldcheck rules\n  ldcheck rules no-wildcard-may-shadow\n",
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="a head key or a lint")


def run(args: argparse.Namespace) -> int:
    """Print the list, or one check's documentation; 2 for a check that does not exist."""
    emit(listing() if args.id is None else documentation(args.id))
    return 0


def summary(name: str, lint: bool = False) -> str:
    """The first line of a check's documentation."""
    from ldcheck import checks

    return (checks.module(name, lint).__doc__ or "").strip().split("\n", 1)[0]


def listing() -> str:
    """Every head key and every lint, each with its summary."""
    from ldcheck import checks

    groups = (("Head keys of rules", checks.names(), False), ("Lints (`lint: NAME`)", checks.lint_names(), True))
    width = max((len(name) for _, names, _ in groups for name in names), default=0)
    parts = []
    for title, names, lint in groups:
        if names:
            parts.append(f"{title}:\n" + "".join(f"  {name:{width}}  {summary(name, lint)}\n" for name in names))
    return "\n".join(parts) + "\n`ldcheck rules ID` explains one.\n"


def documentation(name: str) -> str:  # noqa: RET503  # `stop` never returns, which ruff does not see
    """What a check or lint does, with the keys that it takes. Ends the command for an unknown name."""
    from ldcheck import checks

    for lint in (False, True):
        if checks.exists(name, lint):
            text = (checks.module(name, lint).__doc__ or "").strip()
            return f"# {name}\n\n{text}\n\n{_keys(name, lint)}"
    from ldcheck.words import suggest

    close = suggest(name, (*checks.names(), *checks.lint_names()))
    stop(f"there is no check {name}" + (f"; did you mean {close}?" if close else "") + "\nsee `ldcheck rules`")


def _keys(name: str, lint: bool) -> str:
    from ldcheck import checks

    declared = checks.declaration(name, lint)
    keys = declared.keys if lint else (declared.head, *declared.keys)
    lines = []
    for key in keys:
        needed = " (required)" if key.required or key is declared.head else ""
        words = f": {', '.join(key.choices)}" if key.choices else ""
        lines.append(f"  {key.name}{needed}\n      {key.doc} {key.kind.value.capitalize()}{words}.\n")
    evidence = ", ".join(kind.value for kind in declared.evidence)
    judged = f"Judged on: {evidence}.\n" if evidence else ""
    return ("## Keys\n" + "".join(lines) + "\n" if lines else "") + judged
