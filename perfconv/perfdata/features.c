// SPDX-License-Identifier: GPL-2.0
/*
 * Feature sections follow the data section: one {offset, size} per set bit, in
 * bit order.  They say where and how the capture was made.  A capture converts
 * without them, so a damaged one is left out, not fatal.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/perfdata/internal.h"

enum feature {
	FEATURE_TRACING_DATA = 1,
	FEATURE_BUILD_ID = 2,
	FEATURE_HOSTNAME = 3,
	FEATURE_OSRELEASE = 4,
	FEATURE_VERSION = 5,
	FEATURE_ARCH = 6,
	FEATURE_NRCPUS = 7,
	FEATURE_CPUDESC = 8,
	FEATURE_TOTAL_MEM = 10,
	FEATURE_CMDLINE = 11,
	FEATURE_EVENT_DESC = 12,
	FEATURE_SAMPLE_TIME = 21,
	FEATURE_CLOCK_DATA = 29,
};

/* As in perf's enum, without HEADER_. */
static const char *const feature_names[] = {
	[1] = "TRACING_DATA",	[2] = "BUILD_ID",	[3] = "HOSTNAME",
	[4] = "OSRELEASE",	[5] = "VERSION",	[6] = "ARCH",
	[7] = "NRCPUS",		[8] = "CPUDESC",	[9] = "CPUID",
	[10] = "TOTAL_MEM",	[11] = "CMDLINE",	[12] = "EVENT_DESC",
	[13] = "CPU_TOPOLOGY",	[14] = "NUMA_TOPOLOGY", [15] = "BRANCH_STACK",
	[16] = "PMU_MAPPINGS",	[17] = "GROUP_DESC",	[18] = "AUXTRACE",
	[19] = "STAT",		[20] = "CACHE",		[21] = "SAMPLE_TIME",
	[22] = "MEM_TOPOLOGY",	[23] = "CLOCKID",	[24] = "DIR_FORMAT",
	[25] = "BPF_PROG_INFO", [26] = "BPF_BTF",	[27] = "COMPRESSED",
	[28] = "CPU_PMU_CAPS",	[29] = "CLOCK_DATA",	[30] = "HYBRID_TOPOLOGY",
	[31] = "PMU_CAPS",
};

bool perfdata__feature(const struct perfdata *p, unsigned int bit, char *text)
{
	bool named = bit < sizeof(feature_names) / sizeof(*feature_names) && feature_names[bit];

	if (bit >= PERFDATA_FEATURES)
		return false;
	if (named)
		snprintf(text, PERFDATA_FEATURE_NAME, "%s", feature_names[bit]);
	else
		snprintf(text, PERFDATA_FEATURE_NAME, "feature %u", bit);
	return p->header.features[bit / 64] >> bit % 64 & 1;
}

#define BUILD_ID_MISC_SIZE (1u << 15) /* the record states the id's size */
#define BUILD_ID_HEADER_BYTES 36u     /* record header, pid, 24 bytes of id */

/* A string as perf writes it: u32 length with padding, zero-terminated bytes.
 */
static bool read_string(struct cursor *c, char *out, size_t size)
{
	uint32_t n = cursor__u32(c);

	return cursor__string(c, n, out, size);
}

static void set_string(struct cursor *c, char **slot)
{
	char text[4096];

	if (!read_string(c, text, sizeof(text)))
		return;
	free(*slot);
	*slot = mem__strdup(text);
}

static void read_cmdline(struct perfdata *p, struct cursor *c)
{
	uint32_t n = cursor__u32(c);

	if (n > PERFDATA_MAX_CMDLINE_ARGS || n > cursor__left(c) / 4)
		c->failed = true;
	if (p->info.cmdline || c->failed)
		return;
	p->info.cmdline = mem__alloc(n, sizeof(char *));
	for (uint32_t i = 0; i < n; i++) {
		char text[4096];

		if (!read_string(c, text, sizeof(text)))
			return;
		p->info.cmdline[p->info.cmdline_n++] = mem__strdup(text);
	}
}

/* Events' names, in the order of the attrs. */
static void read_event_desc(struct perfdata *p, struct cursor *c)
{
	uint32_t n = cursor__u32(c), attr_bytes = cursor__u32(c);

	for (uint32_t i = 0; i < n && i < p->events.n; i++) {
		uint32_t ids;

		cursor__bytes(c, attr_bytes);
		ids = cursor__u32(c);
		set_string(c, &p->events.data[i].name);
		cursor__bytes(c, (size_t)ids * 8);
		if (c->failed)
			return;
	}
}

/* Before perf 5.10 ids were not given with their size: SHA-1's 20 bytes, or MD5's 16 and
 * zeros. */
static uint8_t unstated_size(const uint8_t *id)
{
	return id[16] || id[17] || id[18] || id[19] ? 20 : 16;
}

bool features__add_build_id(struct perfdata *p, struct cursor *c)
{
	struct perfdata_build_id b = { 0 };
	const uint8_t *id;
	char path[4096];
	uint16_t size;

	cursor__u32(c);
	b.misc = cursor__u16(c);
	size = cursor__u16(c);
	b.pid = (int32_t)cursor__u32(c);
	id = cursor__bytes(c, 24);
	if (size < BUILD_ID_HEADER_BYTES || !id ||
	    !cursor__string(c, size - BUILD_ID_HEADER_BYTES, path, sizeof(path)))
		return false;
	b.size = b.misc & BUILD_ID_MISC_SIZE && id[20] <= sizeof(b.bytes) ? id[20]
									  : unstated_size(id);
	memcpy(b.bytes, id, b.size);
	b.path = mem__strdup(path);
	vec__push(&p->build_ids, b);
	return true;
}

