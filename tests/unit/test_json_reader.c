// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/json_reader.h"

#include "tests/unit/support.h"

static void start(struct json_reader *r, const char *text)
{
	json_reader__init(r, text, strlen(text));
}

/* The message of a reader that has come to its end; NULL: all was well. */
static const char *trouble(struct json_reader *r)
{
	static struct errbuf err;
	int code = json_reader__end(r, &err);

	json_reader__release(r);
	return code ? err.text : NULL;
}

static void an_object_is_read_key_by_key(void **state)
{
	struct json_reader r;

	(void)state;
	start(&r, " { \"a\" : 1,\n \"b\":[2,-3.5e1 ],\"c\":\"x\" , \"d\": {} , \"e\":[]}\n");
	assert_true(json_reader__object(&r));
	assert_string_equal(json_reader__key(&r), "a");
	assert_int_equal(json_reader__u64(&r), 1);
	assert_string_equal(json_reader__key(&r), "b");
	assert_int_equal(json_reader__peek(&r), JSON_ARRAY);
	assert_true(json_reader__array(&r));
	assert_true(json_reader__more(&r));
	assert_int_equal(json_reader__u32(&r), 2);
	assert_true(json_reader__more(&r));
	assert_float_equal(json_reader__double(&r), -35, 0);
	assert_false(json_reader__more(&r));
	assert_string_equal(json_reader__key(&r), "c");
	assert_string_equal(json_reader__string(&r), "x");
	assert_string_equal(json_reader__key(&r), "d");
	assert_true(json_reader__object(&r));
	assert_null(json_reader__key(&r));
	assert_string_equal(json_reader__key(&r), "e");
	assert_true(json_reader__array(&r));
	assert_false(json_reader__more(&r));
	assert_null(json_reader__key(&r));
	assert_null(trouble(&r));
}

static void strings_are_unescaped(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{ "\"\"", "" },
		{ "\"a\\\"b\\\\c\\/\\b\\f\\n\\r\\t\"", "a\"b\\c/\b\f\n\r\t" },
		{ "\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac" },
		{ "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
		{ "\"\\ud83dx\\ude00\"", "\xef\xbf\xbdx\xef\xbf\xbd" },
		{ "\"\\ud83d\\u0041\"", "\xef\xbf\xbd" },
		{ "\"\xc3\xa9\"", "\xc3\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_reader r;

		start(&r, cases[i].json);
		assert_string_equal(json_reader__string(&r), cases[i].text);
		assert_null(trouble(&r));
	}
}

static void anything_can_be_skipped(void **state)
{
	struct json_reader r;

	(void)state;
	start(&r, "[{\"a\":[1,{\"b\":null}],\"c\":\"]\"},true,[[],[{}]],-1e9,false,7]");
	json_reader__array(&r);
	for (int i = 0; i < 5; i++) {
		assert_true(json_reader__more(&r));
		json_reader__skip(&r);
	}
	assert_true(json_reader__more(&r));
	assert_int_equal(json_reader__u64(&r), 7);
	assert_false(json_reader__more(&r));
	assert_null(trouble(&r));
}

static void what_is_no_json_stops_the_reader(void **state)
{
	static const char *const cases[] = {
		"",
		"[",
		"[1",
		"[1,",
		"[1,]",
		"[1 2]",
		"{",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"{\"a\":1,}",
		"{\"a\" 1}",
		"{1:2}",
		"{,}",
		"\"a",
		"\"\\",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12G4\"",
		"tru",
		"nul",
		"[1]]",
		"1 2",
		"}",
		"[}",
		"{]",
		"\"\\ud800\\u\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_reader r;

		start(&r, cases[i]);
		json_reader__skip(&r);
		assert_non_null(trouble(&r));
	}
}

static void another_type_than_asked_for_stops_the_reader(void **state)
{
	struct json_reader r;

	(void)state;
	start(&r, "[\n1,\n\"x\",2]");
	json_reader__array(&r);
	json_reader__more(&r);
	assert_int_equal(json_reader__u64(&r), 1);
	json_reader__more(&r);
	assert_int_equal(json_reader__u64(&r), 0);
	assert_false(json_reader__more(&r));
	assert_string_equal(trouble(&r), "has no number where one is due (line 3)");
}

static void numbers_have_their_bounds(void **state)
{
	static const char *const bad[] = { "-1", "1.0", "1e3", "18446744073709551616", "00x" };
	struct json_reader r;

	(void)state;
	start(&r, "18446744073709551615");
	assert_true(json_reader__u64(&r) == UINT64_MAX);
	assert_null(trouble(&r));
	start(&r, "4294967296");
	assert_int_equal(json_reader__u32(&r), 0);
	assert_non_null(trouble(&r));
	start(&r, "1e999");
	json_reader__double(&r);
	assert_non_null(trouble(&r));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		start(&r, bad[i]);
		assert_int_equal(json_reader__u64(&r), 0);
		assert_non_null(trouble(&r));
	}
}

static void nesting_is_bounded(void **state)
{
	char deep[2 * JSON_READER_MAX_DEPTH + 3];
	struct json_reader r;

	(void)state;
	for (size_t n = JSON_READER_MAX_DEPTH; n <= JSON_READER_MAX_DEPTH + 1; n++) {
		memset(deep, '[', n);
		memset(deep + n, ']', n);
		deep[2 * n] = '\0';
		start(&r, deep);
		json_reader__skip(&r);
		if (n == JSON_READER_MAX_DEPTH)
			assert_null(trouble(&r));
		else
			assert_contains(trouble(&r), "too deeply");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_read_key_by_key),
		cmocka_unit_test(strings_are_unescaped),
		cmocka_unit_test(anything_can_be_skipped),
		cmocka_unit_test(what_is_no_json_stops_the_reader),
		cmocka_unit_test(another_type_than_asked_for_stops_the_reader),
		cmocka_unit_test(numbers_have_their_bounds),
		cmocka_unit_test(nesting_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
