.globl _start
.text
_start: ret
.data
.long 1
