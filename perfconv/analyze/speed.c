// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/speed.h"

#include <math.h>
#include <stdbool.h>

#define STEPS 30
#define BEND 1.5 /* standard errors from the middle, beyond which a sign counts for less */

static double squared(double x)
{
	return x * x;
}

static double thread_spread(const struct speed_asked *a)
{
	return 2 * squared(SPEED_THREAD_SPREAD) / a->runs;
}

/* Of a sign as a witness; 0: it is none. */
static double variance_of(const struct speed_sign *s, const struct speed_asked *a)
{
	if (s->group == a->not_group || s->function == a->not_function)
		return 0;
	return s->variance + (s->group == a->group ? 0 : thread_spread(a));
}

/* One step towards the mean: weights as far as the signs lie from @middle. */
static double step(const struct speed_sign *signs, size_t n, const struct speed_asked *a,
		   double middle, double *weights)
{
	double weight = 0, mean = 0;

	for (size_t i = 0; i < n; i++) {
		double variance = variance_of(&signs[i], a), far;

		weights[i] = 0;
		if (!(variance > 0))
			continue;
		far = fabs(signs[i].ratio - middle) / sqrt(variance);
		weights[i] = (far > BEND ? BEND / far : 1) / variance;
		weight += weights[i];
		mean += weights[i] * signs[i].ratio;
	}
	return weight > 0 ? mean / weight : 0;
}

/* The half of the weight lies on either side: a start that a large change does not move. */
static double median(const struct speed_sign *signs, size_t n, const struct speed_asked *a)
{
	double weight = 0, sum = 0;

	for (size_t i = 0; i < n; i++)
		if (variance_of(&signs[i], a) > 0)
			weight += 1 / variance_of(&signs[i], a);
	for (size_t i = 0; i < n; i++) {
		if (variance_of(&signs[i], a) > 0)
			sum += 1 / variance_of(&signs[i], a);
		if (sum > 0 && sum >= weight / 2)
			return signs[i].ratio;
	}
	return 0;
}

/* @weights, which add up to @sum, by how much they tell beside what is known before. */
static double draw_in(const struct speed_sign *signs, size_t n, const struct speed_asked *a,
		      double *weights, double *variance)
{
	double sum = 0, own = 2 * squared(SPEED_SPREAD) / a->runs, telling, factor = 0, home = 0;

	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	telling = sum > 0 ? own / (own + 1 / sum) : 0;
	*variance = squared(1 - telling) * own;
	for (size_t i = 0; i < n; i++) {
		bool same = signs[i].group == a->group;

		if (!(weights[i] > 0))
			continue;
		weights[i] *= telling / sum;
		factor += weights[i] * signs[i].ratio;
		home += same ? weights[i] : 0;
		*variance += same ? 0 : squared(weights[i]) * thread_spread(a);
	}
	*variance += squared(1 - home) * thread_spread(a);
	return factor;
}

double speed__of(const struct speed_sign *signs, size_t n, const struct speed_asked *asked,
		 double *weights, double *variance)
{
	double middle = median(signs, n, asked);

	for (int i = 0; i < STEPS; i++)
		middle = step(signs, n, asked, middle, weights);
	return draw_in(signs, n, asked, weights, variance);
}
