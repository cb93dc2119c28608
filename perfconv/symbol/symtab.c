// SPDX-License-Identifier: GPL-2.0
#include "perfconv/symbol/symtab.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

void symtab__add(struct symtab *t, uint64_t start, uint64_t end, const char *name, uint8_t rank)
{
	struct symbol *s = vec__add(&t->list);

	s->start = start;
	s->end = end;
	s->name = mem__strdup(name);
	s->rank = rank;
}

static size_t underscores(const char *name)
{
	return strspn(name, "_");
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if ((x->end > x->start) != (y->end > y->start))
		return x->end > x->start ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (underscores(x->name) != underscores(y->name))
		return underscores(x->name) < underscores(y->name) ? -1 : 1;
	return strcmp(x->name, y->name);
}

void symtab__finish(struct symtab *t, uint64_t max_unsized)
{
	struct symbol *list = t->list.data;
	size_t kept = 0;

	if (!t->list.n)
		return;
	qsort(list, t->list.n, sizeof(*list), by_address);
	for (size_t i = 0; i < t->list.n; i++) {
		if (kept && list[kept - 1].start == list[i].start)
			free(list[i].name);
		else
			list[kept++] = list[i];
	}
	t->list.n = kept;
	for (size_t i = 0; i < kept; i++) {
		uint64_t limit = list[i].start + max_unsized;

		if (list[i].end > list[i].start)
			continue;
		list[i].end = i + 1 < kept && list[i + 1].start < limit ? list[i + 1].start : limit;
	}
}

char *symtab__demangle(const char *name)
{
	/* C++ (_Z) and Rust (_ZN...17h, _R): anything else comes back as NULL */
	char *text = cplus_demangle(name, DMGL_AUTO | DMGL_PARAMS | DMGL_ANSI);

	return text ? text : mem__strdup(name);
}

static const char *shown_name(struct symbol *s)
{
	if (!s->shown)
		s->shown = symtab__demangle(s->name);
	return s->shown;
}

const char *symtab__find(struct symtab *t, uint64_t address)
{
	size_t n = vec__upto(&t->list, start, address);

	if (!n || address >= t->list.data[n - 1].end)
		return NULL;
	return shown_name(&t->list.data[n - 1]);
}

void symtab__release(struct symtab *t)
{
	for (size_t i = 0; i < t->list.n; i++) {
		free(t->list.data[i].name);
		free(t->list.data[i].shown);
	}
	vec__release(&t->list);
}
