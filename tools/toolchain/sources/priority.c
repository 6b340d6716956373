/* Functions that run ahead of main and behind it, in an order of their own. Not every target has priorities. */
extern void tc_elsewhere(void);
__attribute__((constructor(1000))) static void tc_construct_early(void) { tc_elsewhere(); }
__attribute__((destructor(1000))) static void tc_destruct_late(void) { tc_elsewhere(); }
