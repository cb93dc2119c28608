// SPDX-License-Identifier: GPL-2.0
/* Judging machines that are not here, and programs that do not answer. */
#include "perfconv/doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "perfconv/doctor/run.h"
#include "tests/unit/support.h"

static struct host a_host(void)
{
	struct host h = {
		.perf = mem__strdup("/usr/bin/perf"),
		.perf_version = mem__strdup("6.1.76"),
		.paranoid = 2,
		.kptr_restrict = 0,
		.mlock_kib = 516,
		.cpus = 4,
		.tracefs = true,
		.tracefs_readable = true,
		.kernel_symbols = true,
	};

	strcpy(h.name.sysname, "Linux");
	strcpy(h.name.release, "6.1.0-rpi7-rpi-v8");
	strcpy(h.name.machine, "aarch64");
	return h;
}

static const struct finding *find(const struct doctor *d, const char *area)
{
	for (size_t i = 0; i < d->findings.list.n; i++)
		if (!strcmp(d->findings.list.data[i].area, area))
			return &d->findings.list.data[i];
	return NULL;
}

static void assert_finding(const struct doctor *d, const char *area, enum finding_state state,
			   const char *words, const char *remedy)
{
	const struct finding *f = find(d, area);

	assert_non_null(f);
	assert_string_equal(finding_state__name(f->state), finding_state__name(state));
	assert_non_null(strstr(f->words, words));
	if (!remedy) {
		assert_null(f->remedy);
		return;
	}
	assert_non_null(f->remedy);
	assert_non_null(strstr(f->remedy, remedy));
}

static char *command_of(const struct doctor *d)
{
	char *text = mem__strdup("");

	for (size_t i = 0; i < d->command.words.n; i++) {
		char *longer = mem__format("%s%s ", text, d->command.words.data[i]);

		free(text);
		text = longer;
	}
	return text;
}

static void a_board_that_allows_all(void **state)
{
	struct doctor d = { .host = a_host(), .possible = true };
	char *command;

	(void)state;
	d.recording = doctor__best(&d);
	doctor__judge(&d);
	for (size_t i = 0; i < d.findings.list.n; i++) {
		assert_int_equal(d.findings.list.data[i].state, FINDING_OK);
		assert_null(d.findings.list.data[i].remedy);
	}
	command = command_of(&d);
	assert_non_null(strstr(command, "perf record -N -m 4M "));
	assert_non_null(strstr(command, " cycles/freq=99,call-graph=dwarf,"));
	assert_non_null(strstr(command, ",x28,x29,lr,sp,pc "));
	free(command);
	doctor__release(&d);
}

static void paranoid_3_refuses_all(void **state)
{
	struct doctor d = { .host = a_host() };

	(void)state;
	d.host.user = 1000;
	d.host.paranoid = 3;
	memset(&d.answers, 0, sizeof(d.answers));
	d.answers.cycles = d.answers.clock = d.answers.kernel = -EACCES;
	doctor__judge(&d);
	assert_finding(&d, "clock", FINDING_REFUSED, "perf_event_paranoid is 3",
		       "kernel.perf_event_paranoid=1");
	assert_null(find(&d, "buffers"));
	assert_int_equal(d.command.words.n, 0);
	doctor__release(&d);
}

static void a_container_refuses_by_seccomp(void **state)
{
	struct doctor d = { .host = a_host() };

	(void)state;
	d.host.container = "/.dockerenv";
	d.answers.clock = -EPERM;
	doctor__judge(&d);
	assert_finding(&d, "clock", FINDING_REFUSED, "Operation not permitted",
		       "--cap-add PERFMON");
	assert_non_null(find(&d, "clock")->risk);
	doctor__release(&d);
}

static void each_refusal_has_its_remedy(void **state)
{
	struct doctor d = { .host = a_host(), .possible = true };

	(void)state;
	d.host.user = 1000;
	d.host.kernel_symbols = d.host.tracefs_readable = false;
	d.host.kptr_restrict = 2;
	d.answers.kernel = d.answers.switches = -EACCES;
	d.answers.sched_switch = -ENOENT;
	d.answers.cycles = -ENOENT;
	d.answers.whole = -EPERM;
	d.answers.too_large = true;
	d.recording = doctor__best(&d);
	doctor__judge(&d);
	assert_finding(&d, "clock", FINDING_MISSING, "cpu-clock", "PMU");
	assert_finding(&d, "kernel frames", FINDING_REFUSED, "no stacks of waits", "paranoid=1");
	assert_finding(&d, "kernel names", FINDING_REFUSED, "kptr_restrict is 2",
		       "kptr_restrict=1");
	assert_finding(&d, "tracepoint", FINDING_REFUSED, "tracefs may not be read", "sudo");
	assert_finding(&d, "buffers", FINDING_REFUSED, "4 MiB", "perf_event_mlock_kb");
	for (size_t i = 0; i < d.findings.list.n; i++)
		if (d.findings.list.data[i].state == FINDING_REFUSED)
			assert_non_null(d.findings.list.data[i].risk);
	doctor__release(&d);
}

