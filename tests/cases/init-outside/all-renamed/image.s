  .section .init.text, "ax"
  .zero 16
  .section .init.rodata, "a"
  .zero 16
  .section .init.text.elf_init, "ax"
  .zero 100
