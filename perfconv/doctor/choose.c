// SPDX-License-Identifier: GPL-2.0
#include "perfconv/doctor/choose.h"

static bool first_that_works(const struct chooser *c, const struct recording *steps, size_t n,
			     bool sudo, struct recording *out)
{
	for (size_t i = 0; i < n; i++) {
		*out = steps[i];
		out->sudo = sudo;
		if (c->works(out, c->data))
			return true;
	}
	return false;
}

bool choose__recording(const struct chooser *c, const struct recording *best, struct recording *out)
{
	struct recording own[RECORDING_STEPS], through_sudo[RECORDING_STEPS];
	size_t n = recording__ladder(best, c->privileged, own);
	size_t m = recording__ladder(best, true, through_sudo);

	if (first_that_works(c, own, 1, false, out))
		return true;
	if (!c->privileged && c->sudo && first_that_works(c, through_sudo, m, true, out))
		return true;
	return first_that_works(c, own + 1, n - 1, false, out);
}
