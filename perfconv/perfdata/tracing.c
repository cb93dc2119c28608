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
#include "perfconv/perfdata/tracing_format.h"

#define MAGIC "\027\010\104tracing"

struct tracing {
	VEC(struct tracing_format) formats;
	struct idmap ids;    /* tracepoint id -> index into formats */
	struct strtab names; /* "system:name" as given out */
	bool swap;	     /* payloads have the other byte order */
	int long_bytes;
	struct tep_handle *tep; /* made when the first text is asked for */
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

/* One format; those that cannot be read are left out. */
static bool read_format(struct tracing *t, struct cursor *c, const char *system)
{
	uint64_t size = cursor__u64(c);
	const uint8_t *text = size <= PERFDATA_MAX_FORMAT_BYTES ? cursor__bytes(c, size) : NULL;
	struct tracing_format f;

	if (c->failed || !text || t->formats.n == PERFDATA_MAX_FORMATS)
		return false;
	if (!tracing_format__init(&f, system, text, size))
		return true;
	if (idmap__find(&t->ids, f.id, 0) != IDMAP_NONE) {
		tracing_format__release(&f);
		return true;
	}
	idmap__intern(&t->ids, f.id, 0);
	vec__push(&t->formats, f);
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

	cursor__init(&c, bytes, n, false);
	if (n < sizeof(MAGIC) - 1 || memcmp(cursor__bytes(&c, sizeof(MAGIC) - 1), MAGIC, 10))
		return false;
	if (!read_name(&c, version, sizeof(version)))
		return false;
	sizes = cursor__bytes(&c, 2);
	if (!sizes)
		return false;
	c.swap = t->swap = (sizes[0] != 0) != tep_is_bigendian();
	t->long_bytes = sizes[1];
	cursor__u32(&c); /* page size */
	return skip_header(&c, "header_page") && skip_header(&c, "header_event") &&
	       read_formats(t, &c, "ftrace") && read_systems(t, &c);
}

int tracing__new(struct tracing **out, const uint8_t *bytes, size_t n, struct errbuf *err)
{
	struct tracing *t = mem__alloc(1, sizeof(*t));

	if (!parse(t, bytes, n)) {
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
	for (size_t i = 0; i < t->formats.n; i++)
		tracing_format__release(&t->formats.data[i]);
	vec__release(&t->formats);
	idmap__release(&t->ids);
	strtab__release(&t->names);
	if (t->tep)
		tep_free(t->tep);
	free(t);
}

static struct tracing_format *format_of(const struct tracing *t, uint64_t id)
{
	uint32_t at = idmap__find(&t->ids, id, 0);

	return at == IDMAP_NONE ? NULL : &t->formats.data[at];
}

const char *tracing__name(struct tracing *t, uint64_t id)
{
	const struct tracing_format *f = format_of(t, id);
	uint32_t name;
	char *text;

	if (!f)
		return NULL;
	text = mem__format("%s:%s", f->system, f->name);
	name = strtab__intern(&t->names, text);
	free(text);
	return strtab__get(&t->names, name);
}

bool tracing__number(struct tracing *t, uint64_t id, const uint8_t *raw, size_t n,
		     const char *field, uint64_t *value)
{
	const struct tracing_format *format = format_of(t, id);
	const struct tracing_field *f = format ? tracing_format__field(format, field) : NULL;
	struct cursor c;

	if (!f || f->offset > n || f->size > n - f->offset)
		return false;
	cursor__init(&c, raw + f->offset, f->size, t->swap);
	switch (f->size) {
	case 1:
		*value = f->is_signed ? (uint64_t)(int8_t)*c.at : *c.at;
		return true;
	case 2:
		*value = cursor__u16(&c);
		*value = f->is_signed ? (uint64_t)(int16_t)*value : *value;
		return true;
	case 4:
		*value = cursor__u32(&c);
		*value = f->is_signed ? (uint64_t)(int32_t)*value : *value;
		return true;
	case 8:
		*value = cursor__u64(&c);
		return true;
	default:
		return false;
	}
}

/* Only now libtraceevent sees the text: its parser is for kernels, not for strangers. */
static struct tep_event *parsed(struct tracing *t, struct tracing_format *f)
{
	enum tep_endian here = tep_is_bigendian() ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN;
	enum tep_endian other = tep_is_bigendian() ? TEP_LITTLE_ENDIAN : TEP_BIG_ENDIAN;

	if (!t->tep) {
		tep_set_loglevel(TEP_LOG_NONE);
		t->tep = tep_alloc();
		if (!t->tep)
			return NULL;
		tep_set_file_bigendian(t->tep, t->swap ? other : here);
		tep_set_local_bigendian(t->tep, here);
		tep_set_long_size(t->tep, t->long_bytes);
	}
	if (!f->in_parser)
		tep_parse_event(t->tep, f->text, (unsigned long)strlen(f->text), f->system);
	f->in_parser = true;
	return f->id <= INT32_MAX ? tep_find_event(t->tep, (int)f->id) : NULL;
}

char *tracing__text(struct tracing *t, uint64_t id, const uint8_t *raw, size_t n)
{
	struct tracing_format *f = format_of(t, id);
	struct tep_record record = { .data = (void *)raw, .size = (int)n };
	struct tep_event *e;
	struct trace_seq seq;
	char *text;

	if (!f)
		return NULL;
	if (n < f->bytes) /* libtraceevent trusts the payload to be as long as the format says */
		return mem__strdup("(payload shorter than its format)");
	e = parsed(t, f);
	if (!e)
		return mem__strdup("(format not understood)");
	trace_seq_init(&seq);
	tep_print_event(t->tep, &seq, &record, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&seq);
	text = mem__strdup(seq.buffer);
	trace_seq_destroy(&seq);
	return text;
}
