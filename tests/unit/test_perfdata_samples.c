// SPDX-License-Identifier: GPL-2.0
/* Samples: their fields, which event they belong to, and damaged ones. */
#include "perfconv/perfdata/perfdata.h"
#include "tests/unit/perfdata_builder.h"

enum {
	IP = 1,
	TID = 2,
	TIME = 4,
	ADDR = 8,
	READ = 0x10,
	CALLCHAIN = 0x20,
	ID = 0x40,
	CPU = 0x80,
	PERIOD = 0x100,
	STREAM_ID = 0x200,
	RAW = 0x400,
	BRANCH_STACK = 0x800,
	REGS_USER = 0x1000,
	STACK_USER = 0x2000,
	WEIGHT = 0x4000,
	IDENTIFIER = 0x10000,
};

#define SAMPLE 9u

static void put_words(struct perfdata_builder *b, const uint64_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes__u64(&b->data, words[i]);
}

static const struct record *next(struct perfdata *p)
{
	static struct record rec;

	memset(&rec, 0xee, sizeof(rec));
	assert_int_equal(perfdata__next(p, &rec, NULL), 1);
	assert_int_equal(rec.type, SAMPLE);
	return &rec;
}

static void at_end(struct perfdata *p)
{
	struct record rec;

	assert_int_equal(perfdata__next(p, &rec, NULL), 0);
	perfdata__free(p);
}

/* All fields up to the stack copy, in the kernel's order. */
static void put_full_sample(struct perfdata_builder *b)
{
	struct bytes *d = &b->data;

	builder__begin(b, SAMPLE, 2);
	bytes__u64(d, 70); /* IDENTIFIER */
	bytes__u64(d, 0x401234);
	bytes__u32(d, 11), bytes__u32(d, 12);
	bytes__u64(d, 777);
	bytes__u64(d, 0xadd4);
	bytes__u64(d, 70);   /* ID */
	bytes__u64(d, 9999); /* STREAM_ID */
	bytes__u32(d, 3), bytes__u32(d, 0);
	bytes__u64(d, 250000);				      /* PERIOD */
	put_words(b, (const uint64_t[]){ 1, 2, 3, 4, 5 }, 5); /* READ: value, 2 times, id, lost */
	put_words(b, (const uint64_t[]){ 3, (uint64_t)-512, 0x401234, 0x405678 }, 4);
	bytes__u32(d, 12);
	bytes__raw(d, "raw payload!", 12);
	put_words(b, (const uint64_t[]){ 1, 7, 0x1, 0x2, 0x3 }, 5); /* BRANCH_STACK, hw index */
	put_words(b, (const uint64_t[]){ 2, 0xa, 0xb, 0xc }, 4);    /* REGS_USER */
	bytes__u64(d, 16);
	bytes__raw(d, "0123456789abcdef", 16);
	bytes__u64(d, 10); /* of 16 bytes 10 are valid */
	bytes__u64(d, 5);  /* WEIGHT */
	builder__end(b);
}

static void check_full_sample(const struct record *r)
{
	const struct record_sample *s = &r->sample;

	assert_int_equal(r->misc, 2);
	assert_int_equal(r->event, 0);
	assert_int_equal(r->pid, 11);
	assert_int_equal(r->tid, 12);
	assert_int_equal(r->cpu, 3);
	assert_int_equal(r->time_ns, 777);
	assert_int_equal(s->ip, 0x401234);
	assert_int_equal(s->addr, 0xadd4);
	assert_int_equal(s->period, 250000);
	assert_int_equal(s->callchain_n, 3);
	assert_int_equal(s->callchain[0], (uint64_t)-512);
	assert_int_equal(s->callchain[2], 0x405678);
	assert_int_equal(s->raw_bytes, 12);
	assert_memory_equal(s->raw, "raw payload!", 12);
	assert_int_equal(s->user_abi, 2);
	assert_int_equal(s->user_regs_mask, 0x181);
	assert_int_equal(s->user_regs[0], 0xa);
	assert_int_equal(s->user_regs[2], 0xc);
	assert_int_equal(s->stack_asked, 16);
	assert_int_equal(s->stack_bytes, 10);
	assert_memory_equal(s->stack, "0123456789", 10);
}

static void start_full(struct perfdata_builder *b, bool swap)
{
	struct builder_event *e;

	perfdata_builder__init(b, swap);
	e = perfdata_builder__event(b, IDENTIFIER | IP | TID | TIME | ADDR | ID | STREAM_ID | CPU |
					       PERIOD | READ | CALLCHAIN | RAW | BRANCH_STACK |
					       REGS_USER | STACK_USER | WEIGHT);
	e->read_format = 1 | 2 | 4 | 16;
	e->branch_sample_type = 1u << 17; /* with the hardware index */
	e->regs_user_mask = 0x181;
	e->ids[0] = 70;
	e->ids_n = 1;
}

