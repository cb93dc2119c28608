/* SPDX-License-Identifier: GPL-2.0 */
/*
 * owned - files found by a name that anybody can foresee, in folders that
 * anybody may write to: /tmp/perf-PID.map.  What a stranger put there must not
 * name a program's functions, nor make us read through a link or hang at a pipe.
 */
#ifndef PERFCONV_SIDEFILE_OWNED_H
#define PERFCONV_SIDEFILE_OWNED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "perfconv/base/errbuf.h"

/* Whose files are taken, beside root's and our own. */
struct owners {
	uid_t uids[2];
	size_t n;
};

struct owned_file {
	int fd; /* for reading */
	uint64_t bytes;
	uint64_t inode;
	int64_t changed_ns; /* when its content last did, since the epoch */
};

/** owners__add - the owner of @path counts too, if there is such a file and room. */
void owners__add(struct owners *o, const char *path);

/**
 * owned__open - open the regular file @path
 *
 * Return: 0 with @out set, whose fd the caller closes; -ENOENT if it is not there;
 * -ELOOP, -EINVAL, -EPERM, -EACCES with a message if it is a link, no regular file,
 * a stranger's, or not for us to read; another -errno with a message.
 */
int owned__open(struct owned_file *out, const char *path, const struct owners *owners,
		struct errbuf *err);

/**
 * owned__take - the same for a file that the caller has opened
 * @fd: its descriptor, which is closed on failure, or the -errno that opening it gave
 * @path: for messages
 */
int owned__take(struct owned_file *out, int fd, const char *path, const struct owners *owners,
		struct errbuf *err);

#endif
