"""The parser of expressions: operators by priority on a stack, so that no depth and no length makes it recurse."""

from __future__ import annotations

from ldcheck.script import hints, lexer
from ldcheck.script.reader import NAME, NUMBER, Reader
from ldcheck.script.syntax import Binary, Call, Conditional, Expression, Name, Number, Unary, Word

# YYMAXDEPTH of GNU ld's parser is 10,000.
MAX_DEPTH = 9_980

# Functions of values with the least and the greatest number of operands, and functions of a name.
_VALUE_FUNCTIONS = {
    "ABSOLUTE": (1, 1),
    "ALIGN": (1, 2),
    "BLOCK": (1, 1),
    "DATA_SEGMENT_ALIGN": (2, 2),
    "DATA_SEGMENT_END": (1, 1),
    "DATA_SEGMENT_RELRO_END": (2, 2),
    "LOG2CEIL": (1, 1),
    "MAX": (2, 2),
    "MIN": (2, 2),
    "NEXT": (1, 1),
}
_SCRIPT_NAME_FUNCTIONS = frozenset({"ADDR", "ALIGNOF", "LENGTH", "LOADADDR", "ORIGIN", "SIZEOF"})
_SYMBOL_FUNCTIONS = frozenset({"CONSTANT", "DEFINED"})
_OPERAND_KEYWORDS = (
    _VALUE_FUNCTIONS.keys() | _SCRIPT_NAME_FUNCTIONS | _SYMBOL_FUNCTIONS | {"ASSERT", "SEGMENT_START", "SIZEOF_HEADERS"}
)
_ATOMS = frozenset({NAME, NUMBER})
_UNARY = frozenset("-+!~")
_PRIORITY = lexer.PRIORITY
# What an expression can begin with.
OPERAND_STARTS = _OPERAND_KEYWORDS | _ATOMS | _UNARY | {"("}
# What most often ends an expression.
_VALUE_END = frozenset({";", ")", ",", ":", "}", "{"})

# An entry of the parser's stack: what it is, where it starts, two values of its own, its priority.
_Pending = tuple[str, int, "str | Expression | None", "Expression | list[Expression | Word] | None", int]


