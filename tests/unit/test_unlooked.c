// SPDX-License-Identifier: GPL-2.0
/* The rules that could not look, and the looks at the processes that a report keeps. */
#include "perfconv/analyze/analysis.h"
#include "tests/unit/world.h"

#define SECOND 1000000000ull
#define BEGIN_NS (5 * SECOND)

struct analyzed {
	struct world world;
	struct rules rules;
	struct threads_file threads;
	struct analysis_sources sources;
	struct report report;
};

/* Ten seconds of a Python without pyframes. */
static void begin(struct analyzed *a, const char *folder)
{
	memset(a, 0, sizeof(*a));
	world__init(&a->world, folder, false);
	machine__thread(&a->world.machine, WORLD_PID, WORLD_PID);
	world__resolve(&a->world, FRAMES_MERGED);
	rules__init(&a->rules);
	report__init(&a->report);
	a->sources = (struct analysis_sources){
		.resolved = resolver__resolved(a->world.resolver),
		.machine = &a->world.machine,
		.python = a->world.python,
		.threads = &a->threads,
		.rules = &a->rules,
		.scenario = "",
		.begin_ns = BEGIN_NS,
		.to_end = true,
		.monotonic = true,
	};
}

static void end(struct analyzed *a)
{
	report__release(&a->report);
	rules__release(&a->rules);
	vec__release(&a->threads.machine);
	vec__release(&a->threads.usage);
	world__release(&a->world);
}

/* @waiting_ns: of each tenth of a second, for the GIL. */
static void analyze(struct analyzed *a, uint64_t waiting_ns)
{
	char name[] = "python";
	struct profile_thread thread = { .name = name, .full = "", .comm = "" };
	struct profile p = {
		.timed = true, .exact = true, .start_ns = BEGIN_NS, .duration = 10 * SECOND
	};
	struct analysis *analysis = analysis__new(&a->sources);
	const struct watcher *w = analysis__watcher(analysis);

	vec__push(&p.threads, thread);
	w->thread(w->target, 0);
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t at = BEGIN_NS + i * SECOND / 10;
		struct stretch s = {
			at, at + waiting_ns, RESOLVE_NO_STACK, THREAD_WAITING, REASON_GIL, false, 0
		};

		w->stretch(w->target, &s);
		s = (struct stretch){ at + waiting_ns,
				      at + SECOND / 10,
				      RESOLVE_NO_STACK,
				      THREAD_RUNNING,
				      REASON_NONE,
				      false,
				      0 };
		w->stretch(w->target, &s);
	}
	analysis__finish(analysis, &p, 0, &a->report);
	analysis__free(analysis);
	vec__release(&p.threads);
}

static const char *unlooked(const struct analyzed *a, const char *rule)
{
	for (size_t i = 0; i < a->report.unlooked.n; i++)
		if (!strcmp(a->report.unlooked.data[i].rule, rule))
			return a->report.unlooked.data[i].because;
	return "";
}

static void the_gil_needs_no_names(void **state)
{
	struct analyzed a;
	bool found = false;

	begin(&a, *state);
	analyze(&a, SECOND / 20);
	for (size_t i = 0; i < a.report.findings.n; i++) {
		const char *rule = a.report.findings.data[i].rule;

		found |= !strcmp(rule, "gil-convoy");
		assert_string_equal(unlooked(&a, rule), "");
	}
	assert_true(found);
	end(&a);
	begin(&a, *state);
	analyze(&a, SECOND / 1000);
	assert_string_equal(unlooked(&a, "gil-convoy"), "");
	assert_non_null(strstr(unlooked(&a, "lock-convoy"), "pyframes"));
	assert_non_null(strstr(unlooked(&a, "loop-blocked"), "pyframes"));
	assert_string_equal(unlooked(&a, "polling"), "");
	end(&a);
}

static void a_count_needs_both_looks(void **state)
{
	struct machine_look first = { .time_ns = BEGIN_NS, .has_swap = true, .mhz = 1 },
			    last = first;
	struct analyzed a;

	last.time_ns += SECOND;
	last.has_throttled = true;
	last.max_mhz = 1000;
	begin(&a, *state);
	vec__push(&a.threads.machine, first);
	analyze(&a, 0);
	assert_non_null(strstr(unlooked(&a, "swapping"), "perf-pyrecord -p"));
	end(&a);
	begin(&a, *state);
	vec__push(&a.threads.machine, first);
	vec__push(&a.threads.machine, last);
	analyze(&a, 0);
	assert_string_equal(unlooked(&a, "swapping"), "");
	assert_string_equal(unlooked(&a, "cpu-slow"), ""); /* and it is */
	assert_non_null(strstr(unlooked(&a, "throttled"), "control group"));
	end(&a);
}

static size_t looks_kept(const char *folder, bool to_end)
{
	static const uint64_t times[] = { BEGIN_NS - 1,		  BEGIN_NS,
					  BEGIN_NS + 10 * SECOND, BEGIN_NS + 12 * SECOND,
					  BEGIN_NS + 13 * SECOND, INT64_MAX };
	struct analyzed a;
	size_t n;

	begin(&a, folder);
	a.sources.to_end = to_end;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		vec__push(&a.threads.usage, ((struct usage_look){ times[i], 1, 1 }));
	analyze(&a, 0);
	n = a.report.usage.n;
	end(&a);
	return n;
}

static void only_looks_of_the_capture_are_kept(void **state)
{
	assert_int_equal(looks_kept(*state, true), 3);
	assert_int_equal(looks_kept(*state, false), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(the_gil_needs_no_names),
		scratch_test(a_count_needs_both_looks),
		scratch_test(only_looks_of_the_capture_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
