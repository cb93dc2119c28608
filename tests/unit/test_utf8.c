// SPDX-License-Identifier: GPL-2.0
/* Foreign text made UTF-8. */
#include "perfconv/base/utf8.h"
#include "tests/unit/support.h"

static void clean_as(const char *text, const char *expected)
{
	char *got = utf8__clean(text);

	assert_string_equal(got, expected);
	free(got);
}

static void what_is_no_utf8_is_replaced(void **state)
{
	(void)state;
	clean_as("", "");
	clean_as("Gr\xc3\xb6\xc3\x9f"
		 "e",
		 "Gr\xc3\xb6\xc3\x9f"
		 "e");
	clean_as("a\xff"
		 "b",
		 "a" UTF8_REPLACEMENT "b");
	clean_as("\xc3", UTF8_REPLACEMENT);
	clean_as("\x80\x80", UTF8_REPLACEMENT UTF8_REPLACEMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_utf8_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
