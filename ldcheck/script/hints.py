"""What to do about the mistakes that people make in linker scripts. Text only; the parser says when."""

from __future__ import annotations

SORT_NESTING = "only SORT_BY_NAME and SORT_BY_ALIGNMENT nest, and only twice"
SORT_ONE = "a SORT takes one pattern; write one for each"
EXCLUDE_INSIDE = "EXCLUDE_FILE goes inside: SORT(EXCLUDE_FILE(file) pattern)"
HEADER = "the order is `name address (TYPE) : AT() ALIGN() ALIGN_WITH_INPUT SUBALIGN() ONLY_IF_RO {`"
AFTER_BODY = "the order behind a body is `>region AT>region :header =fill`"


def shorten(text: str, limit: int = 40) -> str:
    """`text` on one line, cut in the middle if it is long."""
    if len(text) > limit:
        text = f"{text[: limit // 2]}...{text[-limit // 4 :]}"
    return text.replace("\n", " ").replace("\r", " ")


def for_error(text: str, start: int, end: int) -> str:
    """A hint for a syntax error at the token text[start:end]."""
    token = text[start : min(end, start + 40)]
    before = text[max(start - 40, 0) : start]
    if token in ("G", "g") and before[-1:].isdigit():
        return "GNU ld has the suffixes K and M only: write 1024M for 1G"
    if token.startswith("//") or before.endswith("//"):
        return "`//` begins no comment; write `/* ... */` or `#`"
    return ""


def for_skipped(text: str, at: int) -> str:
    """A hint for a character that GNU ld skips."""
    if text[at] == '"':
        return "the quotation mark has no partner"
    return ""


def for_name(name: str) -> str:
    """A hint for a name at whose place an assignment or a section was expected."""
    for operator in ("=", "+", "-"):
        if operator in name[1:]:
            return f"outside of expressions `{operator}` is part of a name: put blanks around it"
    if name.startswith("//"):
        return "`//` begins no comment; write `/* ... */` or `#`"
    return ""


def for_keep(kind: str) -> str:
    """A hint for what stands in KEEP behind the first input section description."""
    return "KEEP takes one input section description; write one for each" if kind != "end of file" else ""


def for_file(name: str) -> str:
    """A hint for a file name in an output section that was probably not meant as one; empty for others."""
    if "=" in name:
        return "put blanks around `=` to make it an assignment"
    if name == "COMMON":
        return "write *(COMMON) for common symbols"
    return ""
