/* assert.h: a check that ends the program with one line when it fails. */
#ifndef ASSERT_H
#define ASSERT_H

_Noreturn void assert_failed(const char *expression, const char *file, int line);

#define assert(e) ((e) ? (void)0 : assert_failed(#e, __FILE__, __LINE__))

#endif
