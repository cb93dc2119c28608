// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "perfconv/sidefile/jitdump.h"
#include "perfconv/sidefile/limits.h"
#include "tests/unit/jitdump_builder.h"

#define FILE_NAME "jit-100.dump"

static int read_built(struct jitdump **d, struct bytes *b, const char *folder, struct errbuf *err)
{
	const char *path = scratch__write(folder, FILE_NAME, b->v.data, b->v.n);
	int fd = open(path, O_RDONLY | O_CLOEXEC), code = jitdump__read(d, fd, path, err);

	close(fd);
	bytes__release(b);
	return code;
}

static struct jitdump *open_built(struct bytes *b, const char *folder)
{
	struct jitdump *d = NULL;
	struct errbuf err;

	if (read_built(&d, b, folder, &err))
		fail_msg("not read: %s", err.text);
	return d;
}

static const char *name_of(const struct jitdump *d, const struct jitdump_code *code)
{
	return code ? d->text.data + code->name : "-";
}

static void a_dump_is_read(const char *folder, bool swap)
{
	struct bytes b = { .swap = swap };
	uint64_t one, two;
	struct jitdump *d;

	jit__header(&b, 1, 0);
	jit__tables(&b, jit_stub_tables, sizeof(jit_stub_tables), JIT_STUB_HEADER_BYTES);
	one = jit__load(&b, 1000, 0x7000, 1, "py::f:/app/p.py", jit_stub, sizeof(jit_stub));
	jit__lines(&b, 0x8000, 12, "/app/q.js");
	two = jit__load(&b, 1001, 0x8000, 2, "g", (const uint8_t *)"12345", 5);
	jit__begin(&b, JIT_CLOSE, 1002);
	jit__end(&b);
	d = open_built(&b, folder);
	assert_int_equal(d->pid, JIT_PID);
	assert_int_equal(d->start_ns, 500);
	assert_false(d->own_clock);
	assert_true(d->closed);
	assert_false(d->cut);
	assert_int_equal(d->codes.n, 2);
	assert_string_equal(name_of(d, jitdump__code(d, one)), "py::f:/app/p.py");
	assert_string_equal(name_of(d, jitdump__code(d, one + 10)), "py::f:/app/p.py");
	assert_string_equal(name_of(d, jitdump__code(d, one + 11)), "-");
	assert_string_equal(name_of(d, jitdump__code(d, 0)), "-");
	assert_string_equal(name_of(d, jitdump__code(d, two)), "g");
	assert_memory_equal(d->codes.data[0].head, jit_stub, sizeof(jit_stub));
	assert_int_equal(d->codes.data[0].tables_bytes, JIT_STUB_TABLES_BYTES);
	assert_int_equal(d->codes.data[0].header_bytes, JIT_STUB_HEADER_BYTES);
	assert_memory_equal(d->tables.data + d->codes.data[0].tables, jit_stub_tables,
			    JIT_STUB_TABLES_BYTES);
	assert_int_equal(d->codes.data[0].line, 0);
	assert_int_equal(d->codes.data[1].tables_bytes, 0);
	assert_int_equal(d->codes.data[1].line, 12);
	assert_string_equal(d->text.data + d->codes.data[1].file, "/app/q.js");
	assert_int_equal(d->events.n, 2);
	assert_int_equal(d->events.data[1].start, 0x8000);
	assert_int_equal(d->bad_records, 0);
	jitdump__free(d);
}

static void both_byte_orders_are_read(void **state)
{
	a_dump_is_read(*state, false);
	a_dump_is_read(*state, true);
	jitdump__free(NULL);
}

