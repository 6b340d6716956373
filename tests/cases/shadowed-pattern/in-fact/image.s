  .text
  nop
  .section .text.exit, "ax"
  .zero 24
