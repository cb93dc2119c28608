// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/machine.h"
#include "tests/unit/support.h"

enum { MMAP = 1, COMM = 3, EXIT = 4, FORK = 7, MISC_KERNEL = 1, MISC_USER = 2, EXEC = 4 };

static void map(struct machine *m, uint32_t pid, uint64_t start, uint64_t length, uint64_t offset,
		const char *path)
{
	struct record r = { .type = MMAP, .misc = MISC_USER };

	r.mmap = (struct record_mmap){ .pid = pid,
				       .tid = pid,
				       .start = start,
				       .length = length,
				       .offset = offset,
				       .prot = EXEC,
				       .path = path };
	machine__apply(m, &r);
}

static void task(struct machine *m, uint32_t type, uint32_t pid, uint32_t tid, uint32_t ppid,
		 uint32_t ptid, uint64_t time)
{
	struct record r = { .type = type, .time_ns = time };

	r.task = (struct record_task){ .pid = pid, .tid = tid, .ppid = ppid, .ptid = ptid };
	machine__apply(m, &r);
}

static void comm(struct machine *m, uint32_t pid, uint32_t tid, const char *name, bool exec)
{
	struct record r = { .type = COMM };

	r.comm = (struct record_comm){ .pid = pid, .tid = tid, .comm = name, .exec = exec };
	machine__apply(m, &r);
}

static uint32_t process_of(struct machine *m, uint32_t pid, uint32_t tid)
{
	uint32_t id = machine__thread(m, pid, tid);

	return m->threads.data[id].process;
}

static const char *path_at(struct machine *m, uint32_t pid, uint64_t ip)
{
	struct place p = machine__user_place(m, process_of(m, pid, pid), ip);

	return dsos__get(&m->dsos, p.dso)->path;
}

static void places_are_file_offsets(void **state)
{
	struct machine m;
	struct place p;
	uint32_t process;

	(void)state;
	machine__init(&m);
	map(&m, 10, 0x7000000, 0x3000, 0x1000, "/lib/a.so");
	process = process_of(&m, 10, 10);
	p = machine__user_place(&m, process, 0x7000000);
	assert_string_equal(dsos__get(&m.dsos, p.dso)->path, "/lib/a.so");
	assert_int_equal(p.address, 0x1000);
	assert_int_equal(machine__user_place(&m, process, 0x7002fff).address, 0x3fff);
	p = machine__user_place(&m, process, 0x7003000);
	assert_int_equal(p.dso, DSO_ID_UNKNOWN);
	assert_int_equal(p.address, 0x7003000);
	p = machine__user_place(&m, process, 0x6ffffff);
	assert_int_equal(p.dso, DSO_ID_UNKNOWN);
	machine__release(&m);
}

/* The same code in two processes, mapped at two addresses, is one place. */
static void places_do_not_depend_on_where_it_was_mapped(void **state)
{
	struct machine m;
	struct place one, two;

	(void)state;
	machine__init(&m);
	map(&m, 10, 0x7000000, 0x3000, 0, "/lib/a.so");
	map(&m, 11, 0x9000000, 0x3000, 0, "/lib/a.so");
	one = machine__user_place(&m, process_of(&m, 10, 10), 0x7000123);
	two = machine__user_place(&m, process_of(&m, 11, 11), 0x9000123);
	assert_int_equal(one.dso, two.dso);
	assert_int_equal(one.address, two.address);
	machine__release(&m);
}

static void memory_and_kernel_stay_absolute(void **state)
{
	struct machine m;
	struct place p;

	(void)state;
	machine__init(&m);
	map(&m, 10, 0x5000, 0x1000, 0, "//anon");
	p = machine__user_place(&m, process_of(&m, 10, 10), 0x5123);
	assert_int_equal(dsos__get(&m.dsos, p.dso)->kind, DSO_MEMORY);
	assert_int_equal(p.address, 0x5123);
	p = machine__kernel_place(0xffffffff81000123);
	assert_int_equal(p.dso, DSO_ID_KERNEL);
	assert_int_equal(p.address, 0xffffffff81000123);
	machine__release(&m);
}

