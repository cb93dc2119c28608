// SPDX-License-Identifier: GPL-2.0
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/support.h"

struct thing {
	uint64_t a, b;
};

static void alloc_is_zeroed_and_never_null(void **state)
{
	uint8_t *p = mem__alloc(100, 3);
	void *none = mem__alloc(0, 8);

	(void)state;
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(p[i], 0);
	assert_non_null(none);
	free(none);
	free(p);
}

static void strings_are_copied_and_formatted(void **state)
{
	char *copy = mem__strdup("abc"), *text = mem__format("%s-%d", "x", 42);

	(void)state;
	assert_string_equal(copy, "abc");
	assert_string_equal(text, "x-42");
	free(copy);
	free(text);
}

static void vectors_keep_what_was_pushed(void **state)
{
	VEC(uint32_t) v = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		vec__push(&v, i * 3);
		assert_true(v.cap >= v.n);
	}
	assert_int_equal(v.n, 10000);
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(v.data[i], i * 3);
	vec__release(&v);
	assert_null(v.data);
	assert_int_equal(v.n + v.cap, 0);
}

static void added_objects_are_zeroed(void **state)
{
	VEC(struct thing) v = { 0 };

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		struct thing *t = vec__add(&v);

		assert_int_equal(t->a | t->b, 0);
		t->a = t->b = UINT64_MAX;
		v.n -= i % 2; /* a place that was used before is zeroed again */
	}
	vec__release(&v);
}

static void reserve_never_shrinks(void **state)
{
	VEC(uint64_t) v = { 0 };
	size_t cap;

	(void)state;
	vec__reserve(&v, 1000);
	assert_true(v.cap >= 1000);
	assert_int_equal(v.n, 0);
	cap = v.cap;
	vec__reserve(&v, 10);
	assert_int_equal(v.cap, cap);
	vec__release(&v);
}

/* Exit status and output of a child that asks for more than there is. */
static void objects_up_to_a_value_are_counted(void **state)
{
	static const int starts[] = { 2, 4, 4, 7 };
	VEC(struct { int start; }) v = { 0 };

	(void)state;
	assert_int_equal(vec__upto(&v, start, 9), 0);
	for (size_t i = 0; i < 4; i++)
		vec__add(&v)->start = starts[i];
	assert_int_equal(vec__upto(&v, start, 1), 0);
	assert_int_equal(vec__upto(&v, start, 2), 1);
	assert_int_equal(vec__upto(&v, start, 4), 3);
	assert_int_equal(vec__upto(&v, start, 6), 3);
	assert_int_equal(vec__upto(&v, start, 7), 4);
	vec__release(&v);
}

static void out_of_memory_ends_with_a_message(void **state)
{
	char said[256] = "";
	int channel[2], status;
	pid_t child;

	(void)state;
#if defined(__SANITIZE_ADDRESS__)
	print_message("skipped: the sanitizer reports a huge allocation itself\n");
	skip();
#endif
	assert_int_equal(pipe(channel), 0);
	child = fork();
	if (!child) {
		dup2(channel[1], STDERR_FILENO);
		free(mem__alloc((size_t)1 << 40, (size_t)1 << 20));
		_exit(0);
	}
	close(channel[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(read(channel[0], said, sizeof(said) - 1) > 0);
	close(channel[0]);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_contains(said, "out of memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alloc_is_zeroed_and_never_null),
		cmocka_unit_test(strings_are_copied_and_formatted),
		cmocka_unit_test(vectors_keep_what_was_pushed),
		cmocka_unit_test(added_objects_are_zeroed),
		cmocka_unit_test(reserve_never_shrinks),
		cmocka_unit_test(objects_up_to_a_value_are_counted),
		cmocka_unit_test(out_of_memory_ends_with_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
