// SPDX-License-Identifier: GPL-2.0
/* Why a thread waits, from names of functions and from what /proc says. */
#include "perfconv/resolve/reasons.h"

#include <errno.h>

#include "perfconv/sidefile/threads_file.h"
#include "tests/unit/support.h"

/* The reason of a kernel chain, leaf first. */
static enum reason of_chain(const char *const *functions)
{
	enum reason reason = REASON_NONE;

	for (; *functions; functions++)
		reason = reason__combine(reason, reason__of_kernel(*functions));
	return reason;
}

#define CHAIN(...) of_chain((const char *const[]){ __VA_ARGS__, NULL })

/* Chains as recorded on Linux 6.1 and 6.18. */
static void recorded_chains(void **state)
{
	(void)state;
	assert_int_equal(CHAIN("__schedule", "schedule", "do_nanosleep", "hrtimer_nanosleep",
			       "common_nsleep", "__x64_sys_clock_nanosleep", "do_syscall_64"),
			 REASON_SLEEP);
	assert_int_equal(CHAIN("__schedule", "schedule", "futex_wait_queue", "__futex_wait",
			       "futex_wait", "do_futex", "__x64_sys_futex"),
			 REASON_LOCK);
	assert_int_equal(CHAIN("__schedule", "schedule", "schedule_hrtimeout_range_clock",
			       "poll_schedule_timeout.constprop.0", "do_select", "core_sys_select"),
			 REASON_POLL);
	assert_int_equal(CHAIN("__schedule", "schedule", "schedule_hrtimeout_range", "ep_poll",
			       "do_epoll_wait"),
			 REASON_POLL);
	assert_int_equal(CHAIN("__schedule", "schedule", "schedule_timeout",
			       "unix_stream_data_wait", "unix_stream_read_generic"),
			 REASON_SOCKET);
	assert_int_equal(CHAIN("__schedule", "schedule", "io_schedule", "folio_wait_bit_common",
			       "filemap_get_pages", "filemap_read", "vfs_read"),
			 REASON_DISK);
	assert_int_equal(CHAIN("__schedule", "schedule", "do_wait", "kernel_wait4"), REASON_CHILD);
	assert_int_equal(CHAIN("__schedule", "schedule", "anon_pipe_read", "vfs_read"),
			 REASON_PIPE);
	assert_int_equal(CHAIN("__schedule", "schedule", "something_else"), REASON_NONE);
}

static void a_page_fault_is_the_reason_whatever_it_waits_for(void **state)
{
	(void)state;
	assert_int_equal(CHAIN("__schedule", "schedule", "io_schedule", "__folio_lock_or_retry",
			       "do_swap_page", "handle_mm_fault", "do_user_addr_fault",
			       "exc_page_fault", "asm_exc_page_fault"),
			 REASON_PAGE_FAULT);
}

static void what_compilers_append_does_not_matter(void **state)
{
	(void)state;
	assert_int_equal(reason__of_kernel("do_poll.constprop.0"), REASON_POLL);
	assert_int_equal(reason__of_kernel("pipe_read.isra.0"), REASON_PIPE);
	assert_int_equal(reason__of_kernel("do_poller"), REASON_NONE);
	assert_int_equal(reason__of_user("__select@@GLIBC_2.2.5"), REASON_POLL);
	assert_int_equal(reason__of_user("__libc_recv"), REASON_SOCKET);
	assert_int_equal(reason__of_user("clock_nanosleep@@GLIBC_2.17"), REASON_SLEEP);
	assert_int_equal(reason__of_user("recover"), REASON_NONE);
}

static void every_reason_has_a_name_in_brackets(void **state)
{
	(void)state;
	for (size_t i = 0; i < REASONS; i++) {
		const char *name = reason__name((enum reason)i);

		assert_non_null(name);
		assert_int_equal(name[0], '[');
		assert_int_equal(name[strlen(name) - 1], ']');
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(name, reason__name((enum reason)k));
	}
}

static struct threads_file *open_text(const char *folder, const char *text)
{
	struct threads_file *f = NULL;
	struct errbuf err;
	const char *path = scratch__write(folder, "x.threads.json", text, strlen(text));

	if (threads_file__open(&f, path, &err))
		fail_msg("%s", err.text);
	return f;
}

