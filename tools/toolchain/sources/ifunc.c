/* An indirect function, for which the linker makes sections in every kind of link. */
static int tc_implementation(void) { return 3; }
static void *tc_choose(void) { return (void *) tc_implementation; }
int tc_indirect(void) __attribute__((ifunc("tc_choose")));
int tc_caller(void) { return tc_indirect() + 1; }
