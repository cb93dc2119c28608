/* SPDX-License-Identifier: GPL-2.0 */
/*
 * side_race.c - a reader thread follows a side file while it is written, for TSan.
 *
 * Whatever used_bytes says must be whole: each record's checksum is verified the
 * moment it becomes visible.  Exit status 0 when all was seen.
 *
 *     side_race DIRECTORY
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crc32.h"
#include "sidefile.h"

#define RECORDS 20000u

static struct sidefile side;

static void *write_all(void *unused)
{
	char text[200];
	unsigned int i;

	memset(text, 'x', sizeof(text));
	for (i = 0; i < RECORDS; i++)
		sidefile__string(&side, text, 1 + i % sizeof(text));
	return unused;
}

static int check_record(const uint8_t *at, uint32_t *size)
{
	struct pyframes_record record;
	uint8_t copy[512];

	memcpy(&record, at, sizeof(record));
	if (record.size < sizeof(record) || record.size > sizeof(copy))
		return -1;
	memcpy(copy, at, record.size);
	memset(copy + 8, 0, 4);
	*size = record.size;
	return crc32__compute(copy, record.size) == record.crc ? 0 : -1;
}

static int read_all(void)
{
	const uint8_t *base = (const uint8_t *)side.header;
	uint64_t at = PYFRAMES_HEADER_BYTES;
	unsigned int seen = 0;
	uint32_t size;

	while (seen < RECORDS) {
		uint64_t used = __atomic_load_n(&side.header->used_bytes, __ATOMIC_ACQUIRE);

		for (; at < used; at += size, seen++)
			if (check_record(base + at, &size))
				return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct pyframes_header template;
	struct privdir dir;
	struct errbuf err;
	pthread_t thread;
	int ret;

	memset(&template, 0, sizeof(template));
	if (argc != 2 || privdir__init(&dir, argv[1], &err) ||
	    sidefile__open(&side, &dir, "0123456789abcdef0123456789abcdef", &template, 16u << 20, 0,
			   &err)) {
		fprintf(stderr, "%s\n", argc == 2 ? err.text : "usage");
		return 2;
	}
	if (pthread_create(&thread, NULL, write_all, NULL))
		return 2;
	ret = read_all();
	pthread_join(thread, NULL);
	unlink(side.path);
	printf("%u records, %s\n", RECORDS, ret ? "damaged" : "all whole");
	return ret ? 1 : 0;
}
