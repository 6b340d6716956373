"""`ldcheck completion`: a script that lets a shell complete commands, options and their words."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ldcheck.cli.arguments import Parser
from ldcheck.cli.main import COMMANDS, command_parser
from ldcheck.cli.output import emit

_EXAMPLES = """\
examples:
  ldcheck completion bash > ~/.local/share/bash-completion/completions/ldcheck
  ldcheck completion zsh > ~/.zfunc/_ldcheck
  ldcheck completion fish > ~/.config/fish/completions/ldcheck.fish
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser("completion", description="Print a completion script for a shell.", epilog=_EXAMPLES)
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    emit({"bash": _bash, "zsh": _zsh, "fish": _fish}[args.shell]())
    return 0


def options(parser: Parser) -> Iterator[argparse.Action]:
    """The options of a command, in the order of its help."""
    for action in parser._actions:
        if action.option_strings:
            yield action


def _words(parser: Parser) -> str:
    return " ".join(name for action in options(parser) for name in action.option_strings)


def _chosen(parser: Parser) -> dict[str, str]:
    """The words that an option takes, by the option's names as a shell pattern."""
    found = {}
    for action in options(parser):
        if action.choices:
            found["|".join(action.option_strings)] = " ".join(map(str, action.choices))
    return found


def _bash() -> str:
    cases = []
    for name in COMMANDS:
        parser = command_parser(name)
        inner = "".join(
            f'        {pattern}) COMPREPLY=($(compgen -W "{words}" -- "$word")); return ;;\n'
            for pattern, words in _chosen(parser).items()
        )
        if inner:
            inner = f'      case "$before" in\n{inner}      esac\n'
        cases.append(
            f"    {name})\n{inner}"
            f'      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "{_words(parser)}" -- "$word")); return; fi ;;\n'
        )
    commands = " ".join(COMMANDS)
    return f"""\
# Completion of ldcheck for bash; `ldcheck completion bash` prints this.
_ldcheck() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "{commands} --help --version" -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{"".join(cases)}  esac
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$word"))
}}
complete -F _ldcheck ldcheck
"""


def _zsh() -> str:
    cases = "".join(f"    {name}) {_zsh_arguments(command_parser(name))} ;;\n" for name in COMMANDS)
    commands = " ".join(f"'{name}:{_plain(line)}'" for name, line in COMMANDS.items())
    return f"""\
#compdef ldcheck
# Completion of ldcheck for zsh; `ldcheck completion zsh` prints this.
_ldcheck() {{
  if ((CURRENT == 2)); then
    local -a commands=({commands})
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
{cases}  esac
}}
_ldcheck "$@"
"""


def _zsh_arguments(parser: Parser) -> str:
    specs = []
    for action in options(parser):
        for name in action.option_strings:
            taken = ""
            if action.nargs != 0:
                taken = f":value:({' '.join(map(str, action.choices))})" if action.choices else ":value:_files"
            specs.append(f"'*{name}[{_plain(action.help or '')}]{taken}'")
    return " ".join(["_arguments", *specs, "'*:file:_files'"])


def _fish() -> str:
    lines = ["# Completion of ldcheck for fish; `ldcheck completion fish` prints this.\n"]
    for command, line in COMMANDS.items():
        lines.append(f"complete -c ldcheck -n __fish_use_subcommand -a {command} -d '{_plain(line)}'\n")
        for action in options(command_parser(command)):
            names = "".join(
                f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in action.option_strings
            )
            taken = "" if action.nargs == 0 else " -r"
            if action.choices:
                taken += f" -f -a '{' '.join(map(str, action.choices))}'"
            where = f"-n '__fish_seen_subcommand_from {command}'"
            lines.append(f"complete -c ldcheck {where}{names}{taken} -d '{_plain(action.help or '')}'\n")
    return "".join(lines)


def _plain(text: str) -> str:
    """Text for a description within single quotes, without what shells make something of."""
    return "".join(character for character in text if character not in "'\"[]:`$\\").replace("%", "")
