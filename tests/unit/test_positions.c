// SPDX-License-Identifier: GPL-2.0
#include "perfconv/store/positions.h"

#include "tests/unit/support.h"

static const position_candidate some[] = { 15u << 21 | 24, 97u << 21 | 118 };

static struct observation observed(uint32_t evaluator, uint32_t n)
{
	return (struct observation){
		.evaluator = evaluator, .trampoline = 7, .n = n, .candidates = some
	};
}

static uint32_t push(struct positions *p, uint32_t caller, uint32_t evaluator, uint32_t n)
{
	struct observation o = observed(evaluator, n);

	return positions__push(p, caller, &o);
}

static void candidates_are_packed(void **state)
{
	position_candidate c = position__candidate(POSITIONS_SLOTS - 1, POSITIONS_MAX_OFFSET);

	(void)state;
	assert_int_equal(position__slot(c), POSITIONS_SLOTS - 1);
	assert_int_equal(position__offset(c), POSITIONS_MAX_OFFSET);
}

static void equal_frames_are_kept_once(void **state)
{
	struct positions p = { 0 };
	uint32_t root = push(&p, POSITIONS_NONE, 3, 2), leaf = push(&p, root, 3, 2);
	struct observation o;

	(void)state;
	assert_int_not_equal(root, leaf);
	assert_int_equal(positions__observed(&p), 1);
	assert_int_equal(push(&p, root, 3, 2), leaf);
	assert_int_equal(positions__caller(&p, leaf), root);
	assert_int_equal(positions__caller(&p, root), POSITIONS_NONE);
	o = positions__get(&p, positions__observation(&p, leaf));
	assert_int_equal(o.evaluator, 3);
	assert_int_equal(o.trampoline, 7);
	assert_int_equal(o.seen, 3);
	assert_int_equal(o.n, 2);
	assert_false(o.innermost);
	assert_memory_equal(o.candidates, some, sizeof(some));
	positions__release(&p);
}

static void frames_that_differ_are_told_apart(void **state)
{
	struct positions p = { 0 };
	struct observation leaf = observed(3, 2);

	(void)state;
	push(&p, POSITIONS_NONE, 3, 2);
	push(&p, POSITIONS_NONE, 4, 2);
	push(&p, POSITIONS_NONE, 3, 1);
	push(&p, POSITIONS_NONE, 3, 0);
	leaf.innermost = true;
	positions__push(&p, POSITIONS_NONE, &leaf);
	assert_int_equal(positions__observed(&p), 5);
	positions__release(&p);
}

static void samples_are_found(void **state)
{
	struct positions p = { 0 };
	uint32_t node = push(&p, POSITIONS_NONE, 3, 2);

	(void)state;
	assert_int_equal(positions__of(&p, 0), POSITIONS_NONE);
	positions__set(&p, 4, node);
	positions__set(&p, 9, node);
	assert_int_equal(positions__of(&p, 4), node);
	assert_int_equal(positions__of(&p, 9), node);
	assert_int_equal(positions__of(&p, 5), POSITIONS_NONE);
	assert_int_equal(positions__of(&p, 10), POSITIONS_NONE);
	positions__release(&p);
}

/* What is known stays usable when there is no room for more. */
static void memory_has_a_budget(void **state)
{
	struct positions p = { .budget_bytes = 1000 };
	uint32_t first = push(&p, POSITIONS_NONE, 1, 2), last = first;

	(void)state;
	for (uint32_t i = 2; i < 1000 && last != POSITIONS_NONE; i++)
		last = push(&p, POSITIONS_NONE, i, 2);
	assert_int_equal(last, POSITIONS_NONE);
	assert_int_equal(push(&p, POSITIONS_NONE, 1, 2), first);
	assert_int_equal(push(&p, first, 1, 2), POSITIONS_NONE);
	assert_in_range(p.words.n * sizeof(uint32_t), 0, 1000);
	positions__release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(candidates_are_packed),
		cmocka_unit_test(equal_frames_are_kept_once),
		cmocka_unit_test(frames_that_differ_are_told_apart),
		cmocka_unit_test(samples_are_found),
		cmocka_unit_test(memory_has_a_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