static void every_field_is_read(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start_full(&b, false);
	put_full_sample(&b);
	p = perfdata_builder__open(&b, *state);
	check_full_sample(next(p));
	at_end(p);
}

static void every_field_of_the_other_byte_order_is_read(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start_full(&b, true);
	put_full_sample(&b);
	p = perfdata_builder__open(&b, *state);
	check_full_sample(next(p));
	at_end(p);
}

/* The record is cut at every word: never a crash, and bad until the copy is whole. */
static void cut_samples_are_bad(void **state)
{
	struct perfdata_builder whole;
	size_t n;

	start_full(&whole, false);
	put_full_sample(&whole);
	n = whole.data.v.n;
	for (size_t keep = 16; keep < n - 8; keep += 8) {
		struct perfdata_builder b;
		struct record rec;
		struct perfdata *p;

		start_full(&b, false);
		bytes__raw(&b.data, whole.data.v.data, keep);
		builder__end(&b);
		p = perfdata_builder__open(&b, *state);
		assert_int_equal(perfdata__next(p, &rec, NULL), 0);
		assert_int_equal(perfdata__stats(p)->bad_records, 1);
		assert_false(perfdata__stats(p)->cut);
		perfdata__free(p);
	}
	perfdata_builder__release(&whole);
}

/* One sample whose sizes are wrong. */
static void bad(void **state, uint64_t sample_type, const uint64_t *words, size_t n)
{
	struct perfdata_builder b;
	struct record rec;
	struct perfdata *p;

	perfdata_builder__init(&b, false);
	perfdata_builder__event(&b, sample_type)->regs_user_mask = 0xff;
	b.events[0].read_format = 8; /* groups */
	builder__begin(&b, SAMPLE, 2);
	put_words(&b, words, n);
	builder__end(&b);
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(perfdata__next(p, &rec, NULL), 0);
	assert_int_equal(perfdata__stats(p)->bad_records, 1);
	perfdata__free(p);
}

static void stated_sizes_are_not_trusted(void **state)
{
	static const uint64_t counts[] = { 3, 8191, 1ull << 32, 1ull << 61, UINT64_MAX };

	for (size_t i = 0; i < 5; i++) {
		uint64_t words[3] = { counts[i], 1, 2 };

		bad(state, CALLCHAIN, words, 3);
		bad(state, BRANCH_STACK, words, 3);
		bad(state, READ, words, 3);
		bad(state, STACK_USER, (const uint64_t[]){ i ? counts[i] : 24, 1, 2 }, 3);
	}
	bad(state, RAW, (const uint64_t[]){ UINT32_MAX, 1 }, 2);
	bad(state, REGS_USER, (const uint64_t[]){ 2, 1, 2, 3, 4, 5, 6, 7 }, 8);
}

static void a_stack_cannot_be_larger_than_its_copy(void **state)
{
	bad(state, STACK_USER, (const uint64_t[]){ 16, 1, 2, 17 }, 4);
	bad(state, STACK_USER, (const uint64_t[]){ 16, 1, 2, UINT64_MAX }, 4);
}

static void absent_registers_and_stacks_are_absent(void **state)
{
	struct perfdata_builder b;
	const struct record *r;
	struct perfdata *p;

	perfdata_builder__init(&b, false);
	perfdata_builder__event(&b, IP | REGS_USER | STACK_USER)->regs_user_mask = 0xff;
	builder__begin(&b, SAMPLE, 1);
	put_words(&b, (const uint64_t[]){ 0x99, 0, 0 }, 3); /* no abi, no stack, no dyn_size */
	builder__end(&b);
	p = perfdata_builder__open(&b, *state);
	r = next(p);
	assert_int_equal(r->sample.ip, 0x99);
	assert_int_equal(r->sample.user_abi, 0);
	assert_null(r->sample.user_regs);
	assert_int_equal(r->sample.stack_bytes, 0);
	assert_int_equal(r->time_ns, RECORD_NO_TIME);
	assert_int_equal(r->tid, UINT32_MAX);
	at_end(p);
}

static void the_longest_callchain_is_read(void **state)
{
	uint64_t words[2000];
	struct perfdata_builder b;
	const struct record *r;
	struct perfdata *p;

	words[0] = 1999;
	for (uint64_t i = 1; i < 2000; i++)
		words[i] = i;
	perfdata_builder__init(&b, false);
	perfdata_builder__event(&b, CALLCHAIN);
	builder__begin(&b, SAMPLE, 2);
	put_words(&b, words, 2000);
	builder__end(&b);
	p = perfdata_builder__open(&b, *state);
	r = next(p);
	assert_int_equal(r->sample.callchain_n, 1999);
	assert_int_equal(r->sample.callchain[1998], 1999);
	at_end(p);
}

