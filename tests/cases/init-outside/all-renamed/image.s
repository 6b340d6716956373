  .text
  .zero 16
  .section .rodata, "a"
  .zero 16
  .section .init.text.elf_init, "ax"
  .zero 100
