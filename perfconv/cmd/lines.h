/* SPDX-License-Identifier: GPL-2.0 */
/* lines - text for people into a sink, in which foreign names cannot steer a terminal. */
#ifndef PERFCONV_CMD_LINES_H
#define PERFCONV_CMD_LINES_H

#include <stddef.h>

#include "perfconv/base/sink.h"

#define LINES_COLUMNS 80u

/* At most so many characters of a text, padded with spaces; a '~' marks what was cut. */
struct column {
	char text[256];
};

/** column - @columns characters wide. */
struct column column(const char *text, size_t columns);

/** lines__width - how many characters @text has. */
size_t lines__width(const char *text);

/** lines__print - a formatted line, without spaces at its end. */
void lines__print(struct sink *sink, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * lines__number - "12.3 %", "1506/s", and of what is counted "3079"
 * @unit: "" of what is counted
 * Return: free() it.
 */
char *lines__number(double value, const char *unit);

/**
 * lines__wrap - @text in lines of at most 80 columns
 * @first: in front of the first line; the others are as far to the right
 */
void lines__wrap(struct sink *sink, const char *first, const char *text);

#endif
