"""The sections that toolchains emit, as data: made by `python -m tools.toolchain`, not by hand.

A line is a pattern that some statement of a script must take, what the sections hold, who emits them, and, for what was
not observed, where it is from; tabs stand between. Those who emit are a list with semicolons: the maker, `>=` and a
version where an older one that was asked did not, `@` and the architectures where it is not for all that were asked,
and the options. No options mean by default, at -O0 or -O2; of options, none of those that are named can be left out.
ASKED has the architectures that each maker was asked for.

Observed with Clang 14.0 16.0 19.1, GCC 5.4 11.3 12.2, GNU ld 2.26 2.40, lld 14.0 16.0 19.1, rustc 1.95.
"""

from __future__ import annotations

ASKED = """
clang	arm32 arm64 hexagon loongarch64 mips mips64 ppc32 ppc64 riscv32 riscv64 s390x sparc64 x86_32 x86_64
gcc	alpha arc arm32 arm64 avr hppa m68k mips mips64 ppc32 ppc64 riscv32 riscv64 s390x sh sparc64 x86_32 x86_64 xtensa
ld	alpha arc arm32 arm64 avr m68k mips mips64 ppc32 ppc64 riscv32 riscv64 s390x sh sparc64 x86_32 x86_64 xtensa
lld	arm32 arm64 mips mips64 ppc32 ppc64 riscv32 riscv64 x86_32 x86_64
rustc	x86_64
"""

