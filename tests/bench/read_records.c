// SPDX-License-Identifier: GPL-2.0
/* The reader alone: every record in time order, decoded, and nothing done with it. */
#include <stdio.h>

#include "perfconv/perfdata/perfdata.h"

int main(int argc, char **argv)
{
	uint64_t records = 0, bytes = 0;
	struct perfdata *p;
	struct record rec;
	struct errbuf err;

	if (argc != 2 || perfdata__open(&p, argv[1], &err))
		return 1;
	while (perfdata__next(p, &rec, &err) > 0) {
		records++;
		bytes += rec.type == 9 ? rec.sample.stack_bytes + rec.sample.callchain_n : 0;
	}
	printf("%llu records, %llu bytes of dumps and chain entries\n", (unsigned long long)records,
	       (unsigned long long)bytes);
	perfdata__free(p);
	return 0;
}
