"""`ldcheck where`: which pattern takes sections of a name, which ones they were kept from, in which configurations."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.cli.output import emit
from ldcheck.cli.place import one_linker, printable, refuse, rule_json, rule_text
from ldcheck.linker import GNU

if TYPE_CHECKING:
    from ldcheck.judging.scripts import Scripts
    from ldcheck.linker import Linker
    from ldcheck.project.target import Target
    from ldcheck.script.result import Parse
    from ldcheck.sections.reach import Asking, Witness
    from ldcheck.sections.rules import InputRule
    from ldcheck.source import Location

_DESCRIPTION = """\
Show which pattern of a linker script takes the sections of a name (or of a pattern such
as '.data.*'), which patterns would have taken them next, and in which configurations."""
_EXAMPLES = """\
examples:
  ldcheck where .data.read_mostly --script xen/arch/arm/xen.lds.S
  ldcheck where .text.memcpy --script fw.ld --file 'libc.a:*'
  ldcheck where '.init.*' --script xen.lds --json
  ldcheck where .text.hot --script fw.ld --linker lld=21

A script whose name ends in `.S` is preprocessed in each of its configurations, in the way
that `.ldcheck.yaml` says for it, or by the options.
"""


class Answer(NamedTuple):
    """What holds in some configurations: the rules that match, each with an example that it takes."""

    parse: Parse
    condition: str
    rules: tuple[Asking, ...]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser("where", description=_DESCRIPTION, epilog=_EXAMPLES)
    parser.add_argument("name", metavar="NAME", help="the name of an input section, or a pattern")
    parser.add_argument("--script", required=True, metavar="SCRIPT", help="the linker script")
    parser.add_argument("--file", metavar="FILE", help="only from files of this pattern, as a script would name them")
    parser.add_argument("-I", "--include", action="append", default=[], metavar="FOLDER", help="where headers are")
    parser.add_argument("-D", "--define", action="append", default=[], metavar="NAME[=VALUE]", help="for preprocessing")
    parser.add_argument(
        "--linker", default="", metavar="LINKER", help="whose rules apply: gnu or lld, lld=19 for a version"
    )
    parser.add_argument("--json", action="store_true", help="print the answers as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the answers. Returns 0, or 2 for input that cannot be used."""
    from ldcheck.findings import CheckError

    try:
        target = _target(args)
        answers = _answers(args, target)
    except CheckError as error:
        return refuse(error)
    emit(_json(answers) if args.json else _text(args.name, answers))
    sys.stderr.write("".join(f"note: {printable(note)}\n" for note in _notes(answers, _linker(target))))
    return 0


def _notes(answers: Sequence[Answer], linker: Linker) -> list[str]:
    """Where it cannot be told which files lld takes, so that GNU ld is followed."""
    from ldcheck.sections.file_words import is_told

    patterns = [
        file.pattern.text
        for rule in dict.fromkeys(rule for answer in answers for rule, *_ in answer.rules)
        if (file := rule.statement.file) is not None
        and not is_told(linker, file.pattern, rule.pattern.exclude if rule.pattern is not None else ())
    ]
    return [
        f"{linker} compares `{pattern}` with `archive:member`; here it means what GNU ld means"
        for pattern in dict.fromkeys(patterns)
    ]


def _answers(args: argparse.Namespace, target: Target) -> list[Answer]:
    """One answer for each set of configurations in which it is the same. Raises CheckError."""
    from ldcheck.script.syntax import Word
    from ldcheck.sections.file_words import files_of
    from ldcheck.sections.reach import asked_for
    from ldcheck.sections.rules import input_rules

    scripts, linker = _scripts(target), _linker(target)
    files = files_of(linker, None if args.file is None else Word(args.file, start=0, end=0))
    found = [asked_for(input_rules(script.tree, linker), args.name, files) for script in scripts.parses]
    alike: dict[tuple[tuple[Location, str, str, Witness | None, bool], ...], list[int]] = {}
    for at, (script, rules) in enumerate(zip(scripts.parses, found, strict=True)):
        key = tuple(
            (script.sources.locate(rule.node.start, rule.node.end), rule.text, rule.output, shown, decided)
            for rule, shown, decided in rules
        )
        alike.setdefault(key, []).append(at)
    return [
        Answer(scripts.parses[group[0]], scripts.condition(group, [place for place, *_ in key]), found[group[0]])
        for key, group in alike.items()
    ]