static void read_build_ids(struct perfdata *p, struct cursor *c)
{
	while (cursor__left(c) >= BUILD_ID_HEADER_BYTES && features__add_build_id(p, c))
		;
}

static void read_clock_data(struct perfdata *p, struct cursor *c)
{
	uint32_t version = cursor__u32(c);
	int32_t clockid = (int32_t)cursor__u32(c);
	uint64_t wall = cursor__u64(c), clock = cursor__u64(c);

	if (c->failed || version != 1)
		return;
	p->info.clockid = clockid;
	p->info.clock_wall_ns = wall;
	p->info.clock_ns = clock;
}

/* In pipe mode nothing else names a tracepoint. */
static void name_tracepoints(struct perfdata *p)
{
	for (size_t i = 0; i < p->events.n; i++) {
		struct perfdata_event *e = &p->events.data[i];
		const char *name = e->type == PERF_TYPE_TRACEPOINT
					   ? tracing__name(p->tracing, e->config)
					   : NULL;

		if (name) {
			free(e->name);
			e->name = mem__strdup(name);
		}
	}
}

void features__add_tracing(struct perfdata *p, const uint8_t *bytes, size_t n)
{
	if (p->tracing)
		return;
	if (tracing__new(&p->tracing, bytes, n, NULL))
		p->stats.bad_features++;
	else
		name_tracepoints(p);
}

static void apply(struct perfdata *p, uint64_t feature, struct cursor *c)
{
	struct perfdata_info *info = &p->info;

	switch (feature) {
	case FEATURE_TRACING_DATA:
		features__add_tracing(p, c->at, cursor__left(c));
		break;
	case FEATURE_BUILD_ID:
		read_build_ids(p, c);
		break;
	case FEATURE_HOSTNAME:
		set_string(c, &info->hostname);
		break;
	case FEATURE_OSRELEASE:
		set_string(c, &info->os_release);
		break;
	case FEATURE_VERSION:
		set_string(c, &info->perf_version);
		break;
	case FEATURE_ARCH:
		set_string(c, &info->arch);
		break;
	case FEATURE_NRCPUS:
		info->cpus_available = cursor__u32(c);
		info->cpus_online = cursor__u32(c);
		break;
	case FEATURE_CPUDESC:
		set_string(c, &info->cpu_description);
		break;
	case FEATURE_TOTAL_MEM:
		info->memory_kib = cursor__u64(c);
		break;
	case FEATURE_CMDLINE:
		read_cmdline(p, c);
		break;
	case FEATURE_EVENT_DESC:
		read_event_desc(p, c);
		break;
	case FEATURE_SAMPLE_TIME:
		info->first_sample_ns = cursor__u64(c);
		info->last_sample_ns = cursor__u64(c);
		break;
	case FEATURE_CLOCK_DATA:
		read_clock_data(p, c);
		break;
	default:
		break;
	}
}

void features__apply(struct perfdata *p, uint64_t feature, struct cursor *c)
{
	apply(p, feature, c);
	p->stats.bad_features += c->failed;
}

void features__note_private(struct perfdata *p, uint64_t feature, uint64_t offset,
			    const uint8_t *bytes, size_t n)
{
	struct cursor c;
	uint32_t strings = 1;

	cursor__init(&c, bytes, n, p->swap);
	if (feature == FEATURE_CMDLINE)
		strings = cursor__u32(&c);
	else if (feature != FEATURE_HOSTNAME)
		return;
	if (strings > PERFDATA_MAX_CMDLINE_ARGS)
		return;
	while (strings--) {
		uint32_t room = cursor__u32(&c);
		const uint8_t *text = cursor__bytes(&c, room);

		if (c.failed)
			return;
		vec__push(&p->private,
			  ((struct perfdata_text){ offset + (uint64_t)(text - bytes),
						   strnlen((const char *)text, room) }));
	}
}

/* Return: false if the section lies outside of the file. */
static bool read_section(struct perfdata *p, unsigned int feature, const struct file_section *s)
{
	struct cursor c;
	uint8_t *bytes;

	if (s->size > PERFDATA_MAX_FEATURE_BYTES || s->offset > p->file_bytes ||
	    s->size > p->file_bytes - s->offset)
		return false;
	bytes = mem__alloc(s->size, 1);
	if (!perfdata__pread(p, bytes, s->size, s->offset, NULL)) {
		cursor__init(&c, bytes, s->size, p->swap);
		features__apply(p, feature, &c);
		features__note_private(p, feature, s->offset, bytes, s->size);
	}
	free(bytes);
	return true;
}

void features__read(struct perfdata *p)
{
	uint64_t at = p->header.data.offset + p->header.data.size;

	if (!p->header.data.size)
		return;
	for (unsigned int feature = 0; feature < 256; feature++) {
		uint8_t bytes[16];
		struct file_section s;
		struct cursor c;

		if (!((p->header.features[feature / 64] >> (feature % 64)) & 1))
			continue;
		if (at > p->file_bytes || perfdata__pread(p, bytes, sizeof(bytes), at, NULL)) {
			p->stats.bad_features++;
			return;
		}
		at += sizeof(bytes);
		cursor__init(&c, bytes, sizeof(bytes), p->swap);
		s = file_section__read(&c);
		p->stats.bad_features += !read_section(p, feature, &s);
	}
}
