"""Preprocesses with pcpp, where there is no compiler.

pcpp is told where files are and how errors are reported; what it prints by itself, raises by mistake or does without
bound is kept in here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from ldcheck.findings import CheckError, InputError
from ldcheck.preprocess.files import SourceFile
from ldcheck.preprocess.inputs import Inputs
from ldcheck.preprocess.output import Output
from ldcheck.source import Location

MAX_TOKENS = 1_000_000
MAX_INCLUDE_DEPTH = 200
SECONDS = 60.0
# What str.splitlines takes for the end of a line and cpp does not.
_SEPARATORS = {ord(separator): " " for separator in "\v\f\x1c\x1d\x1e\x85\u2028\u2029"}


def run_pcpp(inputs: Inputs, symbols: Mapping[str, str | None]) -> Output:
    """Preprocess the script of `inputs` with `symbols` defined (or, for None, not). Raises CheckError."""
    try:
        return _run(inputs, symbols)
    except CheckError:
        raise
    except RecursionError:
        raise _failure(inputs.script, 0, "macros or #include lines are nested too deeply") from None
    except Exception as error:  # noqa: BLE001  # pcpp trips over malformed directives in many ways
        raise _failure(inputs.script, 0, f"pcpp cannot read this: {error}") from None


def _failure(file: str, line: int, message: str) -> CheckError:
    return CheckError(InputError(message, Location(file, line)))


def _run(inputs: Inputs, symbols: Mapping[str, str | None]) -> Output:
    preprocessor = _preprocessor(inputs)
    output = Output()
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
                output.define(words[2], words[1] == "define", first.source, number)
                continue
            if words[0] == "#" and words[1:2] == ["pragma"]:
                continue
            chain = chains.setdefault(tuple(preprocessor.opened), len(chains))
            output.add("".join(token.value for token in line).rstrip(), first.source, first.lineno, chain)
    output.predefined = parts[0][1]
    output.chains = list(chains)
    output.read = dict.fromkeys(preprocessor.seen)
    return output


def _lines(found: Iterator[Any]) -> Iterator[list[Any]]:
    """The tokens line by line, by the line that they stand on in the source; blank lines are left out."""
    line: list[Any] = []
    place: tuple[str, int] = ("", 0)
    for token in found:
        if token.type == "CPP_LINECONT":
            continue
        if "\n" in token.value and token.value.isspace():
            yield from _visible(line)
            line = []
            continue
        if line and line[0].value != "#" and (token.source, token.lineno) != place:
            yield from _visible(line)
            line = []
        if not line:
            place = (token.source, token.lineno)
        line.append(token)
    yield from _visible(line)


def _visible(line: list[Any]) -> Iterator[list[Any]]:
    if any(token.value and not token.value.isspace() for token in line):
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


def _readable(file: SourceFile) -> str:
    return file.text.translate(_SEPARATORS)
