"""Small words for messages: counts with their unit, sizes, lists that stay short, the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def counted(number: int, unit: str) -> str:
    """`1 byte`, `8,200 bytes`, `2 entries`."""
    if number == 1:
        return f"1 {unit}"
    plural = unit[:-1] + "ies" if unit.endswith("y") else unit + "s"
    return f"{number:,} {plural}"


def size(number: int) -> str:
    """A size as people write it in a script: `4K`, `2M`, else the number."""
    for unit, letter in ((1 << 20, "M"), (1 << 10, "K")):
        if number and number % unit == 0:
            return f"{number // unit}{letter}"
    return str(number)


def listed(words: Sequence[str], most: int = 3, joint: str = "and") -> str:
    """`a, b and c`; of more than `most` words, the first ones and how many more there are."""
    if len(words) > most:
        return ", ".join(words[:most]) + f" {joint} {len(words) - most:,} more"
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + f" {joint} {words[-1]}"


def first_of(words: Iterable[str], kind: str) -> str:
    """`a.o`, `a.o and 1 other file`, `a.o and 2 other files`: the first of different words, and how many others."""
    first, *others = dict.fromkeys(words)
    return f"{first} and {counted(len(others), f'other {kind}')}" if others else first


def suggest(word: str, allowed: Iterable[str]) -> str:
    """The name out of `allowed` that was probably meant, or an empty string."""
    names = list(allowed)
    plain = {_folded(name): name for name in names}
    if match := plain.get(_folded(word[:80])):
        return match
    # What is left out of `r-x` is no letter.
    bare = [name for name in names if _folded(name).replace("-", "") == _folded(word[:80]).replace("-", "")]
    if len(bare) == 1:
        return bare[0]
    from difflib import get_close_matches

    folded = _folded(word[:80])
    close = get_close_matches(folded, plain, n=3, cutoff=0.6)
    # Letters that changed places are the likeliest slip.
    swapped = [name for name in close if sorted(name) == sorted(folded)]
    return plain[(swapped or close)[0]] if close else ""


def did_you_mean(word: str, allowed: Iterable[str], otherwise: str = "") -> str:
    """A help text for an unknown `word`: the likely name, else the names that are allowed (or `otherwise`)."""
    names = sorted(allowed)
    if close := suggest(word, names):
        return f"did you mean `{close}`?"
    return otherwise or "allowed: " + ", ".join(names)


def slips(one: str, other: str) -> int:
    """How many slips make one name the other: a letter too many, too few or wrong, or two that changed places."""
    one, other = one[:80], other[:80]
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, 1):
        last, row = rows[-1], [i]
        for j, wanted in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")
