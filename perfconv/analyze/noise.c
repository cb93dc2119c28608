// SPDX-License-Identifier: GPL-2.0
/*
 * A row with time on both sides is judged by the logarithm of its ratio, from which the
 * machine's speed can be taken; one with time on one side only, and waits, by their
 * difference.
 */
#include "perfconv/analyze/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/student.h"

#define CERTAIN 1e6 /* freedom of an error that is not estimated from blocks */
#define CONFIDENCE 0.05

static double squared(double x)
{
	return x * x;
}

static bool is_wait(const struct tally_row *r)
{
	return r->kind == TALLY_WAIT || r->kind == TALLY_THREAD_WAIT;
}

/* --- one row of one side ---------------------------------------------------- */

double noise__share(const struct noise *n, enum tally_side side, uint32_t row)
{
	const struct tally_row *r = &n->tally->rows.data[row];
	double ns = 0;

	for (uint32_t i = 0; i < r->cells; i++) {
		const struct tally_cell *cell = &n->tally->cells.data[r->first_cell + i];

		if (n->tally->blocks.data[cell->block].side == side)
			ns += cell->ns;
	}
	return ns / 1e9 / n->sides[side].seconds;
}

/* Into n->draws[side]. */
static void draw(struct noise *n, enum tally_side side, uint32_t row)
{
	const struct tally_row *r = &n->tally->rows.data[row];
	const struct noise_side *s = &n->sides[side];

	n->parts.n = 0;
	for (uint32_t i = 0; i < r->cells; i++) {
		const struct tally_cell *cell = &n->tally->cells.data[r->first_cell + i];

		if (n->tally->blocks.data[cell->block].side == side)
			vec__push(&n->parts,
				  ((struct bootstrap_part){ s->index[cell->block], cell->ns }));
	}
	bootstrap__draw(&s->bootstrap, n->parts.data, n->parts.n, n->draws[side]);
}

/*
 * What sampling alone makes of a share: each sample stands for one period, and comes by
 * chance.  A group's time on CPUs is exact where switches are known; then only its
 * division among functions is by chance.
 */
static double sampling_variance(const struct noise *n, enum tally_side side, uint32_t row,
				double share)
{
	const struct tally_row *r = &n->tally->rows.data[row];
	const struct noise_side *s = &n->sides[side];
	double least = s->period_s / s->seconds, part = 0;
	uint32_t group;

	if (is_wait(r) || (s->exact && r->kind == TALLY_THREAD))
		return 0;
	group = tally__find(n->tally, TALLY_THREAD, r->group, TALLY_NOTHING, REASON_NONE);
	if (s->exact && group != TALLY_NOTHING)
		part = share / fmax(noise__share(n, side, group), least);
	return least * fmax(share, least) * (1 - fmin(part, 1));
}

/* --- the machine's speed ---------------------------------------------------- */

/* Both sides are drawn; draws of nothing count as half a sample. */
static void draw_ratio(struct noise *n, double *out)
{
	const struct noise_side *s = n->sides;
	double low[TALLY_SIDES];

	for (int side = 0; side < TALLY_SIDES; side++)
		low[side] = fmax(s[side].period_s / 2, 1e-9) / s[side].seconds;
	for (size_t i = 0; i < BOOTSTRAP_DRAWS; i++)
		out[i] = log(fmax(n->draws[TALLY_AFTER][i], low[TALLY_AFTER]) /
			     fmax(n->draws[TALLY_BEFORE][i], low[TALLY_BEFORE]));
}

/* What one run of each side cannot show, of a ratio of CPU times. */
static double runs_variance(const struct noise *n)
{
	return squared(NOISE_RUN_TO_RUN) *
	       (1 / n->sides[TALLY_BEFORE].runs + 1 / n->sides[TALLY_AFTER].runs);
}

static double sampling_of_ratio(const struct noise *n, uint32_t row, double before, double after)
{
	return sampling_variance(n, TALLY_BEFORE, row, before) / squared(before) +
	       sampling_variance(n, TALLY_AFTER, row, after) / squared(after);
}

static void add_sign(struct noise *n, uint32_t row)
{
	const struct tally_row *r = &n->tally->rows.data[row];
	double before = noise__share(n, TALLY_BEFORE, row);
	double after = noise__share(n, TALLY_AFTER, row);

	vec__push(&n->signs,
		  ((struct speed_sign){
			  .group = r->group,
			  .function = r->function,
			  .ratio = log(after / before),
			  .variance = sampling_of_ratio(n, row, before, after) + runs_variance(n),
		  }));
}

