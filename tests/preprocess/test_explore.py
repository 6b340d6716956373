"""Which symbols decide something, and which ways there are through the conditions, judged by gcc."""

from __future__ import annotations

import os
import random
from itertools import product
from pathlib import Path

import pytest

from ldcheck.findings import CheckError
from ldcheck.preprocess.configurations import Value
from ldcheck.preprocess.explore import Explorer
from ldcheck.preprocess.files import Files
from ldcheck.preprocess.inputs import Inputs, survey
from ldcheck.preprocess.run import preprocess
from ldcheck.preprocess.varied import deciding_symbols, used_in_text
from ldcheck.project.target import Target
from tests.preprocess.support import by_compiler, tree, words

SEEDS = range(int(os.environ.get("LDCHECK_SEEDS", "12")))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def inputs(files: dict[str, str], **more: object) -> Inputs:
    tree(Path.cwd(), files)
    return Inputs(next(iter(files)), Files(), ("include",), **more)  # type: ignore[arg-type]


def symbols(files: dict[str, str], known_arch: bool = True, **pinned: str) -> dict[str, tuple[Value, ...]]:
    return dict(deciding_symbols(survey(inputs(files)), pinned, known_arch).values)


FLAG = (None, "1")


def test_symbols_of_the_script_and_of_linker_script_headers() -> None:
    found = symbols(
        {
            "a.lds.S": "#include <xen.lds.h>\n#include <page.h>\n#ifdef EFI\n#elif defined(CONFIG_A) && !ID\n#endif\n",
            "include/xen.lds.h": "#ifndef X_H\n#define X_H\n#ifdef CONFIG_B\n#endif\n#ifdef SPECIAL\n#endif\n#endif",
            "include/page.h": "#ifdef CONFIG_C\n#define C 1\n#endif\n",
        }
    )
    # A header's own switches are set by the script that includes it; other headers decide nothing by themselves.
    assert found == {"EFI": FLAG, "CONFIG_A": FLAG, "ID": FLAG, "CONFIG_B": FLAG}


def test_what_is_pinned_is_not_varied() -> None:
    assert symbols({"a.lds.S": "#if defined(A) || defined(B)\n#endif\n"}, A="1") == {"B": FLAG}


def test_a_macro_of_the_sources_is_decided_by_the_conditions_around_it() -> None:
    found = symbols(
        {
            "a.lds.S": "#include <page.h>\n#if HUGE\n#endif\n#ifdef TABLE\n#endif\n",
            "include/page.h": (
                "#ifndef PAGE_H\n#define PAGE_H\n#ifdef CONFIG_HUGE\n#define HUGE 1\n#else\n#define HUGE 0\n#endif\n"
                "#define TABLE IS_ENABLED(CONFIG_TABLE)\n#ifdef CONFIG_OTHER\n#define OTHER\n#endif\n#endif\n"
            ),
        }
    )
    assert found == {"CONFIG_HUGE": FLAG, "CONFIG_TABLE": FLAG}


def test_a_symbol_that_is_compared_takes_a_value_for_each_outcome() -> None:
    found = symbols(
        {"a.lds.S": "#if CONFIG_LEVELS > 2\n#elif CONFIG_LEVELS == 1\n#endif\n#if CONFIG_SIZE >= 0x10\n#endif\n"}
    )
    assert found == {"CONFIG_LEVELS": ("0", "1", "3"), "CONFIG_SIZE": ("15", "16")}


def test_the_architecture_is_varied_only_where_nobody_names_it() -> None:
    script = {"a.lds.S": "#ifdef __aarch64__\n#endif\n#ifdef __clang__\n#endif\n"}
    assert symbols(script) == {}
    assert symbols(script, known_arch=False) == {"__aarch64__": FLAG}


@pytest.mark.parametrize("way", ["compiler", "pcpp"])
def test_without_an_architecture_this_machine_is_not_meant(way: str) -> None:
    Path("a.lds.S").write_text("#ifdef __aarch64__\na = 1;\n#elif defined(__x86_64__)\nb = 1;\n#endif\nc = 1;\n")
    scripts = preprocess(Target("a", "a.lds.S", preprocessor=way))
    assert [words(script.source.text)[0] for script in scripts] == ["c", "b", "a"]
    (script,) = preprocess(Target("a", "a.lds.S", arch="arm64", preprocessor=way))
    assert words(script.source.text)[0] == "a"


def walk(text: str, *names: str, limit: int = 64) -> list[dict[str, Value]] | None:
    explorer = Explorer(inputs({"a.lds.S": text}), dict.fromkeys(names, FLAG))
    found = explorer.walk(limit)
    return None if found is None else [dict(one.assignment) for one in found]


