// SPDX-License-Identifier: GPL-2.0
/*
 * In pipe mode a capture has no header to speak of: events, names and features
 * come as records in front of, or between, the others.
 */
#include <perf/event.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/perfdata/internal.h"

#define HEADER_BYTES sizeof(struct perf_event_header)
#define ATTR_SIZE_AT 4u /* offset of perf_event_attr.size */

/* perf_event_attr of the size it states, then the ids. */
static void add_attr(struct perfdata *p, const uint8_t *bytes, size_t n)
{
	uint32_t event = (uint32_t)p->events.n, size;
	struct cursor c;

	if (p->events.n == PERFDATA_MAX_EVENTS || n < PERF_ATTR_SIZE_VER0) {
		p->stats.bad_records++;
		return;
	}
	cursor__init(&c, bytes + ATTR_SIZE_AT, 4, p->swap);
	size = cursor__u32(&c);
	if (size < PERF_ATTR_SIZE_VER0 || size > n) {
		p->stats.bad_records++;
		return;
	}
	header__add_event(p, bytes, size);
	cursor__init(&c, bytes + size, n - size, p->swap);
	while (cursor__left(&c) >= 8)
		header__add_id(p, cursor__u64(&c), event);
}

static void update_event(struct perfdata *p, struct cursor *c)
{
	uint64_t what = cursor__u64(c), id = cursor__u64(c);
	uint32_t at = idmap__find(&p->ids, id, 0);
	char name[1024];

	if (what != PERF_EVENT_UPDATE__NAME || at == IDMAP_NONE ||
	    !cursor__string(c, cursor__left(c), name, sizeof(name)))
		return;
	free(p->events.data[p->id_event.data[at]].name);
	p->events.data[p->id_event.data[at]].name = mem__strdup(name);
}

bool pipe__apply(struct perfdata *p, uint32_t type, uint64_t offset, const uint8_t *bytes, size_t n)
{
	struct cursor c;

	cursor__init(&c, bytes + HEADER_BYTES, n - HEADER_BYTES, p->swap);
	switch (type) {
	case PERF_RECORD_HEADER_ATTR:
		add_attr(p, c.at, cursor__left(&c));
		return true;
	case PERF_RECORD_EVENT_UPDATE:
		update_event(p, &c);
		return true;
	case PERF_RECORD_HEADER_FEATURE: {
		uint64_t feature = cursor__u64(&c);

		if (feature < PERFDATA_FEATURES)
			p->header.features[feature / 64] |= 1ull << feature % 64;
		features__note_private(p, feature, offset + (uint64_t)(c.at - bytes), c.at,
				       cursor__left(&c));
		features__apply(p, feature, &c);
		return true;
	}
	case PERF_RECORD_HEADER_BUILD_ID:
		cursor__init(&c, bytes, n, p->swap);
		if (!features__add_build_id(p, &c))
			p->stats.bad_records++;
		return true;
	default:
		return false;
	}
}