static void events_are_sorted_by_time(void **state)
{
	struct bytes b = { 0 };
	struct jitdump *d;

	jit__header(&b, 1, 0);
	jit__load(&b, 30, 0x7000, 1, "third", jit_stub, 11);
	jit__load(&b, 10, 0x7000, 2, "first", jit_stub, 11);
	jit__move(&b, 20, 0x7000, 0x9000, 11, 2);
	jit__load(&b, 20, 0x7000, 3, "same time", jit_stub, 11);
	d = open_built(&b, *state);
	assert_int_equal(d->events.n, 4);
	assert_int_equal(d->events.data[0].time_ns, 10);
	assert_int_equal(d->events.data[1].start, 0x9000);
	assert_string_equal(name_of(d, &d->codes.data[d->events.data[1].code]), "first");
	assert_string_equal(name_of(d, &d->codes.data[d->events.data[2].code]), "same time");
	assert_int_equal(d->events.data[3].time_ns, 30);
	jitdump__free(d);
}

static void a_processors_own_clock_is_told(void **state)
{
	struct bytes b = { 0 };
	struct jitdump *d;

	jit__header(&b, 1, 1);
	d = open_built(&b, *state);
	assert_true(d->own_clock);
	jitdump__free(d);
}

static void records_that_do_not_fit_are_passed_over(void **state)
{
	struct bytes b = { 0 };
	struct jitdump *d;

	jit__header(&b, 1, 0);
	jit__move(&b, 1, 0x7000, 0x9000, 11, 77); /* of nothing */
	jit__load(&b, 2, 0x7000, 1, "empty", jit_stub, 0);
	jit__load(&b, 2, UINT64_MAX - 4, 1, "wraps", jit_stub, 11);
	jit__begin(&b, JIT_LOAD, 3);
	bytes__u64(&b, 0); /* too short */
	jit__end(&b);
	jit__begin(&b, JIT_TABLES, 4);
	bytes__u64(&b, UINT64_MAX);
	bytes__u64(&b, 0);
	bytes__u64(&b, 0);
	jit__end(&b);
	jit__tables(&b, jit_stub_tables, 8, 8); /* header without tables */
	jit__begin(&b, JIT_LINES, 5);
	bytes__u64(&b, 0);
	bytes__u64(&b, 1 << 20);
	jit__end(&b);
	jit__begin(&b, 9, 6); /* of a later version */
	jit__end(&b);
	jit__load(&b, 7, 0x7000, 1, "good", jit_stub, 11);
	d = open_built(&b, *state);
	assert_int_equal(d->bad_records, 7);
	assert_int_equal(d->unknown_types, 1);
	assert_int_equal(d->codes.n, 1);
	assert_int_equal(d->codes.data[0].tables_bytes, 0);
	assert_string_equal(name_of(d, &d->codes.data[0]), "good");
	jitdump__free(d);
}

static void code_longer_than_its_record_is_bad(void **state)
{
	struct bytes b = { 0 };
	struct jitdump *d;
	size_t at;

	jit__header(&b, 1, 0);
	at = b.v.n;
	jit__load(&b, 1, 0x7000, 1, "f", jit_stub, 11);
	b.v.data[at + 16 + 24] = 12; /* one byte more than follows */
	jit__load(&b, 1, 0x8000, 2, "g", jit_stub, 11);
	d = open_built(&b, *state);
	assert_int_equal(d->bad_records, 1);
	assert_int_equal(d->codes.n, 1);
	jitdump__free(d);
}

static void names_without_end_or_too_long_are_bad(void **state)
{
	char *name = mem__alloc(2u * JITDUMP_MAX_NAME, 1);
	struct bytes b = { 0 };
	struct jitdump *d;

	memset(name, 'n', 2u * JITDUMP_MAX_NAME - 1);
	jit__header(&b, 1, 0);
	jit__load(&b, 1, 0x7000, 1, name, jit_stub, 11);
	jit__load(&b, 1, 0x7000, 1, "good", jit_stub, 11);
	jit__load(&b, 1, 0x8000, 2, "", NULL, 0);
	b.v.data[b.v.n - 1] = 'x'; /* the name's terminator */
	d = open_built(&b, *state);
	assert_int_equal(d->bad_records, 2);
	assert_int_equal(d->codes.n, 1);
	jitdump__free(d);
	free(name);
}

