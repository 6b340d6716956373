.globl _start
.text
_start: ret
.data
.byte 1
.section .one, "ax"
ret
.section .two, "aw"
.byte 2
.bss
.skip 3
