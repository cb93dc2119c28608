/* SPDX-License-Identifier: GPL-2.0 */
/*
 * codefiles - where the perf map or jitdump of a recorded process lies: in the
 * side folder, beside the capture, and, if the capture is of this host, where
 * the process wrote it, which in a container is another /tmp than ours.
 */
#ifndef PERFCONV_MACHINE_CODEFILES_H
#define PERFCONV_MACHINE_CODEFILES_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/machine/images.h"
#include "perfconv/sidefile/owned.h"

struct codefiles {
	const struct images *images; /* borrowed: the side folder and the capture's */
	const char *capture_path;    /* borrowed; "-": standard input */
	bool local; /* the capture is of this host: its processes' files may be here */
};

/* A file that was found. */
struct codefile {
	char *path; /* free() it */
	struct owned_file file;
	bool recorded; /* it lies where it was written: not a copy */
};

/**
 * codefiles__perfmap - open the perf map of @pid, its number outside of containers
 *
 * @pid_namespace: inode that the capture states for it; 0: none
 * Return: 0 with @out set, whose descriptor the caller closes; -ENOENT if there is
 * none; another -errno with a message if there is one that must not be read.
 */
int codefiles__perfmap(const struct codefiles *c, uint32_t pid, uint64_t pid_namespace,
		       struct codefile *out, struct errbuf *err);

/** codefiles__jitdump - the same for a jitdump that @pid has mapped as @recorded. */
int codefiles__jitdump(const struct codefiles *c, uint32_t pid, uint64_t pid_namespace,
		       const char *recorded, struct codefile *out, struct errbuf *err);

#endif
