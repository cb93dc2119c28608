/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PERFCONV_BASE_ERRBUF_H
#define PERFCONV_BASE_ERRBUF_H

/*
 * One error message, complete in the user's words: what, where, remedy.
 * A function that fails fills it and returns -errno; callers above may only
 * put a prefix in front.  Its content is undefined after success.
 */
struct errbuf {
	char text[1024];
};

/**
 * errbuf__set - write the message
 * @err: may be NULL: the message is then not wanted
 * @code: a negative errno
 *
 * Return: @code, so that a failing function can end in `return errbuf__set(...)`.
 */
int errbuf__set(struct errbuf *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** errbuf__prefix - put text in front of the message; a long message loses its end. */
void errbuf__prefix(struct errbuf *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
