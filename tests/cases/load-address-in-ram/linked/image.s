.globl _start
.text
_start: ret
.data
.long 1
.section .kept,"aw"
.long 2
.bss
.skip 64
