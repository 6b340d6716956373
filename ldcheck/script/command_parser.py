"""The parser of commands: those with plain operands, INPUT and GROUP, MEMORY, PHDRS and VERSION."""

from __future__ import annotations

from collections.abc import Callable

from ldcheck.script import hints, lexer
from ldcheck.script.body_parser import BodyParser
from ldcheck.script.expression_parser import MAX_DEPTH
from ldcheck.script.reader import END, NAME, ScriptError
from ldcheck.script.syntax import (
    Command,
    Expression,
    InputFile,
    InputFiles,
    Memory,
    MemoryRegion,
    Name,
    Node,
    Number,
    ProgramHeader,
    ProgramHeaders,
    Version,
    VersionNode,
    VersionPattern,
    Word,
)

# PT_ names and what they mean (ELF specification, and GNU's own).
HEADER_TYPES = {
    "PT_NULL": 0,
    "PT_LOAD": 1,
    "PT_DYNAMIC": 2,
    "PT_INTERP": 3,
    "PT_NOTE": 4,
    "PT_SHLIB": 5,
    "PT_PHDR": 6,
    "PT_TLS": 7,
    "PT_GNU_EH_FRAME": 0x6474E550,
    "PT_GNU_STACK": 0x6474E551,
    "PT_GNU_RELRO": 0x6474E552,
    "PT_GNU_PROPERTY": 0x6474E553,
}
_REGION_ATTRIBUTES = frozenset("!AaRrWwXxLlIi")