static void tracefs_may_not_be_mounted(void **state)
{
	struct doctor d = { .host = a_host() };

	(void)state;
	d.host.tracefs = d.host.tracefs_readable = false;
	d.answers.sched_switch = -ENOENT;
	doctor__judge(&d);
	assert_finding(&d, "tracepoint", FINDING_MISSING, "not mounted", "mount -t tracefs");
	doctor__release(&d);
}

static void an_old_perf_is_too_old(void **state)
{
	static const struct {
		const char *version, *remedy;
		enum finding_state state;
	} cases[] = { { "5.4.0", "newer perf", FINDING_MISSING },
		      { "5.9.1", "newer perf", FINDING_MISSING },
		      { "5.10.223", NULL, FINDING_OK },
		      { "6.12.3", NULL, FINDING_OK },
		      { "unknown", "belongs to this kernel", FINDING_MISSING } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct doctor d = { .host = a_host() };

		free(d.host.perf_version);
		d.host.perf_version = mem__strdup(cases[i].version);
		doctor__judge(&d);
		assert_finding(&d, "perf", cases[i].state, cases[i].version, cases[i].remedy);
		doctor__release(&d);
	}
}

static void another_machine_has_no_stack_copies(void **state)
{
	struct doctor d = { .host = a_host() };

	(void)state;
	strcpy(d.host.name.machine, "riscv64");
	doctor__judge(&d);
	assert_finding(&d, "stack copies", FINDING_MISSING, "riscv64", "--mode fp");
	doctor__release(&d);
}

static void a_python_is_judged(void **state)
{
	struct target t = { .pid = 812,
			    .readable = true,
			    .implementation = "CPython",
			    .looked = true,
			    .pyframes = PYFRAMES_LOADED,
			    .threads = 5,
			    .stacks = 4,
			    .smallest_stack = 256 << 10 };
	struct doctor d = { .host = a_host(), .target = &t, .possible = true };
	char *command;

	(void)state;
	t.file = mem__strdup("/usr/lib/libpython3.11.so.1.0");
	strcpy(t.interpreter.version, "3.11.2");
	strcpy(t.pyframes_version, "1.0");
	strcpy(t.smallest_comm, "worker");
	t.interpreter.functions = t.interpreter.keeping = 200;
	t.tracer = 77;
	strcpy(t.tracer_comm, "py-spy");
	vec__push(&t.hooks, "a debugger (pydevd, debugpy)");
	d.recording = doctor__best(&d);
	d.recording.frame_pointers = interpreter__keeps_frames(&t.interpreter);
	doctor__judge(&d);
	assert_finding(&d, "python", FINDING_OK, "CPython 3.11.2", NULL);
	assert_finding(&d, "frames", FINDING_OK, "200 of 200", NULL);
	assert_finding(&d, "pyframes", FINDING_MISSING, "1.0, dormant", "attach 812");
	assert_finding(&d, "stacks", FINDING_NOTE, "worker has 256 KiB", "stack_size");
	assert_finding(&d, "tracer", FINDING_NOTE, "py-spy (pid 77)", "end that");
	assert_finding(&d, "evaluator", FINDING_NOTE, "pydevd", NULL);
	command = command_of(&d);
	assert_non_null(strstr(command, "call-graph=fp"));
	assert_null(strstr(command, "dwarf"));
	assert_non_null(strstr(command, " -p 812 "));
	free(command);
	doctor__release(&d);
	target__release(&t);
}

