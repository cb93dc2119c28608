/* SPDX-License-Identifier: GPL-2.0 */
/*
 * inflate - the records inside COMPRESSED and COMPRESSED2 records (perf record
 * -z).
 *
 * The payloads of all compressed records of a data file are one zstd stream; a
 * record inside it may begin in one of them and end in the next:
 *
 *     COMPRESSED [ sample | sample | sam ]  COMPRESSED [ ple | mmap | ... ]
 */
#ifndef PERFCONV_PERFDATA_INFLATE_H
#define PERFCONV_PERFDATA_INFLATE_H

#include <stddef.h>
#include <stdint.h>

struct inflate;

struct inflate *inflate__new(void);
void inflate__free(struct inflate *z);

/** inflate__add - decompress the next payload.  Return: 0, -EINVAL if it is
 * damaged. */
int inflate__add(struct inflate *z, const void *bytes, size_t n);

/**
 * inflate__peek - what is decompressed and not yet skipped
 * Return: how many bytes; *@bytes is valid until the next add.
 */
size_t inflate__peek(const struct inflate *z, const uint8_t **bytes);

/** inflate__skip - go on by @n of the bytes peeked at. */
void inflate__skip(struct inflate *z, size_t n);

#endif
