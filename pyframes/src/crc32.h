/* SPDX-License-Identifier: MIT */
/*
 * crc32.h - CRC-32 as zlib computes it (IEEE 802.3, reflected).
 */
#ifndef PYFRAMES_CRC32_H
#define PYFRAMES_CRC32_H

#include <stddef.h>
#include <stdint.h>

/**
 * crc32__compute() - the checksum of @count bytes
 *
 * Return: the same value as zlib's crc32(0, bytes, count).
 */
uint32_t crc32__compute(const void *bytes, size_t count);

#endif
