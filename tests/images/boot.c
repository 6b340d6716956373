/* What runs once, and the data that it leaves behind read-only. */

#include "mini.h"

extern const initcall_t __initcall_start[], __initcall_end[];

int opt_cpus = 4;
integer_param("cpus", opt_cpus);

/* One whole page, so that whatever follows it starts on a page of its own as long as no other object adds anything. */
unsigned long root_table[PAGE_SIZE / sizeof(unsigned long)] __ro_after_init __page_aligned = { 1 };

static const char banner[] __initconst = "mini hypervisor";
static unsigned int attempts __initdata = 1;

static int __init find_memory(void)
{
    root_table[0] = (unsigned long)banner;
    return 0;
}
presmp_initcall(find_memory);

static int __init start_cpus(void)
{
    unsigned int cpu;

    for ( cpu = 1; cpu < (unsigned int)opt_cpus; cpu++ )
        if ( cpu_up(cpu) )
            BUG_FRAME(0, 30);
    return (int)attempts;
}
__initcall(start_cpus);

void __init boot(void)
{
    const initcall_t *call;

    for ( call = __initcall_start; call < __initcall_end; call++ )
        (*call)();
    schedule(0);
}
