// SPDX-License-Identifier: GPL-2.0
#include "perfconv/bundle/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/base/idmap.h"
#include "perfconv/base/tempdir.h"
#include "perfconv/bundle/tar.h"

#define CHUNK 65536u

struct bundle {
	char *path;
	struct manifest manifest;
	struct tempdir *folder;
	struct strtab names;			 /* of entries that are wanted */
	VEC(const char *) unpacked;		 /* by name's id: where; NULL: not met yet */
	VEC(const struct manifest_part *) parts; /* by name's id; NULL: no capture's */
	VEC(const char *) captures;
};

static bool is_standard(const char *path)
{
	return !strcmp(path, "-");
}

static int open_input(const char *path, struct errbuf *err)
{
	struct stat st;
	int fd;

	if (!is_standard(path))
		return file__open(path, NULL, err);
	if (fstat(STDIN_FILENO, &st) || !S_ISFIFO(st.st_mode))
		return file__open("/proc/self/fd/0", NULL, err);
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? errbuf__set(err, -errno, "standard input: %s", strerror(errno)) : fd;
}

/*
 * What comes first out of the pipe @fd, without taking it out: the reader of captures
 * may want it.  Waits for it.  Return: how many bytes, 0 if it is no pipe.
 */
static size_t peek(int fd, uint8_t *bytes, size_t n)
{
	ssize_t got = -1;
	int copy[2];

	if (pipe2(copy, O_CLOEXEC))
		return 0;
	do
		got = tee(fd, copy[1], n, 0);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		got = read(copy[0], bytes, n);
	close(copy[0]);
	close(copy[1]);
	return got > 0 ? (size_t)got : 0;
}

bool bundle__is(const char *path)
{
	uint8_t magic[TAR_PACKED_MAGIC];
	int fd = open_input(path, NULL);
	size_t n = 0;

	if (fd < 0)
		return false;
	if (!file__read_at(fd, magic, sizeof(magic), 0))
		n = sizeof(magic);
	else if (is_standard(path))
		n = peek(fd, magic, sizeof(magic));
	close(fd);
	return tar_reader__is_packed(magic, n);
}

/* Blocks of zeros become holes. */
static int write_chunk(int fd, const uint8_t *bytes, size_t n, uint64_t at)
{
	size_t done = 0;

	if (!*bytes && !memcmp(bytes, bytes + 1, n - 1))
		return 0;
	while (done < n) {
		ssize_t wrote = pwrite(fd, bytes + done, n - done, (off_t)(at + done));

		if (wrote < 0 && errno != EINTR)
			return -errno;
		if (wrote > 0)
			done += (size_t)wrote;
	}
	return 0;
}

static int unpack_entry(struct bundle *b, struct tar_reader *r, int fd, struct errbuf *err)
{
	uint8_t *bytes = mem__alloc(CHUNK, 1);
	uint64_t at = 0;
	ptrdiff_t n;
	int code = 0;

	while (!code && (n = tar_reader__read(r, bytes, CHUNK, err)) != 0) {
		if (n > 0)
			code = write_chunk(fd, bytes, (size_t)n, at);
		if (code)
			errbuf__set(err, code,
				    "%s: cannot be unpacked in %s: %s; set TMPDIR to a folder with "
				    "more room",
				    b->path, tempdir__path(b->folder), strerror(-code));
		if (n < 0)
			code = (int)n;
		at += n > 0 ? (uint64_t)n : 0;
	}
	if (!code && ftruncate(fd, (off_t)at) < 0)
		code = errbuf__set(err, -errno, "%s: cannot be unpacked in %s: %s", b->path,
				   tempdir__path(b->folder), strerror(errno));
	free(bytes);
	return code;
}

static void want(struct bundle *b, const char *name, const struct manifest_part *part)
{
	if (strtab__intern(&b->names, name) < b->unpacked.n)
		return;
	vec__push(&b->unpacked, NULL);
	vec__push(&b->parts, part);
}

static void want_all(struct bundle *b)
{
	const struct manifest *m = &b->manifest;

	for (size_t i = 0; i < m->parts.n; i++)
		want(b, m->parts.data[i].entry, &m->parts.data[i]);
	for (size_t i = 0; i < m->entries.n; i++)
		if (m->entries.data[i])
			want(b, m->entries.data[i], NULL);
}

/* What perf record --threads wrote is looked for by name. */
static int make_name(struct bundle *b, uint32_t id, char **name, struct errbuf *err)
{
	const struct manifest_part *p = b->parts.data[id];
	char *folder;
	int code = 0;

	if (!p || !p->name) {
		*name = mem__format("%u", id);
		return 0;
	}
	folder = mem__format("c%u", p->capture);
	*name = mem__format("%s/%s", folder, p->name);
	if (!b->captures.data[p->capture])
		code = tempdir__folder(b->folder, folder, &b->captures.data[p->capture], err);
	free(folder);
	return code;
}

