// SPDX-License-Identifier: GPL-2.0
#include "perfconv/store/store.h"

#include "perfconv/store/activation.h"
#include "tests/unit/support.h"

static uint32_t at(struct store *s, uint32_t dso, uint64_t address)
{
	return store__location(s, (struct place){ dso, address }, false);
}

static void locations_are_interned(void **state)
{
	struct store s = { 0 };
	uint32_t one = at(&s, 3, 0x1000);
	struct store_location l;

	(void)state;
	assert_int_equal(one, 0);
	assert_int_equal(at(&s, 3, 0x2000), 1);
	assert_int_equal(at(&s, 4, 0x1000), 2);
	assert_int_equal(at(&s, 3, 0x1000), one);
	l = store__get_location(&s, 2);
	assert_int_equal(l.place.dso, 4);
	assert_int_equal(l.place.address, 0x1000);
	assert_false(l.return_address);
	store__release(&s);
}

static void a_return_address_is_another_location(void **state)
{
	struct place p = { UINT32_MAX, UINT64_MAX };
	struct store s = { 0 };
	uint32_t plain = store__location(&s, p, false), back = store__location(&s, p, true);

	(void)state;
	assert_int_not_equal(plain, back);
	assert_int_equal(store__location(&s, p, true), back);
	assert_false(store__get_location(&s, plain).return_address);
	assert_true(store__get_location(&s, back).return_address);
	assert_int_equal(store__get_location(&s, back).place.dso, UINT32_MAX);
	assert_int_equal(store__get_location(&s, back).place.address, UINT64_MAX);
	store__release(&s);
}

static void stacks_are_a_tree(void **state)
{
	struct store s = { 0 };
	uint32_t main_at = at(&s, 1, 1), run = at(&s, 1, 2), poll = at(&s, 1, 3);
	uint32_t root = store__push(&s, STORE_NO_STACK, main_at);
	uint32_t middle = store__push(&s, root, run), leaf = store__push(&s, middle, poll);

	(void)state;
	assert_int_equal(store__leaf(&s, leaf), poll);
	assert_int_equal(store__parent(&s, leaf), middle);
	assert_int_equal(store__parent(&s, middle), root);
	assert_int_equal(store__leaf(&s, root), main_at);
	assert_int_equal(store__parent(&s, root), STORE_NO_STACK);
	store__release(&s);
}

static void equal_stacks_are_kept_once(void **state)
{
	struct store s = { 0 };
	uint32_t a = at(&s, 1, 1), b = at(&s, 1, 2);
	uint32_t ab = store__push(&s, store__push(&s, STORE_NO_STACK, a), b);

	(void)state;
	assert_int_equal(store__push(&s, store__push(&s, STORE_NO_STACK, a), b), ab);
	assert_int_not_equal(store__push(&s, store__push(&s, STORE_NO_STACK, b), a), ab);
	assert_int_not_equal(store__push(&s, STORE_NO_STACK, b), ab);
	assert_int_equal(s.stacks.n, 4);
	store__release(&s);
}

static void a_location_may_call_itself(void **state)
{
	struct store s = { 0 };
	uint32_t a = at(&s, 1, 1), stack = STORE_NO_STACK;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		stack = store__push(&s, stack, a);
	assert_int_equal(s.stacks.n, 1000);
	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(store__leaf(&s, stack), a);
		stack = store__parent(&s, stack);
	}
	assert_int_equal(stack, STORE_NO_STACK);
	store__release(&s);
}

static void activations_are_told_apart_by_caller_place_and_cfa(void **state)
{
	struct store s = { 0 };
	uint32_t run = at(&s, 1, 1), poll = at(&s, 1, 2);
	uint32_t outer = store__activation(&s, STORE_NO_ACTIVATION, run, 0x7ff0);
	uint32_t inner = store__activation(&s, outer, poll, 0x7f00);

	(void)state;
	assert_int_equal(activation__parent(&s, outer), STORE_NO_ACTIVATION);
	assert_int_equal(activation__parent(&s, inner), outer);
	assert_int_equal(activation__location(&s, inner), poll);
	assert_int_equal(activation__cfa(&s, inner), 0x7f00);
	assert_int_equal(store__activation(&s, outer, poll, 0x7f00), inner);
	assert_int_not_equal(store__activation(&s, outer, poll, 0x7f08), inner);
	assert_int_not_equal(store__activation(&s, outer, run, 0x7f00), inner);
	assert_int_not_equal(store__activation(&s, STORE_NO_ACTIVATION, poll, 0x7f00), inner);
	store__release(&s);
}

