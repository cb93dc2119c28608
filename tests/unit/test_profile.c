// SPDX-License-Identifier: GPL-2.0
/* Timelines. */
#include "perfconv/profile/profile.h"
#include "tests/unit/world.h"

#define SAMPLE_TIME 4u
#define CLOCK_TYPE 1u /* software; config 0 is cpu-clock */

static char cpu_clock_name[] = "cpu-clock";

static const struct perfdata_event cpu_clock = {
	.name = cpu_clock_name,
	.type = CLOCK_TYPE,
	.sample_type = SAMPLE_TIME,
};

/* One stack per sample, so that no slices merge by chance. */
static struct profile *profile_of(struct world *w, const struct perfdata_event *event)
{
	world__resolve(w, FRAMES_ALL);
	return world__profile(w, event);
}

static void close_all(struct world *w, struct profile *p)
{
	profile__free(p);
	world__release(w);
}

static uint64_t sum(const struct profile_thread *t, bool gaps)
{
	uint64_t total = 0;

	for (size_t i = 0; i < t->slices.n; i++)
		if (gaps || t->slices.data[i].stack != RESOLVE_NO_STACK)
			total += t->slices.data[i].weight;
	return total;
}

static const struct profile_thread *thread_named(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->threads.n; i++)
		if (!strcmp(p->threads.data[i].name, name))
			return &p->threads.data[i];
	fail_msg("there is no thread %s", name);
	return NULL;
}

static void check_slice(const struct profile_thread *t, size_t i, uint64_t weight, bool gap)
{
	assert_true(i < t->slices.n);
	assert_int_equal(t->slices.data[i].weight, weight);
	assert_int_equal(t->slices.data[i].stack == RESOLVE_NO_STACK, gap);
}

/* The drawing in profile.h: a sample stands for the time before it. */
static void gaps_lie_between_samples(void **state)
{
	struct world w;
	struct profile *p;

	world__init(&w, *state, false);
	world__sample(&w, 7, 7, 1100, 100, STACK(&w, START));
	world__sample(&w, 7, 7, 1250, 100, STACK(&w, RECV));
	world__sample(&w, 7, 7, 2000, 100, STACK(&w, START));
	p = profile_of(&w, &cpu_clock);
	assert_true(p->timed);
	assert_int_equal(p->start_ns, 1000);
	assert_int_equal(p->duration, 1000);
	assert_int_equal(p->threads.n, 1);
	assert_int_equal(p->threads.data[0].slices.n, 5);
	check_slice(&p->threads.data[0], 0, 100, false);
	check_slice(&p->threads.data[0], 1, 50, true);
	check_slice(&p->threads.data[0], 2, 100, false);
	check_slice(&p->threads.data[0], 3, 650, true);
	check_slice(&p->threads.data[0], 4, 100, false);
	assert_int_equal(p->threads.data[0].weight, 300);
	assert_int_equal(p->weight, 300);
	assert_int_equal(p->samples, 3);
	close_all(&w, p);
}

static void overlaps_are_moved_and_nothing_is_lost(void **state)
{
	struct world w;
	struct profile *p;
	const struct profile_thread *t;

	world__init(&w, *state, false);
	world__sample(&w, 7, 7, 1100, 100, STACK(&w, START));
	world__sample(&w, 7, 7, 1150, 100, STACK(&w, RECV)); /* would begin 50 too early */
	world__sample(&w, 7, 7, 1160, 100, STACK(&w, START_THREAD));
	world__sample(&w, 7, 7, 5000, 100, STACK(&w, START));
	p = profile_of(&w, &cpu_clock);
	t = &p->threads.data[0];
	assert_int_equal(sum(t, false), 400);
	assert_int_equal(t->weight, 400);
	check_slice(t, 0, 100, false);
	check_slice(t, 1, 100, false);
	check_slice(t, 2, 100, false);
	check_slice(t, 3, 3600, true); /* the moved slices end at 1300; the next begins at 4900 */
	check_slice(t, 4, 100, false);
	assert_int_equal(sum(t, true), p->duration);
	close_all(&w, p);
}

