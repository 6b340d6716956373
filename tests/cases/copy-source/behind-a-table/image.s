.globl _start
.text
_start: ret
.section .init_array,"aw",@init_array
.balign 4
.long 1, 2
.data
.balign 4
.long 1
