"""The location counter, followed through a script without any object.

`interpret` follows GNU ld's layout (ldlang.c: lang_size_sections_1 for addresses, lang_do_assignments_1 for the final
values of symbols), or lld's (see `ldcheck.layout.lld`), over sets of values, so that what it finds holds in every ELF
link of the script: with any number of input sections of any size and alignment, with orphan sections wherever the
linker may place them, with or without garbage collection, sorting, merging and relaxation.

What it takes for granted:
* the script is the only one (`-T`), the link is final (no `-r`), and no option changes what the script says
  (`--section-start`, `-Ttext` and the like, `--defsym` of a symbol that the script assigns, `--wrap`,
  `--enable-non-contiguous-regions`, and with /DISCARD/ in front of other sections `--orphan-handling=discard`, which
  makes ld count from 0 behind it);
* the location counter does not run past the end of the address space, and alignments are powers of two;
* an output section that can only hold allocated input by the names of its patterns is allocated; facts on one that has
  no input and no assignment, which ld drops, mean nothing;
* where data or zeros begin a memory region, orphans find code or data to go behind: no note is writable, no
  zeros are read-only, and no constant or thread-local orphan comes into an image without code and data;
* of lld, that a section of the script has content: what has none is loaded from nowhere, and orphans do not see it;
* a symbol that places something and that the script leaves undefined is a number, as `--defsym` gives it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ldcheck.layout.followed import not_followed
from ldcheck.layout.result import Layout
from ldcheck.layout.walk import Walk
from ldcheck.linker import GNU, LLD, Linker
from ldcheck.script.syntax import InputSectionDescription, OutputSection, Script


def interpret(
    tree: Script,
    *,
    params: Mapping[str, int] | None = None,
    records: Mapping[InputSectionDescription, int] | None = None,
    orphans: bool = True,
    unallocated: bool = True,
    filled: bool = False,
    content: Collection[OutputSection] = (),
    linker: Linker = GNU,
) -> Layout:
    """What `tree` guarantees of each address.

    `params` gives values to symbols that the script leaves undefined, and to CONSTANT(MAXPAGESIZE) and
    CONSTANT(COMMONPAGESIZE) by these names. `records` tells of statements that place tables a power of two that divides
    the size of each of their input sections, none of which is aligned to more. Without `orphans`, the link is one that
    refuses orphan sections which take room; without `unallocated`, those that have no address as well. `filled` is one
    in which no section is an orphan then, every output section has content and inputs are aligned to 64 bytes at most:
    what is then known holds in usual links, and is no guarantee. Each output section of `content` is taken to have
    some. `linker` is the one whose rules count.
    """
    walk: type[Walk] = Walk
    if linker.kind == LLD.kind:
        from ldcheck.layout.lld import LldWalk

        walk = LldWalk
    resets = orphans or (unallocated and not filled)
    layout = walk(tree, dict(params or {}), records or {}, orphans, filled, linker, content, resets).run()
    return layout if not_followed(tree, linker) is None else layout.without_knowledge()
