/* Entry point and the one page of code that guests are shown. */

        .section .text.header, "ax", %progbits
        .globl start
start:
#if defined(__x86_64__)
        lea     boot_stack_end(%rip), %rsp
        jmp     boot
#elif defined(__aarch64__)
        adrp    x0, boot_stack_end
        mov     sp, x0
        b       boot
#elif defined(__arm__)
        ldr     sp, =boot_stack_end
        b       boot
        .ltorg
#endif

        .section .text.page_aligned, "ax", %progbits
        .p2align 12
        .globl hypercall_page
hypercall_page:
        .rept 4096 / 32
        .p2align 5
        nop
        .endr
        .p2align 12

        .section .bss.stack_aligned, "aw", %nobits
        .p2align 13
boot_stack:
        .skip   8192
boot_stack_end:

        .section .note.GNU-stack, "", %progbits
