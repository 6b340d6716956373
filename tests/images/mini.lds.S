/*
 * The linker script of the mini hypervisor, as it should be. The tests derive the faulty ones from this text; the edits
 * stand in tests/support/images.py.
 */

#include "mini.lds.h"

ENTRY(start)
OUTPUT_ARCH(FORMAT)

PHDRS
{
  text PT_LOAD ;
  note PT_NOTE ;
}

SECTIONS
{
  . = VIRT_START;
  _start = .;
  DECL_SECTION(.text) {
       _stext = .;
       *(.text.header)
       *(.text.unlikely .text.*_unlikely .text.unlikely.*)

       *(.text.page_aligned)
       *(.text)
#ifdef CONFIG_CC_SPLIT_SECTIONS
       *(.text.*)
#endif
       _etext = .;
  } :text = 0x9090

  . = ALIGN(PAGE_SIZE);
  DECL_SECTION(.rodata) {
       _srodata = .;
       TABLE(bug_frames_0, .bug_frames.0)
       TABLE(bug_frames_1, .bug_frames.1)
       TABLE(ex_table, .ex_table)
       *(.rodata)
       *(.rodata.*)
       *(.data.rel.ro .data.rel.ro.*)
  } :text

  . = ALIGN(4);
  DECL_SECTION(.note.gnu.build-id) {
       __note_gnu_build_id_start = .;
       *(.note.gnu.build-id)
       __note_gnu_build_id_end = .;
  } :note :text
  _erodata = .;

  . = ALIGN(PAGE_SIZE);
  DECL_SECTION(.data.ro_after_init) {
       __ro_after_init_start = .;
       *(.data.ro_after_init)
       __ro_after_init_end = .;
  } :text

  . = ALIGN(PAGE_SIZE);
  DECL_SECTION(.data.read_mostly) {
       *(.data.read_mostly)
  } :text

  . = ALIGN(SMP_CACHE_BYTES);
  DECL_SECTION(.data) {
       *(.data.page_aligned)
       *(.data .data.*)
  } :text

  . = ALIGN(PAGE_SIZE);
  __init_begin = .;
  DECL_SECTION(.init.text) {
       _sinittext = .;
       *(.init.text)
       _einittext = .;
  } :text
  . = ALIGN(PAGE_SIZE);
  DECL_SECTION(.init.data) {
       *(.init.rodata .init.rodata.*)
       TABLE(setup, .init.setup)
       . = ALIGN(POINTER_ALIGN);
       __initcall_start = .;
       *(.initcallpresmp.init)
       __presmp_initcall_end = .;
       *(.initcall1.init)
       __initcall_end = .;
       *(.init.data .init.data.*)
  } :text
  . = ALIGN(STACK_SIZE);
  __init_end = .;

  DECL_SECTION(.bss) {
       __bss_start = .;
       *(.bss.stack_aligned)
       . = ALIGN(PAGE_SIZE);
       *(.bss.page_aligned)
       . = ALIGN(PAGE_SIZE);
       __per_cpu_start = .;
       *(.bss.percpu)
       . = ALIGN(SMP_CACHE_BYTES);
       *(.bss.percpu.read_mostly)
       . = ALIGN(SMP_CACHE_BYTES);
       __per_cpu_data_end = .;
       *(.bss .bss.*)
       . = ALIGN(POINTER_ALIGN);
       __bss_end = .;
  } :text
  . = ALIGN(PAGE_SIZE);
  _end = .;

  DISCARD_SECTIONS
  ELF_DETAILS_SECTIONS
}

ASSERT(__initcall_end >= __initcall_start, "the init calls end before they start")
ASSERT(__init_end % STACK_SIZE == 0, "__init_end is misaligned")
