.globl _start
.text
_start: .long 0
.data
.balign 4
.long 1
