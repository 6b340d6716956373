/* Where the hypervisor begins, and the calls that it shows to its guests, on a page of their own. */

        .section .text.header, "ax"
        .globl _start
_start:
        adrp    x0, stack_end
        mov     sp, x0
        b       main

        .section .text.page_aligned, "ax"
        .balign 4096
        .globl call_page
call_page:
        .rept   64
        hvc     #0
        ret
        .endr

        .section .bss.stack, "aw", %nobits
        .balign 4096
        .skip   4096
stack_end:
