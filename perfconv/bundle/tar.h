/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tar - the container of a bundle: a tar archive (POSIX ustar) of regular files,
 * compressed with zstd.
 *
 * The reader takes nothing else: links, devices, extended headers, names that
 * lead out of a folder end it with a message.  It writes no files; what becomes
 * of an entry is the caller's to decide.
 */
#ifndef PERFCONV_BUNDLE_TAR_H
#define PERFCONV_BUNDLE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/sink.h"
#include "perfconv/bundle/limits.h"

struct tar_writer;

/** tar_writer__new - write to @sink, which is borrowed. */
struct tar_writer *tar_writer__new(struct sink *sink);

/** tar_writer__begin - an entry of exactly @bytes bytes; the one before is complete. */
void tar_writer__begin(struct tar_writer *w, const char *name, uint64_t bytes);

/** tar_writer__add - content; what is beyond the size stated is left out. */
void tar_writer__add(struct tar_writer *w, const void *bytes, size_t n);

/** tar_writer__zeros - @n bytes of zeros as content. */
void tar_writer__zeros(struct tar_writer *w, uint64_t n);

/** tar_writer__end - the entry is complete; what it lacks is zeros. */
void tar_writer__end(struct tar_writer *w);

/** tar_writer__free - write the end and free; errors are the sink's.  Accepts NULL. */
void tar_writer__free(struct tar_writer *w);

struct tar_entry {
	char name[BUNDLE_MAX_NAME + 1]; /* relative, printable, leads nowhere else */
	uint64_t bytes;
};

struct tar_reader;

#define TAR_PACKED_MAGIC 4u

/**
 * tar_reader__is_packed - whether a file that begins with these bytes may be one
 * @n: 1 to TAR_PACKED_MAGIC; the first one tells it from a capture already.  0: no.
 */
bool tar_reader__is_packed(const uint8_t *bytes, size_t n);

/**
 * tar_reader__new - read from @fd, which is borrowed
 * @path: for messages; borrowed
 */
struct tar_reader *tar_reader__new(int fd, const char *path);
void tar_reader__free(struct tar_reader *r);

/**
 * tar_reader__next - go to the next entry, over what is left of this one
 * Return: 1 with @out set; 0 at the end, if the checksum of all before it is right;
 * -errno with a message.
 */
int tar_reader__next(struct tar_reader *r, struct tar_entry *out, struct errbuf *err);

/**
 * tar_reader__read - content of the entry
 * Return: how many bytes, @n unless the entry ends; 0 at its end; -errno with a message.
 */
ptrdiff_t tar_reader__read(struct tar_reader *r, void *out, size_t n, struct errbuf *err);

#endif
