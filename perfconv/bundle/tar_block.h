/* SPDX-License-Identifier: GPL-2.0 */
/* tar_block - the 512 bytes in front of an entry, as POSIX lays them out for ustar. */
#ifndef PERFCONV_BUNDLE_TAR_BLOCK_H
#define PERFCONV_BUNDLE_TAR_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TAR_FILE '0'
#define TAR_OLD_FILE '\0'
#define TAR_FOLDER '5'
#define TAR_MAGIC "ustar"

struct tar_block {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], time[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6], version[2];
	char user[32], group[32];
	char major[8], minor[8];
	char prefix[155];
	char unused[12];
};

_Static_assert(sizeof(struct tar_block) == 512, "a block");

/** tar__padding - bytes of zeros behind @bytes of content. */
static inline uint64_t tar__padding(uint64_t bytes)
{
	return -bytes % sizeof(struct tar_block);
}

/** tar_block__checksum - the sum of its bytes, with the sum itself as spaces. */
static inline uint32_t tar_block__checksum(const struct tar_block *b)
{
	const uint8_t *bytes = (const uint8_t *)b;
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(*b); i++)
		sum += bytes[i];
	for (size_t i = 0; i < sizeof(b->checksum); i++)
		sum += ' ' - (uint32_t)(uint8_t)b->checksum[i];
	return sum;
}

#endif
