    .text
    nop
    .data
    .quad 1
