// SPDX-License-Identifier: GPL-2.0
#include "perfconv/symbol/symtab.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

void symtab__add(struct symtab *t, uint64_t start, uint64_t end, const char *name, uint8_t rank)
{
	size_t bytes = strlen(name) + 1;

	if (bytes > UINT32_MAX - t->text.n)
		return;
	vec__push(&t->list,
		  ((struct symbol){
			  .start = start, .end = end, .name = (uint32_t)t->text.n, .rank = rank }));
	vec__reserve(&t->text, t->text.n + bytes);
	memcpy(t->text.data + t->text.n, name, bytes);
	t->text.n += bytes;
}

static size_t underscores(const char *name)
{
	return strspn(name, "_");
}

static int by_address(const void *a, const void *b, void *text)
{
	const struct symbol *x = a, *y = b;
	const char *x_name = (const char *)text + x->name, *y_name = (const char *)text + y->name;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if ((x->end > x->start) != (y->end > y->start))
		return x->end > x->start ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (underscores(x_name) != underscores(y_name))
		return underscores(x_name) < underscores(y_name) ? -1 : 1;
	return strcmp(x_name, y_name);
}

void symtab__finish(struct symtab *t, uint64_t max_unsized)
{
	struct symbol *list = t->list.data;
	size_t kept = 0;

	if (!t->list.n)
		return;
	qsort_r(list, t->list.n, sizeof(*list), by_address, t->text.data);
	for (size_t i = 0; i < t->list.n; i++)
		if (!kept || list[kept - 1].start != list[i].start)
			list[kept++] = list[i];
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

static const char *shown_name(const struct symtab *t, struct symbol *s)
{
	if (!s->shown)
		s->shown = symtab__demangle(t->text.data + s->name);
	return s->shown;
}

const char *symtab__find(struct symtab *t, uint64_t address)
{
	size_t n = vec__upto(&t->list, start, address);

	if (!n || address >= t->list.data[n - 1].end)
		return NULL;
	return shown_name(t, &t->list.data[n - 1]);
}

void symtab__release(struct symtab *t)
{
	for (size_t i = 0; i < t->list.n; i++)
		free(t->list.data[i].shown);
	vec__release(&t->list);
	vec__release(&t->text);
}