/* The name leaves fewer bytes of what is looked at first than a head has. */
static void the_head_of_code_behind_a_long_name_is_read(void **state)
{
	char *name = mem__alloc(2u * JITDUMP_MAX_NAME, 1);
	struct bytes b = { 0 };
	uint8_t code[64];
	struct jitdump *d;

	memset(code, 0xcc, sizeof(code));
	memset(name, 'n', JITDUMP_MAX_NAME + 40u);
	jit__header(&b, 1, 0);
	jit__load(&b, 1, 0x7000, 1, name, code, sizeof(code));
	d = open_built(&b, *state);
	assert_int_equal(d->codes.n, 1);
	assert_memory_equal(d->codes.data[0].head, code, JITDUMP_HEAD_BYTES);
	jitdump__free(d);
	free(name);
}

static void a_dump_being_written_ends_before_its_last_record(void **state)
{
	struct bytes b = { 0 };
	struct jitdump *d;

	jit__header(&b, 1, 0);
	jit__load(&b, 1, 0x7000, 1, "whole", jit_stub, 11);
	jit__load(&b, 2, 0x8000, 2, "half", jit_stub, 11);
	b.v.n -= 3;
	d = open_built(&b, *state);
	assert_true(d->cut);
	assert_int_equal(d->codes.n, 1);
	assert_int_equal(d->bad_records, 0);
	jitdump__free(d);
}

static void a_record_size_of_nothing_ends_reading(void **state)
{
	struct bytes b = { 0 };
	struct jitdump *d;

	jit__header(&b, 1, 0);
	bytes__u64(&b, 0);
	bytes__u64(&b, 0);
	d = open_built(&b, *state);
	assert_true(d->cut);
	jitdump__free(d);
}

static void other_files_are_refused(void **state)
{
	struct jitdump *d = NULL;
	struct bytes b = { 0 };
	struct errbuf err;

	jit__header(&b, 2, 0);
	assert_int_equal(read_built(&d, &b, *state, &err), -ENOTSUP);
	assert_message(&err, scratch__path(*state, FILE_NAME));
	jit__header(&b, 1, 2);
	assert_int_equal(read_built(&d, &b, *state, &err), -ENOTSUP);
	bytes__string(&b, "7f0000 10 a perf map, which has more than forty bytes", 1);
	assert_int_equal(read_built(&d, &b, *state, &err), -EINVAL);
	assert_message(&err, scratch__path(*state, FILE_NAME));
	jit__header(&b, 1, 0);
	b.v.n--;
	assert_int_equal(read_built(&d, &b, *state, &err), -EINVAL);
	jit__header(&b, 1, 0);
	b.v.data[8] = 39;
	assert_int_equal(read_built(&d, &b, *state, &err), -EINVAL);
	assert_null(d);
}

static void paths_of_dumps_are_known(void **state)
{
	(void)state;
	assert_true(jitdump__is_path("/tmp/jit-812.dump"));
	assert_true(jitdump__is_path("/home/u/.debug/jit/x/jit-1.dump"));
	assert_false(jitdump__is_path("/tmp/jit-.dump"));
	assert_false(jitdump__is_path("/tmp/jit-8x.dump"));
	assert_false(jitdump__is_path("/tmp/jit-8.dumps"));
	assert_false(jitdump__is_path("/tmp/xjit-8.dump"));
	assert_false(jitdump__is_path("/tmp/jit-8.dump/libx.so"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(both_byte_orders_are_read),
		scratch_test(events_are_sorted_by_time),
		scratch_test(a_processors_own_clock_is_told),
		scratch_test(records_that_do_not_fit_are_passed_over),
		scratch_test(code_longer_than_its_record_is_bad),
		scratch_test(names_without_end_or_too_long_are_bad),
		scratch_test(the_head_of_code_behind_a_long_name_is_read),
		scratch_test(a_dump_being_written_ends_before_its_last_record),
		scratch_test(a_record_size_of_nothing_ends_reading),
		scratch_test(other_files_are_refused),
		cmocka_unit_test(paths_of_dumps_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