/* Two events of two layouts, told apart by the id in front. */
static void events_with_identifier_may_differ(void **state)
{
	struct perfdata_builder b;
	const struct record *r;
	struct perfdata *p;

	perfdata_builder__init(&b, false);
	perfdata_builder__event(&b, IDENTIFIER | IP | TIME)->ids[0] = 100;
	perfdata_builder__event(&b, IDENTIFIER | TID | TIME | PERIOD)->ids[0] = 200;
	b.events[0].ids_n = 1;
	b.events[1].ids[1] = 201;
	b.events[1].ids_n = 2;
	builder__begin(&b, SAMPLE, 2);
	put_words(&b, (const uint64_t[]){ 201, 0x0000000c0000000b, 50, 4242 }, 4);
	builder__end(&b);
	builder__begin(&b, SAMPLE, 2);
	put_words(&b, (const uint64_t[]){ 100, 0x1234, 40 }, 3);
	builder__end(&b);
	p = perfdata_builder__open(&b, *state);
	r = next(p);
	assert_int_equal(r->event, 0);
	assert_int_equal(r->time_ns, 40);
	assert_int_equal(r->sample.ip, 0x1234);
	r = next(p);
	assert_int_equal(r->event, 1);
	assert_int_equal(r->time_ns, 50);
	assert_int_equal(r->pid, 11);
	assert_int_equal(r->tid, 12);
	assert_int_equal(r->sample.period, 4242);
	at_end(p);
}

static void events_with_id_share_a_layout(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	perfdata_builder__init(&b, false);
	for (uint64_t i = 0; i < 2; i++) {
		struct builder_event *e =
			perfdata_builder__event(&b, IP | TID | TIME | ADDR | ID | CPU);

		e->ids[0] = 100 + i;
		e->ids_n = 1;
	}
	for (uint64_t i = 0; i < 2; i++) {
		builder__begin(&b, SAMPLE, 2);
		put_words(&b, (const uint64_t[]){ 1, 2, 10 + i, 4, 101 - i, 6 }, 6);
		builder__end(&b);
	}
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(next(p)->event, 1);
	assert_int_equal(next(p)->event, 0);
	at_end(p);
}

static void one_event_needs_no_ids(void **state)
{
	struct perfdata_builder b;
	const struct record *r;
	struct perfdata *p;

	perfdata_builder__init(&b, false);
	perfdata_builder__event(&b, IP | TIME);
	builder__begin(&b, SAMPLE, 2);
	put_words(&b, (const uint64_t[]){ 0x55, 9 }, 2);
	builder__end(&b);
	p = perfdata_builder__open(&b, *state);
	r = next(p);
	assert_int_equal(r->event, 0);
	assert_int_equal(r->sample.ip, 0x55);
	assert_int_equal(r->sample.period, 1000000); /* the event's: the sample states none */
	at_end(p);
}

static void samples_of_no_event_are_counted(void **state)
{
	struct perfdata_builder b;
	struct record rec;
	struct perfdata *p;

	perfdata_builder__init(&b, false);
	perfdata_builder__event(&b, IDENTIFIER | IP)->ids[0] = 100;
	perfdata_builder__event(&b, IDENTIFIER | IP)->ids[0] = 200;
	b.events[0].ids_n = b.events[1].ids_n = 1;
	builder__begin(&b, SAMPLE, 2);
	put_words(&b, (const uint64_t[]){ 300, 1 }, 2);
	builder__end(&b);
	p = perfdata_builder__open(&b, *state);
	assert_int_equal(perfdata__next(p, &rec, NULL), 0);
	assert_int_equal(perfdata__stats(p)->unknown_ids, 1);
	assert_int_equal(perfdata__stats(p)->bad_records, 0);
	perfdata__free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(every_field_is_read),
		scratch_test(every_field_of_the_other_byte_order_is_read),
		scratch_test(cut_samples_are_bad),
		scratch_test(stated_sizes_are_not_trusted),
		scratch_test(a_stack_cannot_be_larger_than_its_copy),
		scratch_test(absent_registers_and_stacks_are_absent),
		scratch_test(the_longest_callchain_is_read),
		scratch_test(events_with_identifier_may_differ),
		scratch_test(events_with_id_share_a_layout),
		scratch_test(one_event_needs_no_ids),
		scratch_test(samples_of_no_event_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
