"""A fuzzer for the parser and what works on its trees: `python -m tests.script.fuzz [libFuzzer options] [corpus]`.

It needs atheris, which is no dependency of the tests. Nothing may raise, and what GNU ld would accept has to print back
to the same tree. `check` is what the property tests use too.
"""

from __future__ import annotations

import sys

from ldcheck.preprocess.linemarkers import origin_of
from ldcheck.script.dialect import GNU, LLD, Dialect
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.parser import parse, parse_expression
from ldcheck.script.printer import print_expression, print_tree
from ldcheck.script.result import Parse
from ldcheck.script.routes import Routes
from ldcheck.script.syntax import Assignment, same, walk
from ldcheck.script.trees import as_json
from ldcheck.source import Source, decode


def check(data: bytes) -> None:
    """Everything that must hold for any bytes whatever."""
    text = decode(data)
    source = Source("fuzz", text)
    parsed = parse(source, origin=origin_of(source))
    limit = len(text)
    for problem in parsed.problems:
        assert 0 <= problem.start <= problem.end <= limit, (problem, limit)
        parsed.sources.locate(problem.start, problem.end)
        assert problem.message
    places = Routes(parsed.tree)
    for node in walk(parsed.tree):
        assert 0 <= node.start <= node.end <= limit, node
        assert places.of(node) or node is parsed.tree, node
        if isinstance(node, Assignment):
            evaluate(node.value, Environment())
    as_json("fuzz", parsed.tree, parsed.sources)
    round_trip(parsed, GNU)
    round_trip(parse(source, dialect=LLD), LLD)
    alone = parse_expression(text, giga=True)
    if alone.expression is not None:
        evaluate(alone.expression, Environment())
        again_alone = parse_expression(print_expression(alone.expression))
        assert again_alone.expression is not None
        assert same(alone.expression, again_alone.expression)


def round_trip(parsed: Parse, dialect: Dialect) -> None:
    """The tree of a script that is one prints back to the same tree."""
    printed = print_tree(parsed.tree)
    if parsed.ok:
        again = parse(Source("printed", printed), dialect=dialect)
        assert again.ok, (printed, [problem.message for problem in again.problems])
        assert same(parsed.tree, again.tree), printed


if __name__ == "__main__":
    import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]  # only here, see above

    atheris.instrument_all()
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
