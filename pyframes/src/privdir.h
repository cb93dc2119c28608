/* SPDX-License-Identifier: MIT */
/*
 * privdir.h - the private directory that holds a process's files.
 *
 * $PYFRAMES_DIR, or /tmp/pyframes-<euid>.  perf's user, often root, later opens
 * what lies in it by path, so nobody else may be able to put anything there: it
 * is created with mode 0700, is a real directory, belongs to us, and is
 * writable by nobody else.  The default one must be closed to reading as well.
 * Nobody else may be able to put another directory in its place either: each
 * directory above it belongs to us, to root or to the owner of "/", and is not
 * writable by all unless it is sticky, as /tmp is.  Files in it are new, regular
 * and 0600.  No descriptor outlives a call.
 */
#ifndef PYFRAMES_PRIVDIR_H
#define PYFRAMES_PRIVDIR_H

#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>

#include "errbuf.h"
#include "pyframes_format.h"

/**
 * struct privdir
 * @device: st_dev of what was checked
 * @inode:  st_ino of what was checked
 * @path:   absolute, without symlinks, and short enough to append a name
 */
struct privdir {
	uint64_t device;
	uint64_t inode;
	char path[PATH_MAX - 80];
};

/**
 * privdir__init() - finds or makes the directory
 * @wanted: a path, or NULL or "" for the default
 *
 * Return: 0, or -errno with @err set.
 */
int privdir__init(struct privdir *dir, const char *wanted, struct errbuf *err);

/**
 * privdir__create() - makes a new file
 * @name: without a slash; must not exist
 *
 * Return: a descriptor open for reading and writing that the caller closes, or
 * -errno with @err set (-ESTALE: another directory has taken its place).
 */
int privdir__create(const struct privdir *dir, const char *name, struct errbuf *err);

/**
 * privdir__reopen() - opens a file made before, if it is still the same one
 * @device: st_dev when it was made
 * @inode:  st_ino when it was made
 *
 * Return: a descriptor open for reading and writing that the caller closes, or
 * -errno (-ESTALE: another file has taken its place).
 */
int privdir__reopen(const char *path, uint64_t device, uint64_t inode);

/**
 * privdir__allocate() - takes disk space for [offset, offset + bytes) of a file
 *
 * Goes on where a signal interrupts it.
 *
 * Return: 0 or -errno.
 */
int privdir__allocate(int fd, uint64_t offset, uint64_t bytes);

/**
 * privdir__random() - random bytes for tokens and build-ids
 *
 * Return: 0, or -errno when the system has none to give.
 */
int privdir__random(void *bytes, size_t count);

/** privdir__token_text() - 32 lower-case hexadecimal digits and a terminator into @text */
void privdir__token_text(const uint8_t token[PYFRAMES_TOKEN_BYTES], char text[33]);

#endif