/* Neither the highest ids nor the ends of the address space get mixed up. */
static void activations_take_any_cfa(void **state)
{
	static const uint64_t cfas[] = { 0, 8, UINT64_MAX, UINT64_MAX - 7, 1ull << 63 };
	struct store s = { 0 };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		uint32_t top = store__activation(&s, STORE_NO_ACTIVATION, UINT32_MAX, cfas[i]);
		uint32_t next = store__activation(&s, top, 0, cfas[i]);

		assert_int_equal(activation__parent(&s, top), STORE_NO_ACTIVATION);
		assert_int_equal(activation__location(&s, top), UINT32_MAX);
		assert_int_equal(activation__cfa(&s, top), cfas[i]);
		assert_int_equal(activation__parent(&s, next), top);
	}
	assert_int_equal(s.activations.n, 10);
	store__release(&s);
}

static void sightings_keep_what_never_differed(void **state)
{
	struct evidence_table t = { 0 };
	struct evidence e = { .known = 7, .slot = { 1, 2, 3, 4 } };
	const struct sightings *s;

	(void)state;
	assert_null(evidence_table__sightings(&t, 5));
	evidence_table__saw(&t, 5, &e);
	e.slot[1] = 9;
	e.known = 3;
	evidence_table__saw(&t, 5, &e);
	s = evidence_table__sightings(&t, 5);
	assert_int_equal(s->seen, 2);
	assert_int_equal(s->constant, 1); /* slot 1 differs, 2 was not known, 3 never was */
	assert_int_equal(s->slot[0], 1);
	assert_null(evidence_table__sightings(&t, 4));
	assert_null(evidence_table__sightings(&t, UINT32_MAX));
	evidence_table__release(&t);
}

static void cuts_share_what_was_held(void **state)
{
	struct evidence_table t = { 0 };
	struct evidence e = { .known = 3, .slot = { 1, 2 } };

	(void)state;
	evidence_table__cut(&t, 10, &e);
	evidence_table__cut(&t, 11, &e);
	e.known = 1;
	evidence_table__cut(&t, 12, &e);
	assert_int_equal(t.cuts.n, 3);
	assert_int_equal(t.held.n, 2);
	assert_int_equal(t.cuts.data[1].held, t.cuts.data[0].held);
	assert_int_equal(t.held.data[t.cuts.data[2].held].known, 1);
	evidence_table__release(&t);
}

static void evidence_has_a_budget(void **state)
{
	struct evidence_table t = { .budget_bytes = 4096 };
	struct evidence e = { .known = 1 };

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		e.slot[0] = i;
		evidence_table__saw(&t, i, &e);
		evidence_table__cut(&t, i, &e);
	}
	assert_true(t.held.n + t.sightings.n < 60);
	assert_int_equal(t.held.n + t.sightings.n + t.dropped, 2000);
	assert_int_equal(t.cuts.n, 1000);
	assert_int_equal(t.cuts.data[999].held, EVIDENCE_NONE);
	evidence_table__release(&t);
}

static void a_sample_is_32_bytes(void **state)
{
	(void)state;
	assert_true(sizeof(struct store_sample) <= 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(locations_are_interned),
		cmocka_unit_test(a_return_address_is_another_location),
		cmocka_unit_test(stacks_are_a_tree),
		cmocka_unit_test(equal_stacks_are_kept_once),
		cmocka_unit_test(a_location_may_call_itself),
		cmocka_unit_test(activations_are_told_apart_by_caller_place_and_cfa),
		cmocka_unit_test(activations_take_any_cfa),
		cmocka_unit_test(sightings_keep_what_never_differed),
		cmocka_unit_test(cuts_share_what_was_held),
		cmocka_unit_test(evidence_has_a_budget),
		cmocka_unit_test(a_sample_is_32_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
