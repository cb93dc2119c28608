// SPDX-License-Identifier: GPL-2.0
#include "tests/unit/perfdata_builder.h"

void perfdata_builder__init(struct perfdata_builder *b, bool swap)
{
	memset(b, 0, sizeof(*b));
	b->attr_bytes = 144;
	b->data.swap = b->file.swap = swap;
	for (size_t i = 0; i < 64; i++)
		b->feature[i].swap = swap;
}

void perfdata_builder__release(struct perfdata_builder *b)
{
	bytes__release(&b->data);
	bytes__release(&b->file);
	for (size_t i = 0; i < 64; i++)
		bytes__release(&b->feature[i]);
}

struct builder_event *perfdata_builder__event(struct perfdata_builder *b, uint64_t sample_type)
{
	struct builder_event *e = &b->events[b->events_n++];

	assert_true(b->events_n <= BUILDER_MAX_EVENTS);
	e->type = 1;   /* software */
	e->config = 0; /* cpu-clock */
	e->period = 1000000;
	e->sample_type = sample_type;
	e->flags = BUILDER_SAMPLE_ID_ALL;
	return e;
}

void builder__begin(struct perfdata_builder *b, uint32_t type, uint16_t misc)
{
	b->record_at = b->data.v.n;
	bytes__u32(&b->data, type);
	bytes__u16(&b->data, misc);
	bytes__u16(&b->data, 0);
}

void builder__end(struct perfdata_builder *b)
{
	struct bytes size = { .swap = b->data.swap };

	bytes__u16(&size, (uint16_t)(b->data.v.n - b->record_at));
	memcpy(b->data.v.data + b->record_at + 6, size.v.data, 2);
	bytes__release(&size);
}

void builder__finished_round(struct perfdata_builder *b)
{
	builder__begin(b, 68, 0);
	builder__end(b);
}

struct bytes *builder__feature(struct perfdata_builder *b, unsigned int n)
{
	b->features |= 1ull << n;
	return &b->feature[n];
}

void builder__feature_string(struct perfdata_builder *b, unsigned int n, const char *text)
{
	struct bytes *f = builder__feature(b, n);

	bytes__u32(f, (uint32_t)((strlen(text) + 1 + 63) / 64 * 64));
	bytes__string(f, text, 64);
}

static uint8_t reversed(uint8_t byte)
{
	uint8_t out = 0;

	for (unsigned int i = 0; i < 8; i++)
		out = (uint8_t)(out | ((byte >> i) & 1) << (7 - i));
	return out;
}

/* A bit-field's first bit is the lowest of the first byte, or the highest on a
 * big-endian machine. */
static void put_flags(struct bytes *f, uint64_t flags)
{
	for (unsigned int i = 0; i < 8; i++) {
		uint8_t byte = (uint8_t)(flags >> (8 * i));

		byte = f->swap ? reversed(byte) : byte;
		bytes__raw(f, &byte, 1);
	}
}

static void put_attr(struct perfdata_builder *b, const struct builder_event *e, uint64_t ids_at)
{
	struct bytes *f = &b->file;
	size_t start = f->v.n;

	bytes__u32(f, e->type);
	bytes__u32(f, (uint32_t)(b->attr_bytes - 16));
	bytes__u64(f, e->config);
	bytes__u64(f, e->period);
	bytes__u64(f, e->sample_type);
	bytes__u64(f, e->read_format);
	put_flags(f, e->flags);
	bytes__u32(f, 1); /* wakeup_events */
	bytes__u32(f, 2); /* bp_type */
	bytes__u64(f, 3); /* config1 */
	bytes__u64(f, 4); /* config2 */
	bytes__u64(f, e->branch_sample_type);
	bytes__u64(f, e->regs_user_mask);
	bytes__u32(f, e->stack_user_bytes);
	bytes__u32(f, (uint32_t)e->clockid);
	bytes__u64(f, e->regs_intr_mask);
	while (f->v.n < start + b->attr_bytes - 16) /* fields newer than any reader */
		vec__push(&f->v, 0xa5);
	f->v.n = start + b->attr_bytes - 16; /* and fields an old perf did not have */
	bytes__u64(f, ids_at);
	bytes__u64(f, e->ids_n * 8);
}

static void put_header(struct perfdata_builder *b, size_t attrs_at, size_t data_at)
{
	struct bytes *f = &b->file;
	uint64_t data_bytes = b->data.v.n + b->data_missing;

	bytes__raw(f, f->swap ? "2ELIFREP" : "PERFILE2", 8);
	bytes__u64(f, BUILDER_HEADER_BYTES);
	bytes__u64(f, b->attr_bytes);
	bytes__u64(f, attrs_at);
	bytes__u64(f, b->events_n * b->attr_bytes);
	bytes__u64(f, data_at);
	bytes__u64(f, b->unfinished ? 0 : data_bytes);
	bytes__u64(f, 0);
	bytes__u64(f, 0);
	bytes__u64(f, b->unfinished ? 0 : b->features);
	for (size_t i = 0; i < 3; i++)
		bytes__u64(f, 0);
}

static void put_features(struct perfdata_builder *b)
{
	struct bytes *f = &b->file;
	uint64_t at = f->v.n + 16 * (uint64_t)__builtin_popcountll(b->features);

	for (unsigned int i = 0; i < 64; i++)
		if (b->features >> i & 1) {
			bytes__u64(f, at);
			bytes__u64(f, b->feature[i].v.n);
			at += b->feature[i].v.n;
		}
	for (unsigned int i = 0; i < 64; i++)
		if (b->features >> i & 1)
			bytes__raw(f, b->feature[i].v.data, b->feature[i].v.n);
}

void perfdata_builder__finish(struct perfdata_builder *b)
{
	size_t ids = 0, ids_at = BUILDER_HEADER_BYTES;

	for (size_t i = 0; i < b->events_n; i++)
		ids += b->events[i].ids_n;
	b->file.v.n = 0;
	b->attrs_at = BUILDER_HEADER_BYTES + ids * 8;
	b->data_at = b->attrs_at + b->events_n * b->attr_bytes;
	put_header(b, b->attrs_at, b->data_at);
	for (size_t i = 0; i < b->events_n; i++)
		for (size_t k = 0; k < b->events[i].ids_n; k++)
			bytes__u64(&b->file, b->events[i].ids[k]);
	for (size_t i = 0; i < b->events_n; i++) {
		put_attr(b, &b->events[i], ids_at);
		ids_at += b->events[i].ids_n * 8;
	}
	bytes__raw(&b->file, b->data.v.data, b->data.v.n);
	if (!b->unfinished && !b->data_missing)
		put_features(b);
}

const char *perfdata_builder__write(struct perfdata_builder *b, const char *folder,
				    const char *name)
{
	perfdata_builder__finish(b);
	return scratch__write(folder, name, b->file.v.data, b->file.v.n);
}

struct perfdata *perfdata_builder__open(struct perfdata_builder *b, const char *folder)
{
	struct perfdata *p = NULL;
	struct errbuf err;

	if (perfdata__open(&p, perfdata_builder__write(b, folder, "perf.data"), &err))
		fail_msg("not opened: %s", err.text);
	perfdata_builder__release(b);
	return p;
}