class CommandParser(BodyParser):
    """Commands; the current token is the keyword, or the one behind it where the keyword is an argument."""

    def _no_operand(self, keyword: str, start: int) -> Command:
        self._script()
        return Command(keyword, (), start=start, end=self.last)

    def _one_operand(self, keyword: str, start: int) -> Command:
        self._script()
        self._want("(", self._script)
        operand = self._take_word(self._script, "a name")
        self._want(")", self._script)
        if keyword == "STARTUP":
            if self._startup:
                self._report(start, self.last, "GNU ld refuses a second STARTUP")
            self._startup = True
        elif keyword == "LD_FEATURE":
            for feature in operand.text.replace(",", " ").split():
                if feature.upper() != "SANE_EXPR":
                    self._report(operand.start, operand.end, f"GNU ld knows no feature `{hints.shorten(feature)}`")
        return Command(keyword, (operand,), start=start, end=self.last)

    def _output_format(self, keyword: str, start: int) -> Command:
        self._script()
        self._want("(", self._script)
        operands = [self._take_word(self._script, "the name of a format")]
        if self.kind == ",":
            self._script()
            operands.append(self._take_word(self._script, "the name of the big-endian format"))
            self._want(",", self._script)
            operands.append(self._take_word(self._script, "the name of the little-endian format"))
        self._want(")", self._script, "`,` or `)`")
        return Command(keyword, tuple(operands), start=start, end=self.last)

    def _region_alias(self, keyword: str, start: int) -> Command:
        self._script()
        self._want("(", self._script)
        alias = self._take_word(self._script, "the alias")
        self._want(",", self._script)
        region = self._take_word(self._script, "the name of a memory region")
        self._want(")", self._script)
        if "*default*" in (alias.text, region.text):
            self._report(alias.start, region.end, "there is no alias of the default memory region")
        elif alias.text in self._regions:
            self._report(alias.start, alias.end, f"there is a memory region `{hints.shorten(alias.text)}` already")
        elif region.text not in self._regions:
            self._warn(
                region.start,
                region.end,
                f"memory region `{region.text}` is not declared above: GNU ld refuses the alias",
            )
        self._regions.add(alias.text)
        return Command(keyword, (alias, region), start=start, end=self.last)

    def _name_list(self, keyword: str, start: int) -> Command:
        """NOCROSSREFS, NOCROSSREFS_TO, HLL and SYSLIB: names with commas between them, or none."""
        self._script()
        self._want("(", self._script)
        operands: list[Word] = []
        leading_comma = keyword == "SYSLIB"
        while self.kind == NAME or (self.kind == "," and (operands or leading_comma)):
            if self.kind == ",":
                self._script()
                if self.kind != NAME and (keyword == "SYSLIB" or keyword == "HLL" or self.kind == ","):
                    raise self._fail("a name")
                continue
            operands.append(self._take_word(self._script, "a name"))
        self._want(")", self._script, "a name or `)`")
        return Command(keyword, tuple(operands), start=start, end=self.last)

    def _extern(self, keyword: str, start: int) -> Command:
        self._script()
        self._want("(", self._expression)
        operands = [self._take_word(self._expression, "a symbol")]
        while self.kind != ")":
            if self.kind == ",":
                self._expression()
            operands.append(self._take_word(self._expression, "a symbol or `)`"))
        self._script()
        return Command(keyword, tuple(operands), start=start, end=self.last)

    def _input_files(self, keyword: str, start: int) -> InputFiles:
        if self.kind != "(":
            raise self._fail("`(`")
        self._list()
        files: list[InputFile] = []
        nested = 0
        fresh = True  # Nothing stands in this list yet.
        while True:
            if self.kind == "," and not fresh:
                self._list()
                if self.kind not in (NAME, "AS_NEEDED"):
                    raise self._fail("a file")
            if self.kind == NAME:
                text = self.word
                library = not self.quoted and text.startswith("-l")
                name = Word(text[2:] if library else text, self.quoted, start=self.start, end=self.end)
                files.append(InputFile(name, library, nested > 0, start=self.start, end=self.end))
                fresh = False
                self._list()
            elif self.kind == "AS_NEEDED":
                self._list()
                self._want("(", self._list)
                nested += 1
                fresh = True
                if nested * 3 > MAX_DEPTH:
                    raise self._fail("less nesting", hint=hints.MEMORY_LIMIT)
            elif self.kind == ")" and not fresh:
                if not nested:
                    self._script()
                    return InputFiles(keyword, tuple(files), start=start, end=self.last)
                nested -= 1
                self._list()
            else:
                raise self._fail("a file" if fresh else "a file or `)`")

    def _list(self) -> None:
        self._read(lexer.input_list(), lexer.INPUTLIST_KEYWORDS)

    def _memory(self) -> Memory:
        start = self.start
        self._script()
        opened = self.start
        self._want("{", self._script)
        statements: list[Node] = []
        self._memory_list(statements)
        self._close(opened, self._script, "a memory region or `}`")
        return Memory(tuple(statements), start=start, end=self.last)  # type: ignore[arg-type]

    def _memory_list(self, statements: list[Node]) -> None:
        """Regions up to `}` or the end of the file."""
        while self.kind not in ("}", END):
            before = self._at
            try:
                if self.kind == "," and statements:
                    self._script()
                    if self.kind not in (NAME, "INCLUDE"):
                        raise self._fail("a memory region")
                if self.kind == "INCLUDE":
                    statements.append(self._include_here(self._script, self._memory_list))
                else:
                    statements.append(self._memory_region())
            except ScriptError:
                self._recover(self._script, inside=True)
                if self._at == before and self.kind not in ("}", END):
                    self._script()

    def _memory_region(self) -> MemoryRegion:
        name = self._take_word(self._script, "the name of a memory region")
        self._regions.add(name.text)
        attributes = self._region_attributes() if self.kind == "(" else None
        self._want(":", self._script, "`:`" if attributes else "`(` or `:`")
        self._want("ORIGIN", self._script)
        self._want("=", self._expression)
        origin = self._value()
        if self.kind == ",":
            self._script()
        self._want("LENGTH", self._script, "LENGTH")
        self._want("=", self._expression)
        length = self._value()
        end = self.last
        self._reread_name(self._script)
        return MemoryRegion(name, attributes, origin, length, start=name.start, end=end)

    def _region_attributes(self) -> Word:
        self._script()
        start = self.start
        parts: list[str] = []
        while True:
            sign = ""
            if self.kind == "!":
                sign = "!"
                self._script()
            if self.kind != NAME:
                raise self._fail("attributes of the region" if sign or not parts else "attributes or `)`")
            if not _REGION_ATTRIBUTES.issuperset(self.word):
                wrong = next(letter for letter in self.word if letter not in _REGION_ATTRIBUTES)
                self._report(
                    self.start, self.end, f"`{wrong}` is no attribute of a region", expected="letters of RWXAIL!"
                )
            parts.append(sign + self.word)
            self._script()
            if self.kind == ")":
                break
        word = Word(" ".join(parts), False, start=start, end=self.last)
        self._script()
        return word

    def _program_headers(self) -> ProgramHeaders:
        start = self.start
        self._script()
        opened = self.start
        self._want("{", self._script)
        headers: list[ProgramHeader] = []
        while self.kind not in ("}", END):
            before = self._at
            try:
                headers.append(self._program_header())
            except ScriptError:
                self._recover(self._script, inside=True)
                if self._at == before and self.kind not in ("}", END):
                    self._script()
        self._close(opened, self._script, "a program header or `}`")
        return ProgramHeaders(tuple(headers), start=start, end=self.last)

    def _program_header(self) -> ProgramHeader:
        name = self._take_word(self._expression, "the name of a program header")
        kind = self._value()
        self._check_header_type(kind)
        filehdr = phdrs = False
        at: Expression | None = None
        flags: Expression | None = None
        while self.kind in (NAME, "AT"):
            word, start, end = self.word, self.start, self.end
            is_at = self.kind == "AT"
            self._expression()
            value: Expression | None = None
            if is_at or self.kind == "(":
                self._want("(", self._expression)
                value = self._value()
                self._want(")", self._expression)
            if is_at:
                at = value if at is None else at
            elif word == "FILEHDR" and value is None:
                filehdr = True
            elif word == "PHDRS" and value is None:
                phdrs = True
            elif word == "FLAGS" and value is not None:
                flags = value if flags is None else flags
            else:
                self._report(
                    start,
                    end,
                    f"`{hints.shorten(word)}` is no option of a program header",
                    expected="FILEHDR, PHDRS, AT(address) or FLAGS(flags)",
                )
        end = self.last
        self._want(";", self._script, "FILEHDR, PHDRS, AT(address), FLAGS(flags) or `;`")
        if _header_number(kind) == 1:
            if (filehdr or phdrs) and self._bare_load:
                message = "PT_LOAD cannot have FILEHDR or PHDRS when one above has neither"
                self._report(name.start, end, message)
            self._bare_load = self._bare_load or not (filehdr or phdrs)
        return ProgramHeader(name, kind, filehdr, phdrs, at, flags, start=name.start, end=end)

    def _check_header_type(self, kind: Expression) -> None:
        """The type of a program header: GNU ld wants to know it while it reads."""
        if isinstance(kind, Name):
            if kind.name not in HEADER_TYPES:
                message = f"`{hints.shorten(kind.name)}` is no type of a program header"
                self._report(kind.start, kind.end, message, expected="PT_LOAD, another PT_ name of ELF, or a number")
        elif not isinstance(kind, Number):
            self._check_known(kind, "the type of a program header")

    def _version(self) -> Version:
        start = self.start
        self._read(lexer.version_start(), {})
        self._want("{", self._version_script)
        nodes: list[VersionNode] = []
        while True:
            before = self._at
            try:
                node = self._version_node()
                nodes.append(node)
                for place, message in self._versions.add(node):
                    self._report(place.start, place.end, message)
            except ScriptError:
                self._recover(self._version_script, inside=True)
                if self._at == before and self.kind not in ("}", END):
                    self._version_script()
            if self.kind in ("}", END):
                break
        self._want("}", self._script, "a version node or `}`")
        return Version(tuple(nodes), start=start, end=self.last)

    def _version_script(self) -> None:
        self._read(lexer.version_script(), {})

    def _version_names(self) -> None:
        self._read(lexer.version_node(), lexer.VERSION_NODE_KEYWORDS)

    def _version_node(self) -> VersionNode:
        start, name = self.start, None
        if self.kind == NAME:
            name = self._take_word(self._version_script, "")
        self._want("{", self._version_names, "a version node" if name is None else "`{`")
        exported: list[VersionPattern] = []
        local: list[VersionPattern] = []
        if self.kind == "global":
            keyword = (self.start, self.end)
            self._version_names()
            if self.kind == ":":
                self._version_names()
                self._version_patterns(exported)
                if self.kind == "local":
                    self._version_names()
                    self._want(":", self._version_names)
                    self._version_patterns(local)
            else:
                self._version_patterns(
                    exported,
                    VersionPattern(Word("global", start=keyword[0], end=keyword[1]), start=keyword[0], end=keyword[1]),
                )
        elif self.kind == "local":
            keyword = (self.start, self.end)
            self._version_names()
            if self.kind == ":":
                self._version_names()
                self._version_patterns(local)
            else:
                self._version_patterns(
                    exported,
                    VersionPattern(Word("local", start=keyword[0], end=keyword[1]), start=keyword[0], end=keyword[1]),
                )
        elif self.kind != "}":
            self._version_patterns(exported)
        self._want("}", self._version_script, "`}`")
        depends: list[Word] = []
        while name is not None and self.kind == NAME:
            depends.append(self._take_word(self._version_script, ""))
        end = self.last
        self._want(";", self._version_script, "`;`" if depends or name is None else "`;` or the name of a version")
        return VersionNode(name, tuple(exported), tuple(local), tuple(depends), start=start, end=end)

    def _version_patterns(self, patterns: list[VersionPattern], first: VersionPattern | None = None) -> None:
        """Patterns up to what is none, the `;` behind the last one included. `first` has been read already."""
        languages: list[str] = []
        fresh = True
        if first is not None:
            patterns.append(first)
            fresh = False
        while True:
            if fresh:
                kind = self.kind
                if kind == "extern":
                    start, end = self.start, self.end
                    self._version_names()
                    if self.kind == NAME and self.quoted:
                        languages.append(self.word)
                        if len(languages) * 5 > MAX_DEPTH:
                            raise self._fail("less nesting", hint=hints.MEMORY_LIMIT)
                        self._version_names()
                        self._want("{", self._version_names)
                        continue
                    word = Word("extern", start=start, end=end)
                elif kind in (NAME, "global", "local"):
                    word = Word(self.word, self.quoted, start=self.start, end=self.end)
                    self._version_names()
                else:
                    raise self._fail("a symbol")
                language = languages[-1] if languages else ""
                patterns.append(VersionPattern(word, language, start=word.start, end=word.end))
                fresh = False
            elif self.kind == ";":
                self._version_names()
                if self.kind == "}" and languages:
                    continue
                if not languages and (self.kind == "}" or self._is_local_label()):
                    return
                fresh = True
            elif self.kind == "}" and languages:
                languages.pop()
                self._version_names()
            else:
                raise self._fail("`;`" if not languages else "`;` or `}`")

    def _is_local_label(self) -> bool:
        """Whether the current token is the `local` of `local:`."""
        if self.kind != "local":
            return False
        matched = lexer.version_node().match(self._text, self._at)
        return matched is not None and matched[2] == ":"


def _header_number(kind: Expression) -> int | None:
    """The number of a program header's type, where it is written plainly."""
    if isinstance(kind, Number):
        return kind.value
    return HEADER_TYPES.get(kind.name) if isinstance(kind, Name) else None


TOP_COMMANDS: dict[str, Callable[[CommandParser, str, int], Node]] = {
    **dict.fromkeys(
        ("FLOAT", "NOFLOAT", "FORCE_COMMON_ALLOCATION", "FORCE_GROUP_ALLOCATION", "INHIBIT_COMMON_ALLOCATION"),
        CommandParser._no_operand,
    ),
    **dict.fromkeys(
        ("TARGET", "SEARCH_DIR", "OUTPUT", "OUTPUT_ARCH", "MAP", "LD_FEATURE", "STARTUP"), CommandParser._one_operand
    ),
    **dict.fromkeys(("NOCROSSREFS", "NOCROSSREFS_TO", "HLL", "SYSLIB"), CommandParser._name_list),
    "OUTPUT_FORMAT": CommandParser._output_format,
    "REGION_ALIAS": CommandParser._region_alias,
    "EXTERN": CommandParser._extern,
}
