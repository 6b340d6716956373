"""Macro expansion, judged by gcc: the same tokens, each with the place of its text."""

from __future__ import annotations

import os
import random

import pytest

from ldcheck.preprocess.lexer import directives, tokens, without_comments
from ldcheck.preprocess.macros import Definition, Expander, ExpansionError, Macro, Piece, pieces
from tests.preprocess.support import by_compiler, virtual, words

SEEDS = range(int(os.environ.get("LDCHECK_SEEDS", "60")))


def expand(text: str) -> list[Piece]:
    """Expand a text whose definitions all stand ahead of the rest."""
    file = virtual(text)
    macros: dict[str, Macro] = {}
    end = 0
    for directive in file.directives:
        macro = Definition(file, directive.start, directive.end).macro
        macros[macro.name] = macro
        end = directive.end
    return list(Expander(macros.get).expand(pieces(file, tokens(file.code, end))))


def texts(found: list[Piece]) -> list[str]:
    return [piece.text for piece in found]


CASES = {
    "object-like": "#define A . = ALIGN(B);\n#define B 4\nA A",
    "itself": "#define A A B\n#define B A\nA B",
    "function-like": "#define S(x, a) x ALIGN(a) : { *(x) }\nS(.text, 4) S( .data , 8 )",
    "name without arguments": "#define F(x) <x>\nF F (1) (F)(2) F\n(3)",
    "arguments from the rest": "#define F(x) <x>\n#define G F\nG(1) G\n(2)",
    "nested calls": "#define F(x) <x>\n#define G(x, y) F(x) F(y)\nG(F(1), G(2, 3))",
    "nested parentheses": "#define F(x) <x>\nF((1, 2)) F(a(b,c)d)",
    "empty arguments": "#define F(x, y) <x|y>\nF(,) F( ,1) F(1,)",
    "no parameters": "#define F() f\nF() F( )",
    "one empty argument": "#define F(x) <x>\nF()",
    "stringify": '#define S(x) #x\n#define T(x) S(x)\n#define N 1\nS(N) T(N) S( a  "b\\n" + c ) S("x")',
    "stringified section": "#define D(x) x : AT(ADDR(#x) - 4)\nD(.text) D(.data.read_mostly)",
    "hash without parameter": "#define F(x) # x #y\nF(1)",
    "paste": "#define C(a, b) a##b\n#define N 1\nC(x, y) C(, y) C(x, ) C(N, N) C(1, UL) C(., text)",
    "paste that expands": "#define C(a, b) a##b\n#define XY z\nC(X, Y)",
    "AC": "#define __AC(X,Y) (X##Y)\n#define _AC(X,Y) __AC(X,Y)\n#define SHIFT 12\n_AC(1,UL) << SHIFT",
    "AC in assembler": "#define _AC(X,Y) X\n_AC(0xffff0000, UL)",
    "IS_ENABLED": (
        "#define P_1 0,\n#define T(a, b, ...) b\n#define E3(x) T(x 1, 0)\n#define E2(v) E3(P_##v)\n"
        "#define IS_ENABLED(o) E2(o)\n#define ON 1\nIS_ENABLED(ON) IS_ENABLED(OFF)"
    ),
    "variadic": "#define V(f, ...) f(__VA_ARGS__)\nV(a, b, c) V(a) V(a,)",
    "named rest": "#define V(f, r...) f[r]\nV(a, b, c) V(a, b)",
    "comma and rest": "#define V(f, ...) f(1, ## __VA_ARGS__)\nV(a, b) V(a) V(a,)",
    "continuation": "#define L  \\\n  .stab 0 : { *(.stab) } \\\n  .comment 0 : { *(.comment) }\nL",
    "comment in a body": "#define L a /* not\n this */ b // nor this\nL c",
    "repeat": "#define E(x) x x\nE(E(E(.)))",
    "disabled while arguments are read": "#define F(x) x F(x)\nF(F(1))",
    "quote in assembler": "#define A 1\nA ' A",
    "linker script": "#define P(x) :x\n.text : { *(.text .text.*) } P(text) = 0x9090",
    "lines of arguments": "#define F(x, y) <x y>\nF(\n  1,\n  2)\nend",
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_expands_as_gcc_does(text: str) -> None:
    assert texts(expand(text)) == words(by_compiler(text))


def random_program(seed: int) -> str:
    """Macros that use one another, themselves and their parameters in any way, and a text of uses."""
    chance = random.Random(seed)
    names = [f"M{number}" for number in range(chance.randint(2, 6))]
    arity = {name: chance.choice([-1, -1, 0, 1, 2]) for name in names}

    def atom(parameters: list[str], depth: int) -> str:
        choice = chance.random()
        if parameters and choice < 0.35:
            return chance.choice(parameters)
        if choice < 0.75 and depth < 3:
            name = chance.choice(names)
            if arity[name] < 0 or chance.random() < 0.1:
                return name
            return f"{name}({', '.join(body(parameters, depth + 1, 2) for _ in range(arity[name]))})"
        return chance.choice([".text", "*(.data.*)", "4", "+", "x", "y", "( )", "0x10", '"s"', ";"])

    def body(parameters: list[str], depth: int, most: int) -> str:
        parts = [atom(parameters, depth) for _ in range(chance.randint(0, most))]
        text = " ".join(parts)
        if parameters and chance.random() < 0.3:
            text += f" {chance.choice(parameters)}##{chance.choice([*parameters, 'z', '1'])}"
        if parameters and chance.random() < 0.2:
            text += f" #{chance.choice(parameters)}"
        return text

    lines = []
    for name in names:
        parameters = [f"p{number}" for number in range(arity[name])]
        head = name if arity[name] < 0 else f"{name}({', '.join(parameters)})"
        lines.append(f"#define {head} {body(parameters, 0, 4)}")
    text = " ".join(atom([], 0) for _ in range(8))
    return "\n".join([*lines, text]) + "\n"


def test_random_programs_expand_as_gcc_does() -> None:
    compared = 0
    for seed in SEEDS:
        program = random_program(seed)
        try:
            wanted = words(by_compiler(program))
        except AssertionError:
            # gcc refuses it: wrong numbers of arguments, or an argument list that is not closed.
            with pytest.raises(ExpansionError):
                expand(program)
            continue
        # Which blanks a string of an expanded argument gets, gcc decides by rules of its own.
        given = texts(expand(program))
        assert [text.replace(" ", "") for text in given] == [text.replace(" ", "") for text in wanted], program
        compared += 1
    assert compared > len(SEEDS) // 3


def place(text: str, wanted: str, at: int = 0) -> tuple[str, list[str]]:
    """The source text at a token's place, and the macros through which it came."""
    piece = [piece for piece in expand(text) if piece.text == wanted][at]
    chain, use = [], piece.via
    while use is not None:
        chain.append(use.macro)
        use = use.outer
    line = text.count("\n", 0, piece.place.start) + 1
    start = text.rfind("\n", 0, piece.place.start) + 1
    return f"{line}:{piece.place.start - start + 1}", chain


def test_a_token_of_a_body_stands_in_the_body() -> None:
    text = "#define D(x) x 0 : { KEEP(*(x)) }\n#define ALL D(.a) \\\n  D(.b)\nALL"
    assert place(text, "KEEP") == ("1:22", ["D", "ALL"])


def test_a_token_of_an_argument_stands_in_the_call() -> None:
    text = "#define D(x) x 0 : { *(x) }\n#define ALL D(.a) \\\n  D(.b)\nALL"
    assert place(text, "b") == ("3:6", ["ALL"])
    assert place(text, "a", 1) == ("2:16", ["ALL"])


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    text = "#define A0 x x\n" + "".join(f"#define A{n} A{n - 1} A{n - 1}\n" for n in range(1, 40)) + "A39"
    with pytest.raises(ExpansionError, match="without end"):
        expand(text)


def test_deep_nesting_is_refused() -> None:
    depth = 200
    text = "#define F(x) x\n" + "F(" * depth + "1" + ")" * depth
    with pytest.raises(ExpansionError, match="deeply"):
        expand(text)


def test_arguments_that_are_not_closed_are_an_error() -> None:
    with pytest.raises(ExpansionError, match="not closed"):
        expand("#define F(x) x\nF(1")


def test_wrong_number_of_arguments_is_an_error() -> None:
    with pytest.raises(ExpansionError, match="F is given 1 argument and takes 2"):
        expand("#define F(x, y) x\nF(1)")


def test_offsets_survive_without_comments() -> None:
    text = "a /* x\n y */ b // c\n\"/* no */\" 'x' d"
    assert len(without_comments(text)) == len(text)
    assert words(text) == ["a", "b", '"/* no */"', "'x'", "d"]


def test_directives_and_their_lines() -> None:
    text = "/* a\n */ #define A 1\n  # ifdef A // x\n#define B \\\n 2\ntext # no\n#endif\n"
    starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    found, unbalanced = directives(without_comments(text), starts)
    assert [(directive.keyword, directive.line) for directive in found] == [
        ("define", 2),
        ("ifdef", 3),
        ("define", 4),
        ("endif", 7),
    ]
    assert not unbalanced
    assert found[1].other == 3
