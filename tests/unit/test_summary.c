// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/summary.h"
#include "perfconv/profile/profile.h"
#include "tests/unit/world.h"

#define MAIN WORLD_PID
#define OTHER 101u

static char cpu_clock_name[] = "cpu-clock";

static const struct perfdata_event cpu_clock = {
	.name = cpu_clock_name, .type = 1, .sample_type = 4, /* with a time */
};

struct summing {
	struct world world;
	struct profile *profile;
	struct summary summary;
};

static void begin(struct summing *s, void **state)
{
	world__init(&s->world, *state, true);
}

static void finish(struct summing *s)
{
	struct world *w = &s->world;

	world__resolve(w, FRAMES_MERGED);
	s->profile = world__profile(w, &cpu_clock);
	summary__init(&s->summary, s->profile);
}

static void end(struct summing *s)
{
	summary__release(&s->summary);
	profile__free(s->profile);
	world__release(&s->world);
}

static const char *frame_name(const struct summing *s, uint32_t frame)
{
	const struct resolved *r = s->profile->resolved;

	return strtab__get(&r->strings, r->frames.data[frame].name);
}

static const struct summary_frame *summary_of(const struct summing *s, const char *name)
{
	for (size_t i = 0; i < s->summary.frames.n; i++)
		if (!strcmp(frame_name(s, s->summary.frames.data[i].frame), name))
			return &s->summary.frames.data[i];
	return NULL;
}

static void nothing_has_no_summary(void **state)
{
	struct summing s;

	begin(&s, state);
	finish(&s);
	assert_int_equal(s.summary.threads.n, 0);
	assert_int_equal(s.summary.frames.n, 0);
	end(&s);
}

static void native_time_belongs_to_the_innermost_function(void **state)
{
	struct summing s;

	begin(&s, state);
	world__sample(&s.world, MAIN, MAIN, 1100, 100, STACK(&s.world, START, RECV));
	world__sample(&s.world, MAIN, MAIN, 1300, 50, STACK(&s.world, START, SOCK_RECV));
	world__sample(&s.world, MAIN, MAIN, 1500, 10, STACK(&s.world, RECV, START, RECV, RECV));
	finish(&s);
	assert_null(summary_of(&s, "_start")); /* nothing is its own */
	assert_int_equal(summary_of(&s, "recv")->own, 110);
	assert_int_equal(summary_of(&s, "recv")->total, 110); /* recursion counts once */
	assert_int_equal(summary_of(&s, "sock_recv")->own, 50);
	assert_ptr_equal(summary_of(&s, "recv"), &s.summary.frames.data[0]); /* most first */
	end(&s);
}

static void time_belongs_to_the_innermost_python_function(void **state)
{
	struct summing s;
	struct world *w = &s.world;

	begin(&s, state);
	world__sample(w, MAIN, MAIN, 1100, 100, STACK(w, PY_BOOTSTRAP, EVAL, PY_RUN, EVAL, RECV));
	world__sample(w, MAIN, MAIN, 1300, 50, STACK(w, PY_BOOTSTRAP, EVAL, PY_RUN, EVAL));
	world__sample(w, MAIN, MAIN, 1500, 20, STACK(w, PY_BOOTSTRAP, EVAL, STRIPPED));
	finish(&s);
	assert_int_equal(summary_of(&s, "Loop.run")->own, 150);
	assert_int_equal(summary_of(&s, "Loop.run")->total, 150);
	assert_int_equal(summary_of(&s, "_bootstrap")->own, 20);
	assert_int_equal(summary_of(&s, "_bootstrap")->total, 170);
	assert_null(summary_of(&s, "recv"));
	end(&s);
}

static void own_weights_add_up_to_the_whole(void **state)
{
	struct summing s;
	struct world *w = &s.world;
	uint64_t sum = 0;

	begin(&s, state);
	for (uint64_t i = 1; i <= 20; i++) {
		uint32_t stack = i % 3 ? STACK(w, PY_RUN, EVAL, RECV) : STACK(w, START, RECV);

		world__sample(w, MAIN, i % 2 ? MAIN : OTHER, 1000 * i, 10 * i, stack);
	}
	finish(&s);
	for (size_t i = 0; i < s.summary.frames.n; i++)
		sum += s.summary.frames.data[i].own;
	assert_int_equal(sum, s.profile->weight);
	end(&s);
}

static void the_busiest_thread_comes_first(void **state)
{
	const struct summary_thread *t;
	struct summing s;
	struct world *w = &s.world;

	begin(&s, state);
	world__sample(w, MAIN, MAIN, 1100, 100, STACK(w, PY_RUN, EVAL));
	world__sample(w, MAIN, OTHER, 1300, 200, STACK(w, PY_RUN, EVAL, PY_RECV, EVAL));
	world__sample(w, MAIN, OTHER, 1700, 150, STACK(w, PY_RUN, EVAL));
	finish(&s);
	assert_int_equal(s.summary.threads.n, 2);
	t = &s.summary.threads.data[0];
	assert_int_equal(s.profile->threads.data[t->thread].tid, OTHER);
	assert_string_equal(frame_name(&s, t->frame), "recv");
	assert_int_equal(t->own, 200);
	t = &s.summary.threads.data[1];
	assert_int_equal(s.profile->threads.data[t->thread].tid, MAIN);
	assert_string_equal(frame_name(&s, t->frame), "Loop.run");
	assert_int_equal(t->own, 100);
	end(&s);
}

static void idle_threads_are_left_out(void **state)
{
	struct summing s;

	begin(&s, state);
	world__fork(&s.world, MAIN, OTHER, 5);
	world__sample(&s.world, MAIN, MAIN, 1100, 100, STACK(&s.world, PY_RUN));
	finish(&s);
	assert_int_equal(s.profile->threads.n, 2);
	assert_int_equal(s.summary.threads.n, 1);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(nothing_has_no_summary),
		scratch_test(native_time_belongs_to_the_innermost_function),
		scratch_test(time_belongs_to_the_innermost_python_function),
		scratch_test(own_weights_add_up_to_the_whole),
		scratch_test(the_busiest_thread_comes_first),
		scratch_test(idle_threads_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