static void kernel_mappings_are_nobodys(void **state)
{
	struct record r = { .type = MMAP, .misc = MISC_KERNEL };
	struct machine m;

	(void)state;
	machine__init(&m);
	r.mmap = (struct record_mmap){ .pid = UINT32_MAX,
				       .start = 0xffffffff81000000,
				       .length = 0x1000000,
				       .prot = EXEC,
				       .path = "[kernel.kallsyms]_text" };
	machine__apply(&m, &r);
	assert_int_equal(m.processes.n, 0);
	assert_int_equal(m.dsos.list.n, 4);
	machine__release(&m);
}

static void fork_copies_the_mappings(void **state)
{
	struct machine m;

	(void)state;
	machine__init(&m);
	map(&m, 10, 0x1000, 0x1000, 0, "/bin/parent");
	comm(&m, 10, 10, "parent", false);
	task(&m, FORK, 20, 20, 10, 10, 500);
	assert_int_not_equal(process_of(&m, 20, 20), process_of(&m, 10, 10));
	assert_string_equal(path_at(&m, 20, 0x1800), "/bin/parent");
	map(&m, 20, 0x1000, 0x1000, 0, "/bin/child");
	assert_string_equal(path_at(&m, 20, 0x1800), "/bin/child");
	assert_string_equal(path_at(&m, 10, 0x1800), "/bin/parent");
	assert_string_equal(machine__comm(&m, machine__thread(&m, 20, 20)), "parent");
	assert_int_equal(m.threads.data[machine__thread(&m, 20, 20)].start_ns, 500);
	machine__release(&m);
}

static void a_thread_shares_its_process(void **state)
{
	struct machine m;
	uint32_t main_thread, other;

	(void)state;
	machine__init(&m);
	map(&m, 10, 0x1000, 0x1000, 0, "/bin/a");
	main_thread = machine__thread(&m, 10, 10);
	task(&m, FORK, 10, 11, 10, 10, 500);
	other = machine__thread(&m, 10, 11);
	assert_int_not_equal(main_thread, other);
	assert_int_equal(m.threads.data[other].process, m.threads.data[main_thread].process);
	assert_int_equal(m.threads.data[other].start_ns, 500);
	assert_int_equal(m.threads.data[main_thread].start_ns, 0);
	map(&m, 10, 0x9000, 0x1000, 0, "/lib/later.so");
	assert_string_equal(
		dsos__get(&m.dsos,
			  machine__user_place(&m, m.threads.data[other].process, 0x9000).dso)
			->path,
		"/lib/later.so");
	assert_int_equal(machine__process_of(&m, other)->pid, 10);
	machine__release(&m);
}

/* A FORK tells of one thread, not of two: later stages list every thread there is. */
static void a_fork_makes_one_thread(void **state)
{
	struct machine m;

	(void)state;
	machine__init(&m);
	(void)machine__thread(&m, 10, 10);
	task(&m, FORK, 10, 11, 10, 10, 500);
	assert_int_equal(m.threads.n, 2);
	assert_int_equal(m.processes.n, 1);
	task(&m, FORK, 20, 20, 10, 10, 600);
	assert_int_equal(m.threads.n, 3);
	assert_int_equal(m.processes.n, 2);
	assert_int_equal(machine__thread(&m, 20, 20), 2);
	machine__release(&m);
}