static int by_ratio(const void *a, const void *b)
{
	const struct speed_sign *x = a, *y = b;

	if (x->ratio != y->ratio)
		return x->ratio < y->ratio ? -1 : 1;
	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

static void find_signs(struct noise *n, double least)
{
	for (uint32_t row = 0; row < n->tally->rows.n; row++)
		if (n->tally->rows.data[row].kind == TALLY_OWN &&
		    noise__share(n, TALLY_BEFORE, row) > least &&
		    noise__share(n, TALLY_AFTER, row) > least)
			add_sign(n, row);
	if (n->signs.n)
		qsort(n->signs.data, n->signs.n, sizeof(*n->signs.data), by_ratio);
	n->weights = mem__alloc(n->signs.n, sizeof(*n->weights));
	n->sign_draws = mem__alloc(n->signs.n * BOOTSTRAP_DRAWS, sizeof(*n->sign_draws));
	for (size_t i = 0; i < n->signs.n; i++) {
		uint32_t row = tally__find(n->tally, TALLY_OWN, n->signs.data[i].group,
					   n->signs.data[i].function, REASON_NONE);

		draw(n, TALLY_BEFORE, row);
		draw(n, TALLY_AFTER, row);
		draw_ratio(n, &n->sign_draws[i * BOOTSTRAP_DRAWS]);
	}
}

/* As all others tell it: what is judged is no witness.  Sets n->weights. */
static double speed_for(struct noise *n, const struct tally_row *r, double *variance)
{
	bool thread = r->kind == TALLY_THREAD;
	struct speed_asked asked = {
		.group = r->group,
		.not_group = thread ? r->group : TALLY_NOTHING,
		.not_function = thread ? TALLY_NOTHING : r->function,
		.runs = 2 / (1 / n->sides[TALLY_BEFORE].runs + 1 / n->sides[TALLY_AFTER].runs),
	};

	if (n->same_speed) {
		memset(n->weights, 0, n->signs.n * sizeof(*n->weights));
		*variance = 0;
		return 0;
	}
	return speed__of(n->signs.data, n->signs.n, &asked, n->weights, variance);
}

double noise__speed(struct noise *n)
{
	struct tally_row all = { .kind = TALLY_OWN,
				 .group = TALLY_NOTHING,
				 .function = TALLY_NOTHING };
	double variance;

	return exp(speed_for(n, &all, &variance));
}

/* --- the change of a row ---------------------------------------------------- */

static double freedom_of(const struct noise *n)
{
	return 2 * fmin(n->sides[TALLY_BEFORE].bootstrap.freedom,
			n->sides[TALLY_AFTER].bootstrap.freedom);
}

/* @estimated: from blocks; @assumed: on top of it. */
static void judge(const struct noise *n, double difference, double estimated, double assumed,
		  struct noise_change *out)
{
	double all = estimated + assumed, freedom;

	if (!noise__is_known(n) || !(all > 0))
		return;
	freedom = squared(all) / (squared(estimated) / freedom_of(n) + squared(assumed) / CERTAIN);
	out->interval = sqrt(all) * student__t(CONFIDENCE, freedom);
	out->p = student__p(fabs(difference) / sqrt(all), freedom);
}

static double largest_correction(const struct noise *n)
{
	return fmax(bootstrap__correction(&n->sides[TALLY_BEFORE].bootstrap),
		    bootstrap__correction(&n->sides[TALLY_AFTER].bootstrap));
}

/* Takes the speed out of each draw of the row's ratio, which is in n->draws[AFTER]. */
static void take_speed_out(struct noise *n, double *ratio)
{
	for (size_t k = 0; k < n->signs.n; k++) {
		const double *draws = &n->sign_draws[k * BOOTSTRAP_DRAWS];

		for (size_t i = 0; i < BOOTSTRAP_DRAWS && n->weights[k] > 0; i++)
			ratio[i] -= n->weights[k] * draws[i];
	}
}

/* A thread cannot take more than a core, however slow that is. */
static double bounded(const struct noise *n, const struct tally_row *r, double speed)
{
	uint32_t group = tally__find(n->tally, TALLY_THREAD, r->group, TALLY_NOTHING, REASON_NONE);
	double threads = n->tally->groups.data[r->group].threads[TALLY_BEFORE];
	double share = group == TALLY_NOTHING ? 0 : noise__share(n, TALLY_BEFORE, group);

	return share > 0 && speed > 0 ? fmin(speed, log(fmax(threads / share, 1))) : speed;
}

static void change_of_ratio(struct noise *n, uint32_t row, struct noise_change *out)
{
	const struct tally_row *r = &n->tally->rows.data[row];
	double assumed, speed = bounded(n, r, speed_for(n, r, &assumed));
	double blocks, sampling = sampling_of_ratio(n, row, out->before, out->after);
	double *ratio = n->draws[TALLY_AFTER];

	out->expected = out->before * exp(speed);
	draw(n, TALLY_BEFORE, row);
	draw(n, TALLY_AFTER, row);
	draw_ratio(n, ratio);
	take_speed_out(n, ratio);
	blocks = bootstrap__variance(ratio, largest_correction(n));
	assumed += runs_variance(n);
	for (size_t k = 0; k < n->signs.n; k++) {
		sampling += squared(n->weights[k]) * (n->signs.data[k].variance - runs_variance(n));
		assumed += squared(n->weights[k]) * runs_variance(n);
	}
	if (blocks > sampling)
		judge(n, log(out->after / out->expected), blocks, assumed, out);
	else
		judge(n, log(out->after / out->expected), 0, sampling + assumed, out);
	out->interval *= sqrt(out->expected * out->after);
}

static void change_of_difference(struct noise *n, uint32_t row, struct noise_change *out)
{
	const struct tally_row *r = &n->tally->rows.data[row];
	double share = is_wait(r) ? NOISE_WAIT_RUN_TO_RUN : NOISE_RUN_TO_RUN;
	double estimated = 0, sampling = 0;

	for (int i = 0; i < TALLY_SIDES; i++) {
		enum tally_side side = (enum tally_side)i;

		draw(n, side, row);
		estimated += bootstrap__variance(n->draws[side], largest_correction(n));
		sampling += sampling_variance(n, side, row, i ? out->after : out->before);
	}
	share = squared(share) * (squared(out->before) / n->sides[TALLY_BEFORE].runs +
				  squared(out->after) / n->sides[TALLY_AFTER].runs);
	if (estimated > sampling)
		judge(n, out->after - out->expected, estimated, share, out);
	else
		judge(n, out->after - out->expected, 0, sampling + share, out);
}

struct noise_change noise__change(struct noise *n, uint32_t row)
{
	double before = noise__share(n, TALLY_BEFORE, row);
	double after = noise__share(n, TALLY_AFTER, row);
	struct noise_change out = { .before = before, .after = after, .expected = before, .p = 1 };

	if (is_wait(&n->tally->rows.data[row]) || !(before > 0) || !(after > 0))
		change_of_difference(n, row, &out);
	else
		change_of_ratio(n, row, &out);
	return out;
}

/* --- the sides -------------------------------------------------------------- */

static void init_side(struct noise *n, enum tally_side side)
{
	const struct tally *t = n->tally;
	struct noise_side *s = &n->sides[side];

	s->index = mem__alloc(t->blocks.n, sizeof(*s->index));
	s->exact = true;
	for (size_t i = 0; i < t->blocks.n; i++) {
		const struct tally_block *b = &t->blocks.data[i];

		if (b->side != side)
			continue;
		s->index[i] = (uint32_t)s->blocks.n;
		vec__push(&s->blocks, ((struct bootstrap_block){ b->run, b->ns }));
		s->seconds += b->ns / 1e9;
	}
	for (size_t i = 0; i < t->runs.n; i++) {
		const struct tally_run *run = &t->runs.data[i];

		if (run->side != side)
			continue;
		s->runs++;
		s->exact = s->exact && run->profile->exact;
		s->period_s = fmax(s->period_s, (double)run->period_ns / 1e9);
	}
	bootstrap__init(&s->bootstrap, s->blocks.data, s->blocks.n);
	n->draws[side] = mem__alloc(BOOTSTRAP_DRAWS, sizeof(double));
}

void noise__init(struct noise *n, const struct tally *t, double least, bool same_speed)
{
	memset(n, 0, sizeof(*n));
	n->tally = t;
	n->same_speed = same_speed;
	for (int side = 0; side < TALLY_SIDES; side++)
		init_side(n, (enum tally_side)side);
	find_signs(n, least);
}

void noise__release(struct noise *n)
{
	for (int side = 0; side < TALLY_SIDES; side++) {
		bootstrap__release(&n->sides[side].bootstrap);
		vec__release(&n->sides[side].blocks);
		free(n->sides[side].index);
		free(n->draws[side]);
	}
	vec__release(&n->signs);
	vec__release(&n->parts);
	free(n->sign_draws);
	free(n->weights);
}

bool noise__is_known(const struct noise *n)
{
	return n->sides[TALLY_BEFORE].bootstrap.freedom > 0 &&
	       n->sides[TALLY_AFTER].bootstrap.freedom > 0;
}
