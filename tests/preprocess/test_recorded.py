"""The commands that Kbuild recorded: what is taken from them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldcheck.findings import CheckError, InputError
from ldcheck.preprocess.options import RefusedOptionError, sift
from ldcheck.preprocess.recorded import Recorded, dependencies, read_command
from ldcheck.preprocess.run import preprocess
from ldcheck.project.target import Target
from tests.preprocess.support import tree, words

XEN = """
gcc -P -E -MMD -MP -MF arch/x86/.xen.lds.d -m64 -DBUILD_ID -fno-strict-aliasing -std=gnu99 -Wall -Wstrict-prototypes
-Wno-unused-but-set-variable -O1 -fno-omit-frame-pointer -nostdinc -fno-builtin -fno-common -Werror -pipe -D__XEN__
-include ./include/xen/config.h -Wa,--strip-local-absolute -g -msoft-float -fpic -mno-red-zone
-mpreferred-stack-boundary=3 -I./include -I./arch/x86/include -DXEN_IMG_OFFSET=0x200000 -DHAVE_AS_QUOTED_SYM
'-D__OBJECT_LABEL__=arch$$x86$$xen.lds' -D__ASSEMBLY__ -DLINKER_SCRIPT -MQ arch/x86/xen.lds -o arch/x86/xen.lds
arch/x86/xen.lds.S
""".strip().replace("\n", " ")
LINUX = r"""
aarch64-linux-gnu-gcc-12 -E -Wp,-MMD,arch/x86/.xen.lds.d -nostdinc -I./include -I ./include/uapi
-include ./include/linux/kconfig.h -D__KERNEL__ -fmacro-prefix-map=./= -mlittle-endian -DKASAN_SHADOW_SCALE_SHIFT=
-fno-PIE -mabi=lp64 -P -C -Uarm64 -D__ASSEMBLY__ -DLINKER_SCRIPT -DTEXT=\"a\ b\" -o arch/x86/xen.lds
arch/x86/xen.lds.S
""".strip().replace("\n", " ")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tree(
        tmp_path,
        {
            "xen/arch/x86/xen.lds.S": "#include <xen/cache.h>\nx = SIZE; t = LABEL;\n",
            "xen/arch/x86/other.lds.S": "",
            "xen/include/xen/config.h": "#define CONFIG 1\n#ifdef CONFIG_BIG\nbig = 1;\n#endif\n",
            "xen/include/xen/cache.h": "#define SIZE 64\n",
        },
    )


def read(command: str, made: str = "arch/x86/xen.lds", file: str = "xen/arch/x86/.xen.lds.cmd") -> Recorded:
    Path(file).write_text(f"cmd_{made} := {command}\n")
    return read_command(file, "xen/arch/x86/xen.lds.S")


def refused(command: str, **more: str) -> InputError:
    with pytest.raises(CheckError) as raised:
        read(command, **more)
    return raised.value.errors[0]


def test_a_command_of_xen() -> None:
    found = read(XEN)
    assert (found.compiler, found.directory, found.script) == ("gcc", "xen", "arch/x86/xen.lds.S")
    assert found.options.includes == ("./include", "./arch/x86/include")
    assert found.options.include_first == ("./include/xen/config.h",)
    assert found.options.definitions == {
        "BUILD_ID": "1",
        "__XEN__": "1",
        "XEN_IMG_OFFSET": "0x200000",
        "HAVE_AS_QUOTED_SYM": "1",
        "__OBJECT_LABEL__": "arch$x86$xen.lds",
        "__ASSEMBLY__": "1",
        "LINKER_SCRIPT": "1",
    }
    kept = ("-m64", "-std=gnu99", "-fno-omit-frame-pointer", "-nostdinc", "-msoft-float", "-fpic")
    assert found.options.kept == (*kept, "-mno-red-zone", "-mpreferred-stack-boundary=3")


def test_a_command_of_linux() -> None:
    found = read(LINUX)
    assert found.compiler == "aarch64-linux-gnu-gcc-12"
    assert found.options.includes == ("./include", "./include/uapi")
    assert found.options.definitions["arm64"] is None
    assert found.options.definitions["KASAN_SHADOW_SCALE_SHIFT"] == ""
    assert found.options.definitions["TEXT"] == '"a b"'


def test_it_runs_where_it_was_recorded_and_places_count_from_here() -> None:
    Path("xen/arch/x86/.xen.lds.cmd").write_text(f"savedcmd_arch/x86/xen.lds := {XEN} -DLABEL=7\n")
    (script,) = preprocess(Target("xen", "xen/arch/x86/xen.lds.S"))
    assert words(script.source.text) == ["x", "=", "64", ";", "t", "=", "7", ";"]
    at = script.source.text.index("64")
    assert script.origin.locate(script.source, at, at + 2).file == "xen/include/xen/cache.h"
    assert not Path("xen/arch/x86/xen.lds").exists()
    assert not Path("xen/arch/x86/.xen.lds.d").exists()


def test_what_is_varied_on_purpose_is_varied() -> None:
    read(XEN)
    target = Target("xen", "xen/arch/x86/xen.lds.S", vary={"CONFIG_BIG": (None, "1")})
    assert [words(script.source.text)[:2] for script in preprocess(target)] == [["x", "="], ["big", "="]]


def test_a_command_that_was_found_and_does_not_fit_the_target_is_not_taken() -> None:
    read(XEN.replace("-DBUILD_ID", "-DEFI -fplugin=x").replace("-fplugin=x", ""))
    (script,) = preprocess(
        Target("xen", "xen/arch/x86/xen.lds.S", definitions={"BUILD_ID": "1"}, includes=("xen/include",))
    )
    assert script.defined[0] == {**script.defined[0], "BUILD_ID": "1"}
    assert "XEN_IMG_OFFSET" not in script.defined[0]


def test_dependencies() -> None:
    Path("xen/arch/x86/.xen.lds.cmd").write_text(
        f"cmd_arch/x86/xen.lds := {XEN}\n\nsource_arch/x86/xen.lds := arch/x86/xen.lds.S\n\n"
        "deps_arch/x86/xen.lds := \\\n    $(wildcard include/config/efi.h) \\\n"
        "  include/xen/cache.h \\\n  arch/a.h \\\n\n"
        "arch/x86/xen.lds: $(deps_arch/x86/xen.lds)\n"
    )
    found = dependencies("xen/arch/x86/.xen.lds.cmd")
    assert found == {"xen/arch/x86/xen.lds.S", "xen/include/xen/cache.h", "xen/arch/a.h"}
    assert dependencies("xen/arch/x86/.gone.cmd") == set()


REFUSED_OPTIONS = {
    "plugin": "-fplugin=./evil.so",
    "plugin of clang": "-fpass-plugin=./evil.so",
    "plugin argument": "-fplugin-arg-evil-x=1",
    "programs elsewhere": "-B.",
    "specs": "-specs=evil.specs",
    "specs with two dashes": "--specs=evil.specs",
    "wrapper": "-wrapper ./evil",
    "options in a file": "@options",
    "load": "-Xclang -load",
    "to the preprocessor": "-Xpreprocessor -MD",
    "to the preprocessor at once": "-Wp,-D,-o,x",
    "what the preprocessor writes": "-Wp,@options",
    "dump": "-fdump-tree-all=/tmp/x",
    "temporary files": "-save-temps",
    "where dumps go": "-dumpdir /tmp/",
    "profile": "-fprofile-use=/tmp/x",
    "system root": "--sysroot=/tmp",
    "unheard of": "--what-is-this",
}


@pytest.mark.parametrize("option", REFUSED_OPTIONS.values(), ids=REFUSED_OPTIONS)
def test_options_that_may_do_more_than_preprocess_are_refused(option: str) -> None:
    found = refused(XEN.replace("-DBUILD_ID", option))
    assert "not passed on" in found.message
    assert found.location.line == 1
    start, end = found.location.column - 1, found.location.end_column - 1
    assert found.location.excerpt[start:end] in option.split()


SHELL = {
    "second command": XEN + "; touch ran",
    "pipe": XEN + " | sh",
    "background": XEN + " & touch ran",
    "substitution": XEN + " $(touch ran)",
    "doubled for make": XEN + " $$(touch ran)",
    "backticks": XEN + " `touch ran`",
    "in quotes": XEN + ' -DX="`touch ran`"',
    "variable in quotes": XEN + ' -DX="$HOME"',
    "redirection": XEN + " > ran",
    "pattern": XEN + " *.h",
    "open quote": XEN + " 'x",
}


@pytest.mark.parametrize("command", SHELL.values(), ids=SHELL)
def test_what_only_a_shell_could_do_is_refused(here: Path, command: str) -> None:
    assert "would need a shell" in refused(command).message
    assert not (here / "ran").exists()


def test_a_command_of_another_folder_is_refused() -> None:
    found = refused(XEN, made="arch/arm/xen.lds")
    assert found.message == "this command was recorded for arch/arm/xen.lds, which does not lie beside the file"
    assert "does not lie beside" in refused(XEN, made="../../x86/xen.lds").message


def test_a_command_for_another_script_is_refused() -> None:
    found = refused(XEN.replace("arch/x86/xen.lds.S", "arch/x86/other.lds.S"))
    assert found.message == "this command was recorded for arch/x86/other.lds.S, and not for xen/arch/x86/xen.lds.S"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "the recorded command is empty"),
        ("gcc", "the command reads 0 files, and one is expected"),
        (XEN + " second.S", "the command reads 2 files, and one is expected"),
        ("gcc -E -D", "-D lacks its operand"),
    ],
)
def test_commands_that_are_none(command: str, message: str) -> None:
    assert refused(command).message == message


@pytest.mark.parametrize("text", ["", "all:\n\techo x\n", "\0\xff", "cmd_ :=", "cmd_x = y\n"])
def test_files_without_a_command(text: str) -> None:
    Path("xen/arch/x86/.xen.lds.cmd").write_text(text, encoding="latin-1")
    with pytest.raises(CheckError, match="holds no recorded command"):
        read_command("xen/arch/x86/.xen.lds.cmd", "xen/arch/x86/xen.lds.S")


@pytest.mark.parametrize("compiler", ["./gcc", "scripts/gcc", "rm", "python3", "gcc-wrapper.sh"])
def test_a_program_that_is_no_compiler_is_not_run(here: Path, compiler: str) -> None:
    tree(here, {"xen/gcc": "#!/bin/sh\ntouch ran\n", "xen/scripts/gcc": "#!/bin/sh\ntouch ran\n"})
    for path in ("xen/gcc", "xen/scripts/gcc"):
        (here / path).chmod(0o755)
    read(XEN.replace("gcc", compiler, 1))
    with pytest.raises(CheckError) as raised:
        preprocess(Target("xen", "xen/arch/x86/xen.lds.S"))
    assert raised.value.errors[0].location.file == "xen/arch/x86/.xen.lds.cmd"
    assert not (here / "xen/ran").exists()


def test_a_cache_in_front_of_the_compiler_is_left_out() -> None:
    assert read("ccache " + XEN).compiler == "gcc"


def test_operands_joined_and_apart() -> None:
    options = sift(
        ["-I", "a", "-Ib", "-D", "X", "-DY=1=2", "-U", "X", "-isystem", "c", "-include", "f.h", "-xc", "-ofile", "s.S"]
    )
    assert options.includes == ("a", "b", "c")
    assert options.definitions == {"X": None, "Y": "1=2"}
    assert options.operands == ("s.S",)
    with pytest.raises(RefusedOptionError):
        sift(["-I"])
