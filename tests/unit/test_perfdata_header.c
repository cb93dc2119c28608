// SPDX-License-Identifier: GPL-2.0
/* The file header and the event attributes of perf.data. */
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "perfconv/perfdata/perfdata.h"
#include "tests/unit/perfdata_builder.h"

#define SAMPLE_IP 1u
#define SAMPLE_TID 2u
#define SAMPLE_TIME 4u
#define SAMPLE_ID 0x40u

static struct perfdata *open_built(struct perfdata_builder *b, const char *folder)
{
	struct perfdata *p = NULL;
	struct errbuf err;
	int code = perfdata__open(&p, perfdata_builder__write(b, folder, "perf.data"), &err);

	if (code)
		fail_msg("not opened: %s", err.text);
	perfdata_builder__release(b);
	return p;
}

static void refused(struct perfdata_builder *b, const char *folder, int code, const char *part)
{
	const char *path = perfdata_builder__write(b, folder, "perf.data");
	struct perfdata *p = NULL;
	struct errbuf err;

	assert_int_equal(perfdata__open(&p, path, &err), code);
	assert_null(p);
	assert_message(&err, path);
	assert_contains(err.text, part);
}

static void bytes_refused(const char *folder, const void *bytes, size_t n, int code,
			  const char *part)
{
	const char *path = scratch__write(folder, "perf.data", bytes, n);
	struct perfdata *p = NULL;
	struct errbuf err;

	assert_int_equal(perfdata__open(&p, path, &err), code);
	assert_null(p);
	assert_message(&err, path);
	assert_contains(err.text, part);
}

/* An event with a value of its own in every field that is read. */
static void full_event(struct perfdata_builder *b)
{
	struct builder_event *e = perfdata_builder__event(b, SAMPLE_IP | SAMPLE_TID | SAMPLE_TIME);

	e->type = 0;
	e->config = 1;
	e->period = 999;
	e->read_format = 0x14;
	e->flags |= BUILDER_FREQ | BUILDER_USE_CLOCKID | BUILDER_CONTEXT_SWITCH;
	e->branch_sample_type = 0x20;
	e->regs_user_mask = 0xff0fff;
	e->regs_intr_mask = 0x1ff;
	e->stack_user_bytes = 65528;
	e->clockid = 1;
}

static void check_event(const struct perfdata_event *e, size_t attr_bytes)
{
	assert_int_equal(e->type, 0);
	assert_int_equal(e->config, 1);
	assert_string_equal(e->name, "instructions");
	assert_int_equal(e->period_or_freq, 999);
	assert_true(e->freq);
	assert_int_equal(e->sample_type, SAMPLE_IP | SAMPLE_TID | SAMPLE_TIME);
	assert_int_equal(e->read_format, 0x14);
	assert_true(e->sample_id_all);
	assert_true(e->context_switch);
	assert_true(e->use_clockid);
	/* of an attr too short for a field the field is zero */
	assert_int_equal(e->branch_sample_type, attr_bytes >= 80 + 16 ? 0x20 : 0);
	assert_int_equal(e->regs_user_mask, attr_bytes >= 88 + 16 ? 0xff0fff : 0);
	assert_int_equal(e->stack_user_bytes, attr_bytes >= 96 + 16 ? 65528 : 0);
	assert_int_equal(e->clockid, attr_bytes >= 96 + 16 ? 1 : 0);
	assert_int_equal(e->regs_intr_mask, attr_bytes >= 104 + 16 ? 0x1ff : 0);
}

static void attrs_of(void **state, size_t attr_bytes, bool swap)
{
	struct perfdata_builder b;
	struct perfdata *p;

	perfdata_builder__init(&b, swap);
	b.attr_bytes = attr_bytes;
	full_event(&b);
	full_event(&b);
	b.events[1].config = 5;
	b.events[1].flags = 0;
	p = open_built(&b, *state);
	assert_int_equal(perfdata__events(p), 2);
	check_event(perfdata__event(p, 0), attr_bytes);
	assert_string_equal(perfdata__event(p, 1)->name, "branch-misses");
	assert_false(perfdata__event(p, 1)->freq);
	assert_false(perfdata__event(p, 1)->sample_id_all);
	assert_false(perfdata__event(p, 1)->context_switch);
	assert_int_equal(perfdata__stats(p)->cut, 0);
	perfdata__free(p);
}

