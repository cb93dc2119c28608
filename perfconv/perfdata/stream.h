/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stream - bytes of a capture one after the other, from a part of a file or
 * from a pipe that is still being written.
 */
#ifndef PERFCONV_PERFDATA_STREAM_H
#define PERFCONV_PERFDATA_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Any record fits: its size is a u16. */
#define STREAM_BUFFER_BYTES ((size_t)256 << 10)

struct stream {
	int fd;	       /* borrowed */
	bool seekable; /* read with pread at @at, else one after the other */
	uint64_t at;   /* offset of the byte at the front */
	uint64_t end;  /* offset where the stream ends; UINT64_MAX: at the end of the
                    file */
	uint8_t *buffer;
	size_t front, filled; /* the buffer holds [front, filled) */
};

/** stream__init - the bytes [@at, @end) of @fd; a pipe is read from where it
 * stands. */
void stream__init(struct stream *s, int fd, bool seekable, uint64_t at, uint64_t end);
void stream__release(struct stream *s);

/**
 * stream__peek - look at the next @n bytes (at most STREAM_BUFFER_BYTES)
 *
 * @bytes: set to them, valid until the next call
 * Return: how many are there, less than @n only at the end; -errno on a read
 * error.
 */
ptrdiff_t stream__peek(struct stream *s, size_t n, const uint8_t **bytes);

/**
 * stream__skip - go on by @n bytes
 * Return: 0; -ENODATA if the stream ended before; -errno on a read error.
 */
int stream__skip(struct stream *s, uint64_t n);

#endif
