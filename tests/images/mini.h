/* Where the mini hypervisor's code and data want to be placed. */

#ifndef MINI_H
#define MINI_H

#define PAGE_SIZE 4096

#define __section(name) __attribute__((__section__(name), __used__))

#define __init        __section(".init.text") __attribute__((__noinline__))
#define __initdata    __section(".init.data")
#define __initconst   __section(".init.rodata")
#define __read_mostly __section(".data.read_mostly")
#define __ro_after_init __section(".data.ro_after_init")
#define __page_aligned __attribute__((__aligned__(PAGE_SIZE)))

#define DEFINE_PER_CPU(type, name) __section(".bss.percpu") type per_cpu__##name

typedef int (*initcall_t)(void);
#define presmp_initcall(fn) static const initcall_t initcall_##fn __section(".initcallpresmp.init") = fn
#define __initcall(fn) static const initcall_t initcall_##fn __section(".initcall1.init") = fn

struct kernel_param {
    const char *name;
    int *variable;
};
/* Compilers align one variable of two pointers to 16, and the records of a table have to follow each other. */
#define integer_param(string, var) \
    static const char param_name_##var[] __initconst = string; \
    static const struct kernel_param param_##var __section(".init.setup") \
        __attribute__((__aligned__(__alignof__(struct kernel_param)))) = { param_name_##var, &var }

/* Each frame says where it stands and which line reported it; both tables hold records of eight bytes. */
#define BUG_FRAME(kind, line) \
    asm volatile ( "1:\n\t" \
                   ".pushsection .bug_frames." #kind ", \"a\", %%progbits\n\t" \
                   ".balign 4\n\t" \
                   ".long 1b - ., %c0\n\t" \
                   ".popsection" :: "i" (line) )

#define EX_TABLE() \
    asm volatile ( "1: nop\n2:\n\t" \
                   ".pushsection .ex_table, \"a\", %%progbits\n\t" \
                   ".balign 4\n\t" \
                   ".long 1b - ., 2b - .\n\t" \
                   ".popsection" ::: "memory" )

extern int opt_cpus;
extern unsigned long boot_flags;
int cpu_up(unsigned int cpu);
void schedule(unsigned int cpu);

#endif
