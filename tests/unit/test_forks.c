// SPDX-License-Identifier: GPL-2.0
/* Forks and exits that come late, or far too often. */
#include <perf/event.h>

#include "perfconv/machine/machine.h"
#include "tests/unit/support.h"

#define MAPS 4096u

static void fork_process(struct machine *m, uint32_t parent, uint32_t child)
{
	struct record rec = { .type = PERF_RECORD_FORK, .time_ns = child };

	rec.task = (struct record_task){ child, parent, child, parent };
	machine__apply(m, &rec);
}

static void map_file(struct machine *m, uint32_t pid, uint64_t start)
{
	struct record rec = { .type = PERF_RECORD_MMAP2, .misc = PERF_RECORD_MISC_USER };

	rec.mmap = (struct record_mmap){ .pid = pid,
					 .tid = pid,
					 .start = start,
					 .length = 4096,
					 .prot = 4,
					 .path = "/recorded/file" };
	machine__apply(m, &rec);
}

/* 300 KB of MMAP2 and 130 KB of FORK records used to ask for 10 GB. */
static void copied_mappings_have_a_limit(void **state)
{
	uint32_t forks = MACHINE_MAX_COPIED_MAPS / MAPS + 100;
	struct machine m;

	(void)state;
	machine__init(&m);
	for (uint64_t i = 0; i < MAPS; i++)
		map_file(&m, 1, 0x10000000 + i * 8192);
	for (uint32_t i = 0; i < forks; i++)
		fork_process(&m, 1, 2 + i);
	assert_int_equal(m.copied_maps, MACHINE_MAX_COPIED_MAPS);
	assert_int_equal(m.bare_processes, 100);
	machine__release(&m);
}

/* A sample before its FORK, as without sorting: the thread is known, then begins anew. */
static void a_late_fork_does_not_lose_what_was_there(void **state)
{
	struct record gone = { .type = PERF_RECORD_EXIT, .time_ns = 50 };
	uint32_t early, late;
	struct machine m;

	(void)state;
	machine__init(&m);
	map_file(&m, 1, 0x10000000);
	early = machine__thread(&m, 9, 9);
	fork_process(&m, 1, 9);
	late = machine__thread(&m, 9, 9);
	assert_int_not_equal(early, late);
	assert_int_equal(machine__process_of(&m, early)->pid, 9);
	assert_int_equal(machine__process_of(&m, late)->maps.n, 1);
	gone.task = (struct record_task){ 9, 1, 9, 1 };
	machine__apply(&m, &gone);
	assert_int_equal(machine__thread(&m, 9, 9), late); /* samples after EXIT are its own */
	assert_int_equal(m.threads.data[late].end_ns, 50);
	machine__release(&m);
}

/* perf synthesises FORKs, without a time, at the start of each file of a series. */
static void a_fork_restated_changes_nothing(void **state)
{
	struct record rec = { .type = PERF_RECORD_FORK, .time_ns = RECORD_NO_TIME };
	uint32_t thread;
	struct machine m;

	(void)state;
	machine__init(&m);
	map_file(&m, 1, 0x10000000);
	fork_process(&m, 1, 9);
	thread = machine__thread(&m, 9, 9);
	rec.task = (struct record_task){ 9, 1, 9, 1 };
	machine__apply(&m, &rec);
	assert_int_equal(machine__thread(&m, 9, 9), thread);
	rec.type = PERF_RECORD_EXIT, rec.time_ns = 50;
	machine__apply(&m, &rec);
	rec.type = PERF_RECORD_FORK, rec.time_ns = RECORD_NO_TIME;
	machine__apply(&m, &rec);
	assert_int_not_equal(machine__thread(&m, 9, 9), thread); /* the number came back */
	machine__release(&m);
}

/* Of a process that it found running perf states all mappings, so none are its parent's. */
static void a_synthesised_fork_copies_no_mappings(void **state)
{
	struct record rec = { .type = PERF_RECORD_FORK,
			      .misc = PERF_RECORD_MISC_FORK_EXEC,
			      .time_ns = RECORD_NO_TIME };
	struct machine m;

	(void)state;
	machine__init(&m);
	map_file(&m, 1, 0x10000000);
	rec.task = (struct record_task){ 9, 1, 9, 1 };
	machine__apply(&m, &rec);
	assert_int_equal(machine__process_of(&m, machine__thread(&m, 9, 9))->maps.n, 0);
	machine__release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copied_mappings_have_a_limit),
		cmocka_unit_test(a_late_fork_does_not_lose_what_was_there),
		cmocka_unit_test(a_fork_restated_changes_nothing),
		cmocka_unit_test(a_synthesised_fork_copies_no_mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
