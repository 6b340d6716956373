  .text
  nop
  .section .text.a, "ax"
  .balign 64
  nop
  .section .text.b, "ax"
  nop