static void other_pythons_are_told(void **state)
{
	static const struct {
		const char *implementation, *version;
		bool known;
	} cases[] = { { "CPython", "3.9.18", true },  { "CPython", "3.13.0", true },
		      { "CPython", "3.8.18", false }, { "CPython", "3.14.0rc2", false },
		      { "PyPy", "3.10.13", false },   { "CPython", "", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct target t = { .implementation = cases[i].implementation };

		strcpy(t.interpreter.version, cases[i].version);
		assert_int_equal(target__is_supported(&t), cases[i].known);
	}
}

/* Which recordings a simulated machine allows. */
struct rules {
	bool sudo, kernel, switches, large;
	unsigned int asked;
};

static bool obeys(const struct recording *r, void *data)
{
	struct rules *rules = data;

	rules->asked++;
	if (r->sudo)
		return rules->sudo;
	return (rules->kernel || !r->kernel) && (rules->switches || !r->switches) &&
	       (rules->large || r->small_buffer);
}

static struct recording chosen(struct rules *rules, bool privileged, bool sudo, bool expected)
{
	struct chooser c = { privileged, sudo, obeys, rules };
	struct recording best = { .machine = "x86_64", .switches = true, .kernel = true }, out;

	assert_int_equal(choose__recording(&c, &best, &out), expected);
	return out;
}

static void the_fullest_recording_is_chosen(void **state)
{
	struct rules all = { .kernel = true, .switches = true, .large = true };
	struct rules small = { .kernel = true, .switches = true };
	struct rules user = { .large = false };
	struct rules refused_but_sudo = { .sudo = true };
	struct rules own = { .kernel = true, .switches = true, .large = true, .sudo = true };
	struct recording r;

	(void)state;
	r = chosen(&all, true, false, true);
	assert_true(r.kernel && r.switches && !r.small_buffer && all.asked == 1);
	r = chosen(&small, false, false, true);
	assert_true(r.kernel && r.switches && r.small_buffer);
	r = chosen(&user, false, false, true);
	assert_true(!r.kernel && !r.switches && r.small_buffer);
	r = chosen(&refused_but_sudo, false, true, true);
	assert_true(r.sudo && r.kernel && r.switches && !r.small_buffer);
	r = chosen(&own, false, true, true);
	assert_false(r.sudo);
	(void)chosen(&small, true, false, false);
}

static void a_program_that_hangs_is_ended(void **state)
{
	const char *const hangs[] = { "sh", "-c", "echo begun; exec sleep 600", NULL };
	const char *const closes[] = { "sh", "-c", "exec >&- 2>&-; exec sleep 600", NULL };
	const char *const floods[] = { "yes", NULL };
	const char *const killed[] = { "sh", "-c", "kill -9 $$", NULL };
	struct errbuf err = { "" };
	struct timespec begin, end;
	char *said;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(run__capture(hangs, 1, false, &said, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "sh did not end within 1 s"));
	assert_int_equal(run__capture(closes, 1, true, &said, &err), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - begin.tv_sec < 60);
	assert_int_equal(run__capture(floods, 20, false, &said, &err), -EFBIG);
	assert_int_equal(run__capture(killed, 20, false, &said, &err), -EINTR);
	assert_non_null(strstr(err.text, "signal 9"));
}

static void what_a_program_says_is_taken(void **state)
{
	const char *const both[] = { "sh", "-c", "echo out; echo error >&2; exit 3", NULL };
	const char *const none[] = { "/nonexistent/program", NULL };
	struct errbuf err;
	char *said;

	(void)state;
	assert_int_equal(run__capture(both, 20, false, &said, &err), 3);
	assert_string_equal(said, "out\n");
	free(said);
	assert_int_equal(run__capture(both, 20, true, &said, &err), 3);
	assert_string_equal(said, "out\nerror\n");
	free(said);
	assert_int_equal(run__capture(none, 20, true, &said, &err), 127);
	free(said);
}

/* Our own executable, cut at many places, and a file that is none. */
static void a_damaged_interpreter_is_survived(void **state)
{
	char *bytes, *folder = *state;
	struct interpreter i;
	const char *path;
	size_t n = 0;
	FILE *self = fopen("/proc/self/exe", "rb");

	assert_non_null(self);
	fseek(self, 0, SEEK_END);
	n = (size_t)ftell(self);
	rewind(self);
	bytes = mem__alloc(n, 1);
	assert_int_equal(fread(bytes, 1, n, self), n);
	fclose(self);
	for (size_t k = 0; k < 64; k++) {
		path = scratch__write(folder, "cut", bytes, n * k / 64);
		(void)interpreter__read(&i, open(path, O_RDONLY), path);
		assert_false(i.cpython);
		assert_int_equal(unlink(path), 0);
	}
	path = scratch__write(folder, "whole", bytes, n);
	assert_int_equal(interpreter__read(&i, open(path, O_RDONLY), path), 0);
	assert_true(i.functions > INTERPRETER_LEAST_FUNCTIONS);
	assert_int_equal(unlink(path), 0);
	path = scratch__write(folder, "text", "no ELF file", 11);
	assert_int_equal(interpreter__read(&i, open(path, O_RDONLY), path), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(interpreter__read(&i, -1, "/nothing"), -EINVAL);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_board_that_allows_all),
		cmocka_unit_test(paranoid_3_refuses_all),
		cmocka_unit_test(a_container_refuses_by_seccomp),
		cmocka_unit_test(each_refusal_has_its_remedy),
		cmocka_unit_test(tracefs_may_not_be_mounted),
		cmocka_unit_test(an_old_perf_is_too_old),
		cmocka_unit_test(another_machine_has_no_stack_copies),
		cmocka_unit_test(a_python_is_judged),
		cmocka_unit_test(other_pythons_are_told),
		cmocka_unit_test(the_fullest_recording_is_chosen),
		cmocka_unit_test(a_program_that_hangs_is_ended),
		cmocka_unit_test(what_a_program_says_is_taken),
		scratch_test(a_damaged_interpreter_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
