  .text
  nop
  .section .bss.counter, "aw", @nobits
  .zero 8