static void attrs_of_every_perf_are_read(void **state)
{
	static const size_t sizes[] = { 64 + 16,  72 + 16,  80 + 16,  96 + 16, 104 + 16,
					112 + 16, 128 + 16, 136 + 16, 192 + 16 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		attrs_of(state, sizes[i], false);
}

static void the_other_byte_order_is_read(void **state)
{
	attrs_of(state, 64 + 16, true);
	attrs_of(state, 144, true);
	attrs_of(state, 152, true);
}

static void unknown_events_have_a_name_too(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p;

	perfdata_builder__init(&b, false);
	perfdata_builder__event(&b, SAMPLE_IP);
	perfdata_builder__event(&b, SAMPLE_IP)->type = 77;
	p = open_built(&b, *state);
	assert_string_equal(perfdata__event(p, 0)->name, "cpu-clock");
	assert_non_null(perfdata__event(p, 1)->name);
	assert_contains(perfdata__event(p, 1)->name, "77");
	perfdata__free(p);
}

/* Every file that ends before its records is refused in words; none crashes. */
static void cut_anywhere_in_header_or_attrs_is_refused(void **state)
{
	struct perfdata_builder b;
	struct perfdata *p = NULL;
	struct errbuf err;
	const char *path;

	perfdata_builder__init(&b, false);
	for (uint64_t i = 0; i < 2; i++) {
		struct builder_event *e = perfdata_builder__event(&b, SAMPLE_ID);

		e->ids[0] = 10 + i;
		e->ids[1] = 20 + i;
		e->ids_n = 2;
	}
	builder__finished_round(&b);
	perfdata_builder__finish(&b);
	for (size_t n = 0; n < b.data_at; n++)
		bytes_refused(*state, b.file.v.data, n, -EINVAL, "record it again");
	path = scratch__write(*state, "perf.data", b.file.v.data, b.data_at);
	assert_int_equal(perfdata__open(&p, path, &err), 0);
	perfdata__free(p);
	perfdata_builder__release(&b);
}

static void foreign_files_are_refused(void **state)
{
	static const char text[] = "This is a text that is longer than sixteen bytes by far.\n";
	static const uint8_t gzip[64] = { 0x1f, 0x8b, 8 };
	static const uint8_t elf[128] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	static const uint8_t zeros[4096];

	bytes_refused(*state, "", 0, -EINVAL, "empty");
	bytes_refused(*state, text, sizeof(text), -EINVAL, "not a perf.data file");
	bytes_refused(*state, gzip, sizeof(gzip), -EINVAL, "not a perf.data file");
	bytes_refused(*state, elf, sizeof(elf), -EINVAL, "not a perf.data file");
	bytes_refused(*state, zeros, sizeof(zeros), -EINVAL, "not a perf.data file");
}

static void captures_that_end_before_their_events_say_so(void **state)
{
	static const uint8_t pipe[16] = { 'P', 'E', 'R', 'F', 'I', 'L', 'E', '2', 16 };
	static const uint8_t v1[128] = { 'P', 'E', 'R', 'F', 'F', 'I', 'L', 'E', 104 };

	bytes_refused(*state, pipe, sizeof(pipe), -EINVAL, "names no events");
	bytes_refused(*state, v1, sizeof(v1), -EINVAL, "attributes");
}

static void a_missing_file_is_said_so(void **state)
{
	const char *path = scratch__path(*state, "none");
	struct perfdata *p = NULL;
	struct errbuf err;

	assert_int_equal(perfdata__open(&p, path, &err), -ENOENT);
	assert_message(&err, path);
	assert_int_equal(perfdata__open(&p, *state, &err), -EINVAL);
	assert_message(&err, *state);
	assert_null(p);
	perfdata__free(NULL);
}

/* The u64 at @offset of a good file is replaced. */
static void refused_with(void **state, size_t offset, uint64_t value)
{
	struct perfdata_builder b;
	struct perfdata *p = NULL;
	struct errbuf err;
	const char *path;

	perfdata_builder__init(&b, false);
	perfdata_builder__event(&b, SAMPLE_IP)->ids_n = 1;
	builder__finished_round(&b);
	perfdata_builder__finish(&b);
	if (offset == SIZE_MAX) /* the event's ids section: its offset */
		offset = b.attrs_at + b.attr_bytes - 16;
	else if (offset == SIZE_MAX - 1) /* and its size */
		offset = b.attrs_at + b.attr_bytes - 8;
	memcpy(b.file.v.data + offset, &value, sizeof(value));
	path = scratch__write(*state, "perf.data", b.file.v.data, b.file.v.n);
	perfdata_builder__release(&b);
	assert_int_equal(perfdata__open(&p, path, &err), -EINVAL);
	assert_null(p);
	assert_message(&err, path);
}

static void stated_sizes_are_not_trusted(void **state)
{
	static const uint64_t wrong[] = { 1ull << 20, 1ull << 40, UINT64_MAX, UINT64_MAX - 7 };

	for (size_t i = 0; i < 4; i++) {
		refused_with(state, 16, wrong[i]); /* size of an attr */
		refused_with(state, 24, wrong[i]); /* attrs: offset */
		refused_with(state, 32, wrong[i]); /* attrs: size */
		refused_with(state, 40, wrong[i]); /* data: offset */
		refused_with(state, SIZE_MAX, wrong[i]);
		refused_with(state, SIZE_MAX - 1, wrong[i]);
	}
	refused_with(state, 16, 0);
	refused_with(state, 16, 16);
	refused_with(state, 16, 145);
	refused_with(state, 32, 0);
	refused_with(state, 32, 143);
	refused_with(state, SIZE_MAX - 1, 7);
}

static void no_events_are_refused(void **state)
{
	struct perfdata_builder b;

	perfdata_builder__init(&b, false);
	refused(&b, *state, -EINVAL, "event attributes");
	perfdata_builder__release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(attrs_of_every_perf_are_read),
		scratch_test(the_other_byte_order_is_read),
		scratch_test(unknown_events_have_a_name_too),
		scratch_test(cut_anywhere_in_header_or_attrs_is_refused),
		scratch_test(foreign_files_are_refused),
		scratch_test(captures_that_end_before_their_events_say_so),
		scratch_test(a_missing_file_is_said_so),
		scratch_test(stated_sizes_are_not_trusted),
		scratch_test(no_events_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