def test_what_is_not_asked_for_is_not_decided() -> None:
    found = walk("#ifdef EFI\n#elif defined(ID) && defined(PE)\n#endif\n", "EFI", "ID", "PE")
    assert found == [
        {"EFI": None, "ID": None},
        {"EFI": None, "ID": "1", "PE": None},
        {"EFI": None, "ID": "1", "PE": "1"},
        {"EFI": "1"},
    ]


def test_more_ways_than_the_limit() -> None:
    text = "".join(f"#ifdef A{number}\n#endif\n" for number in range(30))
    assert walk(text, *(f"A{number}" for number in range(30))) is None


def test_an_error_directive_rules_a_combination_out() -> None:
    text = (
        "#if defined(A) && defined(B)\n# error not both\n#endif\n#ifdef A\na = 1;\n#endif\n#ifdef B\nb = 1;\n#endif\n"
    )
    Path("a.lds.S").write_text(text)
    scripts = preprocess(Target("a", "a.lds.S", arch="x86_64"))
    assert len(scripts) == 3
    assert scripts[0].notes == ("1 combination left out, refused by #error not both (a.lds.S:2)",)


def test_equal_scripts_are_one() -> None:
    Path("a.lds.S").write_text("#ifdef CONFIG_A\nx = 1;\n#else\nx = 1;\n#endif\n")
    (script,) = preprocess(Target("a", "a.lds.S", arch="x86_64"))
    assert [dict(one.definitions) for one in script.configurations] == [{"CONFIG_A": None}, {"CONFIG_A": "1"}]


def test_a_symbol_whose_value_is_seen_is_decided_first() -> None:
    text = "#ifdef CONFIG_A\n#endif\n#define ON IS_ENABLED(CONFIG_B)\nx = CONFIG_A;\n#ifdef CONFIG_C\n#endif\n"
    assert used_in_text(survey(inputs({"a.lds.S": text})), ["CONFIG_A", "CONFIG_B", "CONFIG_C"]) == [
        "CONFIG_A",
        "CONFIG_B",
    ]
    # Defined or not, the number is not known here, however it is asked for.
    for asking in ("#ifdef CONFIG_A", "#if CONFIG_A", "#if defined(CONFIG_A)", "#if CONFIG_A > 4"):
        assert _texts(text.replace("#ifdef CONFIG_A", asking)) == [["x", "=", "CONFIG_A", ";"]]
    # What a condition names is no invention.
    assert ["x", "=", "4", ";"] in _texts(text.replace("#ifdef CONFIG_A", "#if CONFIG_A == 4"))


def _texts(text: str) -> list[list[str]]:
    Path("a.lds.S").write_text(text)
    return [words(script.source.text) for script in preprocess(Target("a", "a.lds.S", arch="x86_64"))]


@pytest.mark.parametrize("way", ["auto", "compiler", "pcpp"])
def test_no_number_is_made_up_for_a_symbol(way: str) -> None:
    """With `1` for it, the address would be said to be odd."""
    Path("a.lds.S").write_text(
        "#ifdef RESET_ADDRESS\n#define RESET RESET_ADDRESS\n#else\n#define RESET 0xfffffffc\n#endif\n. = RESET + 4;\n"
        "#define P_1 1\n#define P(x) P_##x\n#define ASK(x) P(x)\n#define AGAIN(x) x\n"
        "#if CONFIG_SIZE\n. = ALIGN(CONFIG_SIZE);\n#endif\n#ifdef CONFIG_A\n. = AGAIN(ASK(CONFIG_A));\n#endif\n"
    )
    scripts = preprocess(Target("a", "a.lds.S", arch="x86_64", preprocessor=way))
    texts = {" ".join(words(script.source.text)) for script in scripts}
    first = (". = 0xfffffffc + 4 ;", ". = RESET_ADDRESS + 4 ;")
    # What is handed to a macro that pastes is asked there for its value: IS_ENABLED(CONFIG_A).
    assert texts == {
        f"{text}{size}{flag}"
        for text in first
        for size in ("", " . = ALIGN ( CONFIG_SIZE ) ;")
        for flag in ("", " . = 1 ;")
    }
    told = {one.describe() for script in scripts for one in script.configurations}
    assert "with CONFIG_SIZE and RESET_ADDRESS and without CONFIG_A" in told
    assert {one.constant("RESET") for one in scripts} == {None, 0xFFFFFFFC}
    assert {one.unknown for one in scripts} >= {frozenset(), frozenset(("CONFIG_SIZE", "RESET_ADDRESS"))}


