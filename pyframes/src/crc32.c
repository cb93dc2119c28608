/* SPDX-License-Identifier: MIT */
/*
 * crc32.c - table-driven, four bits at a time: 64 bytes of table, no set-up.
 */
#include "crc32.h"

static const uint32_t nibbles[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
	0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
	0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t crc32__compute(const void *bytes, size_t count)
{
	const uint8_t *at = bytes;
	uint32_t crc = 0xffffffff;

	for (; count; count--, at++) {
		crc = nibbles[(crc ^ *at) & 15] ^ (crc >> 4);
		crc = nibbles[(crc ^ ((uint32_t)*at >> 4)) & 15] ^ (crc >> 4);
	}
	return ~crc;
}
