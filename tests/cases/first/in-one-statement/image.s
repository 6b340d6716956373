        .text
        .globl start
start:  .zero 16
        .section .vectors, "a"
        .zero 64
