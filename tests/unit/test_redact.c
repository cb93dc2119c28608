// SPDX-License-Identifier: GPL-2.0
/* What a redacted bundle blanks: users' names, and what stands above a root's frame. */
#include <linux/perf_event.h>

#include "perfconv/base/file.h"
#include "perfconv/bundle/scrub.h"
#include "perfconv/pipeline/dumps.h"
#include "perfconv/sidefile/sidefile.h"
#include "perfconv/store/activation.h"
#include "tests/unit/sidefile_builder.h"

static void names_in_paths_become_letters(void **state)
{
	static const char *const cases[][2] = {
		{ "/home/ann/x.py", "/home/xxx/x.py" },
		{ "file:///home/ann/a /home/ann/b", "file:///home/xxx/a /home/xxx/b" },
		{ "/home/bob/b /home/ann/a", "/home/www/b /home/xxx/a" },
		{ "/Users/caroline/y", "/Users/xxxxxxxx/y" },
		{ "/home/ann", "/home/ann" }, /* nothing says that it is a folder */
		{ "/home//a", "/home//a" },
		{ "/home/two words/a", "/home/two words/a" },
		{ "/homely/ann/", "/homely/ann/" },
		{ "/home/", "/home/" },
		{ "", "" },
	};
	struct scrub s = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = mem__strdup(cases[i][0]);

		scrub__text(&s, text);
		assert_string_equal(text, cases[i][1]);
		free(text);
	}
	scrub__release(&s);
}

static void a_side_file_stays_whole(void **state)
{
	struct sidefile_builder b;
	struct scrub s = { 0 };
	struct sidefile *file;
	const char *path;
	char *bytes;
	size_t n;

	sidefile_builder__init(&b);
	side__arena(&b, 0, 0x10000, 16, 16);
	side__code(&b, 1, 0, 0, 1, "run", "/home/ann/x.py", 7);
	path = sidefile_builder__write(&b, *state);
	sidefile_builder__release(&b);
	assert_int_equal(file__read(path, 1 << 26, &bytes, &n, NULL), 0);
	scrub__side_file(&s, (uint8_t *)bytes, n);
	path = scratch__write(*state, "scrubbed.side", bytes, n);
	assert_int_equal(sidefile__open(&file, path, NULL), 0);
	assert_int_equal(file->bad_records, 0);
	assert_string_equal(sidefile__code(file, 0, 1)->file, "/home/xxx/x.py");
	sidefile__free(file);
	scrub__side_file(&s, (uint8_t *)bytes, 100); /* cut inside the header */
	scrub__release(&s);
	free(bytes);
}

static const uint64_t sp_and_ip = 1ull << 7 | 1ull << 8; /* perf's numbers on x86_64 */

/* Of a thread of process 5, with a copy from 0x1000 on. */
static void sample(struct dumps *d, uint64_t offset, uint32_t tid, const void *stack, size_t n)
{
	static const uint64_t registers[2] = { 0x1000, 0x400000 };
	struct record rec = {
		.type = PERF_RECORD_SAMPLE,
		.offset = offset,
		.pid = 5,
		.tid = tid,
		.sample = { .user_abi = PERF_SAMPLE_REGS_ABI_64,
			    .user_regs_mask = sp_and_ip,
			    .user_regs = registers,
			    .stack = stack,
			    .stack_bytes = n,
			    .stack_asked = n + 8,
			    .stack_at = 40 },
	};

	dumps__sample(d, 0, &rec, 0, 0);
}

static void complete(struct dumps *d, struct store *s, uint64_t root, bool main)
{
	uint32_t outer = store__activation(s, STORE_NO_ACTIVATION, 0, root);

	dumps__complete(d, s, store__activation(s, outer, 1, 0x1010), main);
}

static void assert_range(const struct dump_ranges *r, size_t i, uint64_t start, uint64_t end)
{
	assert_true(i < r->list.n);
	assert_int_equal(r->list.data[i].start, start);
	assert_int_equal(r->list.data[i].end, end);
}

static void what_is_above_the_root_goes(void **state)
{
	static const uint8_t stack[128];
	struct dumps d = { .arch = regs_arch__find("x86_64") };
	struct store s = { 0 };
	struct dump_ranges r;

	(void)state;
	sample(&d, 1000, 5, stack, 128);
	complete(&d, &s, 0x1040, true);
	sample(&d, 2000, 5, stack, 128); /* cut or lost: the process's main root is known */
	sample(&d, 3000, 6, stack, 128); /* a thread with a root of its own */
	complete(&d, &s, 0x1020, false);
	sample(&d, 4000, 5, stack, 32); /* ends below the root: only what is no copy goes */
	dumps__private(&d, 0, 0, &r);
	assert_int_equal(r.list.n, 4);
	assert_range(&r, 0, 1040 + 0x40, 1040 + 136);
	assert_range(&r, 1, 2040 + 0x40, 2040 + 136);
	assert_range(&r, 2, 3040 + 0x20, 3040 + 136);
	assert_range(&r, 3, 4040 + 32, 4040 + 40);
	vec__release(&r.list);
	dumps__private(&d, 1, 0, &r);
	assert_int_equal(r.list.n, 0);
	dumps__release(&d);
	store__release(&s);
}

static void without_a_root_an_environment_is_looked_for(void **state)
{
	static const char stack[] = "\x01\x02\x00\x00prog\0--key\0A=1\0HOME=/root\0LC_ALL=C\0prog";
	static const char few[] = "\x01\x02\x00\x00prog\0A=1\0B=2\0not one";
	struct dumps d = { .arch = regs_arch__find("x86_64") };
	struct dump_ranges r;

	(void)state;
	sample(&d, 1000, 5, stack, sizeof(stack));
	sample(&d, 2000, 5, few, sizeof(few));
	sample(&d, 3000, 6, stack, sizeof(stack)); /* no first thread */
	dumps__private(&d, 0, 0, &r);
	assert_int_equal(r.list.n, 3);
	assert_range(&r, 0, 1040 + 4, 1040 + sizeof(stack) + 8);
	assert_range(&r, 1, 2040 + sizeof(few), 2040 + sizeof(few) + 8);
	assert_range(&r, 2, 3040 + sizeof(stack), 3040 + sizeof(stack) + 8);
	vec__release(&r.list);
	dumps__release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_paths_become_letters),
		scratch_test(a_side_file_stays_whole),
		cmocka_unit_test(what_is_above_the_root_goes),
		cmocka_unit_test(without_a_root_an_environment_is_looked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
