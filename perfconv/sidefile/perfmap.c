// SPDX-License-Identifier: GPL-2.0
/*
 * Overlaps are resolved once, by a sweep over all ends and starts: a heap holds
 * the entries that reach over the current address, the latest line on top; each
 * change of the top ends one visible piece and begins the next.
 *
 *     line 1   aaaaaaaaaaaa
 *     line 2       bbbb                gives   aaaabbbbccaa
 *     line 3          ccc                             (the c over the b's end, too)
 */
#include "perfconv/sidefile/perfmap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/sidefile/limits.h"

struct line {
	uint64_t start, end;
	const char *name;
	uint32_t number; /* in the file: later ones win */
};

struct sweep {
	VEC(struct line) lines; /* by start */
	VEC(uint32_t) heap;	/* indices of lines, the highest number first */
	struct perfmap *out;
};

/* strtoull() would take spaces and signs. */
static bool parse_hex(char **at, uint64_t *value)
{
	char *end;

	if (!strspn(*at, "0123456789abcdefABCDEF"))
		return false;
	*value = strtoull(*at, &end, 16);
	if (*end != ' ')
		return false;
	*at = end + 1;
	return true;
}

static bool parse_line(char *text, struct line *out)
{
	uint64_t bytes;
	size_t n;

	if (!parse_hex(&text, &out->start) || !parse_hex(&text, &bytes))
		return false;
	n = strcspn(text, "\r");
	if (!n || !bytes || bytes > UINT64_MAX - out->start)
		return false;
	text[n < PERFMAP_MAX_NAME ? n : PERFMAP_MAX_NAME] = '\0';
	out->end = out->start + bytes;
	out->name = text;
	return true;
}

static void parse(struct sweep *s, size_t n)
{
	struct perfmap *m = s->out;
	char *line = m->text, *end = m->text + n, *next;

	while (line < end && (next = memchr(line, '\n', (size_t)(end - line)))) {
		struct line l = { .number = (uint32_t)s->lines.n };

		*next = '\0';
		if (strlen(line) != (size_t)(next - line) || !parse_line(line, &l))
			m->bad_lines++;
		else if (s->lines.n == PERFMAP_MAX_ENTRIES)
			m->dropped++;
		else
			vec__push(&s->lines, l);
		line = next + 1;
	}
}

static int by_start(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static bool later(const struct sweep *s, size_t a, size_t b)
{
	return s->lines.data[s->heap.data[a]].number > s->lines.data[s->heap.data[b]].number;
}

static void exchange(struct sweep *s, size_t a, size_t b)
{
	uint32_t kept = s->heap.data[a];

	s->heap.data[a] = s->heap.data[b];
	s->heap.data[b] = kept;
}

static void heap_push(struct sweep *s, uint32_t line)
{
	size_t at = s->heap.n;

	vec__push(&s->heap, line);
	for (; at && later(s, at, (at - 1) / 2); at = (at - 1) / 2)
		exchange(s, at, (at - 1) / 2);
}

static void heap_pop(struct sweep *s)
{
	size_t at = 0;

	exchange(s, 0, --s->heap.n);
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < s->heap.n && later(s, child + 1, child))
			child++;
		if (child >= s->heap.n || !later(s, child, at))
			return;
		exchange(s, at, child);
		at = child;
	}
}

/* [start, end) shows the line on top of the heap. */
static void show(struct sweep *s, uint64_t start, uint64_t end)
{
	const struct line *l = &s->lines.data[s->heap.data[0]];
	struct perfmap_entry e = { start, end, l->start, l->end - l->start, l->name };
	struct perfmap_entry *last = NULL;

	if (s->out->list.n)
		last = &s->out->list.data[s->out->list.n - 1];
	if (last && last->end == start && last->name == l->name)
		last->end = end;
	else
		vec__push(&s->out->list, e);
}

/* Show what lies from @from up to @to; the heap loses what ends there. */
static void sweep_to(struct sweep *s, uint64_t from, uint64_t to)
{
	while (s->heap.n && from < to) {
		uint64_t end = s->lines.data[s->heap.data[0]].end;

		if (end <= from) {
			heap_pop(s);
			continue;
		}
		end = end < to ? end : to;
		show(s, from, end);
		from = end;
	}
}

struct perfmap *perfmap__new(char *text, size_t n)
{
	struct perfmap *m = mem__alloc(1, sizeof(*m));
	struct sweep s = { .out = m };
	uint64_t at = 0;

	m->text = text;
	parse(&s, n);
	if (s.lines.n)
		qsort(s.lines.data, s.lines.n, sizeof(*s.lines.data), by_start);
	for (uint32_t i = 0; i < s.lines.n; i++) {
		sweep_to(&s, at, s.lines.data[i].start);
		at = s.lines.data[i].start;
		heap_push(&s, i);
	}
	sweep_to(&s, at, UINT64_MAX);
	vec__release(&s.lines);
	vec__release(&s.heap);
	return m;
}

void perfmap__free(struct perfmap *m)
{
	if (!m)
		return;
	free(m->text);
	vec__release(&m->list);
	free(m);
}

const struct perfmap_entry *perfmap__find(const struct perfmap *m, uint64_t address)
{
	size_t n = vec__upto(&m->list, start, address);

	if (!n || address >= m->list.data[n - 1].end)
		return NULL;
	return &m->list.data[n - 1];
}
