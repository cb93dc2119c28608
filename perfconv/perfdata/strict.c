// SPDX-License-Identifier: GPL-2.0
/* Which counts of a capture are oddities, and how they read. */
#include <errno.h>

#include "perfconv/perfdata/internal.h"

static int odd(const struct perfdata *p, struct errbuf *err, uint64_t n, const char *what)
{
	return errbuf__set(err, -EBADMSG,
			   "%s: holds %llu %s; without --strict it is read as far as it goes",
			   p->path, (unsigned long long)n, what);
}

static uint64_t records_without_name(const struct perfdata_stats *s)
{
	uint64_t n = s->unknown_types;

	for (uint32_t type = 0; type < PERFDATA_TYPES; type++)
		n += record__type_name(type) ? 0 : s->records[type];
	return n;
}

int perfdata__check_strict(const struct perfdata *p, struct errbuf *err)
{
	const struct perfdata_stats *s = &p->stats;
	const struct {
		uint64_t n;
		const char *what;
	} counts[] = {
		{ s->bad_records, "damaged records" },
		{ records_without_name(s), "records of unknown types" },
		{ s->unknown_ids, "samples of events that it does not name" },
		{ s->unordered, "records out of order" },
		{ s->unreadable, "records that vanished while it was read" },
		{ s->bad_features, "damaged header features" },
	};

	if (s->cut)
		return errbuf__set(err, -EBADMSG,
				   "%s: cannot be read on from offset 0x%llx; without --strict it "
				   "is read up to there",
				   s->cut_path, (unsigned long long)s->cut_offset);
	if (s->unfinished)
		return errbuf__set(err, -EBADMSG,
				   "%s: perf did not finish it (killed?); without --strict it is "
				   "read as far as it goes",
				   p->path);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (counts[i].n)
			return odd(p, err, counts[i].n, counts[i].what);
	return 0;
}
