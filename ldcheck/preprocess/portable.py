"""Preprocesses with pcpp, where there is no compiler.

pcpp is told where files are and how errors are reported; what it prints by itself, raises by mistake or does without
bound is kept in here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from ldcheck.findings import CheckError, InputError
from ldcheck.preprocess.conditions import ConditionError, holds
from ldcheck.preprocess.files import Files, SourceFile
from ldcheck.preprocess.inputs import Inputs
from ldcheck.preprocess.made_up import named
from ldcheck.preprocess.output import Output, Places
from ldcheck.source import Location

_DEFINED = re.compile(r"\bdefined\b\s*(?:\(\s*(\w+)\s*\)|(\w+))")
_HAS_INCLUDE = re.compile(r'\b__has_include\s*\(\s*(<[^>]*>|"[^"]*")\s*\)')
MAX_TOKENS = 1_000_000
MAX_INCLUDE_DEPTH = 200
SECONDS = 60.0
# What str.splitlines takes for the end of a line and cpp does not.
_SEPARATORS = {ord(separator): " " for separator in "\v\f\x1c\x1d\x1e\x85\u2028\u2029"}


def run_pcpp(inputs: Inputs, symbols: Mapping[str, str | None], names: Mapping[str, str]) -> Output:
    """Preprocess the script of `inputs` with `symbols` defined (or, for None, not). Raises CheckError.

    `names` are those of the symbols whose values are not to be seen (see `made_up`).
    """
    try:
        return _run(inputs, symbols, names)
    except CheckError:
        raise
    except RecursionError:
        raise _failure(inputs.script, 0, "macros or #include lines are nested too deeply") from None
    except Exception as error:  # noqa: BLE001  # pcpp trips over malformed directives in many ways
        raise _failure(inputs.script, 0, f"pcpp cannot read this: {error}") from None


def _failure(file: str, line: int, message: str) -> CheckError:
    """The error, at its line and with the text of it where the file can be read again."""
    source = Files().get(file) if line else None
    if source is None:
        return CheckError(InputError(message, Location(file, line)))
    text = source.source.line(line)
    start = len(text) - len(text.lstrip())
    return CheckError(InputError(message, Location(file, line, start + 1, line, len(text.rstrip()) + 1, text)))


def _run(inputs: Inputs, symbols: Mapping[str, str | None], names: Mapping[str, str]) -> Output:
    preprocessor = _preprocessor(inputs)
    places = Places()
    texts: list[str] = []
    chains: dict[tuple[tuple[str, int], ...], int] = {(): 0}
    text = inputs.predefined
    for name, value in {**inputs.definitions, **symbols}.items():
        text += f"#undef {name}\n" if value is None else f"#define {name} {value}\n"
    parts = [("<command-line>", text)]
    for path in (*inputs.include_first, inputs.script):
        file = inputs.files.get(path)
        if file is None:
            raise _failure(path, 0, f"there is no file {path}")
        parts.append((file.name, file.text))
    for name, text in parts:
        for line in _lines(preprocessor.parsegen(text.translate(_SEPARATORS), name, name)):
            first = line[0]
            words = [token.value for token in line if not token.value.isspace()]
            if words[0] == "#" and words[1:2] in (["define"], ["undef"]) and len(words) > 2:
                number = 0 if first.source[:1] == "<" else first.lineno
                places.define(words[2], words[1] == "define", first.source, number)
                continue
            if words[0] == "#" and words[1:2] == ["pragma"]:
                continue
            chain = chains.setdefault(tuple(preprocessor.opened), len(chains))
            texts.append(named("".join(token.value for token in line).rstrip(), names))
            places.add(first.source, first.lineno, chain)
    places.predefined = named(parts[0][1], names)
    places.chains = list(chains)
    return Output.placed(texts, dict.fromkeys(preprocessor.seen), places)


def _lines(found: Iterator[Any]) -> Iterator[list[Any]]:
    """The tokens line by line, without blanks in front; blank lines are left out.

    As with gcc, lines that a backslash joins are one, and so are those that a macro's arguments stretch over.
    """
    line: list[Any] = []
    for token in found:
        if token.type == "CPP_LINECONT":
            token.value = " "
        if "\n" in token.value and token.value.isspace():
            if not getattr(token, "expanded_from", None):
                if line:
                    yield line
                line = []
                continue
            token.value = " "
        if line or (token.value and not token.value.isspace()):
            line.append(token)
    if line:
        yield line


def _preprocessor(inputs: Inputs) -> Any:
    """A preprocessor that finds files as `inputs` says. Made here, for pcpp is imported only where it is used."""
    from pcpp import Action, OutputDirective, Preprocessor

    class Contained(Preprocessor):  # type: ignore[misc]  # pcpp has no type information
        def __init__(self) -> None:
            super().__init__()
            self.auto_pragma_once_enabled = False
            self.rewrite_paths: list[Any] = []
            self.opened: list[tuple[str, int]] = []
            self.seen: list[str] = [inputs.script]
            self.spent = 0
            self.deadline = time.monotonic() + SECONDS
            for name in ("__PCPP__", "__DATE__", "__TIME__"):
                self.macros.pop(name, None)

        def on_error(self, file: str, line: int, msg: str) -> None:
            raise _failure(file or inputs.script, line, msg)

        def on_directive_handle(self, directive: Any, *_: Any) -> Any:
            self.lastdirective = directive
            return None if directive.value in ("define", "undef") else True

        def on_directive_unknown(self, directive: Any, toks: Any, *_: Any) -> Any:
            if directive.value == "error":
                raise _failure(directive.source, directive.lineno, "#error " + "".join(tok.value for tok in toks))
            if directive.value in ("warning", "ident", "line", "pragma"):
                return True
            raise OutputDirective(Action.IgnoreAndPassThrough)

        def evalexpr(self, tokens: Any) -> tuple[int, None]:
            # pcpp's own evaluator stumbles over 1ULL and lacks __has_include.
            where = self.lastdirective
            text = _DEFINED.sub(self._defined, "".join(token.value for token in tokens))
            text = _HAS_INCLUDE.sub(lambda match: self._has_include(match, where.source), text)
            # The lexer gives these tokens no place; errors are told at the directive.
            written = self.tokenize(text)
            for token in written:
                token.source, token.lineno = where.source, where.lineno
            expanded = "".join(token.value for token in self.expand_macros(written))
            expression = SourceFile(where.source, _DEFINED.sub(self._defined, expanded))
            try:
                return int(holds(expression, 0, len(expression.code), _Nothing())), None
            except ConditionError as error:
                raise _failure(where.source, where.lineno, error.message) from None

        def _defined(self, match: re.Match[str]) -> str:
            return " 1 " if (match.group(1) or match.group(2)) in self.macros else " 0 "

        def _has_include(self, match: re.Match[str], beside: str) -> str:
            return f" {int(inputs.find(match.group(1)[1:-1].strip(), match.group(1)[0] == '<', beside) is not None)} "

        def expand_macros(self, tokens: Any, expanding_from: Any = ()) -> Any:
            result = super().expand_macros(tokens, list(expanding_from))
            self.spent += len(result)
            if self.spent > MAX_TOKENS or time.monotonic() > self.deadline:
                where = tokens[0] if tokens else self.lastdirective
                raise _failure(getattr(where, "source", "") or inputs.script, 0, "the macros expand without end")
            return result

        def include(self, tokens: Any, *_: Any) -> Iterator[Any]:
            if tokens and tokens[0].value != "<" and tokens[0].type != self.t_STRING:
                tokens = self.tokenstrip(self.expand_macros(tokens))
            text = "".join(token.value for token in tokens)
            directive = self.lastdirective
            if len(text) < 3 or (text[0], text[-1]) not in (("<", ">"), ('"', '"')):
                raise _failure(directive.source, directive.lineno, '#include wants "name" or <name>')
            source, line = directive.source, directive.lineno
            found = inputs.find(text[1:-1].strip(), text[0] == "<", source)
            if found is None:
                raise _failure(source, line, f"the header {text[1:-1]} is not found")
            if found.name in self.include_once:
                return
            if len(self.opened) >= MAX_INCLUDE_DEPTH:
                raise _failure(source, line, f"{found.name} includes itself without end")
            self.opened.append((source, line))
            self.seen.append(found.name)
            yield from self.parsegen(_readable(found), found.name, found.name)
            self.opened.pop()

    return Contained()


class _Nothing:
    """A world without macros: all are expanded already."""

    def defined(self, name: str) -> bool:  # noqa: ARG002
        return False

    def macro(self, name: str) -> None:  # noqa: ARG002
        return None

    def includable(self, name: str, angled: bool) -> bool:  # noqa: ARG002
        return False


def _readable(file: SourceFile) -> str:
    return file.text.translate(_SEPARATORS)
