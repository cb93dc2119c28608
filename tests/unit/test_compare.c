// SPDX-License-Identifier: GPL-2.0
/* Rows of several runs, and which of them changed. */
#include "perfconv/analyze/compare.h"

#include <math.h>

#include "tests/unit/support.h"

#define assert_near(value, wanted, error) assert_true(fabs((value) - (wanted)) <= (error))

#define SECOND 1000000000ull
#define PIECES 50u /* of a second */
#define FUNCTIONS 6u

/* A run made by hand: threads that do the same each second, with some unrest. */
struct run {
	struct resolved resolved;
	struct profile profile;
	uint64_t unrest;
};

static uint32_t add_frame(struct run *r, const char *name, const char *file, enum frame_kind kind)
{
	struct frame f = { .kind = kind,
			   .name = strtab__intern(&r->resolved.strings, name),
			   .file = strtab__intern(&r->resolved.strings, file) };

	vec__push(&r->resolved.frames, f);
	return (uint32_t)r->resolved.frames.n - 1;
}

static uint32_t push(struct run *r, uint32_t parent, uint32_t frame)
{
	return idmap__intern(&r->resolved.stacks, (uint64_t)parent + 1, frame);
}

static void begin_run(struct run *r, double seconds, uint64_t seed)
{
	memset(r, 0, sizeof(*r));
	strtab__intern(&r->resolved.strings, "");
	r->profile.resolved = &r->resolved;
	r->profile.timed = r->profile.exact = r->profile.waits = true;
	r->profile.duration = (uint64_t)(seconds * 1e9);
	r->unrest = seed;
}

static struct profile_thread *add_thread(struct run *r, const char *name)
{
	struct profile_thread *t = vec__add(&r->profile.threads);

	t->name = mem__strdup(name);
	t->comm = t->full = "";
	return t;
}

static void slice(struct profile_thread *t, uint32_t stack, uint64_t weight, bool off)
{
	vec__push(&t->slices, ((struct profile_slice){ weight, stack, off }));
	t->end += weight;
	t->weight += off ? 0 : weight;
}

static void end_run(struct run *r)
{
	for (size_t i = 0; i < r->profile.threads.n; i++)
		profile_thread__release(&r->profile.threads.data[i]);
	vec__release(&r->profile.threads);
	vec__release(&r->resolved.frames);
	strtab__release(&r->resolved.strings);
	idmap__release(&r->resolved.stacks);
}

/* 1 +- 5 %. */
static double unrest(struct run *r)
{
	r->unrest = r->unrest * 6364136223846793005ull + 1442695040888963407ull;
	return 0.95 + 0.1 * (double)(r->unrest >> 40) / (1 << 24);
}

/* A worker that runs functions f0 ... f5 in turn, each some 5 % of the time, and polls
 * for the rest; @slow of them takes @by as much, all of them @all. */
static void work(struct run *r, const char *thread, double seconds, uint32_t slow, double by,
		 double all)
{
	struct profile_thread *t = add_thread(r, thread);
	uint32_t poll = add_frame(r, "[poll]", "", FRAME_NOTE), stacks[FUNCTIONS];

	for (uint32_t i = 0; i < FUNCTIONS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		stacks[i] = push(r, RESOLVE_NO_STACK,
				 add_frame(r, name, "/opt/a/prog.py", FRAME_PYTHON));
	}
	for (uint64_t piece = 0; piece < (uint64_t)(seconds * PIECES); piece++) {
		uint64_t left = SECOND / PIECES;

		for (uint32_t i = 0; i < FUNCTIONS; i++) {
			double share = 0.05 * unrest(r) * all * (i == slow ? by : 1);
			uint64_t ns = (uint64_t)(share * (double)SECOND / PIECES);

			slice(t, stacks[i], ns, false);
			left -= ns;
		}
		slice(t, push(r, stacks[0], poll), left, true);
	}
}

static const struct compare_options usual = { .threshold = 0.05, .least = 0.003 };

struct pair {
	struct run before, after;
	struct tally tally;
	struct compare compare;
};

static void compare_with(struct pair *p, double seconds, uint32_t slow, double by, double all,
			 const struct compare_options *options)
{
	memset(&p->tally, 0, sizeof(p->tally));
	begin_run(&p->before, seconds, 1);
	work(&p->before, "worker_1", seconds, FUNCTIONS, 1, 1);
	begin_run(&p->after, seconds, 2);
	work(&p->after, "worker_1", seconds, slow, by, all);
	tally__add(&p->tally, TALLY_BEFORE, &p->before.profile, 1000000);
	tally__add(&p->tally, TALLY_AFTER, &p->after.profile, 1000000);
	tally__finish(&p->tally);
	compare__init(&p->compare, &p->tally, options);
}

