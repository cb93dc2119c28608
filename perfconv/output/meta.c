// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/meta.h"

#include <stdio.h>

bool meta__python(const struct meta *m, char *version)
{
	if (m->python_hex)
		snprintf(version, META_PYTHON_CHARS, "%u.%u.%u", m->python_hex >> 24,
			 m->python_hex >> 16 & 255, m->python_hex >> 8 & 255);
	return m->python_hex;
}
