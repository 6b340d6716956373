    .text
    nop
    .section .rodata, "a"
    .quad 1
    .section .rodata.x, "a"
    .quad 1
    .data
    .quad 1
