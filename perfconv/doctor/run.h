/* SPDX-License-Identifier: GPL-2.0 */
/* run - another program, for a limited time, for what it says. */
#ifndef PERFCONV_DOCTOR_RUN_H
#define PERFCONV_DOCTOR_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "perfconv/base/errbuf.h"

#define RUN_OUTPUT_LIMIT ((size_t)1 << 18)

/**
 * run__capture - run argv[0], found in PATH, and wait for it
 *
 * It gets no input and PYFRAMES is not set.  It is killed after @limit_s seconds, or
 * when it says more than RUN_OUTPUT_LIMIT bytes.
 * @errors: stderr is taken, too; else it is dropped
 *
 * Return: its exit status, from 0 to 255, with *@said set, which the caller frees;
 * -ETIMEDOUT, -EFBIG, -EINTR if a signal ended it, or another -errno, with a message.
 */
int run__capture(const char *const *argv, unsigned int limit_s, bool errors, char **said,
		 struct errbuf *err);

#endif
