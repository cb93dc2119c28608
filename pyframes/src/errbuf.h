/* SPDX-License-Identifier: MIT */
/*
 * errbuf.h - one error message, complete, in the user's words.
 *
 * Functions that can fail return 0 or -errno and take a struct errbuf last;
 * they set it when, and only when, they fail.
 */
#ifndef PYFRAMES_ERRBUF_H
#define PYFRAMES_ERRBUF_H

#include <stdarg.h>
#include <stdio.h>

struct errbuf {
	char text[384];
};

/**
 * errbuf__set() - writes the message (cut to fit) and passes an error on
 * @err:   may be NULL: the message is dropped
 * @error: negative errno
 *
 * Return: @error, so that callers can write "return errbuf__set(...)".
 */
__attribute__((format(printf, 3, 4))) static inline int errbuf__set(struct errbuf *err, int error,
								    const char *format, ...)
{
	va_list args;

	if (err) {
		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return error;
}

#endif
