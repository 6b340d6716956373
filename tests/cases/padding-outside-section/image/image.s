 .globl _start
 .text
_start: .byte 1, 2, 3
 .bss
 .skip 64
