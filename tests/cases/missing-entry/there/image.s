    .text
    nop
    .globl Reset_Handler
Reset_Handler:
    nop
    .data
    .quad 0
