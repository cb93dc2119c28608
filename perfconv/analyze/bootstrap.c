// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 0x9e3779b97f4a7c15u

/* splitmix64: a counter, well mixed. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static size_t next_below(uint64_t *state, size_t n)
{
	return (size_t)((next_random(state) >> 32) * n >> 32);
}

/* Draws the blocks [first, first + n) of one run for draw @draw. */
static void draw_run(struct bootstrap *b, const struct bootstrap_block *blocks, size_t draw,
		     size_t first, size_t n, uint64_t *state)
{
	uint16_t *times = &b->times[draw * b->blocks];

	for (size_t i = 0; i < n; i++) {
		size_t at = first + next_below(state, n);

		times[at]++;
		b->lengths[draw] += blocks[at].ns;
	}
}

void bootstrap__init(struct bootstrap *b, const struct bootstrap_block *blocks, size_t n)
{
	uint64_t state = SEED;
	size_t runs = 0;

	memset(b, 0, sizeof(*b));
	b->blocks = n;
	b->times = mem__alloc(n * BOOTSTRAP_DRAWS, sizeof(*b->times));
	b->lengths = mem__alloc(BOOTSTRAP_DRAWS, sizeof(*b->lengths));
	for (size_t first = 0, end; first < n; first = end) {
		for (end = first; end < n && blocks[end].run == blocks[first].run; end++)
			b->length += blocks[end].ns;
		for (size_t draw = 0; draw < BOOTSTRAP_DRAWS; draw++)
			draw_run(b, blocks, draw, first, end - first, &state);
		runs++;
	}
	b->freedom = (double)(n - runs);
}

void bootstrap__release(struct bootstrap *b)
{
	free(b->times);
	free(b->lengths);
}

void bootstrap__draw(const struct bootstrap *b, const struct bootstrap_part *parts, size_t n,
		     double *out)
{
	for (size_t draw = 0; draw < BOOTSTRAP_DRAWS; draw++) {
		const uint16_t *times = &b->times[draw * b->blocks];
		double sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += times[parts[i].block] * parts[i].ns;
		out[draw] = sum / b->lengths[draw];
	}
}

double bootstrap__variance(const double *draws, double correction)
{
	double mean = 0, squares = 0;

	for (size_t i = 0; i < BOOTSTRAP_DRAWS; i++)
		mean += draws[i] / BOOTSTRAP_DRAWS;
	for (size_t i = 0; i < BOOTSTRAP_DRAWS; i++)
		squares += (draws[i] - mean) * (draws[i] - mean);
	return squares / (BOOTSTRAP_DRAWS - 1) * correction;
}

double bootstrap__correction(const struct bootstrap *b)
{
	return b->freedom > 0 ? (double)b->blocks / b->freedom : 0;
}