static void equal_neighbours_are_one_slice(void **state)
{
	struct world w;
	struct profile *p;

	world__init(&w, *state, false);
	for (uint64_t i = 1; i <= 10; i++)
		world__sample(&w, 7, 7, 1000 + 100 * i, 100, STACK(&w, START, RECV));
	p = profile_of(&w, &cpu_clock);
	assert_int_equal(p->threads.data[0].slices.n, 1);
	check_slice(&p->threads.data[0], 0, 1000, false);
	assert_int_equal(p->threads.data[0].samples, 10);
	close_all(&w, p);
}

static void all_timelines_are_of_equal_length(void **state)
{
	struct world w;
	struct profile *p;

	world__init(&w, *state, false);
	world__sample(&w, 7, 7, 1100, 100, STACK(&w, START));
	world__sample(&w, 7, 8, 9000, 100, STACK(&w, RECV));
	world__sample(&w, 7, 9, 4000, 2500, STACK(&w, RECV));
	world__sample(&w, 7, 9, 4000, 2500, STACK(&w, START));
	p = profile_of(&w, &cpu_clock);
	assert_int_equal(p->duration, 8000);
	assert_int_equal(p->threads.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(sum(&p->threads.data[i], true), p->duration);
		assert_int_equal(p->threads.data[i].end, p->duration);
	}
	close_all(&w, p);
}

static void other_events_have_no_gaps(void **state)
{
	static char name[] = "page-faults";
	const struct perfdata_event faults = {
		.name = name, .type = CLOCK_TYPE, .config = 2, .sample_type = SAMPLE_TIME
	};
	struct world w;
	struct profile *p;

	world__init(&w, *state, false);
	world__sample(&w, 7, 7, 1000000, 3, STACK(&w, START));
	world__sample(&w, 7, 7, 9000000, 4, STACK(&w, RECV));
	p = profile_of(&w, &faults);
	assert_false(p->timed);
	assert_int_equal(p->threads.data[0].slices.n, 2);
	assert_int_equal(sum(&p->threads.data[0], true), 7);
	close_all(&w, p);
}

static void samples_of_other_events_are_left_out(void **state)
{
	struct world w;
	struct profile *p;

	world__init(&w, *state, false);
	world__sample(&w, 7, 7, 1100, 100, STACK(&w, START));
	world__sample(&w, 7, 7, 100, 90, STACK(&w, RECV));
	w.store.samples.data[1].event = 1;
	p = profile_of(&w, &cpu_clock);
	assert_int_equal(p->samples, 1);
	assert_int_equal(p->start_ns, 1000);
	close_all(&w, p);
}

/* (pid, main first, start, tid) */
static void threads_are_sorted(void **state)
{
	static const uint32_t expected[][2] = {
		{ 50, 50 }, { 70, 70 }, { 70, 99 }, { 70, 60 }, { 70, 61 },
	};
	struct world w;
	struct profile *p;

	world__init(&w, *state, false);
	world__fork(&w, 70, 99, 100);
	world__fork(&w, 70, 61, 200);
	world__fork(&w, 70, 60, 200);
	for (size_t i = 0; i < 5; i++)
		world__sample(&w, expected[4 - i][0], expected[4 - i][1], 1000, 10,
			      STACK(&w, START));
	p = profile_of(&w, &cpu_clock);
	assert_int_equal(p->threads.n, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(p->threads.data[i].pid, expected[i][0]);
		assert_int_equal(p->threads.data[i].tid, expected[i][1]);
	}
	close_all(&w, p);
}