static int unpack(struct bundle *b, struct tar_reader *r, const struct tar_entry *e,
		  struct errbuf *err)
{
	uint32_t id = strtab__find(&b->names, e->name);
	char *name = NULL;
	int fd, code;

	if (id == IDMAP_NONE)
		return 0;
	if (b->unpacked.data[id])
		return errbuf__set(err, -EINVAL,
				   "%s: has %s twice, so it is no bundle that perfconv wrote",
				   b->path, e->name);
	code = make_name(b, id, &name, err);
	fd = code ? code : tempdir__file(b->folder, name, &b->unpacked.data[id], err);
	free(name);
	if (fd < 0)
		return fd;
	code = unpack_entry(b, r, fd, err);
	close(fd);
	return code;
}

static int read_manifest(struct bundle *b, struct tar_reader *r, struct errbuf *err)
{
	struct tar_entry e;
	ptrdiff_t n;
	char *text;
	int code = tar_reader__next(r, &e, err);

	if (code < 0)
		return code;
	if (!code || strcmp(e.name, MANIFEST_ENTRY) != 0 || e.bytes > BUNDLE_MAX_MANIFEST)
		return errbuf__set(err, -EINVAL,
				   "%s: is compressed, but no bundle: it does not begin with %s; "
				   "decompress it if it is a capture",
				   b->path, MANIFEST_ENTRY);
	text = mem__alloc(e.bytes, 1);
	n = tar_reader__read(r, text, e.bytes, err);
	code = n < 0 ? (int)n : manifest__read(&b->manifest, text, (size_t)n, b->path, err);
	free(text);
	return code;
}

static int lacks(const struct bundle *b, const char *entry, struct errbuf *err)
{
	return errbuf__set(err, -EINVAL,
			   "%s: lacks %s, which its manifest names; copy the whole file or bundle "
			   "the capture again",
			   b->path, entry);
}

static const char *path_of(const struct bundle *b, const char *entry)
{
	return b->unpacked.data[strtab__find(&b->names, entry)];
}

/* Every file that the manifest names has come. */
static int join(struct bundle *b, struct errbuf *err)
{
	struct manifest *m = &b->manifest;

	for (size_t i = 0; i < m->parts.n; i++) {
		const struct manifest_part *p = &m->parts.data[i];

		if (!path_of(b, p->entry))
			return lacks(b, p->entry, err);
		if (!p->name)
			b->captures.data[p->capture] = path_of(b, p->entry);
		else if (b->parts.data[strtab__find(&b->names, p->entry)] != p)
			return lacks(b, p->name, err);
	}
	for (size_t i = 0; i < m->entries.n; i++) {
		const char *entry = m->entries.data[i], *path = entry ? path_of(b, entry) : NULL;

		if (entry && !path)
			return lacks(b, entry, err);
		if (path)
			m->answers.list.data[i].path = mem__strdup(path);
	}
	return 0;
}

static int read_all(struct bundle *b, struct tar_reader *r, struct errbuf *err)
{
	struct tar_entry e;
	int code = read_manifest(b, r, err);

	if (code)
		return code;
	want_all(b);
	while (b->captures.n < b->manifest.captures)
		vec__push(&b->captures, NULL);
	code = tempdir__new(&b->folder, err);
	while (!code) {
		int next = tar_reader__next(r, &e, err);

		if (next <= 0) {
			code = next;
			break;
		}
		code = unpack(b, r, &e, err);
	}
	return code ? code : join(b, err);
}

int bundle__open(struct bundle **out, const char *path, struct errbuf *err)
{
	int code, fd = open_input(path, err);
	struct tar_reader *r;
	struct bundle *b;

	if (fd < 0)
		return fd;
	b = mem__alloc(1, sizeof(*b));
	b->path = mem__strdup(is_standard(path) ? "standard input" : path);
	manifest__init(&b->manifest);
	r = tar_reader__new(fd, b->path);
	code = read_all(b, r, err);
	tar_reader__free(r);
	close(fd);
	if (code)
		bundle__free(b);
	else
		*out = b;
	return code;
}

void bundle__free(struct bundle *b)
{
	if (!b)
		return;
	tempdir__free(b->folder);
	manifest__release(&b->manifest);
	strtab__release(&b->names);
	vec__release(&b->unpacked);
	vec__release(&b->parts);
	vec__release(&b->captures);
	free(b->path);
	free(b);
}

struct manifest *bundle__manifest(struct bundle *b)
{
	return &b->manifest;
}

const char *const *bundle__captures(const struct bundle *b, size_t *n)
{
	*n = b->captures.n;
	return b->captures.data;
}

void bundle__rename(const struct bundle *b, struct errbuf *err)
{
	const char *folder = tempdir__path(b->folder);
	char *at = err ? strstr(err->text, folder) : NULL;
	struct errbuf rest;

	if (!at)
		return;
	snprintf(rest.text, sizeof(rest.text), "%s", at + strlen(folder));
	snprintf(at, sizeof(err->text) - (size_t)(at - err->text), "%s:%s", b->path, rest.text);
}
