/* What makes linkers make sections: addresses through the GOT, calls through the PLT, copy relocations, weak symbols. */
extern int tc_shared, tc_other;
extern int tc_weak(void) __attribute__((weak));
extern int tc_imported(int);
extern __thread int tc_thread;
int tc_defined = 1;
int *tc_to_shared = &tc_shared;
int *const tc_to_defined = &tc_defined;
int tc_call(int n) { return tc_imported(n) + tc_shared + tc_other + (tc_weak ? tc_weak() : 0) + tc_defined; }
void _start(void) { tc_call(3); }
void __start(void) { tc_call(4); }
