// SPDX-License-Identifier: GPL-2.0
/* The statistics of diff: Student's t, the bootstrap over blocks, the machine's speed. */
#include "perfconv/analyze/bootstrap.h"

#include <math.h>

#include "perfconv/analyze/speed.h"
#include "perfconv/analyze/student.h"
#include "tests/unit/support.h"

#define assert_near(value, wanted, error) assert_true(fabs((value) - (wanted)) <= (error))

#define BLOCKS 40u

static void p_and_t_are_those_of_the_tables(void **state)
{
	(void)state;
	assert_near(student__p(0, 5), 1, 1e-9);
	assert_near(student__p(12.706, 1), 0.05, 1e-5);
	assert_near(student__p(2.776, 4), 0.05, 1e-4);
	assert_near(student__p(4.604, 4), 0.01, 1e-5);
	assert_near(student__p(1.959964, 1e6), 0.05, 1e-5);
	assert_true(student__p(40, 8) < 1e-8);
	assert_near(student__t(0.05, 4), 2.776445, 1e-5);
	assert_near(student__t(0.01, 30), 2.749996, 1e-5);
}

/* The standard error of a mean is known: the draws' spread must be it. */
static void the_spread_of_draws_is_the_standard_error(void **state)
{
	struct bootstrap_block blocks[BLOCKS];
	struct bootstrap_part parts[BLOCKS];
	double draws[BOOTSTRAP_DRAWS], again[BOOTSTRAP_DRAWS], mean = 0, squares = 0, wanted;
	struct bootstrap b;

	(void)state;
	for (uint32_t i = 0; i < BLOCKS; i++) {
		blocks[i] = (struct bootstrap_block){ 0, 100 };
		parts[i] = (struct bootstrap_part){ i, 20 + i * 7 % 13 };
		mean += parts[i].ns / BLOCKS;
	}
	for (uint32_t i = 0; i < BLOCKS; i++)
		squares += (parts[i].ns - mean) * (parts[i].ns - mean);
	wanted = sqrt(squares / (BLOCKS - 1) / BLOCKS) / 100;
	bootstrap__init(&b, blocks, BLOCKS);
	bootstrap__draw(&b, parts, BLOCKS, draws);
	assert_near(sqrt(bootstrap__variance(draws, bootstrap__correction(&b))), wanted,
		    wanted / 10);
	bootstrap__release(&b);
	bootstrap__init(&b, blocks, BLOCKS); /* the same draws again */
	bootstrap__draw(&b, parts, BLOCKS, again);
	assert_memory_equal(draws, again, sizeof(draws));
	bootstrap__release(&b);
}

/* Runs that differ, each the same all along: drawn within runs, nothing varies. */
static void blocks_are_drawn_within_their_run(void **state)
{
	const struct bootstrap_block blocks[] = { { 0, 10 }, { 0, 10 }, { 7, 10 }, { 7, 10 } };
	const struct bootstrap_part parts[] = { { 0, 1 }, { 1, 1 }, { 2, 9 }, { 3, 9 } };
	double draws[BOOTSTRAP_DRAWS];
	struct bootstrap b;

	(void)state;
	bootstrap__init(&b, blocks, 4);
	assert_near(b.freedom, 2, 0);
	bootstrap__draw(&b, parts, 4, draws);
	assert_near(draws[0], 0.5, 1e-9);
	assert_near(bootstrap__variance(draws, bootstrap__correction(&b)), 0, 1e-12);
	bootstrap__release(&b);
}

static void one_block_tells_no_noise(void **state)
{
	const struct bootstrap_block block = { 0, 10 };
	struct bootstrap b;

	(void)state;
	bootstrap__init(&b, &block, 1);
	assert_near(b.freedom, 0, 0);
	assert_near(bootstrap__correction(&b), 0, 0);
	bootstrap__release(&b);
}

static const struct speed_asked nobody = { UINT32_MAX, UINT32_MAX, UINT32_MAX, 1 };

static void most_functions_tell_the_speed(void **state)
{
	const struct speed_sign signs[] = {
		{ 0, 1, 0.09, 1e-4 }, { 0, 2, 0.1, 1e-4 }, { 1, 3, 0.1, 1e-4 },
		{ 1, 4, 0.11, 1e-4 }, { 1, 5, 1.5, 1e-4 }, /* this one changed */
	};
	double weights[5], variance, factor;

	(void)state;
	factor = speed__of(signs, 5, &nobody, weights, &variance);
	assert_near(factor, 0.1, 0.03);
	assert_true(variance < 0.01);
	assert_true(weights[4] < weights[0] / 4);
}

static void what_is_judged_is_no_witness(void **state)
{
	const struct speed_sign signs[] = { { 0, 1, 0.0, 1e-4 },
					    { 1, 1, 0.0, 1e-4 },
					    { 1, 2, 0.3, 1e-4 } };
	struct speed_asked asked = { 0, UINT32_MAX, 1, 1 };
	double weights[3], variance;

	(void)state;
	assert_near(speed__of(signs, 3, &asked, weights, &variance), 0.3, 0.05);
	assert_near(weights[0] + weights[1], 0, 0);
	asked = (struct speed_asked){ 1, 1, UINT32_MAX, 1 };
	assert_near(speed__of(signs, 3, &asked, weights, &variance), 0, 0.01);
	assert_near(weights[1] + weights[2], 0, 0);
}

static void without_witnesses_the_speed_is_in_doubt(void **state)
{
	double variance = 0;

	(void)state;
	assert_near(speed__of(NULL, 0, &nobody, NULL, &variance), 0, 0);
	assert_true(variance >= SPEED_SPREAD * SPEED_SPREAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(p_and_t_are_those_of_the_tables),
		cmocka_unit_test(the_spread_of_draws_is_the_standard_error),
		cmocka_unit_test(blocks_are_drawn_within_their_run),
		cmocka_unit_test(one_block_tells_no_noise),
		cmocka_unit_test(most_functions_tell_the_speed),
		cmocka_unit_test(what_is_judged_is_no_witness),
		cmocka_unit_test(without_witnesses_the_speed_is_in_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
