.globl _start
.text
_start: ret
.data
.balign 4
.long 1