static void names_are_unique(void **state)
{
	struct world w;
	struct profile *p;

	world__init(&w, *state, false);
	for (uint32_t tid = 70; tid < 74; tid++) {
		world__comm(&w, 70, tid, tid < 72 ? "worker" : tid == 72 ? "worker (tid 71)" : "x");
		world__sample(&w, 70, tid, 1000, 10, STACK(&w, START));
	}
	world__fork(&w, 70, 71, 2000); /* the tid came back, and its name */
	world__comm(&w, 70, 71, "worker");
	world__sample(&w, 70, 71, 3000, 10, STACK(&w, START));
	p = profile_of(&w, &cpu_clock);
	assert_int_equal(p->threads.n, 5);
	for (size_t i = 0; i < p->threads.n; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(p->threads.data[i].name, p->threads.data[k].name))
				fail_msg("two threads are named %s", p->threads.data[i].name);
	assert_non_null(thread_named(p, "x")); /* what is unique stays as it is */
	assert_contains(thread_named(p, "worker (tid 70)")->name, "70");
	close_all(&w, p);
}

static void several_processes_are_told_apart(void **state)
{
	struct world w;
	struct profile *p;

	world__init(&w, *state, false);
	world__comm(&w, 70, 70, "main");
	world__comm(&w, 80, 80, "main");
	world__sample(&w, 70, 70, 1000, 10, STACK(&w, START));
	world__sample(&w, 80, 80, 1000, 10, STACK(&w, START));
	world__sample(&w, 80, 81, 1000, 10, STACK(&w, START));
	p = profile_of(&w, &cpu_clock);
	assert_contains(p->threads.data[0].name, "70");
	assert_contains(p->threads.data[1].name, "80");
	assert_contains(p->threads.data[2].name, "81"); /* nobody named it */
	close_all(&w, p);
}

/* A Python thread that only ever waited is shown, with one long gap. */
static void idle_python_threads_are_shown(void **state)
{
	struct world w;
	struct profile *p;
	const struct profile_thread *t;

	world__init(&w, *state, true);
	world__fork(&w, WORLD_PID, 101, 5);
	world__fork(&w, WORLD_PID, 102, 6); /* no Python thread */
	world__sample(&w, WORLD_PID, WORLD_PID, 1000, 100, STACK(&w, PY_RUN, EVAL));
	p = profile_of(&w, &cpu_clock);
	assert_int_equal(p->threads.n, 2);
	assert_string_equal(p->threads.data[0].name, "MainThread");
	t = thread_named(p, "MavLinkExternalProxy-Recv");
	assert_true(t->python);
	assert_int_equal(t->weight, 0);
	assert_int_equal(t->samples, 0);
	assert_int_equal(t->slices.n, 1);
	check_slice(t, 0, 100, true);
	close_all(&w, p);
}

static void a_capture_without_samples_is_empty(void **state)
{
	struct world w;
	struct profile *p;

	world__init(&w, *state, false);
	p = profile_of(&w, &cpu_clock);
	assert_int_equal(p->threads.n, 0);
	assert_int_equal(p->duration, 0);
	assert_int_equal(p->weight, 0);
	close_all(&w, p);
}

static void endings_are_counted(void **state)
{
	struct world w;
	struct profile *p;

	world__init(&w, *state, false);
	for (uint8_t i = 0; i < 6; i++) {
		world__sample(&w, 7, 7, 1000 + 100u * i, 100, STACK(&w, START));
		w.store.samples.data[i].ending = i < 3 ? STACK_COMPLETE : STACK_TRUNCATED;
	}
	p = profile_of(&w, &cpu_clock);
	assert_int_equal(p->endings[STACK_COMPLETE], 3);
	assert_int_equal(p->endings[STACK_TRUNCATED], 3);
	assert_int_equal(p->threads.data[0].endings[STACK_TRUNCATED], 3);
	assert_int_equal(p->threads.data[0].slices.n, 2);
	close_all(&w, p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(gaps_lie_between_samples),
		scratch_test(overlaps_are_moved_and_nothing_is_lost),
		scratch_test(equal_neighbours_are_one_slice),
		scratch_test(all_timelines_are_of_equal_length),
		scratch_test(other_events_have_no_gaps),
		scratch_test(samples_of_other_events_are_left_out),
		scratch_test(threads_are_sorted),
		scratch_test(names_are_unique),
		scratch_test(several_processes_are_told_apart),
		scratch_test(idle_python_threads_are_shown),
		scratch_test(a_capture_without_samples_is_empty),
		scratch_test(endings_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
