// SPDX-License-Identifier: GPL-2.0
/* A thread's life, from its switches. */
#include "perfconv/resolve/intervals.h"

#include <linux/perf_event.h>

#include "tests/unit/world.h"

#define START_NS 1000u
#define END_NS 2000u
#define PID 70u

struct life {
	struct world world;
	struct switches switches;
	struct intervals intervals;
	VEC(struct interval) list; /* of the thread asked for last */
};

static void begin(struct life *l, const char *folder)
{
	memset(l, 0, sizeof(*l));
	world__init(&l->world, folder, false);
}

static uint32_t thread(struct life *l, uint32_t tid)
{
	return machine__thread(&l->world.machine, PID, tid);
}

static void out(struct life *l, uint64_t time_ns, uint32_t tid, bool preempted)
{
	switches__out(&l->switches, time_ns, thread(l, tid), SWITCH_BY_RECORD, preempted,
		      SWITCH_NO_PLACE);
}

static void in(struct life *l, uint64_t time_ns, uint32_t tid)
{
	switches__in(&l->switches, time_ns, thread(l, tid));
}

/* "running 1000-1100, waiting -1200, ...": the life of a thread, in words. */
static const char *life(struct life *l, uint32_t tid)
{
	static const char *const names[] = { "unknown", "absent", "running", "waiting",
					     "runnable" };
	static char text[1024];
	size_t used = 0;
	const struct interval *v;
	uint64_t at = START_NS;

	intervals__init(&l->intervals, &l->switches, &l->world.store, &l->world.machine, 0);
	l->list.n = 0;
	intervals__begin(&l->intervals, thread(l, tid), START_NS, END_NS);
	while ((v = intervals__next(&l->intervals)))
		vec__push(&l->list, *v);
	text[0] = '\0';
	for (size_t i = 0; i < l->list.n; i++) {
		v = &l->list.data[i];
		assert_int_equal(v->start_ns, at); /* no hole, no overlap */
		assert_true(v->end_ns > v->start_ns);
		at = v->end_ns;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s %u",
					 i ? ", " : "", v->preempted ? "preempted " : "",
					 names[v->state], (unsigned int)v->end_ns);
	}
	assert_int_equal(at, END_NS); /* and to the end */
	return text;
}

static void end(struct life *l)
{
	intervals__release(&l->intervals);
	vec__release(&l->list);
	switches__release(&l->switches);
	world__release(&l->world);
}

static void waits_lie_between_out_and_in(void **state)
{
	struct life l;

	begin(&l, *state);
	out(&l, 1100, 71, false);
	in(&l, 1300, 71);
	out(&l, 1400, 71, true);
	in(&l, 1450, 71);
	assert_string_equal(life(&l, 71),
			    "running 1100, waiting 1300, running 1400, preempted runnable 1450, "
			    "running 2000");
	end(&l);
}

static void the_first_row_tells_what_was_before(void **state)
{
	struct life l;

	begin(&l, *state);
	in(&l, 1300, 71);
	out(&l, 1500, 71, false);
	assert_string_equal(life(&l, 71), "waiting 1300, running 1500, waiting 2000");
	assert_true(l.list.data[0].unseen);
	assert_false(l.list.data[2].unseen);
	end(&l);
}

static void a_wakeup_divides_waiting_from_the_run_queue(void **state)
{
	struct life l;

	begin(&l, *state);
	out(&l, 1100, 71, false);
	switches__wakeup(&l.switches, 1250, thread(&l, 71));
	in(&l, 1300, 71);
	assert_string_equal(life(&l, 71),
			    "running 1100, waiting 1250, runnable 1300, running 2000");
	assert_int_equal(l.list.data[2].out_ns, 1100); /* both are one time off */
	assert_int_equal(l.list.data[1].back_ns, 1300);
	end(&l);
}

static void before_birth_and_after_death_it_is_absent(void **state)
{
	struct record r = { .type = PERF_RECORD_EXIT, .time_ns = 1700 };
	struct life l;

	begin(&l, *state);
	world__fork(&l.world, PID, 72, 1200);
	in(&l, 1250, 72);
	out(&l, 1300, 72, false);
	in(&l, 1600, 72);
	r.task = (struct record_task){ .pid = PID, .tid = 72, .ppid = PID, .ptid = PID };
	machine__apply(&l.world.machine, &r);
	out(&l, 1710, 72, false);
	assert_string_equal(life(&l, 72),
			    "absent 1200, runnable 1250, running 1300, waiting 1600, running 1710, "
			    "absent 2000");
	end(&l);
}

/* In a capture of one process the last switch of a thread is not recorded. */
static void death_without_a_last_switch_ends_it(void **state)
{
	struct record r = { .type = PERF_RECORD_EXIT, .time_ns = 1700 };
	struct life l;

	begin(&l, *state);
	out(&l, 1300, 71, false);
	in(&l, 1600, 71);
	r.task = (struct record_task){ .pid = PID, .tid = 71, .ppid = PID, .ptid = PID };
	machine__apply(&l.world.machine, &r);
	assert_string_equal(life(&l, 71), "running 1300, waiting 1600, running 1700, absent 2000");
	end(&l);
}

