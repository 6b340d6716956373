/* Just enough code and data for every section that the linker script names. */

#define section(name) __attribute__((section(name), used))

unsigned long features[16] section(".data.read_mostly") = { 1, 2, 3 };
unsigned long ticks[16] = { 7 };
unsigned long root_table[64] section(".data.ro_after_init") __attribute__((aligned(4096))) = { 1 };

static const unsigned int exits[] section(".ex_table") = { 1, 2, 3, 4 };

static void section(".init.text") setup(void)
{
    root_table[0] = features[0];
}

unsigned long count(unsigned int cpu)
{
    return ticks[cpu % 16] += features[cpu % 16];
}

void main(void)
{
    setup();
    for (;;)
        count(exits[0]);
}
