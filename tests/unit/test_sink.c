// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/base/sink.h"
#include "tests/unit/support.h"

static struct sink *open_sink(const char *path)
{
	struct sink *s = NULL;

	assert_int_equal(sink__open(&s, path, NULL), 0);
	assert_non_null(s);
	return s;
}

static void commit_puts_the_file_in_place(void **state)
{
	const char *path = scratch__path(*state, "out");
	struct sink *s = open_sink(path);
	char *text;

	sink__write(s, "hello ", 6);
	sink__write(s, "world", 5);
	assert_int_equal(sink__bytes(s), 11);
	assert_int_equal(access(path, F_OK), -1); /* not before it is whole */
	assert_int_equal(sink__commit(s, NULL), 0);
	text = scratch__read(path);
	assert_string_equal(text, "hello world");
	assert_int_equal(scratch__count(*state), 1);
	free(text);
}

static void large_output_arrives_whole(void **state)
{
	const char *path = scratch__path(*state, "out");
	struct sink *s = open_sink(path);
	size_t n = 0;
	char *text;

	for (size_t i = 0; i < 50000; i++) {
		char line[16];
		int len = snprintf(line, sizeof(line), "%zu\n", i);

		sink__write(s, line, (size_t)len);
		n += (size_t)len;
	}
	assert_int_equal(sink__bytes(s), n);
	assert_int_equal(sink__commit(s, NULL), 0);
	text = scratch__read(path);
	assert_int_equal(strlen(text), n);
	assert_string_equal(text + n - 12, "49998\n49999\n");
	free(text);
}

static void gzip_is_one_member_that_gives_all_back(void **state)
{
	const char *path = scratch__path(*state, "out");
	struct sink *s = open_sink(path);
	char *program;

	sink__gzip(s);
	for (size_t i = 0; i < 50000; i++) {
		char line[16];
		int len = snprintf(line, sizeof(line), "%zu\n", i);

		sink__write(s, line, (size_t)len);
	}
	sink__finish(s);
	program = mem__format("python3 -c \"import zlib, sys; b = open('%s', 'rb').read(); "
			      "d = zlib.decompressobj(31); t = d.decompress(b); "
			      "sys.exit(not (t == b''.join(b'%%d\\n' %% i for i in range(50000)) "
			      "and d.eof and not d.unused_data and b[4:8] == bytes(4) "
			      "and len(b) == %zu))\"",
			      path, (size_t)sink__bytes(s));
	assert_int_equal(sink__commit(s, NULL), 0);
	assert_int_equal(system(program), 0);
	free(program);
}

static void the_old_file_stays_until_commit(void **state)
{
	const char *path = scratch__write(*state, "out", "old", 3);
	struct sink *s = open_sink(path);
	char *text;

	sink__write(s, "new", 3);
	text = scratch__read(path);
	assert_string_equal(text, "old");
	free(text);
	assert_int_equal(sink__commit(s, NULL), 0);
	text = scratch__read(path);
	assert_string_equal(text, "new");
	free(text);
}

static void abort_leaves_nothing(void **state)
{
	struct sink *s = open_sink(scratch__path(*state, "out"));
	static const char block[100000];

	sink__write(s, block, sizeof(block));
	sink__abort(s);
	assert_int_equal(scratch__count(*state), 0);
	sink__abort(NULL);
}

static void abort_leaves_the_old_file(void **state)
{
	const char *path = scratch__write(*state, "out", "old", 3);
	struct sink *s = open_sink(path);
	char *text;

	sink__write(s, "new", 3);
	sink__abort(s);
	text = scratch__read(path);
	assert_string_equal(text, "old");
	assert_int_equal(scratch__count(*state), 1);
	free(text);
}

static void a_missing_folder_fails_at_once(void **state)
{
	const char *path = scratch__path(*state, "none/out");
	struct sink *s = NULL;
	struct errbuf err;

	assert_int_equal(sink__open(&s, path, &err), -ENOENT);
	assert_null(s);
	assert_message(&err, path);
}

static void a_folder_cannot_be_written(void **state)
{
	const char *path = scratch__path(*state, "folder");
	struct sink *s = NULL;
	struct errbuf err;

	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(sink__open(&s, path, &err), -EISDIR);
	assert_message(&err, path);
	assert_int_equal(scratch__count(*state), 1);
}

static void a_full_disk_is_told_once_by_commit(void **state)
{
	struct sink *s = NULL;
	struct errbuf err;
	static const char block[200000];

	(void)state;
	assert_int_equal(sink__open(&s, "/dev/full", &err), 0);
	sink__write(s, block, sizeof(block));
	sink__write(s, block, sizeof(block));
	assert_int_equal(sink__commit(s, &err), -ENOSPC);
	assert_message(&err, "/dev/full");
}

/* The destination turns into a folder while the sink is open. */
static void a_failed_rename_is_told_and_leaves_nothing(void **state)
{
	const char *path = scratch__path(*state, "out");
	struct sink *s = open_sink(path);
	struct errbuf err;

	sink__write(s, "x", 1);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(sink__commit(s, &err), -EISDIR);
	assert_message(&err, path);
	assert_int_equal(scratch__count(*state), 1); /* the folder, no temporary file */
}

static void dash_is_standard_output(void **state)
{
	const char *path = scratch__path(*state, "stdout");
	int saved = dup(STDOUT_FILENO), to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct sink *s;
	char *text;

	assert_true(saved >= 0 && to >= 0);
	fflush(stdout);
	dup2(to, STDOUT_FILENO);
	s = open_sink("-");
	sink__write(s, "data", 4);
	assert_int_equal(sink__commit(s, NULL), 0);
	assert_int_equal(write(STDOUT_FILENO, "!", 1), 1); /* still open */
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(to);
	text = scratch__read(path);
	assert_string_equal(text, "data!");
	free(text);
}

static void the_mode_follows_the_umask(void **state)
{
	const char *path = scratch__path(*state, "out");
	mode_t old = umask(027);
	struct sink *s = open_sink(path);
	struct stat st;

	assert_int_equal(sink__commit(s, NULL), 0);
	umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(commit_puts_the_file_in_place),
		scratch_test(large_output_arrives_whole),
		scratch_test(gzip_is_one_member_that_gives_all_back),
		scratch_test(the_old_file_stays_until_commit),
		scratch_test(abort_leaves_nothing),
		scratch_test(abort_leaves_the_old_file),
		scratch_test(a_missing_folder_fails_at_once),
		scratch_test(a_folder_cannot_be_written),
		scratch_test(a_full_disk_is_told_once_by_commit),
		scratch_test(a_failed_rename_is_told_and_leaves_nothing),
		scratch_test(dash_is_standard_output),
		scratch_test(the_mode_follows_the_umask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
