"""What two scripts do differently: cause first, with what follows from it.

Two scripts whose normal forms are equal give the same image for every set of inputs. Where they differ, the statements
that are gone, new, changed or elsewhere are the causes; the sections that go to other output sections, decided for all
names, are told below the cause. What is known of symbols' addresses is compared as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.compare.changed import but_for_keep, change
from ldcheck.compare.items import Item
from ldcheck.compare.normal import in_one_order, normal
from ldcheck.compare.unknown import Side, names_at_risk
from ldcheck.record import dataclass
from ldcheck.script.syntax import Assertion, Assignment, InputSectionDescription, OutputSection, statements
from ldcheck.sections.rules import InputRule, input_rules
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.script.result import Parse
    from ldcheck.script.syntax import Node
    from ldcheck.source import Location

# Forms longer than this, without their common ends, are compared as a whole: matching them would take too long.
_MOST_ITEMS = 4_000
_MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that differs. `old` and `new` are the places to look at; `facts` is what follows from it.

    `kind` is `gone`, `new`, `changed`, `moved`, `names` (sections that go elsewhere), or `address` (what is known of
    symbols' addresses). `spans` are the whole statements, of both sides, that `old` and `new` show.
    """

    kind: str
    message: str
    old: Location | None
    new: Location | None
    facts: tuple[str, ...] = ()
    spans: tuple[Location | None, Location | None] = (None, None)


class _Delta(NamedTuple):
    """An item that is gone (without `new`), that is new (without `old`), that changed, or that stands elsewhere."""

    old: Item | None
    new: Item | None
    moved: bool = False


class Difference(NamedTuple):
    """What two scripts do differently; nothing, if it is proved that they give the same images.

    `reordered`: the same but for the order of symbols in the symbol tables, which a dynamic image has one of. `at_risk`
    are names on which it hangs that nothing differs, for nobody knows whether they are macros, and of what.
    """

    entries: tuple[Entry, ...]
    reordered: bool = False
    at_risk: tuple[str, ...] = ()


def compare_scripts(
    old: Parse, new: Parse, known: dict[int, Item] | None = None, *, missing: bool = False
) -> Difference:
    """The difference of two scripts; `known` is that of `normal`, and `missing` says that a header of them is."""
    before, after = normal(old.tree, known), normal(new.tree, known)
    reordered = [item.text for item in before] != [item.text for item in after]
    if reordered:
        before, after = in_one_order(before), in_one_order(after)
        deltas = _collapsed(_deltas(before, after))
        if deltas:
            return Difference(_entries(deltas, old, new))
    at_risk = names_at_risk(Side(old.sources, before), Side(new.sources, after)) if missing else ()
    return Difference((), reordered, at_risk)


def _entries(deltas: list[_Delta], old: Parse, new: Parse) -> tuple[Entry, ...]:
    facts = _names_elsewhere(old, new, deltas)
    entries = [_entry(delta, old, new, tuple(facts.pop(id(delta), ()))) for delta in deltas]
    entries += [Entry("names", fact, None, None) for others in facts.values() for fact in others]
    return (*entries, *_addresses(old, new))


def _deltas(before: Sequence[Item], after: Sequence[Item]) -> list[_Delta]:
    start = 0
    while start < min(len(before), len(after)) and before[start].text == after[start].text:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end].text == after[-1 - end].text:
        end += 1
    one, other = before[start : len(before) - end], after[start : len(after) - end]
    gone: list[Item] = []
    fresh: list[Item] = []
    if len(one) > _MOST_ITEMS or len(other) > _MOST_ITEMS:
        gone, fresh = [*one], [*other]
    else:
        matcher = SequenceMatcher(None, [item.text for item in one], [item.text for item in other], autojunk=False)
        for tag, first, last, begin, stop in matcher.get_opcodes():
            if tag != "equal":
                gone += one[first:last]
                fresh += other[begin:stop]
    return _matched(gone, fresh)


def _matched(gone: Sequence[Item], fresh: Sequence[Item]) -> list[_Delta]:
    """Pairs of what is gone and what is new that say the same elsewhere, or something else of the same subject."""
    found: list[_Delta] = []
    left, right = list(gone), list(fresh)
    for key, moved in ((_text, True), (_subject, False), (but_for_keep, False)):
        waiting: dict[object, list[Item]] = {}
        for item in right:
            waiting.setdefault(key(item), []).append(item)
        unmatched = []
        for item in left:
            same = waiting.get(key(item)) if key(item) is not None else None
            if same:
                found.append(_Delta(item, same.pop(0), moved))
            else:
                unmatched.append(item)
        left = unmatched
        right = [item for item in right if any(item is other for other in waiting[key(item)])]
    return [*found, *(_Delta(item, None) for item in left), *(_Delta(None, item) for item in right)]


def _text(item: Item) -> object:
    return item.text, item.output


def _subject(item: Item) -> object:
    # What stands in front of a body and what stands behind it are of one subject.
    return (item.subject, item.text.startswith("end ")) if item.subject else None


