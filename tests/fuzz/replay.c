// SPDX-License-Identifier: GPL-2.0
/* Runs inputs through a fuzz target without libFuzzer: replay FILE... */
#include <stdio.h>
#include <stdlib.h>

#include "perfconv/base/file.h"
#include "tests/fuzz/target.h"

#define INPUT_LIMIT ((size_t)64 << 20)

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "%s: names no input\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		struct errbuf err;
		char *bytes;
		size_t n;

		if (file__read(argv[i], INPUT_LIMIT, &bytes, &n, &err)) {
			fprintf(stderr, "%s\n", err.text);
			return 1;
		}
		printf("%s\n", argv[i]);
		fflush(stdout);
		LLVMFuzzerTestOneInput((const uint8_t *)bytes, n);
		free(bytes);
	}
	return 0;
}
