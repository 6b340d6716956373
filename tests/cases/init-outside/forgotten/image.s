  .text
  .zero 16
  .section .rodata, "a"
  .zero 16
  .section .text.elf_init, "ax"
  .zero 100
  .section .text.elf_load, "ax"
  .zero 20
  .section .rodata.elf_init.str1.1, "a"
  .zero 8
