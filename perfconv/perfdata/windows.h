/* SPDX-License-Identifier: GPL-2.0 */
/*
 * windows - read small pieces of a file at several places in turn, as when the
 * records of all CPUs, written buffer after buffer, are wanted in time order.
 */
#ifndef PERFCONV_PERFDATA_WINDOWS_H
#define PERFCONV_PERFDATA_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

struct windows;

/** windows__new - of a seekable file; @fd is borrowed. */
struct windows *windows__new(int fd);
void windows__free(struct windows *w);

/**
 * windows__read - @n bytes (at most 65535) at @offset
 * Return: the bytes, valid until the next call; NULL if they cannot be read.
 */
const uint8_t *windows__read(struct windows *w, uint64_t offset, size_t n);

#endif
