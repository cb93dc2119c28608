// SPDX-License-Identifier: GPL-2.0
/* The data section as a stream: where it ends, and how it may be damaged. */
#include "perfconv/perfdata/perfdata.h"
#include "tests/unit/perfdata_builder.h"

enum { IP = 1, TIME = 4 };

#define SAMPLE 9u
#define AUXTRACE 71u

static void start(struct perfdata_builder *b)
{
	perfdata_builder__init(b, false);
	perfdata_builder__event(b, IP | TIME);
}

static void put_sample(struct perfdata_builder *b, uint64_t time)
{
	builder__begin(b, SAMPLE, 2);
	bytes__u64(&b->data, 0x1000);
	bytes__u64(&b->data, time);
	builder__end(b);
}

static struct perfdata *open_file(const char *path)
{
	struct perfdata *p = NULL;
	struct errbuf err;

	if (perfdata__open(&p, path, &err))
		fail_msg("not opened: %s", err.text);
	return p;
}

static struct perfdata *open_built(struct perfdata_builder *b, const char *folder)
{
	const char *path = perfdata_builder__write(b, folder, "perf.data");

	perfdata_builder__release(b);
	return open_file(path);
}

/* Reads to the end.  Return: how many records came, in order. */
static size_t read_all(struct perfdata *p)
{
	uint64_t last = 0;
	struct record rec;
	size_t n = 0;
	int code;

	while ((code = perfdata__next(p, &rec, NULL)) > 0) {
		assert_true(rec.time_ns >= last);
		last = rec.time_ns;
		n++;
	}
	assert_int_equal(code, 0);
	return n;
}

static void an_empty_data_section_has_no_records(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b);
	builder__finished_round(&b);
	p = open_built(&b, *state);
	assert_int_equal(read_all(p), 0);
	assert_false(perfdata__stats(p)->cut);
	assert_false(perfdata__stats(p)->unfinished);
	perfdata__free(p);
}

/* The file ends at every byte of the data section: what is whole before is read. */
static void data_may_be_cut_anywhere(void **state)
{
	struct perfdata_builder b;
	size_t end;

	start(&b);
	for (uint64_t i = 1; i <= 4; i++)
		put_sample(&b, i);
	perfdata_builder__finish(&b);
	end = b.data_at + b.data.v.n;
	for (size_t n = b.data_at; n < end; n++) {
		struct perfdata *p =
			open_file(scratch__write(*state, "perf.data", b.file.v.data, n));
		size_t whole = (n - b.data_at) / 24;

		assert_int_equal(read_all(p), whole);
		assert_true(perfdata__stats(p)->cut);
		assert_int_equal(perfdata__stats(p)->cut_offset, b.data_at + whole * 24);
		perfdata__free(p);
	}
	perfdata_builder__release(&b);
}

static void a_killed_perf_leaves_what_it_wrote(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b);
	b.unfinished = true;
	for (uint64_t i = 10; i > 0; i--)
		put_sample(&b, i);
	p = open_built(&b, *state);
	assert_true(perfdata__stats(p)->unfinished);
	assert_int_equal(read_all(p), 10);
	assert_false(perfdata__stats(p)->cut);
	perfdata__free(p);
}

static void a_killed_perf_may_leave_half_a_record(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b);
	b.unfinished = true;
	put_sample(&b, 1);
	bytes__raw(&b.data, "\x09\0\0\0\x02", 5);
	p = open_built(&b, *state);
	assert_int_equal(read_all(p), 1);
	assert_true(perfdata__stats(p)->cut);
	perfdata__free(p);
}

/* Sizes below the record header, zero above all, must not make it run forever. */
static void a_size_too_small_ends_the_data(void **state)
{
	for (uint16_t size = 0; size < 8; size++) {
		struct perfdata_builder b;
		struct perfdata *p;
		size_t at;

		start(&b);
		put_sample(&b, 1);
		at = b.data.v.n;
		bytes__u32(&b.data, SAMPLE);
		bytes__u16(&b.data, 2);
		bytes__u16(&b.data, size);
		put_sample(&b, 2);
		p = open_built(&b, *state);
		assert_int_equal(read_all(p), 1);
		assert_true(perfdata__stats(p)->cut);
		assert_int_equal(perfdata__stats(p)->cut_offset, 104 + 144 + at);
		perfdata__free(p);
	}
}

static void a_size_too_large_ends_the_data(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b);
	put_sample(&b, 1);
	bytes__u32(&b.data, SAMPLE);
	bytes__u16(&b.data, 2);
	bytes__u16(&b.data, 0xffff);
	p = open_built(&b, *state);
	assert_int_equal(read_all(p), 1);
	assert_true(perfdata__stats(p)->cut);
	perfdata__free(p);
}

/* More than any buffer holds, in rounds, and largest records across its borders. */
static void large_captures_are_read_whole(void **state)
{
	static const uint8_t filler[65000];
	struct perfdata_builder b;
	struct perfdata *p;
	uint64_t time = 0;

	start(&b);
	for (size_t round = 0; round < 30; round++) {
		for (size_t i = 0; i < 300; i++)
			put_sample(&b, ++time);
		builder__begin(&b, 63, 0); /* unknown, and nearly as large as can be */
		bytes__raw(&b.data, filler, sizeof(filler));
		builder__end(&b);
		builder__begin(&b, 127, 0); /* unknown to perf's own types too */
		bytes__raw(&b.data, filler, sizeof(filler));
		builder__end(&b);
		builder__finished_round(&b);
	}
	p = open_built(&b, *state);
	assert_int_equal(read_all(p), 9000);
	assert_false(perfdata__stats(p)->cut);
	assert_int_equal(perfdata__stats(p)->records[SAMPLE], 9000);
	assert_int_equal(perfdata__stats(p)->records[68], 30);
	perfdata__free(p);
}

static void put_auxtrace(struct perfdata_builder *b, uint64_t payload)
{
	builder__begin(b, AUXTRACE, 0);
	bytes__u64(&b->data, payload);
	for (size_t i = 0; i < 4; i++)
		bytes__u64(&b->data, 0);
	builder__end(b);
}

/* What hardware tracing wrote lies behind its record and is no record. */
static void trace_payload_is_skipped(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b);
	put_sample(&b, 1);
	put_auxtrace(&b, 3000000);
	for (size_t i = 0; i < 3000000 / 8; i++)
		bytes__u64(&b.data, UINT64_MAX);
	put_sample(&b, 2);
	p = open_built(&b, *state);
	assert_int_equal(read_all(p), 2);
	assert_false(perfdata__stats(p)->cut);
	perfdata__free(p);
}

static void trace_payload_beyond_the_data_ends_it(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	start(&b);
	put_sample(&b, 1);
	put_auxtrace(&b, UINT64_MAX);
	put_sample(&b, 2);
	p = open_built(&b, *state);
	assert_int_equal(read_all(p), 1);
	assert_true(perfdata__stats(p)->cut);
	perfdata__free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(an_empty_data_section_has_no_records),
		scratch_test(data_may_be_cut_anywhere),
		scratch_test(a_killed_perf_leaves_what_it_wrote),
		scratch_test(a_killed_perf_may_leave_half_a_record),
		scratch_test(a_size_too_small_ends_the_data),
		scratch_test(a_size_too_large_ends_the_data),
		scratch_test(large_captures_are_read_whole),
		scratch_test(trace_payload_is_skipped),
		scratch_test(trace_payload_beyond_the_data_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
