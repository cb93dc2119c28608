// SPDX-License-Identifier: GPL-2.0
/* What several events tell of a switch becomes one row. */
#include "perfconv/store/switches.h"

#include "tests/unit/support.h"

#define THREAD 3u

/* Row @i of all, which must be one of @thread's. */
static void check_row(const struct switches *s, size_t i, uint64_t time_ns, uint32_t thread,
		      enum switch_kind kind, uint32_t place)
{
	const struct store_switch *row = switches__first(s, thread);

	assert_true(i < s->rows.n);
	while (row && row != &s->rows.data[i])
		row = switches__next(s, row);
	assert_non_null(row);
	assert_int_equal(s->rows.data[i].time_ns, time_ns);
	assert_int_equal(switch__kind(&s->rows.data[i]), kind);
	assert_int_equal(switch__place(&s->rows.data[i]), place);
}

static uint32_t place(struct switches *s, uint32_t stack)
{
	return switches__place(s, (struct switch_place){ stack, SWITCH_NO_REGS, 0 });
}

static void rows_are_16_bytes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct store_switch), 16);
}

static void three_events_tell_of_one_switch(void **state)
{
	struct switches s = { 0 };
	uint32_t first = place(&s, 10), second = place(&s, 20);

	(void)state;
	switches__out(&s, 100, THREAD, SWITCH_BY_TRACEPOINT, false, first);
	switches__out(&s, 105, THREAD, SWITCH_BY_DUMP, false, second);
	switches__out(&s, 107, THREAD, SWITCH_BY_RECORD, false, SWITCH_NO_PLACE);
	switches__in(&s, 200, THREAD);
	assert_int_equal(s.rows.n, 2);
	assert_int_equal(s.merged, 2);
	check_row(&s, 0, 100, THREAD, SWITCH_OUT, first);
	check_row(&s, 1, 200, THREAD, SWITCH_IN, SWITCH_NO_PLACE);
	switches__release(&s);
}

/* The record comes without a place; the dump behind it brings one. */
static void a_later_source_adds_what_is_missing(void **state)
{
	struct switches s = { 0 };
	uint32_t there = place(&s, 10);

	(void)state;
	switches__out(&s, 100, THREAD, SWITCH_BY_DUMP, false, there);
	switches__out(&s, 103, THREAD, SWITCH_BY_RECORD, true, SWITCH_NO_PLACE);
	assert_int_equal(s.rows.n, 1);
	check_row(&s, 0, 100, THREAD, SWITCH_PREEMPTED, there);
	switches__out(&s, 200, THREAD, SWITCH_BY_RECORD, false, SWITCH_NO_PLACE);
	switches__out(&s, 201, THREAD, SWITCH_BY_DUMP, false, there);
	check_row(&s, 1, 200, THREAD, SWITCH_OUT, there);
	switches__release(&s);
}

/* One event tells each switch once: a second time is a second switch. */
static void one_event_twice_is_two_switches(void **state)
{
	struct switches s = { 0 };

	(void)state;
	switches__out(&s, 100, THREAD, SWITCH_BY_TRACEPOINT, false, SWITCH_NO_PLACE);
	switches__out(&s, 200, THREAD, SWITCH_BY_TRACEPOINT, false, SWITCH_NO_PLACE);
	assert_int_equal(s.rows.n, 2);
	assert_int_equal(s.merged, 0);
	switches__release(&s);
}

static void threads_do_not_mix(void **state)
{
	struct switches s = { 0 };

	(void)state;
	switches__out(&s, 100, THREAD, SWITCH_BY_TRACEPOINT, false, SWITCH_NO_PLACE);
	switches__out(&s, 101, THREAD + 1, SWITCH_BY_RECORD, false, SWITCH_NO_PLACE);
	switches__in(&s, 102, THREAD + 1);
	switches__in(&s, 103, THREAD);
	assert_int_equal(s.rows.n, 4);
	assert_int_equal(s.ins, 2);
	switches__release(&s);
}

/* A CPU-wide tracepoint tells who comes, and the SWITCH record does once more. */
static void coming_back_twice_is_once(void **state)
{
	struct switches s = { 0 };

	(void)state;
	switches__in(&s, 100, THREAD);
	switches__in(&s, 104, THREAD);
	assert_int_equal(s.rows.n, 1);
	switches__out(&s, 200, THREAD, SWITCH_BY_RECORD, false, SWITCH_NO_PLACE);
	switches__in(&s, 300, THREAD);
	assert_int_equal(s.rows.n, 3);
	switches__release(&s);
}

static void a_wakeup_counts_once_and_only_off_the_cpu(void **state)
{
	struct switches s = { 0 };

	(void)state;
	switches__wakeup(&s, 50, THREAD);
	switches__in(&s, 60, THREAD);
	switches__wakeup(&s, 70, THREAD);
	switches__out(&s, 100, THREAD, SWITCH_BY_RECORD, false, SWITCH_NO_PLACE);
	switches__wakeup(&s, 150, THREAD);
	switches__wakeup(&s, 160, THREAD); /* sched_waking, then sched_wakeup */
	switches__in(&s, 170, THREAD);
	assert_int_equal(s.wakeups, 1);
	assert_int_equal(s.rows.n, 4);
	check_row(&s, 2, 150, THREAD, SWITCH_WAKEUP, SWITCH_NO_PLACE);
	switches__release(&s);
}

/* What was known before is not known after: this "out" is another switch. */
static void a_loss_forgets_the_state(void **state)
{
	struct switches s = { 0 };

	(void)state;
	switches__out(&s, 100, THREAD, SWITCH_BY_TRACEPOINT, false, SWITCH_NO_PLACE);
	switches__lost(&s, 110, 150);
	switches__out(&s, 200, THREAD, SWITCH_BY_RECORD, false, SWITCH_NO_PLACE);
	assert_int_equal(s.rows.n, 2);
	assert_int_equal(s.losses.n, 1);
	assert_int_equal(s.losses.data[0].start_ns, 110);
	switches__release(&s);
}

static void places_and_registers_are_interned(void **state)
{
	static const uint64_t words[2] = { 0x1234, 0x7ffc00001000 };
	struct switches s = { 0 };
	uint32_t regs = switches__regs(&s, words);
	struct switch_place wanted = { 7, regs, 0xdeadbeef }, got;
	uint64_t back[2];

	(void)state;
	assert_int_equal(switches__regs(&s, words), regs);
	switches__get_regs(&s, regs, back);
	assert_memory_equal(back, words, sizeof(words));
	assert_int_equal(switches__place(&s, wanted), 0);
	assert_int_equal(switches__place(&s, wanted), 0);
	wanted.argument++;
	assert_int_equal(switches__place(&s, wanted), 1);
	got = switches__get_place(&s, 1);
	assert_int_equal(got.stack, 7);
	assert_int_equal(got.regs, regs);
	assert_int_equal(got.argument, 0xdeadbef0);
	switches__release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_16_bytes),
		cmocka_unit_test(three_events_tell_of_one_switch),
		cmocka_unit_test(a_later_source_adds_what_is_missing),
		cmocka_unit_test(one_event_twice_is_two_switches),
		cmocka_unit_test(threads_do_not_mix),
		cmocka_unit_test(coming_back_twice_is_once),
		cmocka_unit_test(a_wakeup_counts_once_and_only_off_the_cpu),
		cmocka_unit_test(a_loss_forgets_the_state),
		cmocka_unit_test(places_and_registers_are_interned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
