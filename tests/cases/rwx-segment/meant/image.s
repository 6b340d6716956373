    .text
    nop
    .section .init.text, "ax"
    nop
    .section .init.data, "aw"
    .quad 1
