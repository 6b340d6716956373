 .globl _start
 .text
_start: .skip 32, 1
