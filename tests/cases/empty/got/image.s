  .text
  nop
  .section .got, "aw"
  .quad 1