def _linker(target: Target) -> Linker:
    """The linker by which a script is read: the first that is meant, GNU ld if none is."""
    return target.linkers[0] if target.linkers else GNU


def _scripts(target: Target) -> Scripts:
    """The script in all its configurations. Raises CheckError where it cannot be read or is no linker script."""
    from ldcheck.findings import CheckError
    from ldcheck.judging.scripts import read_scripts, script_errors

    scripts = read_scripts(target)
    errors = [error for script in scripts.parses for error in script_errors(script)]
    if errors:
        raise CheckError(*dict.fromkeys(errors))
    return scripts


def _target(args: argparse.Namespace) -> Target:
    """The target that `.ldcheck.yaml` has for the script, with the options; a bare one if it has none."""
    from ldcheck.preprocess.reached import reached
    from ldcheck.project.read import read_project
    from ldcheck.project.selection import find_project, targets_for
    from ldcheck.project.target import Target
    from ldcheck.record import replace

    definitions = {}
    for text in args.define:
        name, equals, value = text.partition("=")
        definitions[name] = value if equals else "1"
    target = Target(args.script, args.script)
    path = find_project()
    if path and args.script.endswith(".S"):
        targets = targets_for(read_project(path), [args.script], reached).targets
        target = targets[0] if targets else target
    return replace(
        target,
        linkers=(one_linker(args.linker),) if args.linker else target.linkers,
        includes=(*args.include, *target.includes),
        definitions={**target.definitions, **definitions},
    )


def _json(answers: Sequence[Answer]) -> str:
    import json

    listed = [
        {
            "configurations": answer.condition,
            "rules": [
                {
                    **rule_json(rule, answer.parse),
                    "output": _output(rule, answer.parse),
                    "takes": shown is not None if decided else None,
                    "example": {"file": shown.file, "section": shown.section} if shown is not None else None,
                }
                for rule, shown, decided in answer.rules
            ],
        }
        for answer in answers
    ]
    return json.dumps(listed, indent=1) + "\n"


def _text(name: str, answers: Sequence[Answer]) -> str:
    lines: list[str] = []
    for answer in answers:
        if len(answers) > 1 or answer.condition:
            lines.append(f"{answer.condition or 'in every configuration'}:")
        takers = [(rule, shown) for rule, shown, _ in answer.rules if shown is not None]
        if not takers and all(decided for _, _, decided in answer.rules):
            lines.append(f"no pattern takes {name}: such a section is an orphan")
        for rule, shown in takers:
            lines.append(
                f"{name} goes to {_output(rule, answer.parse)}: {rule_text(rule, answer.parse)}{_limits(shown, name)}"
            )
        lines += [
            f"    next would be {_output(rule, answer.parse)}: {rule_text(rule, answer.parse)}"
            if decided
            else f"    whether any goes there is not decided, too complex: {_output(rule, answer.parse)}: "
            f"{rule_text(rule, answer.parse)}"
            for rule, shown, decided in answer.rules
            if shown is None
        ]
    return "".join(f"{printable(line)}\n" for line in lines)


def _output(rule: InputRule, parse: Parse) -> str:
    """The output section of a rule; for one in a section class of lld, that which asks for the class."""
    if rule.section is not None:
        return rule.output
    from ldcheck.script.syntax import InputSectionDescription, OutputSection, statements

    for section in (node for node in statements(parse.tree) if isinstance(node, OutputSection)):
        named = [node.section_class for node in statements(section) if isinstance(node, InputSectionDescription)]
        if any(word is not None and word.text == rule.output for word in named):
            return f"{section.name.text} by CLASS({rule.output})"
    return f"CLASS({rule.output}), for which no output section asks"


def _limits(shown: Witness, name: str) -> str:
    """Which of the sections asked for the rule takes, where it is not all of them."""
    parts = []
    if shown.section != name:
        parts.append(f"such as {shown.section}")
    if shown.file != "x.o":
        parts.append(f"from files such as {shown.file}")
    if shown.flags or shown.unset:
        from ldcheck.sections.rules import FLAG_NAMES

        parts += [flag for flag, bit in FLAG_NAMES.items() if shown.flags & bit == bit]
        parts += [f"not {flag}" for flag, bit in FLAG_NAMES.items() if shown.unset & bit == bit]
    return f" ({', '.join(parts)})" if parts else ""
