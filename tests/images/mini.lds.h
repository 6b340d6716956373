/* What the mini hypervisor's linker script shares between architectures. */

#ifndef MINI_LDS_H
#define MINI_LDS_H

#define PAGE_SIZE       4096
#define SMP_CACHE_BYTES 128
#define STACK_SIZE      (2 * PAGE_SIZE)

#if defined(__x86_64__)
# define FORMAT        i386:x86-64
# define VIRT_START    0xffffffff80200000
# define POINTER_ALIGN 8
#elif defined(__aarch64__)
# define FORMAT        aarch64
# define VIRT_START    0x00000a0000200000
# define POINTER_ALIGN 8
#elif defined(__arm__)
# define FORMAT        arm
# define VIRT_START    0x00200000
# define POINTER_ALIGN 4
#else
# error "no such architecture"
#endif

/* Loaded from physical address 0 on, wherever it is mapped. */
#define DECL_SECTION(x) x : AT(ADDR(x) - VIRT_START)

/* A table of records between two symbols. */
#define TABLE(name, sections) \
       . = ALIGN(POINTER_ALIGN); \
       __start_##name = .; \
       *(sections) \
       __stop_##name = .;

#define DISCARD_SECTIONS \
  /DISCARD/ : { \
       *(.text.exit .exit.text .exit.data) \
       *(.discard .discard.*) \
       *(.eh_frame) \
       *(.dtors .dtors.* .fini_array .fini_array.*) \
       *(.ARM.exidx* .ARM.extab*) \
       *(.note.GNU-stack .note.gnu.property) \
  }

#define ELF_DETAILS_SECTIONS \
  .comment 0 : { *(.comment .comment.*) } \
  .ARM.attributes 0 : { *(.ARM.attributes) } \
  .symtab 0 : { *(.symtab) } \
  .strtab 0 : { *(.strtab) } \
  .shstrtab 0 : { *(.shstrtab) }

#endif
