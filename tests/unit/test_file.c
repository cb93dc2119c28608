// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "tests/unit/support.h"

static void opens_a_regular_file(void **state)
{
	const char *path = scratch__write(*state, "f", "hello", 5);
	uint64_t size = 99;
	int fd = file__open(path, &size, NULL);

	assert_true(fd >= 0);
	assert_int_equal(size, 5);
	close(fd);
}

static void a_missing_file_is_said_so(void **state)
{
	const char *path = scratch__path(*state, "none");
	uint64_t size = 99;
	struct errbuf err;

	assert_int_equal(file__open(path, &size, &err), -ENOENT);
	assert_message(&err, path);
	assert_int_equal(size, 99);
}

/* Nobody writes into the FIFO: an open that waits would never come back. */
static void only_regular_files_are_opened(void **state)
{
	const char *fifo = scratch__path(*state, "fifo");
	const char *const paths[] = { fifo, "/dev/null", "/dev/zero", *state };

	assert_int_equal(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < 4; i++) {
		struct errbuf err;
		char *bytes = NULL;
		size_t n;

		assert_int_equal(file__open(paths[i], NULL, &err), -EINVAL);
		assert_message(&err, paths[i]);
		assert_int_equal(file__read(paths[i], 100, &bytes, &n, &err), -EINVAL);
		assert_null(bytes);
	}
}

static void reads_a_whole_file_and_a_zero(void **state)
{
	static char content[200000];
	const char *path;
	char *bytes;
	size_t n;

	memset(content, 'x', sizeof(content));
	path = scratch__write(*state, "f", content, sizeof(content));
	assert_int_equal(file__read(path, sizeof(content), &bytes, &n, NULL), 0);
	assert_int_equal(n, sizeof(content));
	assert_memory_equal(bytes, content, n);
	assert_int_equal(bytes[n], 0);
	free(bytes);
}

static void the_limit_is_kept(void **state)
{
	const char *path = scratch__write(*state, "f", "12345", 5);
	char *bytes = NULL;
	struct errbuf err;
	size_t n = 77;

	assert_int_equal(file__read(path, 4, &bytes, &n, &err), -EFBIG);
	assert_message(&err, path);
	assert_null(bytes);
	assert_int_equal(n, 77);
	assert_int_equal(file__read(path, 5, &bytes, &n, &err), 0);
	assert_int_equal(n, 5);
	free(bytes);
}

static void files_without_a_size_work(void **state)
{
	char *bytes;
	size_t n;

	(void)state;
	assert_int_equal(file__read("/proc/self/status", 1 << 20, &bytes, &n, NULL), 0);
	assert_true(n > 100);
	assert_contains(bytes, "Pid:");
	free(bytes);
}

static void reads_exactly_what_is_asked(void **state)
{
	const char *path = scratch__write(*state, "f", "0123456789", 10);
	int fd = file__open(path, NULL, NULL);
	char out[4];

	assert_int_equal(file__read_at(fd, out, 4, 3), 0);
	assert_memory_equal(out, "3456", 4);
	assert_int_equal(file__read_at(fd, out, 4, 6), 0);
	assert_int_equal(file__read_at(fd, out, 4, 7), -ENODATA);
	assert_int_equal(file__read_at(fd, out, 1, 10), -ENODATA);
	assert_int_equal(file__read_at(fd, out, 0, 10), 0);
	close(fd);
	assert_int_equal(file__read_at(-1, out, 1, 0), -EBADF);
}

static void the_base_follows_the_last_slash(void **state)
{
	(void)state;
	assert_string_equal(file__base("/a/b/c"), "c");
	assert_string_equal(file__base("c"), "c");
	assert_string_equal(file__base("/a/"), "");
	assert_string_equal(file__base(""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(opens_a_regular_file),
		scratch_test(a_missing_file_is_said_so),
		scratch_test(only_regular_files_are_opened),
		scratch_test(reads_a_whole_file_and_a_zero),
		scratch_test(the_limit_is_kept),
		scratch_test(files_without_a_size_work),
		scratch_test(reads_exactly_what_is_asked),
		scratch_test(the_base_follows_the_last_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
