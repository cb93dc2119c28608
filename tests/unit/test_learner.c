// SPDX-License-Identifier: GPL-2.0
/* Where the evaluator keeps its position, learned from frames whose truth is known here. */
#include "perfconv/resolve/learner.h"

#include "perfconv/resolve/bytecode.h"
#include "tests/unit/support.h"

#define BUILD 7u
#define CALL 171u
#define COMPARE 107u
#define SUBSCR 25u
#define LOAD_ATTR 106u

/* One candidate of a frame. */
struct seen {
	uint32_t slot, offset;
	uint8_t opcode;
	bool between;
};

struct frame {
	struct learner_frame f;
	position_candidate candidates[4];
	uint8_t opcodes[4];
	bool between[4];
};

static void make(struct frame *out, uint32_t place, uint32_t code, const struct seen *seen,
		 uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		out->candidates[i] = position__candidate(seen[i].slot, seen[i].offset);
		out->opcodes[i] = seen[i].opcode;
		out->between[i] = seen[i].between;
	}
	out->f = (struct learner_frame){ place,		  BUILD,	code,	     n,
					 out->candidates, out->opcodes, out->between };
}

static void see(struct learner *l, uint32_t place, uint32_t code, const struct seen *seen,
		uint32_t n)
{
	struct frame frame;

	make(&frame, place, code, seen, n);
	learner__see(l, &frame.f);
}

static enum learner_trust trust(const struct learner *l, uint32_t place, struct seen seen)
{
	struct frame frame;

	make(&frame, place, 99, &seen, 1);
	return learner__trusts(l, &frame.f, 0);
}

/* Leftovers of many kinds, so that no opcode is all that ever occurs. */
static void see_others(struct learner *l)
{
	static const uint8_t opcodes[] = { CALL, COMPARE, SUBSCR, LOAD_ATTR, CALL, 90, 91, CALL };

	for (uint32_t i = 0; i < 32; i++)
		see(l, 50, i, &(struct seen){ 70, 2 * i + 2, opcodes[i % sizeof(opcodes)], false },
		    1);
}

static void the_slot_with_one_opcode_is_right(void **state)
{
	static const uint8_t leftovers[] = { CALL, COMPARE, LOAD_ATTR, CALL, SUBSCR, CALL };
	struct learner l = { 0 };

	(void)state;
	see_others(&l);
	for (uint32_t i = 0; i < 12; i++)
		see(&l, 3, i,
		    (const struct seen[]){ { 15, 10 + 2 * i, leftovers[i % 6], false },
					   { 97, 40 + 2 * i, CALL, false } },
		    2);
	learner__decide(&l);
	assert_int_equal(learner__sure(&l, 3), 1);
	assert_int_equal(trust(&l, 3, (struct seen){ 97, 200, CALL, false }), LEARNER_BEHIND);
	assert_int_equal(trust(&l, 3, (struct seen){ 97, 200, COMPARE, false }), LEARNER_DOUBTS);
	assert_int_equal(trust(&l, 3, (struct seen){ 15, 200, CALL, false }), LEARNER_DOUBTS);
	assert_int_equal(trust(&l, 4, (struct seen){ 97, 200, CALL, false }), LEARNER_DOUBTS);
	assert_int_equal(learner__sure(&l, 4), 0);
	assert_int_equal(learner__sure(&l, 5000), 0);
	learner__release(&l);
}

static void one_frame_proves_nothing_however_often_it_was_seen(void **state)
{
	struct learner l = { 0 };

	(void)state;
	see_others(&l);
	for (uint32_t i = 0; i < 1000; i++)
		see(&l, 3, 1, &(struct seen){ 97, 40, CALL, false }, 1);
	learner__decide(&l);
	assert_int_equal(learner__sure(&l, 3), 0);
	learner__release(&l);
}

/* Leftovers are mostly of calls: it takes more of those than of what is rare. */
static void a_rare_opcode_proves_more(void **state)
{
	struct learner l = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 60; i++)
		see(&l, 50, i, &(struct seen){ 70, 2 * i + 2, CALL, false }, 1);
	for (uint32_t i = 0; i < 3; i++) {
		see(&l, 3, i, &(struct seen){ 97, 40 + 2 * i, CALL, false }, 1);
		see(&l, 4, i, &(struct seen){ 97, 40 + 2 * i, SUBSCR, false }, 1);
	}
	learner__decide(&l);
	assert_int_equal(learner__sure(&l, 3), 0);
	assert_int_equal(learner__sure(&l, 4), 1);
	learner__release(&l);
}

