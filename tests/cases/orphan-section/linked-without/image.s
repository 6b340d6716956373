  .text
  nop
  .bss
  .zero 8
