// SPDX-License-Identifier: GPL-2.0
/*
 * The file is thought of as divided into blocks; block b is kept in window
 * b % WINDOWS, read when first needed.  A piece that crosses a border is read
 * by itself.
 */
#include "perfconv/perfdata/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"

#define WINDOWS 32u
#define WINDOW_BYTES ((size_t)64 << 10) /* any record fits: its size is a u16 */

struct window {
	uint64_t block;
	size_t n; /* bytes that are there; 0: not read yet */
};

struct windows {
	int fd;
	struct window list[WINDOWS];
	uint8_t bytes[WINDOWS + 1][WINDOW_BYTES]; /* the last: a piece by itself */
};

struct windows *windows__new(int fd)
{
	struct windows *w = mem__alloc(1, sizeof(*w));

	w->fd = fd;
	return w;
}

void windows__free(struct windows *w)
{
	free(w);
}

static size_t read_block(int fd, uint8_t *out, uint64_t offset)
{
	ssize_t got;

	do {
		got = pread(fd, out, WINDOW_BYTES, (off_t)offset);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? 0 : (size_t)got;
}

const uint8_t *windows__read(struct windows *w, uint64_t offset, size_t n)
{
	uint64_t block = offset / WINDOW_BYTES;
	size_t at = (size_t)(offset % WINDOW_BYTES);
	struct window *window = &w->list[block % WINDOWS];
	uint8_t *bytes = w->bytes[block % WINDOWS];

	if (n > WINDOW_BYTES)
		return NULL;
	if (at + n > WINDOW_BYTES)
		return file__read_at(w->fd, w->bytes[WINDOWS], n, offset) ? NULL
									  : w->bytes[WINDOWS];
	if (!window->n || window->block != block) {
		window->block = block;
		window->n = read_block(w->fd, bytes, block * WINDOW_BYTES);
	}
	return at + n <= window->n ? bytes + at : NULL;
}
