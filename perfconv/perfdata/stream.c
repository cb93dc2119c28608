// SPDX-License-Identifier: GPL-2.0
#include "perfconv/perfdata/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/base/mem.h"

void stream__init(struct stream *s, int fd, bool seekable, uint64_t at, uint64_t end)
{
	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->seekable = seekable;
	s->at = at;
	s->end = end;
	s->buffer = mem__alloc(STREAM_BUFFER_BYTES, 1);
}

void stream__release(struct stream *s)
{
	free(s->buffer);
	s->buffer = NULL;
}

/* One read into the free end of the buffer.  Return: bytes read, 0 at the end,
 * -errno. */
static ptrdiff_t read_more(struct stream *s)
{
	uint64_t next = s->at + (s->filled - s->front);
	size_t want = STREAM_BUFFER_BYTES - s->filled;
	ssize_t got;

	if (want > s->end - next)
		want = (size_t)(s->end - next);
	if (!want)
		return 0;
	do {
		got = s->seekable ? pread(s->fd, s->buffer + s->filled, want, (off_t)next)
				  : read(s->fd, s->buffer + s->filled, want);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	s->filled += (size_t)got;
	if (!got)
		s->end = next; /* the file is shorter than was said */
	return got;
}

ptrdiff_t stream__peek(struct stream *s, size_t n, const uint8_t **bytes)
{
	if (s->filled - s->front < n && s->front) {
		memmove(s->buffer, s->buffer + s->front, s->filled - s->front);
		s->filled -= s->front;
		s->front = 0;
	}
	while (s->filled - s->front < n) {
		ptrdiff_t got = read_more(s);

		if (got < 0)
			return got;
		if (!got)
			break;
	}
	*bytes = s->buffer + s->front;
	return (ptrdiff_t)(s->filled - s->front < n ? s->filled - s->front : n);
}

static int jump(struct stream *s, uint64_t n)
{
	if (n > s->end - s->at) {
		s->at = s->end;
		return -ENODATA;
	}
	s->at += n;
	return 0;
}

int stream__skip(struct stream *s, uint64_t n)
{
	while (n) {
		size_t here = s->filled - s->front;
		ptrdiff_t got;

		if (n < here)
			here = (size_t)n;
		s->front += here;
		s->at += here;
		n -= here;
		if (!n)
			break;
		s->front = s->filled = 0;
		if (s->seekable)
			return jump(s, n);
		got = read_more(s);
		if (got <= 0)
			return got ? (int)got : -ENODATA;
	}
	return 0;
}
