  .text
  nop
  .section .data.patch, "aw"
  .quad 1