def _collapsed(deltas: list[_Delta]) -> list[_Delta]:
    """Without what follows from a whole output section that is gone, new, or elsewhere."""
    whole = {
        (delta.old is None, delta.new is None, delta.moved, item.output)
        for delta in deltas
        if (item := delta.new or delta.old) is not None
        and item.text.startswith("begin ")
        and (delta.moved or delta.old is None or delta.new is None)
    }

    moved = {delta.new.output for delta in deltas if delta.moved and delta.new and delta.new.text.startswith("begin ")}

    def follows(delta: _Delta) -> bool:
        item = delta.new or delta.old
        assert item is not None
        if item.text.startswith("begin "):
            return False
        # In a section that stands elsewhere, some statements take nothing any more, or take something now.
        one_side = delta.old is None or delta.new is None
        if one_side and item.output in moved and isinstance(item.node, InputSectionDescription):
            return True
        return (delta.old is None, delta.new is None, delta.moved, item.output) in whole

    # What a section says in its header and behind its body is one thing to people.
    kept: list[_Delta] = []
    seen: set[tuple[int, int]] = set()
    for delta in deltas:
        pair = (id(delta.old and delta.old.node), id(delta.new and delta.new.node))
        if not follows(delta) and pair not in seen:
            seen.add(pair)
            kept.append(delta)
    return kept


def _entry(delta: _Delta, old: Parse, new: Parse, facts: tuple[str, ...]) -> Entry:
    one, other = delta.old, delta.new
    old_place = _place(old, one.node) if one is not None else None
    new_place = _place(new, other.node) if other is not None else None
    spans = (_span(old, one), _span(new, other))
    if delta.moved:
        assert other is not None
        return Entry("moved", f"{_shown(new, other)} stands elsewhere", old_place, new_place, facts, spans)
    if one is None:
        assert other is not None
        return Entry("new", f"{_shown(new, other)} is new", None, new_place, facts, spans)
    if other is None:
        takes = isinstance(one.node, InputSectionDescription)
        message = f"{_shown(old, one)} is gone{', or takes nothing any more' if takes else ''}"
        return Entry("gone", message, old_place, None, facts, spans)
    message = change(one, other, lambda item, before: _shown(old if before else new, item))
    return Entry("changed", message, old_place, new_place, facts, spans)


def _place(parse: Parse, node: Node) -> Location:
    end = node.name.end if isinstance(node, OutputSection) else node.end
    return parse.sources.locate(node.start, end)


def _span(parse: Parse, item: Item | None) -> Location | None:
    return None if item is None else parse.sources.locate(item.node.start, item.node.end)


def _shown(parse: Parse, item: Item) -> str:
    node = item.node
    if isinstance(node, OutputSection):
        what = "the end of " if item.text.startswith("end ") else ""
        return f"{what}the output section {node.name.text}"
    if isinstance(node, Assertion):
        return f"ASSERT({_clipped(parse.sources.text(node.condition.start, node.condition.end))})"
    return f"`{_clipped(parse.sources.text(node.start, node.end))}`"


def _clipped(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."


# Names ----------------------------------------------------------------------------------------------------------------


def _names_elsewhere(old: Parse, new: Parse, deltas: Iterable[_Delta]) -> dict[int, list[str]]:
    """What of sections' names follows from each cause, by its identity; what no cause explains under 0."""
    from ldcheck.sections.elsewhere import elsewhere

    causes = list(deltas)
    before, after = input_rules(old.tree), input_rules(new.tree)
    sides = tuple(
        {id(statement): cause for cause in causes for statement in _statements(cause.new if at else cause.old)}
        for at in (0, 1)
    )
    touched = tuple(
        frozenset(rule.index for rule in rules if id(rule.statement) in side)
        for rules, side in zip((before, after), sides, strict=True)
    )
    facts: dict[int, list[str]] = {}
    for one, other, witness in elsewhere(before, after, (touched[0], touched[1])):
        cause = (one and sides[0].get(id(one.statement))) or (other and sides[1].get(id(other.statement)))
        was = f"went to {_taker(one, old)}" if one is not None else "were orphans"
        now = f"go to {_taker(other, new)}" if other is not None else "are orphans"
        if witness is None:
            fact = f"not decided, too complex: whether there are sections that {was}, and {now} now"
        else:
            file = f" of {witness.file}" if witness.file != "x.o" else ""
            fact = f"sections such as {witness.section}{file} {was}, and {now} now"
        facts.setdefault(id(cause) if cause else 0, []).append(fact)
    return facts


def _statements(item: Item | None) -> Iterator[Node]:
    """The input section descriptions that an item is or has."""
    if item is None:
        return
    if isinstance(item.node, InputSectionDescription):
        yield item.node
    elif isinstance(item.node, OutputSection):
        yield from item.node.statements


def _taker(rule: InputRule, parse: Parse) -> str:
    place = parse.sources.locate(rule.node.start, rule.node.end)
    return f"{rule.output} (`{rule.text}`, {place.told_in(parse.sources.name)})"


# Addresses ------------------------------------------------------------------------------------------------------------


def _addresses(old: Parse, new: Parse) -> Iterator[Entry]:
    """What is known of the alignment of symbols in one script and not in the other."""
    from ldcheck.layout.interpret import interpret

    before, after = interpret(old.tree), interpret(new.tree)
    slid = 0
    names = {node.target.text for node in statements(old.tree) if isinstance(node, Assignment)}
    for name in sorted(names):
        known, now = before.symbol(name), after.symbol(name)
        if known is None or now is None or str(now) == str(known):
            continue
        was, is_now = known.number.alignment, now.number.alignment
        if was == is_now or known.number.value is not None or now.number.value is not None:
            slid += 1
            continue
        kept = "gained" if is_now > was else "lost"
        message = f"{name}: a guarantee is {kept}; it was {known}, and is {now}"
        yield Entry("address", message, None, None)
    if slid:
        yield Entry("address", f"{counted(slid, 'symbol')} may lie at other addresses than before", None, None)
