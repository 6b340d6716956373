  .section .rodata, "a"
  .byte 1
  .section .ex_table, "a"
  .balign 8
  .quad 1, 2
  .globl main
  .text
main:
  nop