# One text, because a table of tuples costs ten milliseconds where Python keeps no bytecode.
TABLE = """
.ARC.attributes	unallocated	gcc @arc
.ARM.__at_*	data	armcc>=5 @arm32 __attribute__((at()))	Arm Compiler 5 User Guide, --split_sections and the default names of sections
.ARM.attributes	unallocated	clang @arm32; gcc @arm32
.ARM.exidx	unwind	clang @arm32; gcc @arm32 C++; gcc @arm32 -funwind-tables; gcc @arm32 -fasynchronous-unwind-tables; gcc @arm32 -fexceptions
.ARM.exidx.*	unwind	clang @arm32; gcc @arm32 C++; gcc @arm32 -funwind-tables; gcc @arm32 -fasynchronous-unwind-tables; gcc @arm32 -fexceptions
.ARM.extab	unwind	clang @arm32 C++; clang @arm32 -funwind-tables; clang @arm32 -fasynchronous-unwind-tables; clang @arm32 -fexceptions; gcc @arm32 C++; gcc @arm32 -funwind-tables; gcc @arm32 -fasynchronous-unwind-tables; gcc @arm32 -fexceptions
.ARM.extab.*	unwind	clang @arm32 C++; clang @arm32 -fexceptions -ffunction-sections -fdata-sections; gcc @arm32 C++; gcc @arm32 -funwind-tables; gcc @arm32 -fasynchronous-unwind-tables; gcc @arm32 -fexceptions
.CRT$*	data	gcc for PE	GNU ld, scripttempl/pep.sc
.GCC.command.line	unallocated	clang -frecord-command-line; gcc -frecord-gcc-switches
.MIPS.abiflags	constant	clang @mips,mips64; gcc @mips,mips64
.MIPS.options	constant	clang @mips64; gcc @mips64
.MIPS.stubs	code	ld @mips64 -pie; ld @mips64 -shared; ld @mips -pie -fPIC; ld @mips -shared -fPIC
.MIPS.xhash	constant	ld @mips64 -shared; ld @mips -shared -fPIC
.PARISC.unwind	constant	gcc @hppa
.branch_lt	zero	lld @ppc64
.bss	zero	clang; gcc; lld @arm32,arm64,ppc32,riscv32,riscv64,x86_64 -pie
.bss$*	zero	gcc for PE	GNU ld, scripttempl/pep.sc
.bss.*	zero	clang C++; clang -fdata-sections; gcc @arm32,arm64,avr,mips,ppc64,riscv32,riscv64,s390x,x86_32,xtensa C++; gcc>=12.2 @x86_64 C++; gcc -fdata-sections; rustc
.bss.rel.ro	zero	lld -pie	lld, Relocations.cpp
.comment	unallocated	clang; gcc; rustc
.comment.*	unallocated	gcc of SUSE	Xen, xen.lds.S: .comment.SUSE.OPTs
.constdata	constant	armcc>=5 @arm32	Arm Compiler 5 User Guide, --split_sections and the default names of sections
.conststring	constant	armcc>=5 @arm32	Arm Compiler 5 User Guide, --split_sections and the default names of sections
.ctors	relro	clang @hexagon; clang @arm64,loongarch64,mips,mips64,ppc32,ppc64,s390x,sparc64,x86_32,x86_64 -fno-use-init-array; gcc @avr,hppa,xtensa
.ctors.*	relro	clang @hexagon C++; clang @hexagon constructor(N); clang @arm64,loongarch64,mips,mips64,ppc32,ppc64,s390x,sparc64,x86_32,x86_64 constructor(N) -fno-use-init-array; gcc @hppa,xtensa constructor(N); gcc @xtensa C++
.data	data	clang; gcc
.data$*	data	gcc for PE	GNU ld, scripttempl/pep.sc
.data.*	data	clang C++; clang -fdata-sections; gcc @arm32,arm64,avr,mips,ppc64,riscv32,riscv64,s390x,x86_32,xtensa C++; gcc>=12.2 @x86_64 C++; gcc -fdata-sections; rustc
.data.rel	data	gcc @alpha,mips,mips64,ppc64; gcc @arc,arm32,arm64,avr,hppa,m68k,ppc32,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIE; gcc @arc,arm32,arm64,avr,hppa,m68k,ppc32,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIC
.data.rel.*	data	gcc @alpha,mips,mips64,ppc64 -fdata-sections; gcc @arc,arm32,arm64,avr,hppa,m68k,ppc32,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIE -ffunction-sections -fdata-sections; gcc @arc,arm32,arm64,avr,hppa,m68k,ppc32,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIC -ffunction-sections -fdata-sections
.data.rel.local	data	gcc @mips,mips64; gcc @alpha,arc,arm32,arm64,avr,hppa,m68k,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIE; gcc @arc,arm32,arm64,avr,hppa,m68k,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIC
.data.rel.local.*	data	gcc @mips C++; gcc @mips,mips64 -fdata-sections; gcc @arm64,ppc64,riscv32,riscv64,s390x,x86_32,xtensa C++ -fPIE; gcc>=12.2 @x86_64 C++ -fPIE; gcc @arc,arm32,arm64,avr,hppa,m68k,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIE -ffunction-sections -fdata-sections; gcc @arm64,ppc64,riscv32,riscv64,s390x,x86_32,xtensa C++ -fPIC; gcc>=12.2 @x86_64 C++ -fPIC; gcc @arc,arm32,arm64,avr,hppa,m68k,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIC -ffunction-sections -fdata-sections
.data.rel.ro	relro	clang @mips64,ppc32,ppc64,s390x; clang @arm32,arm64,hexagon,loongarch64,mips,riscv32,riscv64,sparc64,x86_32,x86_64 -fPIE; clang @arm32,arm64,hexagon,loongarch64,mips,riscv32,riscv64,sparc64,x86_32,x86_64 -fPIC; gcc @alpha,mips,mips64,ppc64; gcc @arc,arm32,arm64,avr,hppa,m68k,ppc32,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIE; gcc @arc,arm32,arm64,avr,hppa,m68k,ppc32,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIC
.data.rel.ro.*	relro	clang @mips64,ppc32,ppc64 C++; clang @mips64,ppc32,ppc64 -fdata-sections; clang @arm32,arm64,hexagon,loongarch64,mips,riscv32,riscv64,s390x,sparc64,x86_32,x86_64 C++ -fPIE; clang @arm32,arm64,hexagon,loongarch64,mips,riscv32,riscv64,s390x,sparc64,x86_32,x86_64 -fPIE -ffunction-sections -fdata-sections; clang @arm32,arm64,hexagon,loongarch64,mips,riscv32,riscv64,s390x,sparc64,x86_32,x86_64 C++ -fPIC; clang @arm32,arm64,hexagon,loongarch64,mips,riscv32,riscv64,s390x,sparc64,x86_32,x86_64 -fPIC -ffunction-sections -fdata-sections; gcc @mips,ppc64 C++; gcc @alpha,mips,mips64,ppc64 -fdata-sections; gcc @arm32,arm64,riscv32,riscv64,s390x,x86_32,xtensa C++ -fPIE; gcc>=12.2 @x86_64 C++ -fPIE; gcc @arc,arm32,arm64,avr,hppa,m68k,ppc32,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIE -ffunction-sections -fdata-sections; gcc @arm32,arm64,avr,riscv32,riscv64,s390x,x86_32,xtensa C++ -fPIC; gcc>=12.2 @x86_64 C++ -fPIC; gcc @arc,arm32,arm64,avr,hppa,m68k,ppc32,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIC -ffunction-sections -fdata-sections; rustc
.data.rel.ro.local	relro	gcc @mips,mips64; gcc @alpha,arc,arm32,arm64,avr,hppa,m68k,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIE; gcc @alpha,arc,arm32,arm64,avr,hppa,m68k,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIC
.data.rel.ro.local.*	relro	gcc @mips C++; gcc @mips,mips64 -fdata-sections; gcc @arm64,avr,ppc64,riscv32,riscv64,s390x,x86_32,xtensa C++ -fPIE; gcc>=12.2 @x86_64 C++ -fPIE; gcc @alpha,arc,arm32,arm64,avr,hppa,m68k,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIE -ffunction-sections -fdata-sections; gcc @alpha,arc,arm32,arm64,avr,hppa,m68k,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fPIC -ffunction-sections -fdata-sections
.debug_abbrev	debug	clang -gdwarf-4; clang -gdwarf-5; gcc -gdwarf-4; gcc -gdwarf-5; rustc -g
.debug_addr	debug	clang -gdwarf-5; gcc -g -gsplit-dwarf
.debug_aranges	debug	gcc -gdwarf-4; gcc -gdwarf-5; rustc -g
.debug_frame	debug	clang @arm32,hexagon,loongarch64,mips,mips64,riscv32,riscv64,s390x,sparc64 -gdwarf-4; clang @arm32,hexagon,loongarch64,mips,mips64,riscv32,riscv64,s390x,sparc64 -gdwarf-5; clang @arm64,ppc32,ppc64,x86_32,x86_64 -g -fno-asynchronous-unwind-tables; gcc @arc,arm32,avr,hppa,m68k,mips,mips64,riscv32,riscv64,sh,sparc64,xtensa -gdwarf-4; gcc @arc,arm32,avr,hppa,m68k,mips,mips64,riscv32,riscv64,sh,sparc64,xtensa -gdwarf-5; gcc @ppc32,ppc64,s390x,x86_32,x86_64 -g -fno-asynchronous-unwind-tables
.debug_gnu_pubnames	debug	clang @arm32,arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,s390x,sparc64,x86_32,x86_64 -g -gsplit-dwarf; clang @riscv32,riscv64 -g -gpubnames; gcc -g -gsplit-dwarf
.debug_gnu_pubtypes	debug	clang @arm32,arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,s390x,sparc64,x86_32,x86_64 -g -gsplit-dwarf; clang @riscv32,riscv64 -g -gpubnames; gcc -g -gsplit-dwarf
.debug_info	debug	clang -gdwarf-4; clang -gdwarf-5; gcc -gdwarf-4; gcc -gdwarf-5; rustc -g
.debug_line	debug	clang -gdwarf-4; clang -gdwarf-5; gcc -gdwarf-4; gcc -gdwarf-5; rustc -g
.debug_line_str	debug	clang -gdwarf-5; gcc @alpha,arm64,riscv32,riscv64,sparc64,x86_32,x86_64,xtensa -gdwarf-5
.debug_loc	debug	clang -gdwarf-4; gcc -gdwarf-4; gcc @avr -gdwarf-5; rustc -g
.debug_loclists	debug	clang -gdwarf-5; gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -gdwarf-5
.debug_macinfo	debug	clang -g3 -fdebug-macro
.debug_macro	debug	clang -g3 -fdebug-macro; gcc -g3
.debug_pubnames	debug	clang -g -gpubnames; gcc -g -gpubnames
.debug_pubtypes	debug	clang -g -gpubnames; gcc -g -gpubnames
.debug_ranges	debug	clang -gdwarf-4; gcc -gdwarf-4; gcc @avr -gdwarf-5; rustc -g
.debug_rnglists	debug	clang -gdwarf-5; gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -gdwarf-5
.debug_str	debug	clang -gdwarf-4; clang -gdwarf-5; gcc -gdwarf-4; gcc -gdwarf-5; rustc -g
.debug_str_offsets	debug	clang -gdwarf-5
.debug_types	debug	clang C++ -g -fdebug-types-section; gcc @arm32,arm64,avr,mips,ppc64,riscv32,riscv64,s390x,x86_32,xtensa C++ -g -fdebug-types-section; gcc>=12.2 @x86_64 C++ -g -fdebug-types-section
.drectve	unallocated	gcc for PE	GNU ld, scripttempl/pep.sc
.dtors	relro	clang @hexagon; clang @arm64,loongarch64,mips,mips64,ppc32,ppc64,s390x,sparc64,x86_32,x86_64 -fno-use-init-array; gcc @avr,hppa,xtensa
.dtors.*	relro	clang @hexagon constructor(N); clang @arm64,loongarch64,mips,mips64,ppc32,ppc64,s390x,sparc64,x86_32,x86_64 constructor(N) -fno-use-init-array; gcc @hppa,xtensa constructor(N); gcc @xtensa C++
.dynamic	data	ld @alpha,arc,arm32,m68k,mips64,ppc32,ppc64,sh,sparc64,x86_32 -pie; ld @arm32,m68k,mips64,ppc32,ppc64,s390x,sh,sparc64,x86_32 -shared; ld @arm64,mips,riscv64,s390x,x86_64 -pie -fPIC; ld @alpha,arc,arm64,mips,riscv64,x86_64 -shared -fPIC; lld @arm32,arm64,mips64,ppc32,ppc64,riscv32,riscv64,x86_64 -pie; lld @mips,x86_32 -pie -fPIC; lld @arm32,arm64,ppc32,ppc64,riscv32,riscv64,x86_32,x86_64 -shared -fPIC
.dynbss	zero	ld @arc,x86_32 -pie
.dynstr	constant	ld @alpha,arc,arm32,m68k,mips64,ppc32,ppc64,sh,sparc64,x86_32 -pie; ld @arm32,m68k,mips64,ppc32,ppc64,s390x,sh,sparc64,x86_32 -shared; ld @arm64,mips,riscv64,s390x,x86_64 -pie -fPIC; ld @alpha,arc,arm64,mips,riscv64,x86_64 -shared -fPIC; lld @arm32,arm64,mips64,ppc32,ppc64,riscv32,riscv64,x86_64 -pie; lld @mips,x86_32 -pie -fPIC; lld @arm32,arm64,ppc32,ppc64,riscv32,riscv64,x86_32,x86_64 -shared -fPIC
.dynsym	constant	ld @alpha,arc,arm32,m68k,mips64,ppc32,ppc64,sh,sparc64,x86_32 -pie; ld @arm32,m68k,mips64,ppc32,ppc64,s390x,sh,sparc64,x86_32 -shared; ld @arm64,mips,riscv64,s390x,x86_64 -pie -fPIC; ld @alpha,arc,arm64,mips,riscv64,x86_64 -shared -fPIC; lld @arm32,arm64,mips64,ppc32,ppc64,riscv32,riscv64,x86_64 -pie; lld @mips,x86_32 -pie -fPIC; lld @arm32,arm64,ppc32,ppc64,riscv32,riscv64,x86_32,x86_64 -shared -fPIC
.edata	constant	ld for PE	GNU ld, scripttempl/pep.sc
.eh_frame	unwind	clang @arm64,ppc32,ppc64,x86_32,x86_64; clang @hexagon,loongarch64,mips,mips64,riscv32,riscv64,s390x,sparc64 C++; clang @hexagon,loongarch64,mips,mips64,riscv32,riscv64,s390x,sparc64 -funwind-tables; clang @hexagon,loongarch64,mips,mips64,riscv32,riscv64,s390x,sparc64 -fasynchronous-unwind-tables; clang @hexagon,loongarch64,mips,mips64,riscv32,riscv64,s390x,sparc64 -fexceptions; gcc @alpha,arm64,ppc32,ppc64,s390x,x86_32,x86_64; gcc @mips,riscv32,riscv64,xtensa C++; gcc @arc,hppa,m68k,mips,mips64,riscv32,riscv64,sh,sparc64,xtensa -funwind-tables; gcc @arc,hppa,m68k,mips,mips64,riscv32,riscv64,sh,sparc64,xtensa -fasynchronous-unwind-tables; gcc @arc,hppa,m68k,mips,mips64,riscv32,riscv64,sh,sparc64,xtensa -fexceptions; rustc
.eh_frame_hdr	unwind	ld @m68k,mips64,ppc32,s390x,sh,sparc64,x86_32 -shared; ld @alpha,arc,arm64,mips,riscv64,x86_64 -shared -fPIC; lld @arm64,ppc64 -pie -dynamic-linker; lld @ppc32,riscv32,riscv64,x86_32,x86_64 -pie -dynamic-linker -fPIC; lld @arm64,ppc32,ppc64,riscv32,riscv64,x86_32,x86_64 -shared -fPIC
.fini	code	gcc crti.o	GCC, libgcc/crtstuff.c
.fini_array	relro	clang @arm32,arm64,loongarch64,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sparc64,x86_32,x86_64; gcc @alpha,arc,arm32,arm64,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64
.fini_array.*	relro	clang @arm32,arm64,loongarch64,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sparc64,x86_32,x86_64 constructor(N); gcc @alpha,arc,arm32,arm64,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64 constructor(N)
.fixup	data	gcc @ppc32 -mrelocatable
.gcc_except_table	unwind	clang @arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sparc64,x86_32,x86_64 C++; gcc @arm64,mips,ppc64,riscv32,riscv64,s390x,x86_32,xtensa C++; gcc>=12.2 @x86_64 C++; gcc @avr C++ -fexceptions
.gcc_except_table.*	unwind	clang @arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sparc64,x86_32,x86_64 C++; gcc @arm64,mips,ppc64,riscv32,riscv64,s390x,x86_32,xtensa C++; gcc>=12.2 @x86_64 C++
.glink	code	ld @ppc64 -pie; ld @ppc64 -shared; ld @ppc32 -pie -fPIC; ld @ppc32 -shared -fPIC; ld @ppc32 ifunc; lld @ppc32,ppc64 -pie; lld @ppc32,ppc64 -shared -fPIC; lld @ppc32,ppc64 ifunc
.glue_7	code	ld @arm32 where ARM code calls Thumb code	GNU ld, elf32-arm.c
.glue_7t	code	ld @arm32 where Thumb code calls ARM code	GNU ld, elf32-arm.c
.gnu.attributes	unallocated	clang>=16.0 @s390x; gcc @mips,mips64,ppc32,ppc64,s390x
.gnu.build.attributes.*	unallocated	gcc -fplugin=annobin	the annobin plugin of Fedora
.gnu.hash	constant	ld @alpha,arc,m68k,ppc32,ppc64,sh,sparc64,x86_32 -pie; ld @arm32,m68k,ppc32,ppc64,s390x,sh,sparc64,x86_32 -shared; ld @arm32,arm64,riscv64,s390x,x86_64 -pie -fPIC; ld @alpha,arc,arm64,riscv64,x86_64 -shared -fPIC; lld @arm32,arm64,ppc32,ppc64,riscv32,riscv64,x86_64 -pie; lld @x86_32 -pie -fPIC; lld @arm32,arm64,ppc32,ppc64,riscv32,riscv64,x86_32,x86_64 -shared -fPIC
.gnu.linkonce.b.*	zero	gcc before 4.0	GNU ld manual and GCC before 4.0: one section for each inline function, where targets have no groups
.gnu.linkonce.d.*	data	gcc before 4.0	GNU ld manual and GCC before 4.0: one section for each inline function, where targets have no groups
.gnu.linkonce.l8.*	data	clang @hexagon
.gnu.linkonce.r.*	constant	gcc before 4.0	GNU ld manual and GCC before 4.0: one section for each inline function, where targets have no groups
.gnu.linkonce.t.*	code	gcc before 4.0	GNU ld manual and GCC before 4.0: one section for each inline function, where targets have no groups
.gnu.linkonce.this_module	data	gcc of Linux modules	Linux, include/linux/module.h
.gnu.lto_*	unallocated	gcc -flto
.gnu.sgstubs	code	ld>=2.26 @arm32 --cmse-implib	GNU ld manual, ARM
.gnu.version	constant	ld -shared; lld -shared	GNU ld, elflink.c
.gnu.version_d	constant	ld --version-script; lld --version-script	GNU ld, elflink.c
.gnu.version_r	constant	ld -shared; lld -shared	GNU ld, elflink.c
.gnu.warning.*	constant	glibc libc.a	GNU ld, elflink.c
.got	data	ld @alpha,arm64,mips,mips64; ld @ppc32,ppc64,sparc64 -pie; ld @ppc32,ppc64,s390x,sparc64 -shared; ld @arm32,m68k,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64 -fPIC; ld @arc -pie -fPIC; ld @arc -shared -fPIC; lld @arm64,mips,mips64,ppc64; lld @arm32,ppc32,riscv32,riscv64,x86_32,x86_64 -fPIC; lld @arm32 ifunc
.got.plt	data	ld @arm64; ld @alpha,arc,arm32,m68k,sh,x86_32 -pie; ld @arm32,m68k,s390x,sh -shared; ld @arm32,m68k,riscv32,riscv64,sh,x86_32,x86_64 -fPIC; ld @s390x -pie -fPIC; ld @alpha,arc -shared -fPIC; ld @x86_32,x86_64 ifunc; lld @arm32,arm64,riscv32,riscv64,x86_64 -pie; lld @x86_32 -fPIC; lld @arm32,arm64,riscv32,riscv64,x86_64 -shared -fPIC; lld @arm64,mips,ppc32,riscv32,riscv64,x86_32,x86_64 ifunc
.got2	data	clang @ppc32 -fPIE; clang @ppc32 -fPIC; gcc @ppc32 -fPIE; gcc @ppc32 -fPIC
.hash	constant	ld @alpha,arc,arm32,m68k,mips64,ppc32,ppc64,sh,sparc64,x86_32 -pie; ld @arm32,m68k,mips64,ppc32,ppc64,s390x,sh,sparc64,x86_32 -shared; ld @arm64,mips,riscv64,s390x,x86_64 -pie -fPIC; ld @alpha,arc,arm64,mips,riscv64,x86_64 -shared -fPIC; lld @arm32,arm64,mips64,ppc32,ppc64,riscv32,riscv64,x86_64 -pie; lld @mips,x86_32 -pie -fPIC; lld @arm32,arm64,ppc32,ppc64,riscv32,riscv64,x86_32,x86_64 -shared -fPIC
.hexagon.attributes	unallocated	clang>=19.1 @hexagon
.idata$*	data	ld for PE	GNU ld, scripttempl/pep.sc
.igot.plt	data	ld @arm32,arm64,riscv64,s390x,x86_32,x86_64 ifunc
.init	code	gcc crti.o	GCC, libgcc/crtstuff.c
.init_array	relro	clang @arm32,arm64,loongarch64,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sparc64,x86_32,x86_64; gcc @alpha,arc,arm32,arm64,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64
.init_array.*	relro	clang @arm32,arm64,loongarch64,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sparc64,x86_32,x86_64 C++; clang @arm32,arm64,loongarch64,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sparc64,x86_32,x86_64 constructor(N); gcc @arm32,arm64,mips,ppc64,riscv32,riscv64,s390x,x86_32 C++; gcc @alpha,arc,arm32,arm64,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64 constructor(N); gcc>=12.2 @x86_64 C++
.interp	constant	lld @arm64,ppc64 -pie -dynamic-linker; lld @mips64 -z pack-relative-relocs; lld @arm32,ppc32,riscv32,riscv64,x86_32,x86_64 -pie -dynamic-linker -fPIC; lld @mips -z pack-relative-relocs -fPIC
.iplt	code	ld @arm32,arm64,ppc32,ppc64,riscv64,s390x,sparc64,x86_32,x86_64 ifunc; lld @arm32,arm64,mips,riscv32,riscv64,x86_32,x86_64 ifunc
.jcr	data	gcc before 7	GCC, libgcc/crtstuff.c
.lbss	zero	clang>=19.1 @x86_64 -mcmodel=medium; clang>=19.1 @x86_64 -mcmodel=large; gcc @x86_64 -mcmodel=medium
.lbss.*	zero	clang>=19.1 @x86_64 -mcmodel=medium -ffunction-sections -fdata-sections; clang>=19.1 @x86_64 C++ -mcmodel=large; clang>=19.1 @x86_64 -mcmodel=large -ffunction-sections -fdata-sections; gcc @x86_64 -mcmodel=medium -ffunction-sections -fdata-sections
.ldata	data	clang>=19.1 @x86_64 -mcmodel=medium; clang>=19.1 @x86_64 -mcmodel=large; gcc @x86_64 -mcmodel=medium
.ldata.*	data	clang>=19.1 @x86_64 -mcmodel=medium -ffunction-sections -fdata-sections; clang>=19.1 @x86_64 C++ -mcmodel=large; clang>=19.1 @x86_64 -mcmodel=large -ffunction-sections -fdata-sections; gcc @x86_64 -mcmodel=medium -ffunction-sections -fdata-sections
.ldata.rel.ro	relro	clang>=19.1 @x86_64 -mcmodel=large -fPIC
.literal	code	gcc @xtensa
.literal.*	code	gcc @xtensa
.llvm.lto	unallocated	clang>=19.1 -flto
.llvm_bb_addr_map	unallocated	clang @x86_64 -fbasic-block-sections=labels
.llvmbc	unallocated	clang -fembed-bitcode
.llvmcmd	unallocated	clang -fembed-bitcode
.lrodata	constant	clang>=19.1 @x86_64 -mcmodel=medium; clang>=19.1 @x86_64 -mcmodel=large; gcc @x86_64 -mcmodel=medium
.lrodata.*	constant	clang>=19.1 @x86_64 -mcmodel=medium -ffunction-sections -fdata-sections; clang>=19.1 @x86_64 C++ -mcmodel=large; clang>=19.1 @x86_64 -mcmodel=large -ffunction-sections -fdata-sections; gcc @x86_64 -mcmodel=medium -ffunction-sections -fdata-sections
.lrodata.cst*	constant	clang>=19.1 @x86_64 -mcmodel=large
.lrodata.str*	constant	clang>=19.1 @x86_64 -mcmodel=large
.ltext	code	clang>=19.1 @x86_64 -mcmodel=large
.ltext.*	code	clang>=19.1 @x86_64 -mcmodel=large
.mdebug.abi32	unallocated	clang @mips; gcc @mips
.mdebug.abi64	unallocated	clang @mips64; gcc @mips64
.note	unallocated	gcc @hppa -gdwarf-4; gcc @hppa -gdwarf-5
.note.ABI-tag	note	glibc crt1.o	glibc, csu/abi-note.c
.note.GNU-no-split-stack	unallocated	clang @loongarch64,x86_32,x86_64 -fsplit-stack; clang>=16.0 @arm64,hexagon,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sparc64 -fsplit-stack
.note.GNU-split-stack	unallocated	clang @arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sparc64,x86_32,x86_64 -fsplit-stack; gcc @ppc64,s390x,x86_32,x86_64 -fsplit-stack
.note.GNU-stack	unallocated	clang; gcc @alpha,arc,arm32,arm64,m68k,mips,mips64,ppc32,riscv64,s390x,sh,sparc64,x86_32,x86_64; rustc
.note.gnu.build-id	note	ld @alpha,arm32,arm64,avr,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa --build-id; lld --build-id
.note.gnu.property	note	clang @x86_32,x86_64 -fcf-protection; clang @arm64 -mbranch-protection=standard; gcc @x86_32,x86_64 -fcf-protection; gcc @arm64 -mbranch-protection=standard
.note.package	note	ld>=2.39 --package-metadata	GNU ld manual
.opd	data	gcc @ppc64
.pdata	unwind	gcc @x86_64 for PE	GNU ld, scripttempl/pep.sc
.pdata$*	unwind	gcc @x86_64 for PE	GNU ld, scripttempl/pep.sc
.pdr	unallocated	clang @mips,mips64; gcc @mips,mips64
.plt	code	ld @alpha,arc,arm32,m68k,ppc64,x86_32 -pie; ld @arm32,m68k,ppc64,s390x -shared; ld @arm64,ppc32,riscv64,s390x,sh,sparc64,x86_64 -pie -fPIC; ld @alpha,arc,arm64,ppc32,riscv64,sh,sparc64,x86_32,x86_64 -shared -fPIC; ld @sparc64 -pie ifunc; ld @sparc64 -shared ifunc; lld @arm32,arm64,ppc32,ppc64,riscv32,riscv64,x86_64 -pie; lld @x86_32 -pie -fPIC; lld @arm32,arm64,ppc32,ppc64,riscv32,riscv64,x86_32,x86_64 -shared -fPIC; lld @ppc64 ifunc
.plt.got	code	ld @x86_64 -pie -fPIC; ld @x86_32,x86_64 -shared -fPIC
.plt.sec	code	ld>=2.31 @x86_64,x86_32 -z ibtplt	GNU ld, elfxx-x86.c
.preinit_array	relro	gcc -fsanitize=address	ELF gABI, Special Sections
.progmem.*	constant	gcc @avr
.rdata	constant	gcc for PE	GNU ld, scripttempl/pep.sc
.rdata$*	constant	gcc for PE	GNU ld, scripttempl/pep.sc
.reginfo	constant	clang @mips; gcc @mips
.rel.dyn	constant	ld @mips,mips64; ld @arm32,x86_32 -pie; ld @arm32,x86_32 -shared; ld @arm32,x86_32 ifunc; lld @arm32,mips64 -pie; lld @mips,x86_32 -pie -fPIC; lld @arm32,x86_32 -shared -fPIC; lld @arm32,mips,x86_32 ifunc
.rel.plt	constant	lld @arm32 -pie; lld @x86_32 -pie -fPIC; lld @arm32,x86_32 -shared -fPIC
.rela.dyn	constant	ld @alpha,arc,m68k,ppc32,ppc64,sh,sparc64 -pie; ld @m68k,ppc32,ppc64,s390x,sh,sparc64 -shared; ld @arm64,riscv64,s390x,x86_64 -pie -fPIC; ld @alpha,arc,arm64,riscv64,x86_64 -shared -fPIC; ld @arm64,ppc32,ppc64,riscv64,s390x,sparc64,x86_64 ifunc; lld @arm64,ppc32,ppc64,riscv32,riscv64,x86_64 -pie; lld @arm64,ppc32,ppc64,riscv32,riscv64,x86_64 -shared -fPIC; lld @arm64,ppc32,ppc64,riscv32,riscv64,x86_64 ifunc
.rela.plt	constant	lld @arm64,ppc32,ppc64,riscv32,riscv64,x86_64 -pie; lld @arm64,ppc32,ppc64,riscv32,riscv64,x86_64 -shared -fPIC
.reloc	constant	ld for PE	GNU ld, scripttempl/pep.sc
.relr.dyn	constant	lld>=16.0 @mips64,ppc64 -z pack-relative-relocs; lld>=16.0 @arm32,arm64,mips,ppc32,riscv32,riscv64,x86_32,x86_64 -z pack-relative-relocs -fPIC
.riscv.attributes	unallocated	clang @riscv32,riscv64; gcc @riscv32,riscv64
.rld_map	data	ld @mips64 -pie; ld @mips -pie -fPIC; lld @mips64 -pie; lld @mips -pie -fPIC
.rodata	constant	clang; gcc
.rodata.*	constant	clang C++; clang @arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,x86_32,x86_64 -ffunction-sections; clang -fdata-sections; gcc @arm32,arm64,avr,mips,ppc64,riscv32,riscv64,s390x,x86_32,xtensa C++; gcc>=12.2 @x86_64 C++; gcc -fdata-sections; rustc
.rodata.cst*	constant	clang; gcc @alpha,arm64,hppa,mips,mips64,ppc32,ppc64,s390x,sparc64,x86_32,x86_64; gcc @riscv32,riscv64 -fPIE; gcc @riscv32,riscv64 -fPIC; rustc
.rodata.str*	constant	clang; gcc; rustc
.sbss	zero	clang @riscv32,riscv64; clang @mips,mips64 -mno-abicalls; clang @mips,mips64 -G8; gcc @alpha,ppc32,riscv32,riscv64; gcc @mips,mips64 -mno-abicalls; gcc @mips,mips64 -G8
.sbss.*	zero	clang @hexagon; gcc @riscv32,riscv64 C++; gcc @alpha,ppc32,riscv32,riscv64 -fdata-sections; gcc @mips C++ -G8; gcc @mips,mips64 -G8 -ffunction-sections -fdata-sections
.sbss2	zero	gcc @ppc32 -msdata=eabi	PowerPC EABI
.sbss2.*	zero	gcc @ppc32 -msdata=eabi -fdata-sections	PowerPC EABI
.scommon	zero	gcc @mips -G8 -fcommon	MIPS psABI
.sdata	data	clang @riscv32,riscv64; clang @mips,mips64 -mno-abicalls; clang @mips,mips64 -G8; gcc @alpha,ppc32,riscv32,riscv64; gcc @mips,mips64 -G8
.sdata.*	data	clang @hexagon; gcc @riscv32,riscv64 C++; gcc @alpha,ppc32,riscv32,riscv64 -fdata-sections; gcc @mips C++ -G8; gcc @mips,mips64 -G8 -ffunction-sections -fdata-sections
.sdata2	constant	gcc @ppc32 -msdata=eabi	PowerPC EABI
.sdata2.*	constant	gcc @ppc32 -msdata=eabi -fdata-sections	PowerPC EABI
.sframe	unwind	gcc @arm64,x86_64 -Wa,--gsframe
.shstrtab	unallocated	lld
.srodata	constant	gcc @riscv32,riscv64
.srodata.*	constant	gcc @riscv32 C++; gcc @riscv32,riscv64 -fdata-sections
.srodata.cst*	constant	clang>=19.1 @riscv64; gcc @riscv32,riscv64
.stab	unallocated	gcc @avr -g -fno-asynchronous-unwind-tables
.stack_sizes	unallocated	clang -fstack-size-section
.strtab	unallocated	lld
.stub	code	ld of Alpha and IA-64	GNU ld, scripttempl/elf.sc
.symtab	unallocated	lld
.tbss	tls zero	clang; gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64
.tbss.*	tls zero	clang -fdata-sections; gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64 -fdata-sections
.tdata	tls	clang; gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64
.tdata.*	tls	clang -fdata-sections; gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64 -fdata-sections
.text	code	clang; gcc; rustc
.text$*	code	gcc for PE	GNU ld, scripttempl/pep.sc
.text.*	code	clang C++; clang -ffunction-sections; gcc @arm32,arm64,avr,mips,ppc64,riscv32,riscv64,s390x,x86_32,xtensa C++; gcc>=12.2 @x86_64 C++; gcc -ffunction-sections; gcc @sparc64,x86_32 -fPIE; gcc @sparc64,x86_32 -fPIC; rustc
.text.*_veneer	code	ld @arm32,arm64 where a branch does not reach	GNU ld, elf32-arm.c
.text.asan.*	code	clang -fsanitize=address -ffunction-sections	Linux, vmlinux.lds.h
.text.exit	code	gcc __attribute__((destructor))
.text.exit.*	code	gcc __attribute__((destructor)) -ffunction-sections
.text.hot	code	gcc __attribute__((hot))
.text.hot.	code	clang __attribute__((hot))
.text.hot.*	code	clang __attribute__((hot)) -ffunction-sections; gcc __attribute__((hot)) -ffunction-sections
.text.sorted.*	code	gcc>=10 -flto -fprofile-use	GCC, varasm.c
.text.split.*	code	clang>=11 @x86_64,x86_32,arm64 -fsplit-machine-functions	Clang User's Manual
.text.startup	code	clang @arm64,loongarch64,mips,mips64,ppc32,ppc64,s390x,sparc64,x86_32,x86_64 C++; gcc
.text.startup.*	code	gcc -ffunction-sections
.text.tsan.*	code	clang -fsanitize=thread -ffunction-sections	Linux, vmlinux.lds.h
.text.unknown.*	code	clang>=11 -fprofile-use	LLVM, CodeGenPrepare.cpp: ProfileUnknown
.text.unlikely	code	gcc
.text.unlikely.	code	clang
.text.unlikely.*	code	clang -ffunction-sections; gcc -ffunction-sections; rustc
.tls$*	data	gcc for PE	GNU ld, scripttempl/pep.sc
.tm_clone_table	data	gcc>=4.7 crtbegin.o	GCC, libgcc/crtstuff.c
.toc	data	clang @ppc64; gcc @ppc64
.trampolines	code	ld @avr
.v4_bx	code	ld @arm32 --fix-v4bx-interworking	GNU ld, elf32-arm.c
.vfp11_veneer	code	ld @arm32 --vfp11-denorm-fix	GNU ld, elf32-arm.c
.xdata	unwind	gcc @x86_64 for PE	GNU ld, scripttempl/pep.sc
.xdata$*	unwind	gcc @x86_64 for PE	GNU ld, scripttempl/pep.sc
.xt.lit	unallocated	gcc @xtensa
.xt.lit.*	unallocated	gcc @xtensa C++
.xt.prop	unallocated	gcc @xtensa
.xt.prop.*	unallocated	gcc @xtensa C++
.xtensa.info	unallocated	gcc @xtensa
.zdebug_abbrev	debug	gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -g -gz=zlib-gnu
.zdebug_aranges	debug	gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -g -gz=zlib-gnu
.zdebug_frame	debug	gcc @arc,arm32,hppa,m68k,mips,mips64,riscv32,riscv64,sh,sparc64,xtensa -g -gz=zlib-gnu
.zdebug_info	debug	gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -g -gz=zlib-gnu
.zdebug_line	debug	gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -g -gz=zlib-gnu
.zdebug_line_str	debug	gcc @alpha,arm64,riscv32,riscv64,sparc64,x86_32,x86_64,xtensa -g -gz=zlib-gnu
.zdebug_loclists	debug	gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -g -gz=zlib-gnu
.zdebug_rnglists	debug	gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -g -gz=zlib-gnu
.zdebug_str	debug	gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -g -gz=zlib-gnu
COMMON	zero	clang -fcommon; gcc @avr; gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fcommon
__llvm_covfun	unallocated	clang @arm32,arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,riscv32,s390x,sparc64,x86_32,x86_64 -fprofile-instr-generate -fcoverage-mapping; clang>=16.0 @riscv64 -fprofile-instr-generate -fcoverage-mapping
__llvm_covmap	unallocated	clang @arm32,arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,riscv32,s390x,sparc64,x86_32,x86_64 -fprofile-instr-generate -fcoverage-mapping; clang>=16.0 @riscv64 -fprofile-instr-generate -fcoverage-mapping
__llvm_orderfile	data	clang>=9 -forder-file-instrumentation	LLVM, InstrProfData.inc
__llvm_prf_bits	data	clang>=18 -fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc	LLVM, InstrProfData.inc
__llvm_prf_cnts	data	clang @arm32,arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,riscv32,s390x,sparc64,x86_32,x86_64 -fprofile-instr-generate -fcoverage-mapping; clang>=16.0 @riscv64 -fprofile-instr-generate -fcoverage-mapping
__llvm_prf_data	data	clang @arm32,arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,riscv32,s390x,sparc64,x86_32,x86_64 -fprofile-instr-generate -fcoverage-mapping; clang>=16.0 @riscv64 -fprofile-instr-generate -fcoverage-mapping
__llvm_prf_names	constant	clang @arm32,arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,riscv32,s390x,sparc64,x86_32,x86_64 -fprofile-instr-generate -fcoverage-mapping; clang>=16.0 @riscv64 -fprofile-instr-generate -fcoverage-mapping
__llvm_prf_vns	constant	clang>=19 -fprofile-instr-generate -fcoverage-mapping	LLVM, InstrProfData.inc
__llvm_prf_vtab	data	clang>=19 -fprofile-instr-generate -fcoverage-mapping	LLVM, InstrProfData.inc
__mcount_loc	constant	clang @s390x -pg -mrecord-mcount; gcc @s390x,x86_32,x86_64 -pg -mrecord-mcount
__patchable_function_entries	data	clang @arm64,riscv32,riscv64,x86_32,x86_64 -fpatchable-function-entry; clang>=19.1 @loongarch64,ppc32 -fpatchable-function-entry; gcc @alpha,arc,arm32,arm64,hppa,m68k,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,sh,sparc64,x86_32,x86_64,xtensa -fpatchable-function-entry
__sancov_cntrs	data	clang -fsanitize-coverage=inline-8bit-counters,pc-table
__sancov_guards	data	clang -fsanitize-coverage=trace-pc-guard
__sancov_pcs	constant	clang -fsanitize-coverage=inline-8bit-counters,pc-table
asan_globals	data	clang>=19.1 @arm32,arm64,hexagon,loongarch64,mips,mips64,ppc32,ppc64,riscv32,riscv64,s390x,x86_32,x86_64 -fsanitize=address; clang>=19.1 @sparc64 C++ -fsanitize=address
i.*	code	armcc>=5 @arm32	Arm Compiler 5 User Guide, --split_sections and the default names of sections
xray_fn_idx	constant	clang>=19.1 @arm32,arm64,hexagon,loongarch64,mips,mips64,ppc64,x86_64 -fxray-instrument
xray_instr_map	constant	clang>=19.1 @arm32,hexagon,loongarch64 -fxray-instrument; clang @arm64,mips,mips64,ppc64,x86_64 -fxray-instrument
"""
