// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "tests/unit/support.h"

static void set_gives_back_the_code(void **state)
{
	struct errbuf err;

	(void)state;
	assert_int_equal(errbuf__set(&err, -ENOENT, "%s: %d", "file", 7), -ENOENT);
	assert_string_equal(err.text, "file: 7");
}

static void a_message_may_not_be_wanted(void **state)
{
	(void)state;
	assert_int_equal(errbuf__set(NULL, -EIO, "x"), -EIO);
	errbuf__prefix(NULL, "x");
}

static void prefix_stands_in_front(void **state)
{
	struct errbuf err;

	(void)state;
	errbuf__set(&err, -EIO, "cannot be read");
	errbuf__prefix(&err, "%s: ", "a.data");
	assert_string_equal(err.text, "a.data: cannot be read");
}

static void a_long_message_loses_its_end(void **state)
{
	char text[2000];
	struct errbuf err;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	errbuf__set(&err, -EIO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	errbuf__prefix(&err, "front: ");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_int_equal(strncmp(err.text, "front: xxx", 10), 0);
	errbuf__prefix(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_gives_back_the_code),
		cmocka_unit_test(a_message_may_not_be_wanted),
		cmocka_unit_test(prefix_stands_in_front),
		cmocka_unit_test(a_long_message_loses_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
