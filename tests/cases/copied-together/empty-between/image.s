.globl _start
.text
_start: ret
.section .ramro,"aw"
.balign 16
.byte 1
.data
.balign 32
.byte 2
.bss
.skip 3
