// SPDX-License-Identifier: GPL-2.0
/* CPU and memory over time: summed up, written, read back, drawn. */
#include "perfconv/analyze/usage.h"

#include "perfconv/analyze/rules.h"
#include "perfconv/base/json.h"
#include "perfconv/output/page.h"
#include "perfconv/output/report_json.h"
#include "perfconv/output/report_read.h"
#include "tests/unit/support.h"

static void look(struct report *r, uint64_t seconds, double cpu, uint64_t megabytes)
{
	vec__push(&r->usage,
		  ((struct report_usage){ seconds * 1000000000, cpu, megabytes * 1000000 }));
}

static void assert_near(double value, double expected)
{
	assert_true(value > expected - 1e-6 && value < expected + 1e-6);
}

/* The second look stands for three seconds, so that it counts three times. */
static void looks_are_summed_by_their_length(void **state)
{
	struct usage_summary u;
	struct report r;

	(void)state;
	report__init(&r);
	look(&r, 1, 10, 100);
	assert_false(usage__sum(&r, &u));
	look(&r, 4, 50, 130);
	look(&r, 5, 0, 120);
	assert_true(usage__sum(&r, &u));
	assert_near(u.cpu_percent.first, 10);
	assert_near(u.cpu_percent.mean, 160.0 / 5);
	assert_near(u.cpu_percent.most, 50);
	assert_near(u.cpu_percent.last, 0);
	assert_near(u.memory_mb.most, 130);
	assert_near(u.memory_mb.last, 120);
	assert_near(u.growth_mb_a_minute, 60 * 20.0 / 4);
	assert_int_equal(u.parts, 3);
	assert_near(u.part_percent[1], 50);
	report__release(&r);
}

static void many_looks_have_ten_parts(void **state)
{
	struct usage_summary u;
	struct report r;

	(void)state;
	report__init(&r);
	for (uint64_t i = 1; i <= 105; i++)
		look(&r, i, i <= 52 ? 0 : 100, 1);
	assert_true(usage__sum(&r, &u));
	assert_int_equal(u.parts, USAGE_PARTS);
	assert_near(u.part_percent[4], 0);
	assert_near(u.part_percent[5], 100);
	report__release(&r);
}

static const char *written(const char *folder, const struct report *r)
{
	const char *path = scratch__path(folder, "report.json");
	struct sink *sink;
	struct json json;

	assert_int_equal(sink__open(&sink, path, NULL), 0);
	json__init(&json, sink);
	report_json__write(&json, r);
	assert_int_equal(sink__commit(sink, NULL), 0);
	return path;
}

static void looks_are_written_and_read_back(void **state)
{
	struct report r, back;

	report__init(&r);
	look(&r, 2, 12.5, 150);
	look(&r, 3, 71.25, 151);
	look(&r, 1, 1, 1); /* not by time: nobody writes that */
	r.duration_ns = 3000000000;
	report__init(&back);
	assert_int_equal(report_read(&back, written(*state, &r), NULL), 0);
	assert_int_equal(back.usage.n, 2);
	assert_int_equal(back.usage.data[0].time_ns, 2000000000);
	assert_near(back.usage.data[1].cpu_percent, 71.25);
	assert_int_equal(back.usage.data[1].memory_bytes, 151000000);
	report__release(&back);
	report__release(&r);
}

static void read_text(struct report *r, const char *folder, const char *text)
{
	const char *path = scratch__write(folder, "hostile.json", text, strlen(text));

	report__init(r);
	assert_int_equal(report_read(r, path, NULL), 0);
}

static void looks_that_cannot_be_are_left_out(void **state)
{
	struct report r;

	read_text(&r, *state,
		  "{\"schema\":1,\"durationNs\":9,\"findings\":[],\"usage\":["
		  "{\"timeNs\":1,\"cpuPercent\":1e308,\"memoryBytes\":1},"
		  "{\"timeNs\":1,\"cpuPercent\":-1,\"memoryBytes\":1},"
		  "{\"timeNs\":1,\"cpuPercent\":\"7\",\"memoryBytes\":1},"
		  "{\"timeNs\":1,\"cpuPercent\":1,\"memoryBytes\":-1},"
		  "{\"timeNs\":1,\"cpuPercent\":1,\"memoryBytes\":9000000000000000000},"
		  "{\"timeNs\":1,\"cpuPercent\":1},3,"
		  "{\"timeNs\":-1,\"cpuPercent\":1,\"memoryBytes\":1},"
		  "{\"timeNs\":5,\"cpuPercent\":0,\"memoryBytes\":0},"
		  "{\"timeNs\":9223372036854775807,\"cpuPercent\":1,\"memoryBytes\":1},"
		  "{\"timeNs\":2000000009,\"cpuPercent\":1e6,\"memoryBytes\":7}]}");
	assert_int_equal(r.usage.n, 2);
	assert_int_equal(r.usage.data[0].time_ns, 5);
	assert_int_equal(r.usage.data[1].memory_bytes, 7);
	report__release(&r);
}

static void no_more_rules_than_there_are_did_not_look(void **state)
{
	char *text = mem__strdup("{\"schema\":1,\"findings\":[],\"notLookedFor\":["), *whole;
	struct report r;

	for (int i = 0; i < 100; i++) {
		char *longer = mem__format("%s{\"rule\":\"%d\",\"because\":\"%d\"},", text, i, i);

		free(text);
		text = longer;
	}
	whole = mem__format("%.*s]}", (int)strlen(text) - 1, text);
	read_text(&r, *state, whole);
	assert_int_equal(r.unlooked.n, RULES);
	report__release(&r);
	free(whole);
	free(text);
}

static char *drawn(const char *folder, const struct report *r)
{
	const char *path = scratch__path(folder, "page");
	struct sink *sink;

	assert_int_equal(sink__open(&sink, path, NULL), 0);
	page_usage__write(sink, r);
	assert_int_equal(sink__commit(sink, NULL), 0);
	return scratch__read(path);
}

/* 240 wide, 30 high: each look is a step to its own time. */
static void curves_are_steps(void **state)
{
	struct report r;
	char *text;

	report__init(&r);
	text = drawn(*state, &r);
	assert_string_equal(text, "");
	free(text);
	look(&r, 1, 10, 100);
	look(&r, 4, 40, 50);
	text = drawn(*state, &r);
	assert_non_null(strstr(text, "M0 30V22.50H60.00V0.00H240.00V30z"));
	assert_non_null(strstr(text, "M0 30V0.00H60.00V15.00H240.00V30z"));
	assert_non_null(strstr(text, "Memory -50.0 MB in 3.0 s, -1000.0 MB a minute"));
	free(text);
	report__release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_are_summed_by_their_length),
		cmocka_unit_test(many_looks_have_ten_parts),
		scratch_test(looks_are_written_and_read_back),
		scratch_test(looks_that_cannot_be_are_left_out),
		scratch_test(no_more_rules_than_there_are_did_not_look),
		scratch_test(curves_are_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
