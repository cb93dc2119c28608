// SPDX-License-Identifier: GPL-2.0
#include <math.h>

#include "perfconv/base/json.h"
#include "tests/unit/support.h"

#define REPLACED "\xef\xbf\xbd" /* U+FFFD */

struct writing {
	struct json json;
	struct sink *sink;
	const char *path;
};

static struct json *begin(struct writing *w, const char *folder)
{
	w->path = scratch__path(folder, "out.json");
	assert_int_equal(sink__open(&w->sink, w->path, NULL), 0);
	json__init(&w->json, w->sink);
	return &w->json;
}

static void end_as(struct writing *w, const char *expected)
{
	char *text;

	assert_int_equal(sink__commit(w->sink, NULL), 0);
	text = scratch__read(w->path);
	assert_string_equal(text, expected);
	free(text);
}

static void string_as(void **state, const char *value, const char *expected)
{
	struct writing w;

	json__string(begin(&w, *state), value);
	end_as(&w, expected);
}

static void nesting_gets_its_commas(void **state)
{
	struct writing w;
	struct json *j = begin(&w, *state);

	json__object(j);
	json__key(j, "a");
	json__array(j);
	json__u64(j, 1);
	json__array(j);
	json__array_end(j);
	json__bool(j, true);
	json__bool(j, false);
	json__object(j);
	json__object_end(j);
	json__array_end(j);
	json__key_string(j, "b", "c");
	json__key_u64(j, "d", 7);
	json__newline(j);
	json__key_double(j, "e", 0.5);
	json__object_end(j);
	end_as(&w, "{\"a\":[1,[],true,false,{}],\"b\":\"c\",\"d\":7\n,\"e\":0.5}");
}

static void special_characters_are_escaped(void **state)
{
	string_as(state, "say \"hi\" \\ /", "\"say \\\"hi\\\" \\\\ /\"");
	string_as(state, "\t\n\r\x01\x1f\x7f", "\"\\u0009\\u000a\\u000d\\u0001\\u001f\\u007f\"");
	string_as(state, "", "\"\"");
}

static void keys_are_escaped_too(void **state)
{
	struct writing w;
	struct json *j = begin(&w, *state);

	json__object(j);
	json__key_string(j, "a\"\xff", "x");
	json__object_end(j);
	end_as(&w, "{\"a\\\"" REPLACED "\":\"x\"}");
}

static void utf8_passes_through(void **state)
{
	string_as(state, "\xc2\x80 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		  "\"\xc2\x80 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
	string_as(state, "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf",
		  "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\"");
}

/* How many replacement characters a damaged form gives is not promised: at least
 * one, and nothing of the form stays. */
static void damaged_as_replacements(void **state, const char *value)
{
	struct writing w;
	const char *at;
	char *text, *whole = mem__format("a%sz", value);

	json__string(begin(&w, *state), whole);
	assert_int_equal(sink__commit(w.sink, NULL), 0);
	text = scratch__read(w.path);
	assert_int_equal(strncmp(text, "\"a" REPLACED, 5), 0);
	at = text + 2;
	while (!strncmp(at, REPLACED, 3))
		at += 3;
	assert_string_equal(at, "z\"");
	free(text);
	free(whole);
}

static void invalid_utf8_is_replaced(void **state)
{
	damaged_as_replacements(state, "\x80");		    /* continuation alone */
	damaged_as_replacements(state, "\xff\xfe");	    /* never valid */
	damaged_as_replacements(state, "\xc3");		    /* cut */
	damaged_as_replacements(state, "\xe2\x82");	    /* cut */
	damaged_as_replacements(state, "\xf0\x9f\x98");	    /* cut */
	damaged_as_replacements(state, "\xc0\x80");	    /* overlong NUL */
	damaged_as_replacements(state, "\xc1\xbf");	    /* overlong */
	damaged_as_replacements(state, "\xe0\x9f\xbf");	    /* overlong */
	damaged_as_replacements(state, "\xf0\x8f\xbf\xbf"); /* overlong */
	damaged_as_replacements(state, "\xed\xa0\x80");	    /* high surrogate */
	damaged_as_replacements(state, "\xed\xbf\xbf");	    /* low surrogate */
	damaged_as_replacements(state, "\xf4\x90\x80\x80"); /* above U+10FFFF */
	damaged_as_replacements(state, "\xf5\x80\x80\x80"); /* above U+10FFFF */
}

static void a_cut_sequence_at_the_end_is_replaced(void **state)
{
	string_as(state, "x\xc3", "\"x" REPLACED "\"");
	string_as(state, "x\xf0", "\"x" REPLACED "\"");
}

static void number_as(void **state, double value, const char *expected)
{
	struct writing w;

	json__double(begin(&w, *state), value);
	end_as(&w, expected);
}

static void numbers_are_exact(void **state)
{
	struct writing w;
	struct json *j = begin(&w, *state);

	json__array(j);
	json__u64(j, 0);
	json__u64(j, 10);
	json__u64(j, UINT64_MAX);
	json__i64(j, -1);
	json__i64(j, INT64_MIN);
	json__i64(j, 7);
	json__null(j);
	json__array_end(j);
	end_as(&w, "[0,10,18446744073709551615,-1,-9223372036854775808,7,null]");
	number_as(state, 0.1, "0.1");
	number_as(state, 29.999999999, "29.999999999");
	number_as(state, -1.5, "-1.5");
	number_as(state, 123456789.012345, "123456789.012345");
}

static void not_finite_is_null(void **state)
{
	number_as(state, NAN, "null");
	number_as(state, INFINITY, "null");
	number_as(state, -INFINITY, "null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(nesting_gets_its_commas),
		scratch_test(special_characters_are_escaped),
		scratch_test(keys_are_escaped_too),
		scratch_test(utf8_passes_through),
		scratch_test(invalid_utf8_is_replaced),
		scratch_test(a_cut_sequence_at_the_end_is_replaced),
		scratch_test(numbers_are_exact),
		scratch_test(not_finite_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
