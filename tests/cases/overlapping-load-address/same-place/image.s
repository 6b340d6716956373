.globl _start
.text
_start: .skip 16
.data
.skip 12, 1
.section .more,"aw"
.skip 4, 2
.bss
.skip 64
