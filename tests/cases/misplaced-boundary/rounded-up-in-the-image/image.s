  .text
  .globl _start
_start:
  nop
  .data
  .long 1
  .section .drv, "aw"
  .balign 4
  .long 2, 3, 4
  .bss
  .balign 4
  .zero 4
  .section .wide, "aw", @nobits
  .balign 16
  .zero 16
