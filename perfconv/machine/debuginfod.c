// SPDX-License-Identifier: GPL-2.0
/* The client's functions, as elfutils/debuginfod.h declares them. */
#include "perfconv/machine/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"

#define LIBRARY "libdebuginfod.so.1"

typedef int find_function(void *client, const unsigned char *id, int bytes, char **path);

struct debuginfod {
	void *client;
	void (*end)(void *client);
	find_function *executable, *debug;
};

static bool load(struct debuginfod *d)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL), *(*begin)(void);

	if (!library)
		return false;
	*(void **)&begin = dlsym(library, "debuginfod_begin");
	*(void **)&d->end = dlsym(library, "debuginfod_end");
	*(void **)&d->executable = dlsym(library, "debuginfod_find_executable");
	*(void **)&d->debug = dlsym(library, "debuginfod_find_debuginfo");
	if (begin && d->end && d->executable && d->debug)
		d->client = begin();
	return d->client != NULL;
}

int debuginfod__new(struct debuginfod **out, struct errbuf *err)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	struct debuginfod *d;

	if (!urls || !urls[strspn(urls, " ")])
		return errbuf__set(
			err, -ENOENT,
			"--debuginfod asks the servers that DEBUGINFOD_URLS names, and it "
			"names none; set it, for Debian to https://debuginfod.debian.net");
	d = mem__alloc(1, sizeof(*d));
	if (!load(d)) {
		debuginfod__free(d);
		return errbuf__set(err, -ENOENT,
				   "--debuginfod needs " LIBRARY
				   ", which cannot be loaded; install "
				   "libdebuginfod1");
	}
	*out = d;
	return 0;
}

void debuginfod__free(struct debuginfod *d)
{
	if (!d)
		return;
	if (d->client)
		d->end(d->client);
	free(d); /* the library stays: what it loaded itself may not be unloaded */
}

static int find(struct debuginfod *d, find_function *function, const uint8_t *id, size_t bytes)
{
	int fd = bytes ? function(d->client, id, (int)bytes, NULL) : -1;

	return fd < 0 ? -1 : fd;
}

int debuginfod__executable(struct debuginfod *d, const uint8_t *id, size_t bytes)
{
	return d ? find(d, d->executable, id, bytes) : -1;
}

int debuginfod__debug(struct debuginfod *d, const uint8_t *id, size_t bytes)
{
	return d ? find(d, d->debug, id, bytes) : -1;
}
