"""What comes out of a parse: the tree, and what is wrong with the text."""

from __future__ import annotations

from ldcheck.record import dataclass
from ldcheck.script.syntax import Expression, Script
from ldcheck.source import SourceMap


@dataclass(frozen=True, slots=True, eq=False)
class Diagnostic:
    """An error or a warning on a script, with the span that it is about.

    `expected` is what could have stood there; `hint` says what to do; `since` is the binutils version that learned the
    construct, for those that GNU ld 2.40 does not have. `related` are spans that explain it, with a label each.
    """

    start: int
    end: int
    message: str
    expected: str = ""
    hint: str = ""
    severity: str = "error"
    since: str = ""
    related: tuple[tuple[int, int, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Parse:
    """A parsed script. The tree holds what could be understood, also of a text with errors."""

    tree: Script
    sources: SourceMap
    problems: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """Whether GNU ld would read the script: no problem is an error."""
        return all(problem.severity != "error" for problem in self.problems)


@dataclass(frozen=True, slots=True, eq=False)
class ParsedExpression:
    """An expression that stood alone, such as one in a policy. None if it has an error."""

    expression: Expression | None
    sources: SourceMap
    problems: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """Whether it is an expression of the linker's language."""
        return self.expression is not None and all(problem.severity != "error" for problem in self.problems)
