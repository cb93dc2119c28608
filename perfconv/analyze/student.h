/* SPDX-License-Identifier: GPL-2.0 */
/* student - Student's t distribution: how surprising a difference is. */
#ifndef PERFCONV_ANALYZE_STUDENT_H
#define PERFCONV_ANALYZE_STUDENT_H

/** student__p - probability that |t| of @dof degrees of freedom (> 0) is as large as @t. */
double student__p(double t, double dof);

/** student__t - the t that student__p() is @p of; @p between 0 and 1. */
double student__t(double p, double dof);

#endif
