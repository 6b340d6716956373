"""Scripts with one mistake each, made from real ones: what people and tools do to a script by accident."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

_TOKEN = re.compile(rb"[A-Za-z0-9_.$]+|[ \t\r\n]+|/\*.*?\*/|\"[^\"\n]*\"|[-+*/&|<>=!]=|<<|>>|&&|\|\||.", re.DOTALL)
_CHARACTERS = b"@'%^|<>\"#!~?*+-/\\[]{}(),;:=&$.\0\x80\x0c0x9aKMGo"
_WORDS = (
    b"SORT", b"KEEP", b"AT", b"ALIGN", b"PROVIDE", b"HIDDEN", b"ASSERT", b"OVERLAY", b"NOLOAD", b"INCLUDE", b"len",
    b"org", b"EXCLUDE_FILE", b"SUBALIGN", b"INFO", b"dead", b"0x10", b"10h", b"09", b"2G", b"1K", b"/DISCARD/",
    b"COMMON", b":", b"=0x90", b">RAM", b"AT>ROM", b":text", b"ONLY_IF_RO", b"/* */", b"# x\n", b"//", b"a-b",
    b"x=1;", b"x = 1;", b"BYTE(1)", b"FILL(0)", b"SIZEOF(.a)", b"? 1 : 2", b"!", b"~", b"-", b"MEMORY", b"PHDRS",
    b"SECTIONS", b"VERSION", b"GROUP", b"INPUT", b"EXTERN", b"ENTRY(x)", b"CONSTRUCTORS", b"INPUT_SECTION_FLAGS(A)",
    b"[", b"]", b"&", b",", b";", b"{", b"}", b"(", b")",
)  # fmt: skip


def mutants(scripts: Sequence[bytes], count: int, seed: int) -> Iterator[tuple[int, str, bytes]]:
    """`count` mutants of `scripts`: the number of the script, what was done, and the text. Fixed by `seed`."""
    chance = random.Random(seed)
    split: dict[int, list[bytes]] = {}
    for _ in range(count):
        number = chance.randrange(len(scripts))
        tokens = split.setdefault(number, _TOKEN.findall(scripts[number]))
        yield number, *mutate(tokens, chance)


def mutate(tokens: list[bytes], chance: random.Random) -> tuple[str, bytes]:
    """One mutation of a script that was split into tokens."""
    if len(tokens) < 4:
        return "cut", b""
    places = [at for at, token in enumerate(tokens) if not token.isspace() and not token.startswith(b"/*")]
    at = chance.choice(places) if places else 0
    how = chance.choice(("drop", "double", "swap", "cut", "character", "word", "blank", "glue"))
    changed = list(tokens)
    if how == "drop":
        del changed[at]
    elif how == "double":
        changed.insert(at, tokens[at])
        if chance.random() < 0.5:
            changed.insert(at + 1, b" ")
    elif how == "swap":
        other = chance.choice(places)
        changed[at], changed[other] = changed[other], changed[at]
    elif how == "cut":
        text = b"".join(tokens)
        return how, text[: chance.randrange(len(text))]
    elif how == "character":
        token = changed[at]
        cut = chance.randrange(len(token) + 1)
        changed[at] = token[:cut] + bytes([chance.choice(_CHARACTERS)]) + token[cut + chance.randrange(2) :]
    elif how == "word":
        changed[at] = chance.choice((b"", tokens[at] + b" ")) + chance.choice(_WORDS)
    elif how == "blank":
        changed.insert(at, b" ")
    else:
        blanks = [place for place, token in enumerate(tokens) if token.isspace()]
        if blanks:
            del changed[chance.choice(blanks)]
    return how, b"".join(changed)
