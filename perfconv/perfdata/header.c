// SPDX-License-Identifier: GPL-2.0
/*
 * The file header and the event attributes.
 *
 *     magic size attr_size | attrs {offset size} data {offset size} types {..}
 * | features[4]
 *
 * attr_size is the size of one perf_event_attr plus the 16 bytes of its ids
 * section.  perf's that are older or newer than ours write shorter or longer
 * attrs: stride by attr_size, read what is known, take the rest as zero.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

#include "perfconv/perfdata/internal.h"

#define MAGIC2 "PERFILE2"
#define MAGIC2_SWAPPED "2ELIFREP"
#define MAGIC1 "PERFFILE"
#define HEADER_BYTES 104u
#define IDS_SECTION_BYTES 16u
#define IDS_AT_ONCE 512u

static int bad_header(struct perfdata *p, struct errbuf *err, const char *what)
{
	return errbuf__set(err, -EINVAL, "%s: %s; record it again with perf record", p->path, what);
}

/* attr_size tells the byte order of the oldest format, whose magic does not. */
static bool is_swapped_v1(const uint8_t *header)
{
	uint64_t attr_bytes;

	memcpy(&attr_bytes, header + 16, sizeof(attr_bytes));
	return attr_bytes > UINT32_MAX;
}

int header__check_magic(struct perfdata *p, const uint8_t *magic, struct errbuf *err)
{
	if (!memcmp(magic, MAGIC2, 8))
		return 0;
	if (!memcmp(magic, MAGIC2_SWAPPED, 8)) {
		p->swap = true;
		return 0;
	}
	return errbuf__set(err, -EINVAL,
			   "%s: is not a perf.data file (its first bytes are not PERFILE2); "
			   "give the file that perf record wrote",
			   p->path);
}

static bool section_fits(const struct perfdata *p, const struct file_section *s)
{
	return s->offset <= p->file_bytes && s->size <= p->file_bytes - s->offset;
}

struct file_section file_section__read(struct cursor *c)
{
	struct file_section s;

	s.offset = cursor__u64(c);
	s.size = cursor__u64(c);
	return s;
}

static int read_file_header(struct perfdata *p, struct errbuf *err)
{
	struct file_header *h = &p->header;
	uint8_t bytes[HEADER_BYTES] = { 0 };
	size_t there = p->file_bytes < HEADER_BYTES ? (size_t)p->file_bytes : HEADER_BYTES;
	struct cursor c;
	int code;

	if (p->file_bytes == 0)
		return bad_header(p, err, "is empty");
	if (p->file_bytes < PIPE_HEADER_BYTES)
		return bad_header(p, err, "ends inside the first 16 bytes, so it is no capture");
	code = perfdata__pread(p, bytes, there, 0, err);
	if (code)
		return code;
	if (!memcmp(bytes, MAGIC1, 8))
		p->swap = is_swapped_v1(bytes);
	else
		code = header__check_magic(p, bytes, err);
	if (code)
		return code;
	cursor__init(&c, bytes + 8, sizeof(bytes) - 8, p->swap);
	h->header_bytes = cursor__u64(&c);
	p->pipe_mode = h->header_bytes == PIPE_HEADER_BYTES;
	if (p->pipe_mode)
		return 0;
	if (there < HEADER_BYTES)
		return bad_header(p, err, "ends inside its header of 104 bytes");
	h->attr_bytes = cursor__u64(&c);
	h->attrs = file_section__read(&c);
	h->data = file_section__read(&c);
	file_section__read(&c); /* event types: unused since perf 2.6.39 */
	for (size_t i = 0; i < 4; i++)
		h->features[i] = cursor__u64(&c);
	return 0;
}

