// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/rules.h"

const char *severity__name(enum severity severity)
{
	static const char *const names[SEVERITIES] = {
		[SEVERITY_INFO] = "info",
		[SEVERITY_LOW] = "low",
		[SEVERITY_MEDIUM] = "medium",
		[SEVERITY_HIGH] = "high",
	};

	return names[severity];
}

void report__init(struct report *r)
{
	memset(r, 0, sizeof(*r));
	r->title = r->scenario = "";
}

void report__release(struct report *r)
{
	for (size_t i = 0; i < r->findings.n; i++) {
		vec__release(&r->findings.data[i].stack);
		vec__release(&r->findings.data[i].numbers);
	}
	for (size_t i = 0; i < r->threads.n; i++)
		vec__release(&r->threads.data[i].reasons);
	vec__release(&r->unlooked);
	vec__release(&r->findings);
	vec__release(&r->threads);
	vec__release(&r->tasks);
	vec__release(&r->periodic);
	vec__release(&r->messages);
	vec__release(&r->natives);
	vec__release(&r->phases);
	vec__release(&r->machine);
	vec__release(&r->usage);
	strtab__release(&r->strings);
}

const char *report__string(struct report *r, const char *text)
{
	return *text ? strtab__get(&r->strings, strtab__intern(&r->strings, text)) : "";
}

const char *report__format(struct report *r, const char *fmt, ...)
{
	const char *kept;
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = mem__strdup("");
	va_end(ap);
	kept = report__string(r, text);
	free(text);
	return kept;
}

struct finding *report__finding(struct report *r)
{
	struct finding *f = vec__add(&r->findings);

	f->rule = f->title = f->headline = f->text = f->advice = f->profile = f->search = "";
	f->function.name = f->function.file = "";
	f->thread = REPORT_NO_THREAD;
	return f;
}

void finding__number(struct finding *f, const char *name, double value, const char *unit)
{
	vec__push(&f->numbers, ((struct report_number){ name, unit, value }));
}

static int by_severity(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	enum rule_id rx = rule__find(x->rule), ry = rule__find(y->rule);
	int names = strcmp(x->headline, y->headline);

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (rx != ry)
		return rx < ry ? -1 : 1;
	if (x->amount < y->amount || x->amount > y->amount)
		return x->amount > y->amount ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return names ? names : strcmp(x->text, y->text);
}

void report__sort(struct report *r)
{
	if (r->findings.n)
		qsort(r->findings.data, r->findings.n, sizeof(*r->findings.data), by_severity);
}