static void end_pair(struct pair *p)
{
	compare__release(&p->compare);
	tally__release(&p->tally);
	end_run(&p->before);
	end_run(&p->after);
}

static const char *function_of(const struct pair *p, const struct comparison *c)
{
	uint32_t function = p->tally.rows.data[c->row].function;

	return function == TALLY_NOTHING
		       ? ""
		       : strtab__get(&p->tally.strings, p->tally.functions.data[function].name);
}

static void the_same_work_shows_no_change(void **state)
{
	struct pair p;

	(void)state;
	compare_with(&p, 10, FUNCTIONS, 1, 1, &usual);
	assert_true(p.compare.known);
	assert_int_equal(compare__changes(&p.compare), 0);
	assert_near(p.compare.speed, 1, 0.03);
	for (size_t i = 0; i < p.compare.rows.n; i++)
		if (p.tally.rows.data[p.compare.rows.data[i].row].kind == TALLY_OWN)
			assert_near(p.compare.rows.data[i].before, 0.05, 0.003);
	end_pair(&p);
}

static void a_slower_function_is_the_first_change(void **state)
{
	struct pair p;
	size_t told = 0;

	(void)state;
	compare_with(&p, 10, 3, 1.4, 1, &usual);
	assert_int_equal(compare__regressions(&p.compare), 1);
	for (size_t i = 0; i < p.compare.rows.n; i++) {
		const struct comparison *c = &p.compare.rows.data[i];

		if (!c->regression)
			continue;
		assert_string_equal(function_of(&p, c), "f3");
		assert_int_equal(c->verdict, COMPARE_MORE);
		assert_near(c->after - c->expected, 0.02, 0.003);
		assert_true(c->noise < 0.01);
		told++;
	}
	assert_int_equal(told, 1);
	end_pair(&p);
}

static void a_faster_function_is_no_regression(void **state)
{
	struct pair p;

	(void)state;
	compare_with(&p, 10, 3, 0.5, 1, &usual);
	assert_int_equal(compare__changes(&p.compare), 1);
	assert_int_equal(compare__regressions(&p.compare), 0);
	end_pair(&p);
}

static void a_slower_machine_is_no_change(void **state)
{
	struct pair p;

	(void)state;
	compare_with(&p, 10, FUNCTIONS, 1, 1.3, &usual);
	assert_int_equal(compare__changes(&p.compare), 0);
	assert_near(p.compare.speed, 1.3, 0.05);
	end_pair(&p);
}

static void on_a_machine_of_the_same_speed_it_is(void **state)
{
	const struct compare_options options = { 0.05, 0.003, .same_speed = true };
	struct pair p;

	(void)state;
	compare_with(&p, 10, FUNCTIONS, 1, 1.3, &options);
	assert_int_equal(compare__regressions(&p.compare), FUNCTIONS + 1); /* and the thread */
	assert_near(p.compare.speed, 1, 0);
	end_pair(&p);
}

static void thresholds_keep_small_changes_out(void **state)
{
	const struct compare_options half = { 0.5, 0.003, false }, least = { 0.05, 0.03, false };
	struct pair p;

	(void)state;
	compare_with(&p, 10, 3, 1.4, 1, &half);
	assert_int_equal(compare__changes(&p.compare), 0);
	end_pair(&p);
	compare_with(&p, 10, 3, 1.4, 1, &least);
	assert_int_equal(compare__changes(&p.compare), 0);
	end_pair(&p);
}

static void a_short_run_is_not_judged(void **state)
{
	struct pair p;

	(void)state;
	compare_with(&p, 1.2, 3, 3, 1, &usual);
	assert_false(p.compare.known);
	assert_int_equal(compare__changes(&p.compare), 0);
	assert_int_equal(p.compare.rows.data[0].verdict, COMPARE_UNJUDGED);
	end_pair(&p);
}

static void twins_are_one_group(void **state)
{
	const struct tally_group *groups;
	struct tally t = { 0 };
	struct run a, b;

	(void)state;
	begin_run(&a, 2, 1);
	work(&a, "Proxy_0", 2, FUNCTIONS, 1, 1);
	work(&a, "Proxy_1", 2, FUNCTIONS, 1, 1);
	work(&a, "Recv", 2, FUNCTIONS, 1, 1);
	work(&a, "native (tid 71)", 2, FUNCTIONS, 1, 1);
	begin_run(&b, 2, 2);
	work(&b, "Proxy_2", 2, FUNCTIONS, 1, 1);
	work(&b, "Recv", 2, FUNCTIONS, 1, 1);
	work(&b, "native (tid 93)", 2, FUNCTIONS, 1, 1);
	tally__add(&t, TALLY_BEFORE, &a.profile, 0);
	tally__add(&t, TALLY_AFTER, &b.profile, 0);
	tally__finish(&t);
	groups = t.groups.data;
	assert_int_equal(t.groups.n, 3);
	assert_string_equal(strtab__get(&t.strings, groups[0].name), "Proxy_*");
	assert_int_equal(groups[0].threads[TALLY_BEFORE], 2);
	assert_int_equal(groups[0].threads[TALLY_AFTER], 1);
	assert_string_equal(strtab__get(&t.strings, groups[1].name), "Recv");
	assert_string_equal(strtab__get(&t.strings, groups[2].name), "native");
	tally__release(&t);
	end_run(&a);
	end_run(&b);
}