static int check_attrs(struct perfdata *p, struct errbuf *err)
{
	const struct file_header *h = &p->header;

	if (h->attr_bytes < PERF_ATTR_SIZE_VER0 + IDS_SECTION_BYTES ||
	    h->attr_bytes > PERFDATA_MAX_ATTR_BYTES || h->attr_bytes % 8)
		return errbuf__set(err, -EINVAL,
				   "%s: states event attributes of %llu bytes, needs %u to %u; the "
				   "header is damaged, record it again",
				   p->path, (unsigned long long)h->attr_bytes,
				   PERF_ATTR_SIZE_VER0 + IDS_SECTION_BYTES,
				   PERFDATA_MAX_ATTR_BYTES);
	if (!section_fits(p, &h->attrs))
		return errbuf__set(
			err, -EINVAL,
			"%s: is cut inside its event attributes (at %llu, needs %llu more "
			"bytes); copy the whole file or record it again",
			p->path, (unsigned long long)p->file_bytes,
			(unsigned long long)(h->attrs.offset + h->attrs.size - p->file_bytes));
	if (!h->attrs.size || h->attrs.size % h->attr_bytes)
		return bad_header(p, err, "has no whole event attributes");
	if (h->attrs.size / h->attr_bytes > PERFDATA_MAX_EVENTS)
		return bad_header(p, err, "states more than 4096 events");
	if (h->data.offset > p->file_bytes)
		return bad_header(p, err, "is cut before its records");
	return 0;
}

static uint64_t bit(uint64_t flags, unsigned int n)
{
	return (flags >> n) & 1;
}

/* Bits of perf_event_attr's flag word, counted as the kernel declares them. */
enum attr_flag {
	ATTR_FREQ = 10,
	ATTR_SAMPLE_ID_ALL = 18,
	ATTR_USE_CLOCKID = 25,
	ATTR_CONTEXT_SWITCH = 26,
};

/* In the other byte order the bits of each byte of a bit-field are reversed as
 * well. */
static uint64_t read_flags(struct cursor *c)
{
	const uint8_t *bytes = cursor__bytes(c, 8);
	uint64_t flags = 0;

	for (unsigned int i = 0; bytes && i < 64; i++) {
		unsigned int in_byte = c->swap ? 7 - i % 8 : i % 8;

		flags |= (uint64_t)((bytes[i / 8] >> in_byte) & 1) << i;
	}
	return flags;
}

struct perfdata_event *header__add_event(struct perfdata *p, const uint8_t *bytes, size_t n)
{
	struct perfdata_event *e = vec__add(&p->events);
	uint8_t whole[PERFDATA_MAX_ATTR_BYTES] = { 0 };
	struct cursor c;
	uint64_t flags;
	const char *name;

	memcpy(whole, bytes, n < sizeof(whole) ? n : sizeof(whole));
	cursor__init(&c, whole, sizeof(whole), p->swap);
	e->type = cursor__u32(&c);
	cursor__u32(&c); /* size as the writer knew it: the stride tells the same */
	e->config = cursor__u64(&c);
	e->period_or_freq = cursor__u64(&c);
	e->sample_type = cursor__u64(&c);
	e->read_format = cursor__u64(&c);
	flags = read_flags(&c);
	cursor__u32(&c); /* wakeup */
	cursor__u32(&c); /* bp_type */
	cursor__u64(&c); /* config1 */
	cursor__u64(&c); /* config2 */
	e->branch_sample_type = cursor__u64(&c);
	e->regs_user_mask = cursor__u64(&c);
	e->stack_user_bytes = cursor__u32(&c);
	e->clockid = (int32_t)cursor__u32(&c);
	e->regs_intr_mask = cursor__u64(&c);
	e->freq = bit(flags, ATTR_FREQ);
	e->sample_id_all = bit(flags, ATTR_SAMPLE_ID_ALL);
	e->use_clockid = bit(flags, ATTR_USE_CLOCKID);
	e->context_switch = bit(flags, ATTR_CONTEXT_SWITCH);
	name = event__default_name(e->type, e->config);
	e->name =
		name ? mem__strdup(name)
		     : mem__format("type %u config 0x%llx", e->type, (unsigned long long)e->config);
	return e;
}

