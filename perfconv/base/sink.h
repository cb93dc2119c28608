/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where output goes.  A named file is written beside its destination under a
 * temporary name and renamed when it is whole, so nothing half-written stays;
 * "-" is standard output.  Errors are kept and told once, by sink__commit().
 */
#ifndef PERFCONV_BASE_SINK_H
#define PERFCONV_BASE_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"

struct sink;

/** sink__open - Return: 0 with *@out set, or -errno and a message. */
int sink__open(struct sink **out, const char *path, struct errbuf *err);

/** sink__keep_private - nobody but its owner may read the file, whatever the umask. */
void sink__keep_private(struct sink *s);

/**
 * sink__gzip - compress all that will be written, into one gzip member
 * To be called before the first write; the same input gives the same bytes.
 */
void sink__gzip(struct sink *s);

/** sink__write - append @n bytes; a failure is kept for sink__commit(). */
void sink__write(struct sink *s, const void *bytes, size_t n);

/** sink__bytes - bytes of the file so far; all of them after sink__finish(). */
uint64_t sink__bytes(const struct sink *s);

/** sink__finish - nothing more will be written; sink__commit() does it otherwise. */
void sink__finish(struct sink *s);

/**
 * sink__commit - finish, rename into place and free
 *
 * Return: 0, or -errno of the first failure (the destination is then as before).
 */
int sink__commit(struct sink *s, struct errbuf *err);

/** sink__abort - drop what was written and free; accepts NULL. */
void sink__abort(struct sink *s);

/**
 * sink__remove_unfinished - remove the temporary file of the sink opened last
 *
 * For a signal handler that is about to end the program; calls nothing that may
 * not be called there.
 */
void sink__remove_unfinished(void);

#endif