def random_script(chance: random.Random) -> str:
    """Nested conditions over four flags, definitions that depend on them, and a line in every branch."""
    lines: list[str] = []

    def condition() -> str:
        flag = f"F{chance.randint(0, 3)}"
        return chance.choice(
            [
                f"defined({flag})", f"!defined {flag}", f"{flag}", f"{flag} + 0 > {chance.randint(0, 1)}",
                f"D{chance.randint(0, 2)}", f"IS({flag})", f"defined(D{chance.randint(0, 2)})",
                f"(defined({flag}) || D1 == {chance.randint(0, 2)})", f"-1 > 0u && {flag}", f"D0 ? {flag} : !{flag}",
            ]
        )  # fmt: skip

    def body(depth: int) -> None:
        for _ in range(chance.randint(1, 3)):
            kind = chance.random()
            if kind < 0.45 and depth < 4:
                opening = condition() if chance.random() < 0.7 else ""
                lines.append(
                    f"#if {opening} && {condition()}"
                    if opening
                    else f"#if{chance.choice(['', 'n'])}def F{chance.randint(0, 3)}"
                )
                body(depth + 1)
                for _ in range(chance.randint(0, 2)):
                    lines.append(f"#elif {condition()}")
                    body(depth + 1)
                if chance.random() < 0.5:
                    lines.append("#else")
                    body(depth + 1)
                lines.append("#endif")
            elif kind < 0.65:
                name = f"D{chance.randint(0, 2)}"
                lines.append(f"#undef {name}")
                if chance.random() < 0.8:
                    lines.append(f"#define {name} {chance.choice(['0', '1', '2', 'F1', 'D2'])}")
            else:
                lines.append(f"x{len(lines)} = {chance.choice(['1', 'D0', 'D1', 'F2'])};")

    lines.append(
        "#define P_1 0,\n#define T(a, b, ...) b\n#define E3(x) T(x 1, 0)\n#define E2(v) E3(P_##v)\n#define IS(o) E2(o)"
    )
    body(0)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", SEEDS)
def test_every_configuration_gives_what_gcc_gives(seed: int) -> None:
    """All 16 combinations of the flags, by gcc, against the script that ldcheck says they give."""
    text = random_script(random.Random(seed))
    Path("a.lds.S").write_text(text)
    vary = {f"F{number}": FLAG for number in range(4)}
    unknown = {"D0": None, "D1": None, "D2": None}
    try:
        scripts = preprocess(Target("a", "a.lds.S", arch="x86_64", vary=vary, pin=unknown, preprocessor="compiler"))
    except CheckError as refused:
        raise AssertionError(text) from refused
    for values in product(FLAG, repeat=4):
        given = dict(zip(vary, values, strict=True))
        wanted = words(by_compiler(text, *(f"-D{name}" for name, value in given.items() if value)))
        giving = [
            script
            for script in scripts
            for one in script.configurations
            if all(given[name] == value for name, value in one.definitions.items())
        ]
        assert [words(script.source.text) for script in giving] == [wanted], text


def test_what_an_error_wants_instead_is_tried_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = {
        "x.lds.S": '#include "layout.h"\na = START;\n#ifdef CONFIG_MPU\nb = 1;\n#endif\n',
        "layout.h": (
            "#if defined(CONFIG_MMU)\n# define START 1\n#elif defined(CONFIG_MPU)\n# define START 2\n#else\n"
            '# error "no layout"\n#endif\n#if CONFIG_CLANG_VERSION < 4\n#error "too old"\n#endif\n'
        ),
    }
    tree(tmp_path, files)
    target = Target("x", "x.lds.S", definitions={"CONFIG_CLANG_VERSION": "5"})
    texts = [" ".join(words(script.source.text)) for script in preprocess(target)]
    assert sorted(texts) == ["a = 1 ;", "a = 1 ; b = 1 ;", "a = 2 ; b = 1 ;"]


def test_what_the_text_alone_asks_for_is_decided_in_every_row_of_a_choice(tmp_path: Path) -> None:
    flags = [f"CONFIG_{letter}" for letter in "ABCDEFG"]
    asked = "".join(f"#ifdef {name}\n.{name} : {{ }}\n#endif\n" for name in flags)
    tree(tmp_path, {"a.lds.S": f"{asked}x = CONFIG_SEEN;\n"})
    vary: dict[str, tuple[Value, ...]] = {**dict.fromkeys(flags, FLAG), "CONFIG_SEEN": (None, "16")}
    found = preprocess(Target("x", script="a.lds.S", vary=vary, arch="x86_64"))
    assert not found[0].complete
    for one in found:
        for configuration in one.configurations:
            seen = configuration.definitions["CONFIG_SEEN"]
            assert f"x = {seen or 'CONFIG_SEEN'};" in one.source.text
    assert {one.definitions["CONFIG_SEEN"] for script in found for one in script.configurations} == {None, "16"}
