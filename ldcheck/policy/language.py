"""The words of the policy language besides the checks' own keys: one table for loader and JSON schema.

A check declares its head key and what goes with it (`ldcheck.policy.declare`); everything else that a policy may hold
is declared here, with its meaning in a sentence.
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Severity, Verdict
from ldcheck.policy.declare import Key, Kind

VERSION = "1"

SEVERITIES = tuple(severity.value for severity in Severity)
EVIDENCE = tuple(kind.value for kind in EvidenceKind)
FORMATS = ("elf", "pe", "binary", "srec", "ihex", "mach-o")
LINKERS = ("GNU ld", "lld", "mold", "gold")

# What a policy file holds.
POLICY = (
    Key("ldcheck", Kind.CHOICE, "The version of the policy language.", required=True, choices=(VERSION,)),
    Key("extends", Kind.NAMES, "Policies that this one builds on: stock names such as xen/common, or paths."),
    Key("params", Kind.PARAMS, "Named sizes for the rules' expressions, such as PAGE_SIZE: 4K."),
    Key(
        "from-script",
        Kind.NAMES,
        "Params whose value is that of the macro of the same name, where the script's sources define one.",
    ),
    Key("rules", Kind.RULES, "What must hold."),
    Key("paths", Kind.OVERRIDES, "Other severities for findings in some files: a path pattern, then rule: severity."),
    Key("ignore", Kind.IGNORES, "Findings that are known and accepted, each with the reason."),
)

# What every rule may hold.
COMMON = (
    Key("id", Kind.NAME, "The rule's name in findings, unique; a later policy changes a rule by its id."),
    Key("severity", Kind.CHOICE, "How much a violation weighs; error if not given.", choices=SEVERITIES),
    Key("unproven", Kind.CHOICE, "How much it weighs that only today's image shows it.", choices=SEVERITIES),
    Key("when", Kind.WHEN, "For which targets the rule is meant; all that is given must hold."),
    Key("why", Kind.TEXT, "Why the rule is there; shown with each finding."),
    Key("help", Kind.TEXT, "What to do about a violation; shown with each finding."),
    Key("see", Kind.TEXTS, "Where to read on."),
    Key("message", Kind.MESSAGE, "The message of a finding in place of the check's own, with {placeholders}."),
    Key("optional", Kind.FLAG, "Whether the rule's subject may be missing."),
    Key(
        "evidence",
        Kind.CHOICES,
        "What the rule is judged on, all of it; everything that there is if not given.",
        choices=EVIDENCE,
    ),
    Key("tests", Kind.TESTS, "Scripts and images for which the rule must hold (valid) and must not (invalid)."),
)

# `when` of a rule.
WHEN = (
    Key("arch", Kind.NAMES, "Architectures or families (x86, arm64, riscv); `!arm` is every other one."),
    Key("config", Kind.TEXTS, "Conditions on the configuration: CONFIG_X, !CONFIG_X or CONFIG_X=value."),
    Key("symbol", Kind.NAMES, "Symbols (or patterns of them) that there must be; `!name` is one that there must not."),
    Key(
        "section",
        Kind.NAMES,
        "Sections (or patterns of them) that there must be; `!name` is one that there must not.",
    ),
    Key("format", Kind.CHOICES, "The format of what is linked.", choices=FORMATS),
    Key("linker", Kind.CHOICES, "The linker.", choices=LINKERS),
    Key("paths", Kind.NAMES, "Patterns of the scripts' paths; ** crosses folders."),
)

# A case in `tests`.
TEST = (
    Key("name", Kind.TEXT, "What the case shows."),
    Key("script", Kind.TEXT, "The linker script."),
    Key("file", Kind.NAME, "A file with the linker script, relative to the policy."),
    Key("arch", Kind.NAME, "The architecture of the target."),
    Key("params", Kind.PARAMS, "Other values for params of the policy."),
    Key("config", Kind.TEXTS, "What the configuration defines: CONFIG_X or CONFIG_X=value."),
    Key("format", Kind.CHOICE, "The format of what is linked.", choices=FORMATS),
    Key("linker", Kind.CHOICE, "The linker.", choices=LINKERS),
    Key("path", Kind.NAME, "The path of the script, for `when: {paths: ...}`."),
    Key("image", Kind.IMAGE, "What was linked."),
    Key(
        "verdict",
        Kind.CHOICE,
        "The verdict, where it is not held or violated.",
        choices=tuple(v.value for v in Verdict),
    ),
    Key("finds", Kind.TEXTS, "Words that a finding's message must hold."),
    Key("line", Kind.INTEGER, "The line of the script that a finding must stand at."),
)

# `image` of a test: sizes and addresses may use the policy's params.
IMAGE = (
    Key("sections", Kind.SECTIONS, "The output sections by name, in the order of their addresses."),
    Key("symbols", Kind.PARAMS, "Symbols and their values."),
    Key("segments", Kind.SEGMENTS, "The program headers; one for each allocated section if not given."),
    Key("entry", Kind.SIZE, "The entry address."),
    Key("discarded", Kind.INPUTS, "Input sections that were discarded."),
    Key("objects", Kind.INPUTS, "The sections of the object files that went into the link."),
    Key("references", Kind.REFERENCES, "What in the object files refers to what."),
    Key("map", Kind.FLAG, "Whether there is a link map; if not given, where an input section is told."),
    Key("elf", Kind.FLAG, "Whether there is an ELF file; if not given, where a section or symbol is told."),
)
SECTION = (
    Key("at", Kind.SIZE, "The address; behind the section before if not given."),
    Key("size", Kind.SIZE, "The size in bytes; that of the inputs if not given."),
    Key("align", Kind.SIZE, "The alignment; 1 if not given.", minimum=1),
    Key("flags", Kind.NAME, "Letters as readelf shows them (WAX); by the name if not given."),
    Key("type", Kind.NAME, "The section type, such as NOBITS; by the name if not given."),
    Key("load-at", Kind.SIZE, "The load address; the address if not given."),
    Key("inputs", Kind.INPUTS, "The input sections, in their order, for the link map."),
)
SEGMENT = (
    Key("type", Kind.NAME, "The segment type; LOAD if not given."),
    Key("at", Kind.SIZE, "The address.", required=True),
    Key("size", Kind.SIZE, "The size in memory.", required=True),
    Key("file-size", Kind.SIZE, "The size in the file; that in memory if not given."),
    Key("load-at", Kind.SIZE, "The load address; the address if not given."),
    Key("align", Kind.SIZE, "The alignment; 4K if not given.", minimum=1),
    Key("flags", Kind.NAME, "R, W and X; RWX if not given."),
)
INPUT = (
    Key("name", Kind.NAME, "The name of the input section.", required=True),
    Key("file", Kind.NAME, "Its file; a.o if not given."),
    Key("member", Kind.NAME, "Its archive member."),
    Key("at", Kind.SIZE, "Its address; behind the input section before, aligned, if not given."),
    Key("size", Kind.SIZE, "Its size in bytes; 8 if not given."),
    Key("align", Kind.SIZE, "Its alignment; 1 if not given.", minimum=1),
    Key("flags", Kind.NAME, "Letters as readelf shows them (WAX); by the name if not given."),
    Key("type", Kind.NAME, "The section type, such as NOBITS; by the name if not given."),
)

REFERENCE = (
    Key("from", Kind.NAME, "The section of what refers.", required=True),
    Key("symbol", Kind.NAME, "The function or datum that refers."),
    Key("to", Kind.NAME, "The section of what is referred to.", required=True),
    Key("target", Kind.NAME, "The function or datum that is referred to."),
    Key("file", Kind.NAME, "The file of what refers; a.o if not given."),
    Key("at", Kind.SIZE, "The address of what refers, where the image was linked with its relocations."),
    Key("target-at", Kind.SIZE, "The address of what is referred to."),
)

# What `from` and `to` of `no-reference` are, and an entry of its `except`.
SIDES = (
    Key(
        "from",
        Kind.SIDE,
        "Sections (names or patterns), or ranges, of what must not refer.",
        required=True,
    ),
    Key("to", Kind.SIDE, "Sections (names or patterns), or ranges, of what must not be referred to.", required=True),
)
# One of both as a mapping: all that is given must hold.
SIDE = (
    Key("section", Kind.NAMES, "Sections of the objects (names or patterns)."),
    Key("between", Kind.NAME_PAIR, "Two symbols that enclose it."),
    Key("outside", Kind.NAME_PAIR, "Two symbols that do not enclose it: what is not in the range that is freed."),
    Key("region", Kind.NAMES, "The memory region (or a pattern, or several) that it runs in."),
)
EXCEPTION = (
    Key("symbol", Kind.NAME_PAIR, "Two symbols (or patterns): what refers, and what is referred to."),
    Key("section", Kind.NAMES, "The section (or a pattern, or several) of what refers."),
    Key("to", Kind.NAMES, "The section (or a pattern, or several) of what is referred to."),
    Key("object", Kind.NAME, "The file or archive member (or a pattern) of what refers."),
    Key("reason", Kind.TEXT, "Why this is allowed."),
    Key("optional", Kind.FLAG, "Whether it is no matter that nothing needs the exception."),
)

# An entry of `ignore`.
IGNORE = (
    Key("rule", Kind.NAMES, "Ids of rules, or patterns of them.", required=True),
    Key(
        "where",
        Kind.NAMES,
        "Where: a path pattern, path:line, or a route such as SECTIONS/.text; everywhere if not given.",
    ),
    Key("reason", Kind.TEXT, "Why this is accepted.", required=True),
    Key("until", Kind.DATE, "The last day (YYYY-MM-DD) on which it is accepted."),
)
