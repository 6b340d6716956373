  .text
  .zero 100
  .section .rodata, "a"
  .zero 100
  .data
  .zero 100
  .bss
  .zero 100