class ExpressionParser(Reader):
    """Reads expressions; the current token is the first of one, and afterwards the first that belongs to it no more."""

    def _operator(self) -> None:
        """Read what stands behind an operand. There `^` is an operator if an operand follows."""
        self._read(lexer.EXPRESSION, lexer.EXPRESSION_KEYWORDS)
        if self.kind == "^" and not self._operand_follows():
            self._skipped(self.start - self._base, self._at)
            self._expression()

    def _operand_follows(self) -> bool:
        matched = lexer.EXPRESSION.match(self._text, self._at)
        if matched is None:
            return False
        group = matched.lastindex
        if group == lexer.NAME:
            word = matched[1]
            return lexer.EXPRESSION_KEYWORDS.get(word, "ABSOLUTE") in _OPERAND_KEYWORDS
        return group in (lexer.NUMBER, lexer.QUOTED) or (group == lexer.PUNCTUATION and matched[2] in "(-+!~")

    def _value(self, *, opened: int | None = None) -> Expression:
        """An expression. The current token is its first; behind it, that is the first one that does not belong to it.

        `opened` is the offset of a `(` that has been read already. Operators wait on `stack`, each entry with what it
        needs: a parenthesis, a unary operator, a function with its operands so far, a binary operator with its left
        operand, or the parts of `?:`.
        """
        kind = self.kind
        if opened is None and kind in _ATOMS:
            node = self._atom()
            if self.kind in _VALUE_END:
                return node
            return self._longer(node, node.start, [], 0)
        stack: list[_Pending] = []
        depth = 0
        if opened is not None:
            stack.append(("(", opened, None, None, 0))
            depth = 1
        return self._longer(None, 0, stack, depth)

    def _atom(self) -> Expression:
        """A name or a number."""
        start, end = self.start, self.end
        if self.kind == NAME:
            word = self.word
            if not self.quoted and ("/" in word or "~" in word) and word != "/DISCARD/":
                operator = "/" if "/" in word else "~"
                self._warn(start, end, f"`{hints.shorten(word)}` is one name", hint=f"put blanks around `{operator}`")
            name: Expression = Name(self.word, self.quoted, start=start, end=end)
            self._operator()
            return name
        text = self.word
        if self._lld and text[0] != "$":
            self._operator()
            read = lexer.number_of_lld(text)
            return Name(text, start=start, end=end) if read is None else Number(read, text, start=start, end=end)
        value = lexer.number(text)
        if text[0] == "0" and ("8" in text or "9" in text) and text.isdigit():
            self._warn(start, end, f"`{text}` is {value} for GNU ld", hint="a leading 0 makes a number octal")
        if not text[0].isdigit() and text[0] != "$":
            self._warn(
                start,
                end,
                f"`{text}` is the number {value} for GNU ld 2.40 and older",
                hint="write the name in quotes, or the number with 0x",
            )
        self._operator()
        if self._giga and self.kind == NAME and self.word in ("G", "g") and self.start == end:
            value = value << 30 & lexer.MAX
            end = self.end
            text += self.word
            self._operator()
        return Number(value, text, start=start, end=end)

    def _longer(self, node: Expression | None, start: int, stack: list[_Pending], depth: int) -> Expression:
        """The rest of an expression, of which `node` has been read if it is not None."""
        while True:
            # An operand, with what stands in front of it.
            while node is None:
                kind = self.kind
                if kind in _ATOMS:
                    start = self.start
                    node = self._atom()
                elif kind == "(":
                    stack.append(("(", self.start, None, None, 0))
                    depth += 1
                    self._expression()
                elif kind in _UNARY:
                    stack.append(("unary", self.start, kind, None, 0))
                    depth += 1
                    self._expression()
                elif kind in _VALUE_FUNCTIONS or kind == "ASSERT":
                    stack.append(("call", self.start, kind, [], 0))
                    depth += 2
                    self._expression()
                    self._want("(", self._expression)
                elif kind == "SEGMENT_START":
                    begin = self.start
                    self._script()
                    self._want("(", self._script)
                    name = self._take_word(self._expression, "the name of a segment")
                    self._want(",", self._expression)
                    stack.append(("call", begin, kind, [name], 0))
                    depth += 5
                else:
                    start = self.start
                    node = self._name_call()
                if depth > MAX_DEPTH:
                    raise self._fail("less nesting", hint=hints.MEMORY_LIMIT)
            # What stands behind an operand.
            while stack and stack[-1][0] == "unary":
                _, start, operator, _, _ = stack.pop()
                depth -= 1
                node = Unary(operator, node, start=start, end=self.last)  # type: ignore[arg-type]
            kind = self.kind
            priority = _PRIORITY.get(kind, 0)
            if priority:
                if kind == "^":
                    self._warn(self.start, self.end, "`^` needs binutils 2.42: older ones skip it", since="2.42")
                while stack and stack[-1][4] >= priority:
                    node, start = self._combine(stack.pop(), node)
                    depth -= 2
                stack.append(("binary", start, kind, node, priority))
                depth += 2
                node = None
                self._expression()
            elif kind == "?":
                while stack and stack[-1][4]:
                    node, start = self._combine(stack.pop(), node)
                    depth -= 2
                stack.append(("?", start, None, node, 0))
                depth += 2
                node = None
                self._expression()
            else:
                while stack and stack[-1][0] in ("binary", ":"):
                    depth -= 2 if stack[-1][0] == "binary" else 4
                    node, start = self._combine(stack.pop(), node)
                if not stack:
                    return node
                top = stack[-1]
                if top[0] == "?":
                    if kind != ":":
                        raise self._fail("an operator or `:`")
                    stack[-1] = (":", top[1], top[3], node, 0)  # type: ignore[assignment]
                    depth += 2
                    node = None
                    self._expression()
                elif top[0] == "(":
                    if kind != ")":
                        raise self._fail("an operator or `)`", hint="", related=((top[1], top[1] + 1, "opened here"),))
                    stack.pop()
                    depth -= 1
                    start = top[1]
                    self._operator()
                else:
                    node, start = self._call_operand(stack, node)
                    if node is not None:
                        depth -= 2

    def _combine(self, pending: _Pending, right: Expression) -> tuple[Expression, int]:
        form, start, first, second, _ = pending
        if form == "binary":
            node: Expression = Binary(first, second, right, start=start, end=self.last)  # type: ignore[arg-type]
            if (first == "/" or first == "%") and type(right) is not Name:
                self._check_division(node)
        else:
            node = Conditional(first, second, right, start=start, end=self.last)  # type: ignore[arg-type]
        return node, start

    def _check_division(self, node: Expression) -> None:
        """GNU ld folds constants while it reads, and a division by zero then stops it."""
        assert isinstance(node, Binary)
        if isinstance(node.right, Number) and 0 < node.right.value < lexer.MAX:
            return
        from ldcheck.script.expressions import constant

        left, right = constant(node.left, self._folded), constant(node.right, self._folded)
        if left is None or right is None:
            return
        if right == 0:
            self._report(node.right.start, node.right.end, "division by zero")
        elif constant(node, self._folded) is None:
            self._report(node.start, node.end, "GNU ld crashes on this division")

    def _call_operand(self, stack: list[_Pending], node: Expression) -> tuple[Expression | None, int]:
        """`node` is an operand of the function on top of the stack. Returns the call if it is complete."""
        _, start, function, operands, _ = stack[-1]
        assert isinstance(function, str)
        assert isinstance(operands, list)
        operands.append(node)
        if function == "ASSERT":
            if self.kind != ",":
                raise self._fail("an operator or `,`")
            self._expression()
            operands.append(self._take_word(self._expression, "a message in quotes"))
            least = most = 2
        elif function == "SEGMENT_START":
            least = most = 2
        else:
            least, most = _VALUE_FUNCTIONS[function]
        if self.kind == "," and len(operands) < most:
            self._expression()
            return None, start
        if self.kind != ")" or len(operands) < least:
            wanted = "`,`" if len(operands) < least else "`)`" if len(operands) == most else "`,` or `)`"
            raise self._fail(f"an operator or {wanted}" if function != "ASSERT" else "`)`")
        stack.pop()
        self._operator()
        return Call(function, tuple(operands), start=start, end=self.last), start

    def _name_call(self) -> Expression:
        """A function whose operand is a name, or SIZEOF_HEADERS."""
        kind, start = self.kind, self.start
        if kind == "SIZEOF_HEADERS":
            self._operator()
            return Call(kind, (), start=start, end=self.last)
        if kind in _SCRIPT_NAME_FUNCTIONS:
            self._script()
            self._want("(", self._script)
            operand = self._take_word(self._script, "a name")
        elif kind in _SYMBOL_FUNCTIONS:
            self._expression()
            self._want("(", self._expression)
            operand = self._take_word(self._expression, "a name")
        else:
            raise self._fail("an expression")
        self._want(")", self._operator)
        return Call(kind, (operand,), start=start, end=self.last)
