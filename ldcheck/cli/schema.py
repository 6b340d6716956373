"""`ldcheck schema`: the JSON schemas of policies and of `.ldcheck.yaml`, for editors and validators."""

from __future__ import annotations

import argparse

from ldcheck.cli.output import emit

KINDS = ("policy", "config")
_EXAMPLES = """\
examples:
  ldcheck schema > ldcheck-policy.json
  ldcheck schema config > ldcheck-config.json

In an editor with the YAML language server, the first line of a policy can then be
  # yaml-language-server: $schema=ldcheck-policy.json
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "schema", description="Print the JSON schema of policy or configuration files.", epilog=_EXAMPLES
    )
    parser.add_argument(
        "kind", nargs="?", choices=KINDS, default="policy", help="of what: policies (default) or .ldcheck.yaml"
    )


def run(args: argparse.Namespace) -> int:
    """Print a schema."""
    emit(text(args.kind))
    return 0


def text(kind: str) -> str:
    """The schema of a kind of file, as it is committed and printed."""
    import json

    if kind == "config":
        from ldcheck.project.keys import schema

        return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    from ldcheck import checks
    from ldcheck.policy.schema import policy_schema

    return json.dumps(policy_schema(checks), indent=2, ensure_ascii=False) + "\n"
