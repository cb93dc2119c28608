// SPDX-License-Identifier: GPL-2.0
/* Tracepoint formats as perf copies them into a capture. */
#include "perfconv/perfdata/tracing.h"

#include <errno.h>

#include "tests/unit/support.h"

#define WAKE_ID 7u

static const char wake[] = "name: wake\nID: 7\nformat:\n"
			   "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
			   "\n"
			   "\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
			   "\tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;\n"
			   "\tfield:u8 cpu;\toffset:28;\tsize:1;\tsigned:0;\n"
			   "\tfield:s16 nice;\toffset:30;\tsize:2;\tsigned:1;\n"
			   "\tfield:unsigned long *at;\toffset:32;\tsize:8;\tsigned:0;\n"
			   "\n"
			   "print fmt: \"comm=%s pid=%d\", REC->comm, REC->pid\n";

static void put_sized(struct bytes *b, const char *text)
{
	bytes__u64(b, strlen(text));
	bytes__raw(b, text, strlen(text));
}

static void start(struct bytes *b, bool swap)
{
	uint8_t big = swap, long_size = 8;

	memset(b, 0, sizeof(*b));
	b->swap = swap;
	bytes__raw(b, "\027\010\104tracing", 10);
	bytes__raw(b, "0.6", 4);
	bytes__raw(b, &big, 1);
	bytes__raw(b, &long_size, 1);
	bytes__u32(b, 4096);
	bytes__raw(b, "header_page", 12);
	put_sized(b, "page");
	bytes__raw(b, "header_event", 13);
	put_sized(b, "event");
	bytes__u32(b, 0); /* of ftrace's own */
}

static struct tracing *open_formats(struct bytes *b)
{
	struct tracing *t = NULL;
	struct errbuf err;

	if (tracing__new(&t, b->v.data, b->v.n, &err))
		fail_msg("not read: %s", err.text);
	bytes__release(b);
	return t;
}

static struct tracing *one_format(const char *text, bool swap)
{
	struct bytes b;

	start(&b, swap);
	bytes__u32(&b, 1);
	bytes__raw(&b, "sched", 6);
	bytes__u32(&b, 1);
	put_sized(&b, text);
	return open_formats(&b);
}

static void payload(struct bytes *b, bool swap)
{
	uint8_t cpu[2] = { 200, 0 };

	memset(b, 0, sizeof(*b));
	b->swap = swap;
	bytes__u16(b, WAKE_ID);
	bytes__u16(b, 0), bytes__u32(b, 0);
	bytes__string(b, "worker", 16);
	bytes__u32(b, (uint32_t)-2);
	bytes__raw(b, cpu, 2);
	bytes__u16(b, (uint16_t)-5);
	bytes__u64(b, 0x1122334455667788);
}

static void fields_are_read_in_both_orders(void **state)
{
	(void)state;
	for (int swap = 0; swap < 2; swap++) {
		struct tracing *t = one_format(wake, swap);
		struct bytes raw;
		uint64_t v;

		payload(&raw, swap);
		assert_string_equal(tracing__name(t, WAKE_ID), "sched:wake");
		assert_true(tracing__number(t, WAKE_ID, raw.v.data, raw.v.n, "common_type", &v));
		assert_int_equal(v, WAKE_ID);
		assert_true(tracing__number(t, WAKE_ID, raw.v.data, raw.v.n, "pid", &v));
		assert_int_equal(v, (uint64_t)-2);
		assert_true(tracing__number(t, WAKE_ID, raw.v.data, raw.v.n, "cpu", &v));
		assert_int_equal(v, 200);
		assert_true(tracing__number(t, WAKE_ID, raw.v.data, raw.v.n, "nice", &v));
		assert_int_equal(v, (uint64_t)-5);
		assert_true(tracing__number(t, WAKE_ID, raw.v.data, raw.v.n, "at", &v));
		assert_int_equal(v, 0x1122334455667788);
		bytes__release(&raw);
		tracing__free(t);
	}
}

