/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Opening files that a capture names.  A capture may be hostile and we may be
 * root: a FIFO would hang us, a device could do anything, so only regular files
 * are opened.
 */
#ifndef PERFCONV_BASE_FILE_H
#define PERFCONV_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"

/**
 * file__open - open a regular file for reading
 * @size: set to its size in bytes on success; may be NULL
 *
 * Return: a descriptor that the caller closes; -ENOENT, -EACCES ... from open();
 * -EINVAL if it is no regular file.
 */
int file__open(const char *path, uint64_t *size, struct errbuf *err);

/**
 * file__open_in_root - the same with folder @root as the root
 *
 * Links in it are its owner's to set and may be absolute: they stay in it.
 * @path: absolute
 * @flags: O_NOFOLLOW if the file itself must be no link, or 0
 * Return: as file__open(), without a message.
 */
int file__open_in_root(const char *root, const char *path, int flags);

/**
 * file__read - a whole regular file of at most @limit bytes
 *
 * Return: 0 with *@bytes (free() it; one zero byte follows the content) and *@n
 * set; -errno, -EFBIG beyond the limit.  Files of /proc, whose size reads 0, work.
 */
int file__read(const char *path, size_t limit, char **bytes, size_t *n, struct errbuf *err);

/**
 * file__read_at - exactly @n bytes at @offset of @fd
 *
 * Return: 0; -ENODATA if the file ends before; another -errno.
 */
int file__read_at(int fd, void *out, size_t n, uint64_t offset);

/** file__is_same - whether both names lead to one file that is there. */
bool file__is_same(const char *a, const char *b);

/** file__base - the part of @path after its last '/'. */
const char *file__base(const char *path);

#endif
