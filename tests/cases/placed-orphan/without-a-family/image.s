.globl _start
.text
_start: ret
.section .vendor,"aw"
.long 1
.section .vendor.more,"aw"
.long 2
.section .about,"",@progbits
.long 3
