// SPDX-License-Identifier: GPL-2.0
/* Protobuf's wire format, byte by byte as its documentation has it. */
#include "perfconv/output/protobuf.h"
#include "tests/unit/support.h"

#define BYTES(m, ...)                                                                              \
	do {                                                                                       \
		static const unsigned char expected_[] = { __VA_ARGS__ };                          \
                                                                                                   \
		assert_int_equal((m)->bytes.n, sizeof(expected_));                                 \
		assert_memory_equal((m)->bytes.data, expected_, sizeof(expected_));                \
	} while (0)

static void numbers_are_varints(void **state)
{
	struct protobuf m = { 0 };

	(void)state;
	protobuf__number(&m, 1, 150);
	BYTES(&m, 0x08, 0x96, 0x01);
	protobuf__number(&m, 1, 0); /* left out */
	assert_int_equal(m.bytes.n, 3);
	m.bytes.n = 0;
	protobuf__number(&m, 16, UINT64_MAX);
	BYTES(&m, 0x80, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
	protobuf__release(&m);
}

static void lists_are_packed(void **state)
{
	static const uint64_t values[] = { 3, 270, 86942, 0 };
	struct protobuf m = { 0 };

	(void)state;
	protobuf__numbers(&m, 4, values, 4);
	BYTES(&m, 0x22, 0x07, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05, 0x00);
	m.bytes.n = 0;
	protobuf__numbers(&m, 4, values, 0);
	assert_int_equal(m.bytes.n, 0);
	protobuf__release(&m);
}

static void messages_are_put_into_others(void **state)
{
	struct protobuf m = { 0 }, inner = { 0 };

	(void)state;
	protobuf__number(&inner, 1, 150);
	protobuf__message(&m, 3, &inner);
	BYTES(&m, 0x1a, 0x03, 0x08, 0x96, 0x01);
	assert_int_equal(inner.bytes.n, 0);
	protobuf__message(&m, 2, &inner); /* an empty one is there too */
	BYTES(&m, 0x1a, 0x03, 0x08, 0x96, 0x01, 0x12, 0x00);
	protobuf__release(&m);
	protobuf__release(&inner);
}

static void files_get_the_same(void **state)
{
	const char *path = scratch__path(*state, "out");
	struct protobuf m = { 0 };
	struct sink *sink;
	char *text;

	assert_int_equal(sink__open(&sink, path, NULL), 0);
	protobuf__write_text(sink, 2, "testing", 7);
	protobuf__write_number(sink, 1, 150);
	protobuf__write_number(sink, 1, 0);
	protobuf__number(&m, 1, 1);
	protobuf__write(sink, 3, &m);
	assert_int_equal(sink__commit(sink, NULL), 0);
	text = scratch__read(path);
	assert_string_equal(text, "\x12\x07testing\x08\x96\x01\x1a\x02\x08\x01");
	free(text);
	protobuf__release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_varints),
		cmocka_unit_test(lists_are_packed),
		cmocka_unit_test(messages_are_put_into_others),
		scratch_test(files_get_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
