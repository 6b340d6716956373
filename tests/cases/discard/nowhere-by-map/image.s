.globl _start
.text
_start: ret
.data
.fill 8
.bss
.fill 40