static void exec_clears_the_mappings(void **state)
{
	struct machine m;

	(void)state;
	machine__init(&m);
	map(&m, 10, 0x1000, 0x1000, 0, "/bin/sh");
	comm(&m, 10, 10, "renamed", false);
	assert_string_equal(path_at(&m, 10, 0x1000), "/bin/sh");
	comm(&m, 10, 10, "python3", true);
	assert_string_equal(path_at(&m, 10, 0x1000), "[unknown]");
	map(&m, 10, 0x1000, 0x1000, 0, "/usr/bin/python3");
	assert_string_equal(path_at(&m, 10, 0x1000), "/usr/bin/python3");
	machine__release(&m);
}

static void a_thread_has_its_last_name(void **state)
{
	struct machine m;
	uint32_t id;

	(void)state;
	machine__init(&m);
	id = machine__thread(&m, 10, 11);
	assert_string_equal(machine__comm(&m, id), "");
	comm(&m, 10, 11, "python3", false);
	assert_string_equal(machine__comm(&m, id), "python3");
	comm(&m, 10, 11, "worker", false);
	assert_string_equal(machine__comm(&m, id), "worker");
	assert_int_equal(machine__thread(&m, 10, 11), id);
	machine__release(&m);
}

static void an_exit_is_noted(void **state)
{
	struct machine m;
	uint32_t id;

	(void)state;
	machine__init(&m);
	id = machine__thread(&m, 10, 11);
	task(&m, EXIT, 10, 11, 10, 10, 900);
	assert_int_equal(m.threads.data[id].end_ns, 900);
	machine__release(&m);
}

static void a_pid_that_comes_back_is_a_new_process(void **state)
{
	struct machine m;
	uint32_t first, second;

	(void)state;
	machine__init(&m);
	map(&m, 1, 0x1000, 0x1000, 0, "/bin/init");
	task(&m, FORK, 10, 10, 1, 1, 100);
	comm(&m, 10, 10, "first", true);
	map(&m, 10, 0x1000, 0x1000, 0, "/bin/first");
	first = machine__thread(&m, 10, 10);
	task(&m, EXIT, 10, 10, 1, 1, 200);
	task(&m, FORK, 10, 10, 1, 1, 300);
	second = machine__thread(&m, 10, 10);
	assert_int_not_equal(first, second);
	assert_int_not_equal(m.threads.data[first].process, m.threads.data[second].process);
	assert_string_equal(path_at(&m, 10, 0x1000), "/bin/init");
	assert_string_equal(machine__comm(&m, first), "first");
	assert_int_equal(m.threads.data[first].start_ns, 100);
	assert_int_equal(m.threads.data[first].end_ns, 200);
	assert_int_equal(m.threads.data[second].start_ns, 300);
	assert_int_equal(m.threads.data[second].end_ns, 0);
	machine__release(&m);
}

static void a_tid_may_go_to_another_process(void **state)
{
	struct machine m;
	uint32_t first, second;

	(void)state;
	machine__init(&m);
	first = machine__thread(&m, 10, 55);
	second = machine__thread(&m, 20, 55); /* its FORK was lost */
	assert_int_not_equal(first, second);
	assert_int_equal(machine__process_of(&m, second)->pid, 20);
	assert_int_equal(machine__process_of(&m, first)->pid, 10);
	machine__release(&m);
}

static void a_tid_that_comes_back_is_a_new_thread(void **state)
{
	struct machine m;
	uint32_t first, second;

	(void)state;
	machine__init(&m);
	task(&m, FORK, 10, 11, 10, 10, 100);
	comm(&m, 10, 11, "old", false);
	first = machine__thread(&m, 10, 11);
	task(&m, EXIT, 10, 11, 10, 10, 200);
	task(&m, FORK, 10, 11, 10, 10, 300);
	second = machine__thread(&m, 10, 11);
	assert_int_not_equal(first, second);
	assert_int_equal(m.threads.data[first].process, m.threads.data[second].process);
	assert_string_equal(machine__comm(&m, first), "old");
	assert_string_equal(machine__comm(&m, second), "");
	machine__release(&m);
}

