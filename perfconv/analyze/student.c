// SPDX-License-Identifier: GPL-2.0
/*
 * P(|T| >= t) is the regularised incomplete beta function I(x; dof/2, 1/2) at
 * x = dof / (dof + t^2), taken from its continued fraction (Abramowitz and Stegun,
 * 26.5.8), whose terms are multiplied up by Lentz's method.
 */
#include "perfconv/analyze/student.h"

#include <math.h>

#define MAX_TERMS 500
#define PRECISION 1e-12
#define TINY 1e-300

static double away_from_zero(double x)
{
	return fabs(x) < TINY ? TINY : x;
}

/* The continued fraction of I(x; a, b) converges where x < (a + 1) / (a + b + 2). */
static double fraction(double x, double a, double b)
{
	double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), value = d;

	for (int m = 1; m < MAX_TERMS; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double step;

		d = 1 / away_from_zero(1 + even * d);
		c = away_from_zero(1 + even / c);
		value *= d * c;
		d = 1 / away_from_zero(1 + odd * d);
		c = away_from_zero(1 + odd / c);
		step = d * c;
		value *= step;
		if (fabs(step - 1) < PRECISION)
			break;
	}
	return value;
}

static double incomplete_beta(double x, double a, double b)
{
	double front;

	if (x <= 0 || x >= 1)
		return x <= 0 ? 0 : 1;
	front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * fraction(x, a, b) / a;
	return 1 - front * fraction(1 - x, b, a) / b;
}

double student__p(double t, double dof)
{
	return incomplete_beta(dof / (dof + t * t), dof / 2, 0.5);
}

double student__t(double p, double dof)
{
	double low = 0, high = 1;

	while (student__p(high, dof) > p && high < 1e12)
		high *= 2;
	for (int i = 0; i < 100; i++) {
		double middle = (low + high) / 2;

		if (student__p(middle, dof) > p)
			low = middle;
		else
			high = middle;
	}
	return high;
}
