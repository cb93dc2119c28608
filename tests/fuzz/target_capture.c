// SPDX-License-Identifier: GPL-2.0
/*
 * A capture through all stages but output: read, unwind, name, profile, judge.
 *
 * The machine's files are not there, but for one that the captures of make_corpus.py
 * name: an input does the same everywhere, and none reads /proc/kallsyms, which takes
 * longer than all else.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "perfconv/pipeline/capture.h"
#include "perfconv/pipeline/quality.h"
#include "tests/fuzz/target.h"

static bool reading; /* an input, and not the program that gives us inputs */

/* The linker puts these in place of open() and open64(); all that is opened is only read. */
int __real_open(const char *path, int flags);
int __wrap_open(const char *path, int flags);
int __wrap_open64(const char *path, int flags);

int __wrap_open(const char *path, int flags)
{
	static const char input[] = "/proc/self/fd/";

	if (!reading || !strncmp(path, input, sizeof(input) - 1) || !strcmp(path, "/bin/true"))
		return __real_open(path, flags);
	errno = ENOENT;
	return -1;
}

int __wrap_open64(const char *path, int flags)
{
	return __wrap_open(path, flags);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct capture_options options = {
		.path = target__file(bytes, n),
		.side_dir = "/nonexistent",
		.resolve = { FRAMES_MERGED, .inlines = true },
	};
	struct capture *c;

	reading = true;
	if (!capture__read(&c, &options, NULL)) {
		quality__count(c);
		capture__free(c);
	}
	reading = false;
	return 0;
}
