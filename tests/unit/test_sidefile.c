// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/sidefile/sidefile.h"
#include "tests/unit/sidefile_builder.h"

#define OTHER_TOKEN "0123456789abcdef0123456789abcdef"

static void fill(struct sidefile_builder *b)
{
	sidefile_builder__init(b);
	side__arena(b, 0, 0x7f0000000000, 100, 64);
	side__code(b, 1, PYFRAMES_CODE_FUNCTION, 0, 2, "Loop.run", "/app/loop.py", 40);
	side__code(b, 2, PYFRAMES_CODE_FUNCTION, 0, 1, "main", "/app/main.py", 7);
	side__code(b, 3, PYFRAMES_CODE_TASK, 1, 1, "poll vehicle", "", 0);
	side__code(b, 4, PYFRAMES_CODE_FUNCTION, 0, PYFRAMES_NO_SLOT, "unhooked", "/app/u.py", 1);
	side__thread(b, 100, 1000, 5000, "MainThread", PYFRAMES_THREAD_MAIN);
	side__thread(b, 200, 1001, 5001, "Thread-1", 0);
	side__thread(b, 300, 1001, 5001, "a name longer than fifteen bytes", 0);
}

static struct sidefile *open_built(struct sidefile_builder *b, const char *folder)
{
	struct sidefile *s = NULL;
	struct errbuf err;

	if (sidefile__open(&s, sidefile_builder__write(b, folder), &err))
		fail_msg("not opened: %s", err.text);
	sidefile_builder__release(b);
	return s;
}

static struct sidefile *open_filled(const char *folder)
{
	struct sidefile_builder b;

	fill(&b);
	return open_built(&b, folder);
}

static void the_header_is_read(void **state)
{
	struct sidefile *s = open_filled(*state);

	assert_string_equal(s->token, BUILDER_TOKEN);
	assert_int_equal(s->pid, 100);
	assert_int_equal(s->python_hex, 0x030b02f0);
	assert_int_equal(s->start_ns, 5000);
	assert_int_equal(s->bad_records, 0);
	assert_int_equal(s->unknown_types, 0);
	assert_int_equal(s->dropped, 0);
	sidefile__free(s);
	sidefile__free(NULL);
}

static void code_is_found_by_slot(void **state)
{
	struct sidefile *s = open_filled(*state);
	const struct sidefile_code *c = sidefile__code(s, 0, 2);

	assert_non_null(c);
	assert_int_equal(c->id, 1);
	assert_string_equal(c->name, "Loop.run");
	assert_string_equal(c->file, "/app/loop.py");
	assert_int_equal(c->first_line, 40);
	assert_false(c->task);
	assert_string_equal(sidefile__code(s, 0, 1)->name, "main");
	assert_string_equal(sidefile__code(s, 1, 1)->name, "poll vehicle");
	assert_true(sidefile__code(s, 1, 1)->task);
	assert_null(sidefile__code(s, 0, 3));
	assert_null(sidefile__code(s, 2, 1));
	assert_null(sidefile__code(s, 0, PYFRAMES_NO_SLOT)); /* nothing runs through it */
	sidefile__free(s);
}

static void arenas_are_found_by_id(void **state)
{
	struct sidefile *s = open_filled(*state);

	assert_int_equal(sidefile__arena(s, 0)->base, 0x7f0000000000);
	assert_int_equal(sidefile__arena(s, 0)->slots, 100);
	assert_int_equal(sidefile__arena(s, 0)->slot_bytes, 64);
	assert_null(sidefile__arena(s, 1));
	sidefile__free(s);
}

static void threads_have_their_last_name(void **state)
{
	struct sidefile *s = open_filled(*state);

	assert_string_equal(sidefile__thread_name(s, 1000), "MainThread");
	assert_string_equal(sidefile__thread_name(s, 1001), "a name longer than fifteen bytes");
	assert_string_equal(sidefile__thread_name(s, 5001), "a name longer than fifteen bytes");
	assert_null(sidefile__thread_name(s, 1002));
	assert_int_equal(s->threads.n, 3);
	assert_true(s->threads.data[0].main);
	assert_false(s->threads.data[1].main);
	assert_int_equal(s->threads.data[2].time_ns, 300);
	sidefile__free(s);
}

static void numbers_outside_lead_to_those_inside(void **state)
{
	struct sidefile *s = open_filled(*state);

	assert_int_equal(sidefile__inner_tid(s, 5001), 1001);
	assert_int_equal(sidefile__inner_tid(s, 1001), 1001);
	assert_int_equal(sidefile__inner_tid(s, 1002), 1002);
	assert_int_equal(sidefile__inner_tid(s, 0), 0);
	sidefile__free(s);
}

/* Outside a container there is no outer number: 0 says "not known", not tid 0. */
static void an_unknown_outer_tid_matches_nobody(void **state)
{
	struct sidefile_builder b;
	struct sidefile *s;

	sidefile_builder__init(&b);
	side__thread(&b, 1, 1000, 0, "worker", 0);
	s = open_built(&b, *state);
	assert_null(sidefile__thread_name(s, 0));
	assert_string_equal(sidefile__thread_name(s, 1000), "worker");
	sidefile__free(s);
}

