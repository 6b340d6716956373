  .text
  nop
