/* The comment does not survive preprocessing, and is read from this file. */
#define HOT *(.text.hot) /* ldcheck: allow(shadowed-pattern) -- for builds without split sections */
SECTIONS
{
  .text : {
    *(.text)
#ifdef CONFIG_SPLIT
    *(.text.*)
#endif
    HOT
  }
}