/* perf states build-ids in the header by default, not in the mappings. */
static void the_headers_build_id_is_the_mappings(void **state)
{
	static const uint8_t id[20] = { 7, 7, 7 };
	const struct dso *dso;
	struct machine m;
	struct place p;

	(void)state;
	machine__init(&m);
	dsos__state_build_id(&m.dsos, "/lib/a.so", id, 20);
	map(&m, 10, 0x7000000, 0x3000, 0, "/lib/a.so");
	map(&m, 10, 0x8000000, 0x3000, 0, "/lib/b.so");
	p = machine__user_place(&m, process_of(&m, 10, 10), 0x7000000);
	dso = dsos__get(&m.dsos, p.dso);
	assert_int_equal(dso->build_id_bytes, 20);
	assert_memory_equal(dso->build_id, id, 20);
	p = machine__user_place(&m, process_of(&m, 10, 10), 0x8000000);
	assert_int_equal(dsos__get(&m.dsos, p.dso)->build_id_bytes, 0);
	machine__release(&m);
}

static void where_the_kernel_was_is_noted(void **state)
{
	struct record r = { .type = MMAP, .misc = MISC_KERNEL };
	struct machine m;

	(void)state;
	machine__init(&m);
	assert_int_equal(m.kernel_symbol_address, 0);
	r.mmap = (struct record_mmap){ .pid = UINT32_MAX,
				       .start = 0xffffffff81000000,
				       .length = 0x1000000,
				       .offset = 0xffffffff81000000,
				       .path = "[kernel.kallsyms]_text" };
	machine__apply(&m, &r);
	assert_string_equal(m.kernel_symbol, "_text");
	assert_int_equal(m.kernel_symbol_address, 0xffffffff81000000);
	machine__release(&m);
}

static void modules_are_the_kernel_s(void **state)
{
	struct machine m;
	struct record r = { .type = MMAP, .misc = MISC_KERNEL };
	static const char *const paths[] = { "[kernel.kallsyms]_text",
					     "/lib/modules/6.1/kernel/net/nf-tables.ko.xz",
					     "[nf_tables]", "[guest.kernel.kallsyms]" };

	(void)state;
	machine__init(&m);
	for (uint64_t i = 0; i < 4; i++) {
		r.mmap = (struct record_mmap){ .pid = UINT32_MAX,
					       .tid = UINT32_MAX,
					       .start = 0xffffffffc0000000 + i * 0x1000,
					       .length = 0x1000,
					       .prot = EXEC,
					       .path = paths[i] };
		machine__apply(&m, &r);
	}
	assert_string_equal(machine__module(&m, 0xffffffffc0001234), "[nf_tables]");
	assert_string_equal(machine__module(&m, 0xffffffffc0002000), "[nf_tables]");
	assert_null(machine__module(&m, 0xffffffffc0000000));
	assert_null(machine__module(&m, 0xffffffffc0003000));
	machine__release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modules_are_the_kernel_s),
		cmocka_unit_test(places_are_file_offsets),
		cmocka_unit_test(places_do_not_depend_on_where_it_was_mapped),
		cmocka_unit_test(memory_and_kernel_stay_absolute),
		cmocka_unit_test(kernel_mappings_are_nobodys),
		cmocka_unit_test(fork_copies_the_mappings),
		cmocka_unit_test(a_thread_shares_its_process),
		cmocka_unit_test(a_fork_makes_one_thread),
		cmocka_unit_test(exec_clears_the_mappings),
		cmocka_unit_test(a_thread_has_its_last_name),
		cmocka_unit_test(an_exit_is_noted),
		cmocka_unit_test(the_headers_build_id_is_the_mappings),
		cmocka_unit_test(where_the_kernel_was_is_noted),
		cmocka_unit_test(a_pid_that_comes_back_is_a_new_process),
		cmocka_unit_test(a_tid_may_go_to_another_process),
		cmocka_unit_test(a_tid_that_comes_back_is_a_new_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
