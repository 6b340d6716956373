        .section .boot2, "a"
        .zero 256
        .section .vectors, "a"
        .zero 64
        .text
        .globl start
start:  .zero 16