static void threads_are_read(void **state)
{
	static const char text[] =
		"{\"version\":1,\"snapshots\":["
		"{\"when\":\"end\",\"time_ns\":900,\"threads\":[{\"pid\":7,\"tid\":8,\"state\":\"S\","
		"\"schedstat\":[50,6,7],\"time_ns\":901}]},"
		"{\"when\":\"start\",\"time_ns\":100,\"threads\":["
		"{\"pid\":7,\"tid\":8,\"comm\":\"x\",\"state\":\"S\",\"schedstat\":[10,2,3],"
		"\"syscall\":\"202 0x7f00 0x80 0x0 0x0 0x0 0x0 0x7ffd10 0x7f55\",\"wchan\":\"w\","
		"\"stack\":[\"futex_wait\",\"do_futex\"]},"
		"{\"pid\":7,\"tid\":9,\"syscall\":\"running\"}]}]}";
	struct threads_file *f = open_text(*state, text);
	const struct threads_entry *e = threads_file__find(f, 8);

	assert_int_equal(f->entries.n, 3);
	assert_int_equal(e[0].time_ns, 100);
	assert_int_equal(e[1].time_ns, 901); /* its own, not the snapshot's */
	assert_true(e[1].at_end && !e[0].at_end);
	assert_int_equal(e[0].state, 'S');
	assert_true(e[0].has_schedstat);
	assert_int_equal(e[1].run_ns - e[0].run_ns, 40);
	assert_int_equal(e[1].queue_ns - e[0].queue_ns, 4);
	assert_int_equal(e[0].argument, 0x7f00);
	assert_int_equal(e[0].sp, 0x7ffd10);
	assert_int_equal(e[0].ip, 0x7f55);
	assert_int_equal(e[0].functions, 2);
	assert_string_equal(f->functions.data[e[0].first + 1], "do_futex");
	assert_int_equal(threads_file__find(f, 9)->sp, 0);
	assert_null(threads_file__find(f, 10));
	threads_file__free(f);
}

static void what_the_processes_used_is_read_by_time(void **state)
{
	static const char text[] =
		"{\"version\":1,\"snapshots\":[],\"usage\":["
		"{\"time_ns\":20,\"cpu_percent\":7,\"memory_bytes\":3000},"
		"{\"time_ns\":10,\"cpu_percent\":1.5,\"memory_bytes\":2000},"
		"{\"time_ns\":30,\"cpu_percent\":-1,\"memory_bytes\":1},"
		"{\"time_ns\":30,\"cpu_percent\":1e308,\"memory_bytes\":1},"
		"{\"time_ns\":30,\"cpu_percent\":1,\"memory_bytes\":9000000000000000000},"
		"{\"time_ns\":30,\"cpu_percent\":\"x\",\"memory_bytes\":1},"
		"{\"time_ns\":30,\"cpu_percent\":1},{\"cpu_percent\":1,\"memory_bytes\":1},4]}";
	struct threads_file *f = open_text(*state, text);

	assert_int_equal(f->usage.n, 2);
	assert_int_equal(f->bad_entries, 7);
	assert_int_equal(f->usage.data[0].time_ns, 10);
	assert_true(f->usage.data[0].cpu_percent > 1.4 && f->usage.data[0].cpu_percent < 1.6);
	assert_int_equal(f->usage.data[1].memory_bytes, 3000);
	threads_file__free(f);
}

static void odd_entries_are_left_out_and_counted(void **state)
{
	static const char text[] =
		"{\"version\":1,\"snapshots\":[3,{\"when\":5,\"time_ns\":1,\"threads\":["
		"{\"pid\":-1,\"tid\":8},{\"pid\":7},[],"
		"{\"pid\":7,\"tid\":8,\"state\":4,\"stack\":[1,\"x\",null],\"schedstat\":[1,\"2\",3],"
		"\"syscall\":[]}]}]}";
	struct threads_file *f = open_text(*state, text);
	const struct threads_entry *e = threads_file__find(f, 8);

	assert_int_equal(f->entries.n, 1);
	assert_int_equal(f->bad_entries, 4);
	assert_int_equal(e->functions, 1);
	assert_false(e->has_schedstat);
	assert_int_equal(e->state, '\0');
	threads_file__free(f);
}

static void files_of_another_kind_are_refused(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"version\":2,\"snapshots\":[]}",
					     "{\"version\":1}" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *path = scratch__write(*state, "x.json", texts[i], strlen(texts[i]));
		struct threads_file *f = NULL;
		struct errbuf err;

		assert_int_equal(threads_file__open(&f, path, &err), -EINVAL);
		assert_message(&err, path);
		assert_null(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_chains),
		cmocka_unit_test(a_page_fault_is_the_reason_whatever_it_waits_for),
		cmocka_unit_test(what_compilers_append_does_not_matter),
		cmocka_unit_test(every_reason_has_a_name_in_brackets),
		scratch_test(threads_are_read),
		scratch_test(what_the_processes_used_is_read_by_time),
		scratch_test(odd_entries_are_left_out_and_counted),
		scratch_test(files_of_another_kind_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
