/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tempdir - a folder of our own for files that are needed while we run.  Nobody
 * else can enter it, so nobody can put links into it.  It goes when it is
 * released, and when a signal ends the program.
 */
#ifndef PERFCONV_BASE_TEMPDIR_H
#define PERFCONV_BASE_TEMPDIR_H

#include "perfconv/base/errbuf.h"

struct tempdir;

/** tempdir__new - in $TMPDIR or /var/tmp.  Return: 0 with *@out set; -errno with a message. */
int tempdir__new(struct tempdir **out, struct errbuf *err);

/** tempdir__free - remove it with all that was made in it; accepts NULL. */
void tempdir__free(struct tempdir *t);

/** tempdir__path - where it is; lives with @t. */
const char *tempdir__path(const struct tempdir *t);

/**
 * tempdir__file - make an empty file
 *
 * @name: ours, not a stranger's; not there yet; in the folder or one made in it
 * @path: set to where it is; lives with @t; may be NULL
 * Return: a descriptor for writing that the caller closes; -errno with a message.
 */
int tempdir__file(struct tempdir *t, const char *name, const char **path, struct errbuf *err);

/** tempdir__folder - make a folder in it.  Return: 0; -errno with a message. */
int tempdir__folder(struct tempdir *t, const char *name, const char **path, struct errbuf *err);

/**
 * tempdir__remove_unfinished - remove all folders that are there
 *
 * For a signal handler that is about to end the program; calls nothing that may
 * not be called there.
 */
void tempdir__remove_unfinished(void);

#endif