/* From the last record before a loss until the thread's next one after it. */
static void a_loss_makes_it_unknown(void **state)
{
	struct life l;

	begin(&l, *state);
	out(&l, 1100, 71, false);
	out(&l, 1100, 72, false);
	in(&l, 1300, 71); /* of another CPU's buffer: true, but what followed may be lost */
	switches__lost(&l.switches, 1200, 1400);
	in(&l, 1500, 71);
	in(&l, 1600, 72);
	assert_string_equal(life(&l, 71), "running 1100, waiting 1200, unknown 1500, running 2000");
	intervals__release(&l.intervals);
	assert_string_equal(life(&l, 72), "running 1100, waiting 1200, unknown 1600, running 2000");
	end(&l);
}

/* Two CPUs lose at one time; the one that tells of it later began earlier. */
static void losses_count_from_where_each_began(void **state)
{
	struct life l;

	begin(&l, *state);
	switches__lost(&l.switches, 1300, 1400);
	switches__lost(&l.switches, 1100, 1500);
	out(&l, 1200, 71, false);
	in(&l, 1600, 71);
	assert_string_equal(life(&l, 71), "running 1100, unknown 1300, unknown 1600, running 2000");
	end(&l);
}

static void a_missing_in_is_not_guessed(void **state)
{
	struct life l;

	begin(&l, *state);
	in(&l, 1050, 72); /* the capture does tell when threads come back */
	out(&l, 1100, 71, false);
	switches__out(&l.switches, 1500, thread(&l, 71), SWITCH_BY_RECORD, false, SWITCH_NO_PLACE);
	in(&l, 1600, 71);
	assert_string_equal(life(&l, 71), "running 1100, unknown 1500, waiting 1600, running 2000");
	end(&l);
}

/* No event tells of coming back: a sample does, one period before itself. */
static void samples_tell_where_no_event_does(void **state)
{
	struct life l;

	begin(&l, *state);
	out(&l, 1100, 71, false);
	world__sample(&l.world, PID, 71, 1400, 50, STACK(&l.world, START));
	out(&l, 1450, 71, false);
	out(&l, 1600, 71, false); /* and no sample before: a wait as far as one can tell */
	assert_string_equal(life(&l, 71), "running 1100, waiting 1350, running 1450, waiting 1600, "
					  "waiting 2000");
	assert_false(l.intervals.has_ins);
	end(&l);
}

static void threads_that_never_switch(void **state)
{
	struct life l;

	begin(&l, *state);
	(void)thread(&l, 71);
	world__sample(&l.world, PID, 72, 1400, 50, STACK(&l.world, START));
	world__fork(&l.world, PID, 73, 1500); /* nobody records it: it would be switched in */
	in(&l, 1050, 74);
	assert_string_equal(life(&l, 71), "waiting 2000");
	intervals__release(&l.intervals);
	assert_string_equal(life(&l, 72), "running 2000");
	intervals__release(&l.intervals);
	assert_string_equal(life(&l, 73), "absent 1500, unknown 2000");
	end(&l);
}

/* Only a part of the capture is asked for: what came before still tells the state. */
static void a_window_cuts_and_knows_the_state(void **state)
{
	struct life l;

	begin(&l, *state);
	out(&l, 500, 71, false);
	in(&l, 1200, 71);
	out(&l, 2500, 71, false);
	assert_string_equal(life(&l, 71), "waiting 1200, running 2000");
	assert_int_equal(l.list.data[0].out_ns, 500);
	end(&l);
}

/* A thread that switches a million times takes no more room than one that does ten times. */
static void a_long_life_comes_in_small_parts(void **state)
{
	const uint64_t switches = 100000;
	struct interval after = { 0 };
	const struct interval *i;
	uint64_t at = 1, n = 0;
	struct life l;

	begin(&l, *state);
	for (uint64_t k = 0; k < switches; k++) {
		out(&l, 3 * k + 1, 71, false);
		in(&l, 3 * k + 2, 71);
	}
	intervals__init(&l.intervals, &l.switches, &l.world.store, &l.world.machine, 0);
	intervals__begin(&l.intervals, thread(&l, 71), at, 3 * switches);
	while ((i = intervals__next(&l.intervals))) {
		assert_int_equal(i->start_ns, at);
		if (n)
			assert_memory_equal(i, &after, sizeof(after)); /* as was announced */
		at = i->end_ns;
		n++;
		if (intervals__after(&l.intervals))
			after = *intervals__after(&l.intervals);
		else
			assert_int_equal(at, 3 * switches);
	}
	assert_int_equal(n, 2 * switches);
	assert_true(l.intervals.ready.cap < 1000);
	end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(waits_lie_between_out_and_in),
		scratch_test(the_first_row_tells_what_was_before),
		scratch_test(a_wakeup_divides_waiting_from_the_run_queue),
		scratch_test(before_birth_and_after_death_it_is_absent),
		scratch_test(death_without_a_last_switch_ends_it),
		scratch_test(a_loss_makes_it_unknown),
		scratch_test(losses_count_from_where_each_began),
		scratch_test(a_missing_in_is_not_guessed),
		scratch_test(samples_tell_where_no_event_does),
		scratch_test(threads_that_never_switch),
		scratch_test(a_window_cuts_and_knows_the_state),
		scratch_test(a_long_life_comes_in_small_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