static double ns_of(const struct tally *t, enum tally_kind kind, const char *function,
		    enum reason reason)
{
	double sum = 0;

	for (size_t i = 0; i < t->rows.n; i++) {
		const struct tally_row *row = &t->rows.data[i];
		const char *name =
			row->function == TALLY_NOTHING
				? ""
				: strtab__get(&t->strings, t->functions.data[row->function].name);

		if (row->kind == kind && row->reason == reason && !strcmp(name, function))
			for (uint32_t k = 0; k < row->cells; k++)
				sum += t->cells.data[row->first_cell + k].ns;
	}
	return sum;
}

static void each_kind_of_time_has_its_row(void **state)
{
	struct tally t = { 0 };
	struct profile_thread *thread;
	uint32_t run, call, again, malloc_stack;
	struct run r;

	(void)state;
	begin_run(&r, 3, 1);
	run = push(&r, RESOLVE_NO_STACK,
		   add_frame(&r, "run", "/x/lib/python3.11/a.py", FRAME_PYTHON));
	call = push(&r, run, add_frame(&r, "call", "/y/site-packages/p/b.py", FRAME_PYTHON));
	malloc_stack = push(&r, call, add_frame(&r, "malloc", "/usr/lib/c.so", FRAME_NATIVE));
	again = push(&r, malloc_stack, resolved__leaf(&r.resolved, run));
	thread = add_thread(&r, "t");
	slice(thread, malloc_stack, SECOND / 2, false);
	slice(thread, RESOLVE_NO_STACK, SECOND / 4, false);
	slice(thread, again, SECOND, false);
	slice(thread, push(&r, call, add_frame(&r, "[lock]", "", FRAME_NOTE)), 7, true);
	slice(thread, push(&r, call, add_frame(&r, "[preempted]", "", FRAME_NOTE)), 5, true);
	slice(thread, push(&r, call, add_frame(&r, "[switching]", "", FRAME_NOTE)), 3, false);
	slice(thread, push(&r, RESOLVE_NO_STACK, add_frame(&r, "[running]", "", FRAME_NOTE)), 2,
	      false);
	tally__add(&t, TALLY_BEFORE, &r.profile, 0);
	tally__finish(&t);
	assert_int_equal(t.blocks.n, 3);
	assert_near(ns_of(&t, TALLY_OWN, "call", REASON_NONE), SECOND / 2, 0.5);
	assert_near(ns_of(&t, TALLY_OWN, "run", REASON_NONE), SECOND, 0.5);
	assert_near(ns_of(&t, TALLY_OWN, "malloc", REASON_NONE), 0, 0);
	assert_near(ns_of(&t, TALLY_TOTAL, "run", REASON_NONE), 1.5e9, 0.5);
	assert_near(ns_of(&t, TALLY_TOTAL, "malloc", REASON_NONE), 1.5e9, 0.5);
	assert_near(ns_of(&t, TALLY_THREAD, "", REASON_NONE), 1.5e9 + 5, 0.5);
	assert_near(ns_of(&t, TALLY_WAIT, "call", REASON_LOCK), 7, 0);
	assert_near(ns_of(&t, TALLY_WAIT, "call", REASON_PREEMPTED), 0, 0);
	assert_near(ns_of(&t, TALLY_THREAD_WAIT, "", REASON_PREEMPTED), 5, 0);
	assert_near(ns_of(&t, TALLY_THREAD_WAIT, "", REASON_SWITCHING), 0, 0);
	assert_string_equal(strtab__get(&t.strings, t.functions.data[0].place), "a.py");
	assert_string_equal(strtab__get(&t.strings, t.functions.data[1].place), "p/b.py");
	assert_string_equal(strtab__get(&t.strings, t.functions.data[2].place), "c.so");
	tally__release(&t);
	end_run(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_work_shows_no_change),
		cmocka_unit_test(a_slower_function_is_the_first_change),
		cmocka_unit_test(a_faster_function_is_no_regression),
		cmocka_unit_test(a_slower_machine_is_no_change),
		cmocka_unit_test(on_a_machine_of_the_same_speed_it_is),
		cmocka_unit_test(thresholds_keep_small_changes_out),
		cmocka_unit_test(a_short_run_is_not_judged),
		cmocka_unit_test(twins_are_one_group),
		cmocka_unit_test(each_kind_of_time_has_its_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
