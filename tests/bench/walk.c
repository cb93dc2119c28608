// SPDX-License-Identifier: GPL-2.0
/* The least a reader of perf.data can do: step from record to record, count bytes. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_HEADER_BYTES 8u
#define DATA_SECTION_AT 40u /* offset and size, in perf.data's header */

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	uint64_t data[2], records = 0, at, end;
	const uint8_t *bytes;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return 1;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED || st.st_size < 104)
		return 1;
	memcpy(data, bytes + DATA_SECTION_AT, sizeof(data));
	end = data[0] + data[1] < (uint64_t)st.st_size ? data[0] + data[1] : (uint64_t)st.st_size;
	for (at = data[0]; at + RECORD_HEADER_BYTES <= end; records++) {
		uint16_t size;

		memcpy(&size, bytes + at + 6, sizeof(size));
		if (size < RECORD_HEADER_BYTES)
			return 1;
		at += size;
	}
	printf("%llu records\n", (unsigned long long)records);
	return close(fd);
}
