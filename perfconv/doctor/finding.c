// SPDX-License-Identifier: GPL-2.0
#include "perfconv/doctor/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *format(const char *fmt, va_list ap)
{
	char *text;

	return vasprintf(&text, fmt, ap) < 0 ? mem__strdup("") : text;
}

struct finding *findings__add(struct findings *f, const char *area, enum finding_state state,
			      const char *fmt, ...)
{
	struct finding *added = vec__add(&f->list);
	va_list ap;

	added->area = area;
	added->state = state;
	va_start(ap, fmt);
	added->words = format(fmt, ap);
	va_end(ap);
	return added;
}

void finding__remedy(struct finding *f, const char *risk, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	f->remedy = format(fmt, ap);
	va_end(ap);
	f->risk = risk ? mem__strdup(risk) : NULL;
}

const char *finding_state__name(enum finding_state state)
{
	static const char *const names[] = {
		[FINDING_OK] = "ok",
		[FINDING_NOTE] = "note",
		[FINDING_MISSING] = "missing",
		[FINDING_REFUSED] = "refused",
	};

	return names[state];
}

void findings__release(struct findings *f)
{
	for (size_t i = 0; i < f->list.n; i++) {
		free(f->list.data[i].words);
		free(f->list.data[i].remedy);
		free(f->list.data[i].risk);
	}
	vec__release(&f->list);
}
