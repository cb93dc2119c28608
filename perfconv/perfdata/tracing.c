// SPDX-License-Identifier: GPL-2.0
/*
 * The section, as `perf record` copies it from tracefs:
 *
 *     23 8 68 "tracing" version\0 big_endian:u8 long_size:u8 page_size:u32
 *     "header_page\0"  size:u64 text     "header_event\0" size:u64 text
 *     ftrace:  count:u32 { size:u64 text }
 *     systems: count:u32 { name\0 count:u32 { size:u64 text } }
 *     kallsyms size:u32 text, printk formats size:u32 text ...
 */
#include "perfconv/perfdata/tracing.h"

#include <errno.h>
#include <event-parse.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/cursor.h"
#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/perfdata/limits.h"

#define MAGIC "\027\010\104tracing"

struct tracing {
	struct tep_handle *tep;
	struct strtab names; /* "system:name" as given out */
};

static bool read_name(struct cursor *c, char *out, size_t size)
{
	size_t n = strnlen((const char *)c->at, cursor__left(c));

	return n < cursor__left(c) && cursor__string(c, n + 1, out, size);
}

/* Skip a "header_page\0" or "header_event\0" with its text. */
static bool skip_header(struct cursor *c, const char *expected)
{
	char name[32];

	if (!read_name(c, name, sizeof(name)) || strcmp(name, expected))
		return false;
	cursor__bytes(c, cursor__u64(c));
	return !c->failed;
}

/* One format; those that libtraceevent cannot parse are left out. */
static bool read_format(struct tracing *t, struct cursor *c, const char *system)
{
	uint64_t size = cursor__u64(c);
	const uint8_t *text = size <= PERFDATA_MAX_FEATURE_BYTES ? cursor__bytes(c, size) : NULL;

	if (!text)
		return false;
	tep_parse_event(t->tep, (const char *)text, (unsigned long)size, system);
	return true;
}

static bool read_formats(struct tracing *t, struct cursor *c, const char *system)
{
	uint32_t n = cursor__u32(c);

	for (uint32_t i = 0; i < n; i++)
		if (!read_format(t, c, system))
			return false;
	return !c->failed;
}

static bool read_systems(struct tracing *t, struct cursor *c)
{
	uint32_t n = cursor__u32(c);

	for (uint32_t i = 0; i < n; i++) {
		char system[128];

		if (!read_name(c, system, sizeof(system)) || !read_formats(t, c, system))
			return false;
	}
	return !c->failed;
}

static bool parse(struct tracing *t, const uint8_t *bytes, size_t n)
{
	struct cursor c;
	char version[32];
	const uint8_t *sizes;
	bool big;

	cursor__init(&c, bytes, n, false);
	if (n < sizeof(MAGIC) - 1 || memcmp(cursor__bytes(&c, sizeof(MAGIC) - 1), MAGIC, 10))
		return false;
	if (!read_name(&c, version, sizeof(version)))
		return false;
	sizes = cursor__bytes(&c, 2);
	if (!sizes)
		return false;
	big = sizes[0];
	c.swap = big != tep_is_bigendian();
	tep_set_file_bigendian(t->tep, big ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	tep_set_local_bigendian(t->tep, tep_is_bigendian() ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	tep_set_long_size(t->tep, sizes[1]);
	cursor__u32(&c); /* page size */
	return skip_header(&c, "header_page") && skip_header(&c, "header_event") &&
	       read_formats(t, &c, "ftrace") && read_systems(t, &c);
}

int tracing__new(struct tracing **out, const uint8_t *bytes, size_t n, struct errbuf *err)
{
	struct tracing *t = mem__alloc(1, sizeof(*t));

	tep_set_loglevel(TEP_LOG_NONE);
	t->tep = tep_alloc();
	if (!t->tep || !parse(t, bytes, n)) {
		tracing__free(t);
		return errbuf__set(err, -EINVAL,
				   "the capture's tracepoint formats are damaged; tracepoints have "
				   "no fields");
	}
	*out = t;
	return 0;
}

void tracing__free(struct tracing *t)
{
	if (!t)
		return;
	tep_free(t->tep);
	strtab__release(&t->names);
	free(t);
}

static struct tep_event *event_of(struct tracing *t, uint64_t id)
{
	return id <= INT32_MAX ? tep_find_event(t->tep, (int)id) : NULL;
}

const char *tracing__name(struct tracing *t, uint64_t id)
{
	const struct tep_event *e = event_of(t, id);
	uint32_t name;
	char *text;

	if (!e)
		return NULL;
	text = mem__format("%s:%s", e->system, e->name);
	name = strtab__intern(&t->names, text);
	free(text);
	return strtab__get(&t->names, name);
}

bool tracing__number(struct tracing *t, uint64_t id, const uint8_t *raw, size_t n,
		     const char *field, uint64_t *value)
{
	struct tep_event *e = event_of(t, id);
	struct tep_format_field *f = e ? tep_find_any_field(e, field) : NULL;
	unsigned long long v;

	if (!f || f->offset < 0 || f->size < 0 || (size_t)f->offset + (size_t)f->size > n ||
	    tep_read_number_field(f, raw, &v))
		return false;
	*value = v;
	return true;
}

/* libtraceevent trusts the payload to be as long as the format says. */
static bool payload_is_whole(const struct tep_event *e, size_t n)
{
	for (const struct tep_format_field *f = e->format.fields; f; f = f->next)
		if (f->offset < 0 || f->size < 0 || (size_t)f->offset + (size_t)f->size > n)
			return false;
	return true;
}

char *tracing__text(struct tracing *t, uint64_t id, const uint8_t *raw, size_t n)
{
	struct tep_event *e = event_of(t, id);
	struct tep_record record = { .data = (void *)raw, .size = (int)n };
	struct trace_seq seq;
	char *text;

	if (!e)
		return NULL;
	if (!payload_is_whole(e, n))
		return mem__strdup("(payload shorter than its format)");
	trace_seq_init(&seq);
	tep_print_event(t->tep, &seq, &record, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&seq);
	text = mem__strdup(seq.buffer);
	trace_seq_destroy(&seq);
	return text;
}
