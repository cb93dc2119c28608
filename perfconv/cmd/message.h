/* SPDX-License-Identifier: GPL-2.0 */
/* message - words for the person at the terminal, on stderr. */
#ifndef PERFCONV_CMD_MESSAGE_H
#define PERFCONV_CMD_MESSAGE_H

#include <stdarg.h>
#include <stddef.h>

/**
 * message__text - a formatted line in which foreign names cannot steer a terminal
 * Return: text without control characters or spaces at its end; free() it.
 */
char *message__text(const char *fmt, va_list ap) __attribute__((returns_nonnull));

/** message__error - "perfconv: ..." ; control characters are shown as '?'. */
void message__error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** message__warning - "perfconv: warning: ..." */
void message__warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** message__line - a plain line. */
void message__line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