static void what_is_no_number_is_not_read(void **state)
{
	struct tracing *t = one_format(wake, false);
	struct bytes raw;
	uint64_t v = 99;

	(void)state;
	payload(&raw, false);
	assert_false(tracing__number(t, WAKE_ID, raw.v.data, raw.v.n, "comm", &v));
	assert_false(tracing__number(t, WAKE_ID, raw.v.data, raw.v.n, "co", &v));
	assert_false(tracing__number(t, WAKE_ID + 1, raw.v.data, raw.v.n, "pid", &v));
	assert_false(tracing__number(t, WAKE_ID, raw.v.data, 27, "pid", &v));
	assert_null(tracing__name(t, WAKE_ID + 1));
	assert_int_equal(v, 99);
	bytes__release(&raw);
	tracing__free(t);
}

static void the_text_is_the_kernels(void **state)
{
	struct tracing *t = one_format(wake, false);
	struct bytes raw;
	char *text;

	(void)state;
	payload(&raw, false);
	for (int i = 0; i < 2; i++) {
		text = tracing__text(t, WAKE_ID, raw.v.data, raw.v.n);
		assert_string_equal(text, "comm=worker pid=-2");
		free(text);
	}
	text = tracing__text(t, WAKE_ID, raw.v.data, 30);
	assert_string_equal(text, "(payload shorter than its format)");
	free(text);
	assert_null(tracing__text(t, 8, raw.v.data, raw.v.n));
	bytes__release(&raw);
	tracing__free(t);
}

static void odd_formats_are_left_out(void **state)
{
	static const char *const odd[] = {
		"",
		"ID: 7\n",
		"name: \nID: 7\n",
		"name: x\nID: 7\n\tfield:int a;\toffset:4;\tsize:4;\n",
		"name: x\nID: 7\n\tfield:int a;\toffset:-4;\tsize:4;\tsigned:0;\n",
		"name: x\nID: 7\n\tfield:int a;\toffset:4;\tsize:99999999999;\tsigned:0;\n",
		"name: x\nID: 7\n\tfield:;\toffset:4;\tsize:4;\tsigned:0;\n",
		"name: x\nID: 7\n\tfield",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		struct tracing *t = one_format(odd[i], false);

		assert_null(tracing__name(t, WAKE_ID));
		tracing__free(t);
	}
}

static void a_second_format_for_an_id_is_left_out(void **state)
{
	struct tracing *t;
	struct bytes b;

	(void)state;
	start(&b, false);
	bytes__u32(&b, 1);
	bytes__raw(&b, "sched", 6);
	bytes__u32(&b, 2);
	put_sized(&b, wake);
	put_sized(&b, "name: other\nID: 7\n");
	t = open_formats(&b);
	assert_string_equal(tracing__name(t, WAKE_ID), "sched:wake");
	tracing__free(t);
}

/* Four thousand million formats, none of which is there: it used to count them all. */
static void counts_are_not_trusted(void **state)
{
	struct tracing *t = NULL;
	struct bytes b;

	(void)state;
	start(&b, false);
	bytes__u32(&b, 1);
	bytes__raw(&b, "sched", 6);
	bytes__u32(&b, UINT32_MAX);
	assert_int_equal(tracing__new(&t, b.v.data, b.v.n, NULL), -EINVAL);
	assert_null(t);
	bytes__release(&b);
}

static void cut_sections_are_refused(void **state)
{
	struct bytes b;

	(void)state;
	start(&b, false);
	bytes__u32(&b, 1);
	bytes__raw(&b, "sched", 6);
	bytes__u32(&b, 1);
	put_sized(&b, wake);
	for (size_t n = 0; n < b.v.n; n++) {
		uint8_t *copy = malloc(n + 1);
		struct tracing *t = NULL;

		assert_non_null(copy);
		memcpy(copy, b.v.data, n);
		assert_int_equal(tracing__new(&t, copy, n, NULL), -EINVAL);
		free(copy);
	}
	bytes__release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_in_both_orders),
		cmocka_unit_test(what_is_no_number_is_not_read),
		cmocka_unit_test(the_text_is_the_kernels),
		cmocka_unit_test(odd_formats_are_left_out),
		cmocka_unit_test(a_second_format_for_an_id_is_left_out),
		cmocka_unit_test(counts_are_not_trusted),
		cmocka_unit_test(cut_sections_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
