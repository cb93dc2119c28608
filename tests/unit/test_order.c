// SPDX-License-Identifier: GPL-2.0
#include "perfconv/perfdata/order.h"
#include "tests/unit/support.h"

static void queue(struct order *o, uint64_t time, uint64_t offset)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%llu/%llu", (unsigned long long)time,
			 (unsigned long long)offset);

	order__queue(o, time, offset, text, (size_t)n + 1);
}

static void queue_times(struct order *o, const uint64_t *times, size_t n, uint64_t *offset)
{
	for (size_t i = 0; i < n; i++)
		queue(o, times[i], ++*offset);
}

static void gives(struct order *o, uint64_t time)
{
	const struct order_record *r = order__next(o);
	char text[32];

	assert_non_null(r);
	assert_int_equal(r->time_ns, time);
	snprintf(text, sizeof(text), "%llu/%llu", (unsigned long long)time,
		 (unsigned long long)r->offset);
	assert_string_equal((const char *)r->bytes, text);
	assert_int_equal(r->n, strlen(text) + 1);
}

/* The drawing in order.h. */
static void rounds_make_the_previous_round_ready(void **state)
{
	static const uint64_t round1[] = { 1, 4, 7, 2, 3, 6 };
	static const uint64_t round2[] = { 9, 12, 5, 8, 10 };
	static const uint64_t round3[] = { 13, 11 };
	struct order *o = order__new();
	uint64_t offset = 0;

	(void)state;
	queue_times(o, round1, 6, &offset);
	assert_null(order__next(o));
	order__round(o);
	assert_null(order__next(o)); /* nothing: 5 is still to come */
	queue_times(o, round2, 5, &offset);
	order__round(o);
	for (uint64_t t = 1; t <= 7; t++)
		gives(o, t);
	assert_null(order__next(o)); /* 8 is there, but 7 was the highest of the round before */
	queue_times(o, round3, 2, &offset);
	order__round(o);
	for (uint64_t t = 8; t <= 12; t++)
		gives(o, t);
	assert_null(order__next(o));
	order__flush(o);
	gives(o, 13);
	assert_null(order__next(o));
	assert_int_equal(order__unordered(o), 0);
	order__free(o);
}

static void without_rounds_all_waits_for_the_end(void **state)
{
	struct order *o = order__new();

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		queue(o, (i * 7919) % 1000 + 1, i);
	assert_null(order__next(o));
	order__flush(o);
	for (uint64_t t = 1; t <= 1000; t++)
		gives(o, t);
	assert_null(order__next(o));
	order__free(o);
}

static void equal_times_keep_file_order(void **state)
{
	struct order *o = order__new();
	uint64_t last = 0;

	(void)state;
	for (uint64_t i = 1; i <= 500; i++)
		queue(o, 42, i);
	order__flush(o);
	for (size_t i = 0; i < 500; i++) {
		const struct order_record *r = order__next(o);

		assert_non_null(r);
		assert_int_equal(r->offset, last + 1);
		last = r->offset;
	}
	assert_null(order__next(o));
	order__free(o);
}

static void no_time_comes_before_all_else(void **state)
{
	struct order *o = order__new();

	(void)state;
	queue(o, 5, 1);
	queue(o, 0, 2);
	queue(o, 3, 3);
	queue(o, 0, 4);
	order__round(o);
	order__flush(o);
	gives(o, 0);
	gives(o, 0);
	gives(o, 3);
	gives(o, 5);
	assert_int_equal(order__unordered(o), 0);
	order__free(o);
}

static void late_records_are_counted_and_kept(void **state)
{
	struct order *o = order__new();

	(void)state;
	queue(o, 100, 1);
	order__round(o);
	order__round(o);
	gives(o, 100);
	queue(o, 50, 2);  /* older than what was given out */
	queue(o, 100, 3); /* as old: in order */
	queue(o, 0, 4);	  /* says nothing of its time */
	order__flush(o);
	gives(o, 0);
	gives(o, 50);
	gives(o, 100);
	assert_int_equal(order__unordered(o), 1);
	order__free(o);
}

static void bytes_last_until_the_next_call(void **state)
{
	struct order *o = order__new();
	uint8_t *block = mem__alloc(60000, 1);

	(void)state;
	for (uint64_t i = 1; i <= 100; i++) { /* 6 MB: several chunks */
		memset(block, (int)i, 60000);
		order__queue(o, 1000 - i, i, block, 60000);
	}
	order__flush(o);
	for (uint64_t i = 100; i >= 1; i--) {
		const struct order_record *r = order__next(o);

		assert_int_equal(r->time_ns, 1000 - i);
		assert_int_equal(r->bytes[0], i);
		assert_int_equal(r->bytes[59999], i);
		queue(o, 5000, 1000 + i); /* queueing does not touch what was given */
		assert_int_equal(r->bytes[30000], i);
	}
	free(block);
	order__free(o); /* with records left, and one given */
}

static void a_record_larger_than_a_chunk_is_kept_whole(void **state)
{
	struct order *o = order__new();
	size_t n = (size_t)3 << 20;
	uint8_t *block = mem__alloc(n, 1);
	const struct order_record *r;

	(void)state;
	memset(block, 0x5a, n);
	order__queue(o, 2, 1, block, n);
	queue(o, 1, 2);
	order__flush(o);
	gives(o, 1);
	r = order__next(o);
	assert_int_equal(r->n, n);
	assert_memory_equal(r->bytes, block, n);
	assert_null(order__next(o));
	free(block);
	order__free(o);
}

static void an_empty_order_gives_nothing(void **state)
{
	struct order *o = order__new();

	(void)state;
	assert_null(order__next(o));
	order__round(o);
	assert_null(order__next(o));
	order__flush(o);
	assert_null(order__next(o));
	order__free(o);
	order__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounds_make_the_previous_round_ready),
		cmocka_unit_test(without_rounds_all_waits_for_the_end),
		cmocka_unit_test(equal_times_keep_file_order),
		cmocka_unit_test(no_time_comes_before_all_else),
		cmocka_unit_test(late_records_are_counted_and_kept),
		cmocka_unit_test(bytes_last_until_the_next_call),
		cmocka_unit_test(a_record_larger_than_a_chunk_is_kept_whole),
		cmocka_unit_test(an_empty_order_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
