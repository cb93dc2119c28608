/* SPDX-License-Identifier: GPL-2.0 */
/* utf8 - names come from anywhere; what we write is UTF-8. */
#ifndef PERFCONV_BASE_UTF8_H
#define PERFCONV_BASE_UTF8_H

#include <stddef.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, in place of each byte that is no UTF-8 */

/** utf8__length - of the sequence at @s, which ends with 0 (RFC 3629: no surrogates, no
 *  overlong forms); 0: it is none. */
size_t utf8__length(const unsigned char *s);

/** utf8__clean - a copy of @text that is UTF-8; free() it. */
char *utf8__clean(const char *text) __attribute__((returns_nonnull));

#endif
