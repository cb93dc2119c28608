// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "perfconv/base/mem.h"

struct sink {
	char *path, *temporary; /* temporary: NULL when writing in place (a pipe, stdout) */
	int fd, error;
	uint64_t written;
	size_t used;
	z_stream *deflater; /* NULL: bytes are written as they are */
	bool finished;
	char buffer[65536];
};

#define GZIP_WINDOW (15 + 16) /* zlib's word for a gzip header, without name and time */
#define GZIP_MEMORY 8

/* What a signal handler has to remove: the temporary name of the sink opened last. */
static char *volatile unfinished;

void sink__remove_unfinished(void)
{
	if (unfinished)
		unlink(unfinished);
}

/* /dev/stdout, a FIFO and the like cannot be renamed over. */
static int is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int open_beside(struct sink *s)
{
	s->temporary = mem__format("%s.XXXXXX", s->path);
	unfinished = s->temporary; /* before it is there: a signal may come at any time */
	s->fd = mkostemp(s->temporary, O_CLOEXEC);
	if (s->fd >= 0) {
		mode_t mask = umask(0);

		umask(mask);
		if (fchmod(s->fd, 0666 & ~mask) < 0)
			s->error = errno;
		return 0;
	}
	return -errno;
}

int sink__open(struct sink **out, const char *path, struct errbuf *err)
{
	struct sink *s = mem__alloc(1, sizeof(*s));
	int code = 0;

	s->path = mem__strdup(path);
	if (!strcmp(path, "-")) {
		s->fd = dup(STDOUT_FILENO);
		code = s->fd < 0 ? -errno : 0;
	} else if (is_special(path)) {
		s->fd = open(path, O_WRONLY | O_CLOEXEC);
		code = s->fd < 0 ? -errno : 0;
	} else {
		code = open_beside(s);
	}
	if (code) {
		errbuf__set(err, code, "%s: cannot be written: %s", path, strerror(-code));
		free(s->temporary);
		free(s->path);
		free(s);
		return code;
	}
	*out = s;
	return 0;
}

void sink__keep_private(struct sink *s)
{
	if (s->temporary && fchmod(s->fd, 0600) < 0)
		s->error = errno;
}

static void sink__flush(struct sink *s)
{
	size_t done = 0;

	while (done < s->used && !s->error) {
		ssize_t n = write(s->fd, s->buffer + done, s->used - done);

		if (n < 0 && errno != EINTR)
			s->error = errno;
		else if (n > 0)
			done += (size_t)n;
	}
	s->used = 0;
}

/* As they shall be in the file. */
static void append(struct sink *s, const void *bytes, size_t n)
{
	const char *p = bytes;

	s->written += n;
	while (n) {
		size_t room = sizeof(s->buffer) - s->used;
		size_t part = n < room ? n : room;

		memcpy(s->buffer + s->used, p, part);
		s->used += part;
		p += part;
		n -= part;
		if (s->used == sizeof(s->buffer))
			sink__flush(s);
	}
}

static void compress_into(struct sink *s, const void *bytes, uInt n, int flush)
{
	unsigned char out[16384];
	z_stream *z = s->deflater;

	z->next_in = (z_const Bytef *)bytes;
	z->avail_in = n;
	do {
		z->next_out = out;
		z->avail_out = sizeof(out);
		deflate(z, flush);
		append(s, out, sizeof(out) - z->avail_out);
	} while (!z->avail_out);
}

void sink__gzip(struct sink *s)
{
	s->deflater = mem__alloc(1, sizeof(*s->deflater));
	if (deflateInit2(s->deflater, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		mem__out();
}

void sink__write(struct sink *s, const void *bytes, size_t n)
{
	const char *p = bytes;

	if (!s->deflater) {
		append(s, bytes, n);
		return;
	}
	while (n) {
		uInt part = n < UINT32_MAX ? (uInt)n : UINT32_MAX;

		compress_into(s, p, part, Z_NO_FLUSH);
		p += part;
		n -= part;
	}
}

uint64_t sink__bytes(const struct sink *s)
{
	return s->written;
}

void sink__finish(struct sink *s)
{
	if (s->deflater && !s->finished)
		compress_into(s, NULL, 0, Z_FINISH);
	s->finished = true;
	sink__flush(s);
}

static void sink__free(struct sink *s)
{
	if (unfinished == s->temporary)
		unfinished = NULL;
	if (s->deflater)
		deflateEnd(s->deflater);
	free(s->deflater);
	free(s->temporary);
	free(s->path);
	free(s);
}

int sink__commit(struct sink *s, struct errbuf *err)
{
	int code;

	sink__finish(s);
	if (close(s->fd) < 0 && !s->error)
		s->error = errno;
	if (!s->error && s->temporary && rename(s->temporary, s->path) < 0)
		s->error = errno;
	code = -s->error;
	if (code) {
		errbuf__set(err, code, "%s: cannot be written: %s", s->path, strerror(-code));
		if (s->temporary)
			unlink(s->temporary);
	}
	sink__free(s);
	return code;
}

void sink__abort(struct sink *s)
{
	if (!s)
		return;
	close(s->fd);
	if (s->temporary)
		unlink(s->temporary);
	sink__free(s);
}
