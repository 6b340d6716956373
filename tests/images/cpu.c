/* What runs all the time: data that is read mostly beside data that is written often. */

#include "mini.h"

#define NR_CPUS 16

unsigned long cpu_features[NR_CPUS] __read_mostly = { 1, 2, 3 };
unsigned int nr_online __read_mostly = 1;

#ifdef CONFIG_CONSOLE
unsigned long console_base __ro_after_init = 0x9000000;
#endif

unsigned long boot_flags = 0x10;
static unsigned long ticks[NR_CPUS] = { 7 };
static unsigned char page_pool[PAGE_SIZE] __section(".bss.page_aligned") __page_aligned;

DEFINE_PER_CPU(unsigned long, current);

static const char *const names[] = { "idle", "guest" };
const char *task_name;

int cpu_up(unsigned int cpu)
{
    if ( cpu >= NR_CPUS )
        return 1;
    cpu_features[cpu] = cpu_features[0];
    nr_online++;
    page_pool[cpu] = 1;
    return 0;
}

void schedule(unsigned int cpu)
{
    for ( ; ; )
    {
        per_cpu__current = ++ticks[cpu % NR_CPUS];
        task_name = names[per_cpu__current & 1];
        boot_flags ^= 1;
        EX_TABLE();
        if ( !nr_online )
            BUG_FRAME(1, 44);
    }
}

__attribute__((__cold__)) void panic(void)
{
    BUG_FRAME(0, 50);
    for ( ; ; )
        boot_flags = 0;
}