static void a_slot_that_some_frames_lack_is_not_right(void **state)
{
	struct learner l = { 0 };

	(void)state;
	see_others(&l);
	for (uint32_t i = 0; i < 20; i++)
		see(&l, 3, i, &(struct seen){ 97, 40 + 2 * i, SUBSCR, false }, i % 4 ? 1 : 0);
	learner__decide(&l);
	assert_int_equal(learner__sure(&l, 3), 0);
	learner__release(&l);
}

static void what_cannot_call_is_no_position(void **state)
{
	struct learner l = { 0 };

	(void)state;
	see_others(&l);
	for (uint32_t i = 0; i < 20; i++)
		see(&l, 3, i, &(struct seen){ 97, 40 + 2 * i, BYTECODE_NONE, false }, 1);
	learner__decide(&l);
	assert_int_equal(learner__sure(&l, 3), 0);
	learner__release(&l);
}

static void several_slots_may_be_right(void **state)
{
	struct learner l = { 0 };

	(void)state;
	see_others(&l);
	for (uint32_t i = 0; i < 6; i++)
		see(&l, 3, i,
		    (const struct seen[]){ { 14, 38 + 2 * i, SUBSCR, false },
					   { 97, 38 + 2 * i, SUBSCR, false } },
		    2);
	learner__decide(&l);
	assert_int_equal(learner__sure(&l, 3), 2);
	assert_false(learner__is_home(&l, BUILD, 97)); /* it may be the other one */
	learner__release(&l);
}

static void a_slot_that_is_right_alone_in_two_places_is_a_home(void **state)
{
	struct learner l = { 0 };

	(void)state;
	see_others(&l);
	for (uint32_t i = 0; i < 6; i++) {
		see(&l, 3, i, &(struct seen){ 97, 40 + 2 * i, SUBSCR, false }, 1);
		see(&l, 4, i, &(struct seen){ 97, 60 + 2 * i, COMPARE, false }, 1);
		see(&l, 5, i, &(struct seen){ 15, 60 + 2 * i, LOAD_ATTR, false }, 1);
	}
	learner__decide(&l);
	assert_true(learner__is_home(&l, BUILD, 97));
	assert_false(learner__is_home(&l, BUILD, 15));
	assert_false(learner__is_home(&l, BUILD + 1, 97));
	learner__release(&l);
}

/* Looking for signals: after calls, at functions' starts, after jumps back. */
static void many_opcodes_lead_between_instructions(void **state)
{
	static const uint8_t opcodes[] = { CALL, 151, BYTECODE_NONE, 125, 68, CALL };
	struct learner l = { 0 };

	(void)state;
	see_others(&l);
	for (uint32_t i = 0; i < 12; i++)
		see(&l, 3, i,
		    (const struct seen[]){ { 97, 10 + 2 * i, opcodes[i % 5], false },
					   { 102, 40 + 2 * i, opcodes[i % 6], true } },
		    2);
	learner__decide(&l);
	assert_int_equal(learner__sure(&l, 3), 1);
	assert_int_equal(trust(&l, 3, (struct seen){ 102, 80, 125, true }), LEARNER_BETWEEN);
	assert_int_equal(trust(&l, 3, (struct seen){ 102, 80, 125, false }), LEARNER_DOUBTS);
	learner__release(&l);
}

static void one_opcode_is_better_than_between(void **state)
{
	struct learner l = { 0 };

	(void)state;
	see_others(&l);
	for (uint32_t i = 0; i < 12; i++)
		see(&l, 3, i,
		    (const struct seen[]){ { 15, 38 + 2 * i, (uint8_t)(60 + i % 3), true },
					   { 102, 40 + 2 * i, 93, false } },
		    2);
	learner__decide(&l);
	assert_int_equal(learner__sure(&l, 3), 1);
	assert_int_equal(trust(&l, 3, (struct seen){ 102, 80, 93, false }), LEARNER_BEHIND);
	learner__release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_slot_with_one_opcode_is_right),
		cmocka_unit_test(one_frame_proves_nothing_however_often_it_was_seen),
		cmocka_unit_test(a_rare_opcode_proves_more),
		cmocka_unit_test(a_slot_that_some_frames_lack_is_not_right),
		cmocka_unit_test(what_cannot_call_is_no_position),
		cmocka_unit_test(several_slots_may_be_right),
		cmocka_unit_test(a_slot_that_is_right_alone_in_two_places_is_a_home),
		cmocka_unit_test(many_opcodes_lead_between_instructions),
		cmocka_unit_test(one_opcode_is_better_than_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