static void records_of_newer_writers_are_passed_over(void **state)
{
	struct sidefile_builder b;
	struct sidefile *s;

	fill(&b);
	side__begin(&b, 999, 1);
	bytes__raw(&b.records, "something new", 13);
	side__end(&b);
	side__thread(&b, 400, 1002, 0, "after", 0);
	s = open_built(&b, *state);
	assert_int_equal(s->unknown_types, 1);
	assert_int_equal(s->bad_records, 0);
	assert_string_equal(sidefile__thread_name(s, 1002), "after");
	sidefile__free(s);
}

/* Types that are known but of no use here are neither bad nor unknown. */
static void all_types_of_the_format_are_known(void **state)
{
	struct sidefile_builder b;
	struct sidefile *s;

	fill(&b);
	for (uint16_t type = PYFRAMES_RECORD_CODE_DEATH; type <= PYFRAMES_RECORD_WARNING; type++) {
		if (type == PYFRAMES_RECORD_THREAD)
			continue;
		side__begin(&b, type, 1);
		bytes__raw(&b.records, (const uint8_t[16]){ 0 }, 16);
		side__end(&b);
	}
	s = open_built(&b, *state);
	assert_int_equal(s->unknown_types, 0);
	assert_int_equal(s->bad_records, 0);
	sidefile__free(s);
}

static void a_wrong_checksum_costs_one_record(void **state)
{
	struct sidefile_builder b;
	struct sidefile *s;
	size_t at;

	fill(&b);
	side__thread(&b, 400, 1002, 0, "damaged", 0);
	at = b.record_at;
	side__thread(&b, 500, 1003, 0, "after", 0);
	b.records.v.data[at + sizeof(struct pyframes_record)] ^= 1;
	s = open_built(&b, *state);
	assert_int_equal(s->bad_records, 1);
	assert_null(sidefile__thread_name(s, 1002));
	assert_string_equal(sidefile__thread_name(s, 1003), "after");
	sidefile__free(s);
}

static void a_wrong_size_ends_reading(void **state)
{
	static const uint32_t sizes[] = { 0, 8, 16, 23, 25, 4096, UINT32_MAX, UINT32_MAX - 7 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct sidefile_builder b;
		struct sidefile *s;

		fill(&b);
		side__thread(&b, 400, 1002, 0, "damaged", 0);
		memcpy(b.records.v.data + b.record_at, &sizes[i], sizeof(sizes[i]));
		side__thread(&b, 500, 1003, 0, "after", 0);
		s = open_built(&b, *state);
		assert_int_equal(s->bad_records, 1);
		assert_null(sidefile__thread_name(s, 1002));
		assert_null(sidefile__thread_name(s, 1003));
		assert_string_equal(sidefile__thread_name(s, 1000), "MainThread");
		assert_string_equal(sidefile__code(s, 0, 2)->name, "Loop.run");
		sidefile__free(s);
	}
}

/* A payload that its type does not fit, with a right checksum. */
static void records_too_short_are_bad(void **state)
{
	static const uint16_t types[] = { PYFRAMES_RECORD_STRING, PYFRAMES_RECORD_ARENA,
					  PYFRAMES_RECORD_CODE, PYFRAMES_RECORD_THREAD };
	struct sidefile_builder b;
	struct sidefile *s;

	fill(&b);
	for (size_t i = 0; i < 4; i++) {
		side__begin(&b, types[i], 1);
		bytes__u64(&b.records, UINT64_MAX);
		side__end(&b);
	}
	side__thread(&b, 500, 1003, 0, "after", 0);
	s = open_built(&b, *state);
	assert_int_equal(s->bad_records, 4);
	assert_string_equal(sidefile__thread_name(s, 1003), "after");
	sidefile__free(s);
}

/* Ids of strings that were never written give "", never a crash. */
static void absent_strings_are_empty(void **state)
{
	struct pyframes_code c = { .id = 9, .slot = 9, .name = 4000000, .file = 77 };
	struct sidefile_builder b;
	struct sidefile *s;

	fill(&b);
	side__begin(&b, PYFRAMES_RECORD_CODE, 1);
	bytes__raw(&b.records, &c, sizeof(c));
	side__end(&b);
	s = open_built(&b, *state);
	assert_string_equal(sidefile__code(s, 0, 9)->name, "");
	assert_string_equal(sidefile__code(s, 0, 9)->file, "");
	sidefile__free(s);
}

/* A copy cut at any byte opens (what is whole is there) or is refused in words. */
static void cut_copies_are_read_as_far_as_they_go(void **state)
{
	struct sidefile_builder b;
	const char *path;
	struct stat st;
	size_t whole;

	fill(&b);
	whole = PYFRAMES_HEADER_BYTES + b.records.v.n;
	path = sidefile_builder__write(&b, *state);
	sidefile_builder__release(&b);
	assert_int_equal(stat(path, &st), 0);
	for (off_t n = st.st_size; n-- > 0;) {
		struct sidefile *s = NULL;
		struct errbuf err;
		int code;

		assert_int_equal(truncate(path, n), 0);
		code = sidefile__open(&s, path, &err);
		if ((size_t)n < sizeof(struct pyframes_header)) {
			assert_int_equal(code, -EINVAL);
			assert_message(&err, path);
			continue;
		}
		assert_int_equal(code, 0);
		assert_true((s->bad_records > 0) == ((size_t)n < whole));
		assert_true(s->threads.n <= 3);
		sidefile__free(s);
	}
}

