// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/noise.h"

struct comparing {
	const struct tally *tally;
	const struct compare_options *options;
	struct compare *out;
	struct noise noise;
};

static void compare_row(struct comparing *c, uint32_t row)
{
	struct comparison out = { .row = row };
	struct noise_change change;

	if (noise__share(&c->noise, TALLY_BEFORE, row) < COMPARE_LISTED &&
	    noise__share(&c->noise, TALLY_AFTER, row) < COMPARE_LISTED)
		return;
	change = noise__change(&c->noise, row);
	out.before = change.before;
	out.after = change.after;
	out.expected = change.expected;
	out.noise = change.interval;
	out.p = change.p;
	out.verdict = c->out->known ? COMPARE_SAME : COMPARE_UNJUDGED;
	vec__push(&c->out->rows, out);
}

static bool is_cpu(enum tally_kind kind)
{
	return kind == TALLY_THREAD || kind == TALLY_OWN;
}

/* Waits that nobody wants; of others, more of one is less of another. */
static bool is_contention(enum reason reason)
{
	return reason == REASON_GIL || reason == REASON_DISK || reason == REASON_PAGE_FAULT ||
	       reason == REASON_KERNEL;
}

/* Only rows that could change by enough are tested, so that the others cost nothing. */
static bool is_candidate(const struct comparing *c, const struct comparison *r, bool cpu)
{
	enum tally_kind kind = c->tally->rows.data[r->row].kind;
	double larger = r->before > r->after ? r->before : r->after;

	return (cpu ? is_cpu(kind) : kind == TALLY_WAIT) && r->verdict != COMPARE_UNJUDGED &&
	       larger >= c->options->least;
}

static int by_p(const void *a, const void *b)
{
	const struct comparison *x = *(struct comparison *const *)a;
	const struct comparison *y = *(struct comparison *const *)b;

	if (x->p != y->p)
		return x->p < y->p ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static void tell(const struct comparing *c, struct comparison *r)
{
	const struct tally_row *row = &c->tally->rows.data[r->row];
	double change = fabs(r->after - r->expected);

	if (change < c->options->least || change < c->options->threshold * r->expected)
		return;
	r->verdict = r->after > r->expected ? COMPARE_MORE : COMPARE_LESS;
	r->regression = r->after > r->expected && (is_cpu(row->kind) || is_contention(row->reason));
}

/* Benjamini and Hochberg: of n tests by p, those up to the last with p <= rate * k / n. */
static void control(struct comparing *c, bool cpu)
{
	VEC(struct comparison *) tested = { 0 };
	size_t told = 0;

	for (size_t i = 0; i < c->out->rows.n; i++)
		if (is_candidate(c, &c->out->rows.data[i], cpu))
			vec__push(&tested, &c->out->rows.data[i]);
	if (tested.n)
		qsort(tested.data, tested.n, sizeof(*tested.data), by_p);
	for (size_t k = 0; k < tested.n; k++) {
		tested.data[k]->judged = true;
		if (tested.data[k]->p <= COMPARE_FALSE_RATE * (double)(k + 1) / (double)tested.n)
			told = k + 1;
	}
	for (size_t k = 0; k < told; k++)
		tell(c, tested.data[k]);
	vec__release(&tested);
}

static int by_change(const void *a, const void *b)
{
	const struct comparison *x = a, *y = b;
	double dx = fabs(x->after - x->expected), dy = fabs(y->after - y->expected);

	if (dx != dy)
		return dx > dy ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static double machine_share(const struct comparing *c, enum tally_side side)
{
	double waited = 0, ran = 0;

	for (uint32_t i = 0; i < c->tally->rows.n; i++) {
		const struct tally_row *row = &c->tally->rows.data[i];

		if (row->kind == TALLY_THREAD)
			ran += noise__share(&c->noise, side, i);
		else if (row->kind == TALLY_THREAD_WAIT &&
			 (row->reason == REASON_PREEMPTED || row->reason == REASON_RUN_QUEUE))
			waited += noise__share(&c->noise, side, i);
	}
	return ran > 0 ? waited / ran : 0;
}

static void index_rows(struct compare *c, size_t n)
{
	c->by_row = mem__alloc(n, sizeof(*c->by_row));
	memset(c->by_row, 0xff, n * sizeof(*c->by_row));
	for (uint32_t i = 0; i < c->rows.n; i++)
		c->by_row[c->rows.data[i].row] = i;
}

void compare__init(struct compare *out, const struct tally *t,
		   const struct compare_options *options)
{
	struct comparing c = { .tally = t, .options = options, .out = out };

	memset(out, 0, sizeof(*out));
	noise__init(&c.noise, t, options->least / 2, options->same_speed);
	out->known = noise__is_known(&c.noise);
	out->speed = noise__speed(&c.noise);
	for (int side = 0; side < TALLY_SIDES; side++)
		out->machine[side] = machine_share(&c, (enum tally_side)side);
	for (uint32_t row = 0; row < t->rows.n; row++)
		compare_row(&c, row);
	control(&c, true);
	if (!compare__is_busy(out))
		control(&c, false);
	if (out->rows.n)
		qsort(out->rows.data, out->rows.n, sizeof(*out->rows.data), by_change);
	index_rows(out, t->rows.n);
	noise__release(&c.noise);
}

bool compare__is_busy(const struct compare *c)
{
	return c->machine[TALLY_BEFORE] > COMPARE_BUSY || c->machine[TALLY_AFTER] > COMPARE_BUSY;
}

void compare__release(struct compare *c)
{
	vec__release(&c->rows);
	free(c->by_row);
	c->by_row = NULL;
}

size_t compare__regressions(const struct compare *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->rows.n; i++)
		n += c->rows.data[i].regression;
	return n;
}

size_t compare__changes(const struct compare *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->rows.n; i++)
		n += c->rows.data[i].verdict == COMPARE_MORE ||
		     c->rows.data[i].verdict == COMPARE_LESS;
	return n;
}

const struct comparison *compare__of_row(const struct compare *c, uint32_t row)
{
	uint32_t at = row == TALLY_NOTHING ? TALLY_NOTHING : c->by_row[row];

	return at == TALLY_NOTHING ? NULL : &c->rows.data[at];
}
