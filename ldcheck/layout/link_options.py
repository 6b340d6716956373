"""Options of GNU ld that change a layout, as they stand on its command line."""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.layout.knowledge import NotPredicted, Options
from ldcheck.record import replace

# Bytes of a build id by its style (ldbuildid.c).
_BUILD_IDS = {"sha1": 20, "md5": 16, "uuid": 16, "none": 0, "": 20, "tree": 20}
# What is about messages, names of files and checks, and does not change where things are.
_NEUTRAL = frozenset(
    (
        *(
            "-nostdlib",
            "-static",
            "-Bstatic",
            "-dn",
            "-non_shared",
            "-no-pie",
            "--no-pie",
            "--print-gc-sections",
            "--no-print-gc-sections",
        ),
        *("--fatal-warnings", "--no-fatal-warnings", "--print-map", "-M", "--print-memory-usage", "--cref", "--stats"),
        *("--verbose", "-t", "--trace", "--no-undefined", "--no-check-sections", "--noinhibit-exec"),
        *("--whole-archive", "--no-whole-archive", "--start-group", "--end-group", "-(", "-)"),
        *("-x", "--discard-all", "-X", "--discard-locals", "--warn-common"),
        *("--orphan-handling=warn", "--orphan-handling=place"),
    )
)
_NEUTRAL_STARTS = ("--warn-", "--no-warn-", "-Map=", "--hash-style=", "-L", "--library-path=")
_WITH_OPERAND = frozenset(("-o", "-T", "--script", "-m", "-L", "--output", "-Map"))
_NEUTRAL_KEYWORDS = frozenset(("now", "lazy", "defs", "muldefs", "text", "notext", "origin"))


def link_options(words: Sequence[str], options: Options) -> Options:
    """Options with what these words of a command line say. Raises NotPredicted for one that is not played through."""
    pending = list(words)
    while pending:
        word = pending.pop(0)
        if word == "-z" or (word.startswith("-z") and len(word) > 2):
            keyword = word[2:] or (pending.pop(0) if pending else "")
            options = _keyword(keyword, options)
        elif word in _WITH_OPERAND:
            del pending[:1]
        elif (operand := _operand(word, pending, "-e", "--entry")) is not None:
            options = replace(options, entry=operand)
        elif (operand := _operand(word, pending, "-u", "--undefined")) is not None:
            options = replace(options, undefined=(*options.undefined, operand))
        elif word in ("--gc-sections", "--no-gc-sections"):
            options = replace(options, collects=word == "--gc-sections")
        elif word.startswith("--sort-section"):
            _, equals, value = word.partition("=")
            options = replace(options, sort_section=value if equals else (pending.pop(0) if pending else ""))
            if options.sort_section not in ("name", "alignment"):
                raise NotPredicted(f"{word} sorts by nothing that ld knows")
        elif word == "--build-id" or word.startswith("--build-id="):
            options = replace(options, build_id=_build_id(word.partition("=")[2]))
        elif word in ("-N", "--omagic"):
            options = replace(options, text_read_only=False, paged=False)
        elif word in ("-n", "--nmagic"):
            options = replace(options, paged=False)
        elif word not in _NEUTRAL and not word.startswith(_NEUTRAL_STARTS):
            raise NotPredicted(f"what {word} does is not played through")
    return options


def _operand(word: str, pending: list[str], short: str, long: str) -> str | None:
    """What an option that takes a symbol names; None for another option."""
    if word in (short, long):
        return pending.pop(0) if pending else ""
    if word.startswith(f"{long}="):
        return word[len(long) + 1 :]
    # Other letters may be those of a long option, for which one dash is enough.
    return word[2:] if word.startswith(short) and word[2:3] in "_.0123456789" else None


def _build_id(style: str) -> int:
    if style.startswith(("0x", "0X")):
        return (len(style.replace("-", "").replace(":", "")) - 1) // 2
    if style not in _BUILD_IDS:
        raise NotPredicted(f"--build-id={style} is no style that is known")
    return _BUILD_IDS[style]


def _keyword(text: str, options: Options) -> Options:
    name, _, value = text.partition("=")
    if name in ("max-page-size", "common-page-size"):
        try:
            size = int(value, 0)
        except ValueError:
            size = 0
        if size <= 0 or size & size - 1:
            raise NotPredicted(f"-z {text} is no page size")
        return replace(options, max_page=size) if name == "max-page-size" else replace(options, common_page=size)
    if name in ("relro", "norelro"):
        return replace(options, relro=name == "relro")
    if name in ("separate-code", "noseparate-code"):
        return replace(options, separate_code=name == "separate-code")
    if name in _NEUTRAL_KEYWORDS:
        return options
    if name in ("noexecstack", "execstack"):
        return replace(options, stack_header=True)
    raise NotPredicted(f"what -z {text} does is not played through")