static void refused(void **state, struct sidefile_builder *b, int code, const char *part)
{
	const char *path = sidefile_builder__write(b, *state);
	struct sidefile *s = NULL;
	struct errbuf err;

	assert_int_equal(sidefile__open(&s, path, &err), code);
	assert_null(s);
	assert_message(&err, path);
	assert_contains(err.text, part);
	sidefile_builder__release(b);
}

static void foreign_files_are_refused(void **state)
{
	struct sidefile_builder b;
	struct sidefile *s = NULL;
	struct errbuf err;

	fill(&b);
	b.header.magic[0] = 'X';
	refused(state, &b, -EINVAL, "side file");
	fill(&b);
	b.header.version = 2;
	refused(state, &b, -ENOTSUP, "version 2");
	fill(&b);
	b.header.byte_order = 0x04030201;
	refused(state, &b, -ENOTSUP, "byte order");
	fill(&b);
	b.header.header_bytes = 8;
	refused(state, &b, -EINVAL, "header");
	assert_int_equal(sidefile__open(&s, scratch__path(*state, "none"), &err), -ENOENT);
	assert_message(&err, scratch__path(*state, "none"));
	assert_null(s);
}

static void a_file_just_begun_has_nothing_yet(void **state)
{
	struct sidefile_builder b;
	struct sidefile *s;

	sidefile_builder__init(&b);
	b.header.dropped_records = 3;
	s = open_built(&b, *state);
	assert_int_equal(s->codes.n + s->threads.n + s->arenas.n, 0);
	assert_int_equal(s->bad_records, 0);
	assert_int_equal(s->dropped, 3);
	assert_null(sidefile__code(s, 0, 1));
	assert_null(sidefile__thread_name(s, 1));
	sidefile__free(s);
}

static void arena_paths_are_taken_apart(void **state)
{
	char token[SIDEFILE_TOKEN_CHARS + 1];
	uint32_t arena = 99;

	(void)state;
	assert_true(sidefile__arena_path("/a/b/pyframes-" OTHER_TOKEN "-0.so", token, &arena));
	assert_string_equal(token, OTHER_TOKEN);
	assert_int_equal(arena, 0);
	assert_true(sidefile__arena_path("pyframes-" OTHER_TOKEN "-123.so", token, &arena));
	assert_int_equal(arena, 123);
}

static void other_paths_are_no_arenas(void **state)
{
	static const char *const paths[] = {
		"",
		"pyframes-",
		"/lib/libc.so.6",
		"pyframes-" OTHER_TOKEN ".so",
		"pyframes-" OTHER_TOKEN "-.so",
		"pyframes-" OTHER_TOKEN "-x.so",
		"pyframes-" OTHER_TOKEN "-1",
		"pyframes-" OTHER_TOKEN "-1.so.1",
		"pyframes-" OTHER_TOKEN "- 1.so",
		"pyframes-" OTHER_TOKEN "-+1.so",
		"pyframes-" OTHER_TOKEN "--1.so",
		"pyframes-" OTHER_TOKEN "-99999999999.so",
		"pyframes-" OTHER_TOKEN "-99999999999999999999999.so",
		"pyframes-" OTHER_TOKEN "0-1.so",
		"pyframes-0123456789ABCDEF0123456789abcdef-1.so",
		"pyframes-0123-1.so",
		"xpyframes-" OTHER_TOKEN "-1.so",
		"/pyframes-" OTHER_TOKEN "-1.so/other",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		char token[SIDEFILE_TOKEN_CHARS + 1];
		uint32_t arena;

		if (sidefile__arena_path(paths[i], token, &arena))
			fail_msg("taken for a trampoline file: %s", paths[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(the_header_is_read),
		scratch_test(code_is_found_by_slot),
		scratch_test(arenas_are_found_by_id),
		scratch_test(threads_have_their_last_name),
		scratch_test(numbers_outside_lead_to_those_inside),
		scratch_test(an_unknown_outer_tid_matches_nobody),
		scratch_test(records_of_newer_writers_are_passed_over),
		scratch_test(all_types_of_the_format_are_known),
		scratch_test(a_wrong_checksum_costs_one_record),
		scratch_test(a_wrong_size_ends_reading),
		scratch_test(records_too_short_are_bad),
		scratch_test(absent_strings_are_empty),
		scratch_test(cut_copies_are_read_as_far_as_they_go),
		scratch_test(foreign_files_are_refused),
		scratch_test(a_file_just_begun_has_nothing_yet),
		cmocka_unit_test(arena_paths_are_taken_apart),
		cmocka_unit_test(other_paths_are_no_arenas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