void header__add_id(struct perfdata *p, uint64_t id, uint32_t event)
{
	if (p->ids.n == PERFDATA_MAX_IDS || idmap__find(&p->ids, id, 0) != IDMAP_NONE)
		return;
	idmap__intern(&p->ids, id, 0);
	vec__push(&p->id_event, event);
}

static int read_ids(struct perfdata *p, const struct file_section *s, struct errbuf *err)
{
	uint32_t event = (uint32_t)(p->events.n - 1);

	if (!section_fits(p, s) || s->size % 8 || s->size / 8 > PERFDATA_MAX_IDS - p->ids.n)
		return errbuf__set(err, -EINVAL,
				   "%s: the sample ids of event %u lie outside the file; copy the "
				   "whole file or record it again",
				   p->path, event);
	for (uint64_t at = 0; at < s->size; at += IDS_AT_ONCE * 8) {
		uint8_t bytes[IDS_AT_ONCE * 8];
		uint64_t left = s->size - at;
		size_t n = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
		struct cursor c;
		int code = perfdata__pread(p, bytes, n, s->offset + at, err);

		if (code)
			return code;
		cursor__init(&c, bytes, n, p->swap);
		while (cursor__left(&c))
			header__add_id(p, cursor__u64(&c), event);
	}
	return 0;
}

static int read_attrs(struct perfdata *p, struct errbuf *err)
{
	const struct file_header *h = &p->header;
	uint64_t end = h->attrs.offset + h->attrs.size;

	for (uint64_t at = h->attrs.offset; at < end; at += h->attr_bytes) {
		uint8_t bytes[PERFDATA_MAX_ATTR_BYTES];
		struct file_section ids;
		struct cursor c;
		int code = perfdata__pread(p, bytes, h->attr_bytes, at, err);

		if (code)
			return code;
		header__add_event(p, bytes, h->attr_bytes - IDS_SECTION_BYTES);
		cursor__init(&c, bytes + h->attr_bytes - IDS_SECTION_BYTES, IDS_SECTION_BYTES,
			     p->swap);
		ids = file_section__read(&c);
		code = read_ids(p, &ids, err);
		if (code)
			return code;
	}
	return 0;
}

/* A killed perf leaves size 0 and no features: the records reach the end of the
 * file. */
static void add_data_source(struct perfdata *p)
{
	const struct file_section *data = &p->header.data;
	uint64_t stated = data->size ? data->offset + data->size : p->file_bytes, end = stated;

	p->stats.unfinished = !data->size;
	if (end > p->file_bytes || end < data->offset)
		end = p->file_bytes;
	source__init(vec__add(&p->sources), p->fd, false, data->offset, end);
	p->sources.data[0].stated_end = stated;
}

int header__read(struct perfdata *p, struct errbuf *err)
{
	int code = read_file_header(p, err);

	if (!code && p->pipe_mode) {
		source__init(vec__add(&p->sources), p->fd, false, PIPE_HEADER_BYTES, p->file_bytes);
		return 0;
	}
	if (!code)
		code = check_attrs(p, err);
	if (!code)
		code = read_attrs(p, err);
	if (!code)
		add_data_source(p);
	return code;
}

const char *event__default_name(uint32_t type, uint64_t config)
{
	static const char *const hardware[] = {
		"cycles",
		"instructions",
		"cache-references",
		"cache-misses",
		"branches",
		"branch-misses",
		"bus-cycles",
		"stalled-cycles-frontend",
		"stalled-cycles-backend",
		"ref-cycles",
	};
	static const char *const software[] = {
		"cpu-clock",	    "task-clock",   "page-faults",  "context-switches",
		"cpu-migrations",   "minor-faults", "major-faults", "alignment-faults",
		"emulation-faults", "dummy:HG",	    "bpf-output",   "cgroup-switches",
	};

	if (type == PERF_TYPE_HARDWARE && config < sizeof(hardware) / sizeof(*hardware))
		return hardware[config];
	if (type == PERF_TYPE_SOFTWARE && config < sizeof(software) / sizeof(*software))
		return software[config];
	return NULL;
}
