"""What GNU ld refuses in VERSION scripts beyond the grammar (ldlang.c, `lang_register_vers_node`)."""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.script.syntax import Node, VersionNode, VersionPattern

_LANGUAGES = ("", "c", "c++", "java")


class Versions:
    """The version nodes so far, of all VERSION commands of a script."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._exported: set[tuple[str, bool, str]] = set()
        self._local: set[tuple[str, bool, str]] = set()

    def add(self, node: VersionNode) -> Iterator[tuple[Node, str]]:
        """Enter a node; yields what is wrong with it, and where."""
        for pattern in (*node.global_patterns, *node.local_patterns):
            if pattern.language.lower() not in _LANGUAGES:
                yield pattern, f"GNU ld knows no language `{pattern.language}`"
        for name in node.depends:
            if name.text not in self._names:
                yield name, f"there is no version `{name.text}` above"
        title = node.name.text if node.name is not None else ""
        if self._names and (not title or "" in self._names):
            yield node.name or node, "a version without a name cannot stand beside others"
            return
        if title in self._names:
            yield node.name or node, f"there is a version `{title}` already"
        for patterns, others in ((node.global_patterns, self._local), (node.local_patterns, self._exported)):
            for pattern in patterns:
                if _key(pattern) in others:
                    yield pattern, f"`{pattern.pattern.text}` is both global and local"
        self._names.add(title)
        self._exported.update(map(_key, node.global_patterns))
        self._local.update(map(_key, node.local_patterns))


def _key(pattern: VersionPattern) -> tuple[str, bool, str]:
    """What two patterns have to share to be the same for GNU ld: the text, whether it is a plain name, the language."""
    language = pattern.language.lower()
    text, plain = pattern.pattern.text, True
    if not pattern.pattern.quoted:
        text, plain = _plain(text)
    return text, plain, language if language != "c" else ""


def _plain(text: str) -> tuple[str, bool]:
    """A pattern without wildcards as the symbol that it means, and True; else the pattern and False (`realsymbol`)."""
    symbol: list[str] = []
    escaped = False
    for character in text:
        if escaped:
            symbol[-1] = character
            escaped = False
            continue
        if character in "?*[":
            return text, False
        symbol.append(character)
        escaped = character == "\\"
    return "".join(symbol), True
