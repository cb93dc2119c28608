// SPDX-License-Identifier: GPL-2.0
/* Records that wait in their file instead of in memory. */
#include "perfconv/perfdata/order.h"

#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/perfdata/windows.h"
#include "tests/unit/support.h"

#define RECORD_BYTES 5000u
#define RECORDS 8000u /* 40 MB, several times what may be held */

static void fill(uint8_t *record, uint32_t i)
{
	for (size_t k = 0; k < RECORD_BYTES; k += sizeof(i))
		memcpy(record + k, &i, sizeof(i));
}

static int make_file(const char *folder)
{
	const char *path = scratch__path(folder, "records");
	FILE *f = fopen(path, "wb");
	uint8_t record[RECORD_BYTES];
	int fd;

	assert_non_null(f);
	for (uint32_t i = 0; i < RECORDS; i++) {
		fill(record, i);
		assert_int_equal(fwrite(record, sizeof(record), 1, f), 1);
	}
	fclose(f);
	fd = file__open(path, NULL, NULL);
	assert_true(fd >= 0);
	return fd;
}

/* Times go up and down through the file, as with CPUs' buffers one after the other. */
static uint64_t time_of(uint32_t i)
{
	return 1 + i % 4 * 10000 + i / 4;
}

static void queue_all(struct order *o)
{
	uint8_t record[RECORD_BYTES];

	for (uint32_t i = 0; i < RECORDS; i++) {
		fill(record, i);
		order__queue_at(o, time_of(i), (uint64_t)i * RECORD_BYTES, record, RECORD_BYTES);
	}
	order__flush(o);
}

static void records_come_back_from_the_file(void **state)
{
	int fd = make_file(*state);
	struct order *o = order__new();
	const struct order_record *r;
	uint64_t last = 0, n = 0;
	uint8_t expected[RECORD_BYTES];

	order__set_file(o, fd);
	queue_all(o);
	while ((r = order__next(o))) {
		uint32_t i = (uint32_t)(r->offset / RECORD_BYTES);

		assert_true(r->time_ns > last);
		last = r->time_ns;
		assert_int_equal(r->time_ns, time_of(i));
		assert_int_equal(r->n, RECORD_BYTES);
		fill(expected, i);
		assert_memory_equal(r->bytes, expected, RECORD_BYTES);
		n++;
	}
	assert_int_equal(n, RECORDS);
	assert_int_equal(order__unreadable(o), 0);
	order__free(o);
	close(fd);
}

static void a_file_cut_meanwhile_costs_records(void **state)
{
	int fd = make_file(*state);
	struct order *o = order__new();
	uint64_t n = 0;

	order__set_file(o, fd);
	queue_all(o);
	assert_int_equal(truncate(scratch__path(*state, "records"), 100), 0);
	while (order__next(o))
		n++;
	assert_in_range(n, ORDER_HELD_BYTES / RECORD_BYTES - 100, ORDER_HELD_BYTES / RECORD_BYTES);
	assert_int_equal(n + order__unreadable(o), RECORDS);
	order__free(o);
	close(fd);
}

static void without_a_file_all_is_held(void **state)
{
	struct order *o = order__new();
	uint64_t n = 0;

	(void)state;
	queue_all(o);
	while (order__next(o))
		n++;
	assert_int_equal(n, RECORDS);
	order__free(o);
}

/* As a hostile or endless pipe would do it: what waits too long goes out of order. */
static void what_is_held_has_a_limit(void **state)
{
	struct order *o = order__new();
	uint8_t record[60000] = { 0 };
	uint64_t given = 0;

	(void)state;
	for (uint64_t i = 0; i < 2 * ORDER_MAX_HELD_BYTES / sizeof(record); i++) {
		order__queue(o, 1000000 - i, i, record, sizeof(record));
		given += order__next(o) != NULL;
	}
	assert_in_range(given, ORDER_MAX_HELD_BYTES / sizeof(record) - 10,
			ORDER_MAX_HELD_BYTES / sizeof(record) + 10);
	assert_true(order__unordered(o) > 0);
	order__free(o);
}

static void windows_read_any_piece(void **state)
{
	int fd = make_file(*state);
	struct windows *w = windows__new(fd);
	uint64_t end = (uint64_t)RECORDS * RECORD_BYTES;

	for (uint32_t i = 0; i < 5000; i++) {
		uint64_t at = (uint64_t)i * 7919 * 4096 % (end - 65535) & ~3ull;
		uint32_t expected = (uint32_t)(at / RECORD_BYTES), got;
		const uint8_t *bytes = windows__read(w, at, i % 3 ? 4 : 65535);

		assert_non_null(bytes);
		memcpy(&got, bytes, sizeof(got));
		assert_int_equal(got, expected);
	}
	assert_null(windows__read(w, end - 3, 4));
	assert_null(windows__read(w, end + 1000000, 4));
	assert_null(windows__read(w, 0, 100000));
	assert_non_null(windows__read(w, end - 4, 4));
	windows__free(w);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(records_come_back_from_the_file),
		scratch_test(a_file_cut_meanwhile_costs_records),
		cmocka_unit_test(without_a_file_all_is_held),
		cmocka_unit_test(what_is_held_has_a_limit),
		scratch_test(windows_read_any_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
