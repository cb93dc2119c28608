// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/collapsed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "perfconv/output/sums.h"

struct writer {
	struct sink *sink;
	const struct resolved *resolved;
	VEC(uint32_t) frames; /* scratch: of one stack, leaf first */
};

static void write_name(struct writer *w, const char *name)
{
	for (; *name; name++) {
		char c = *name;

		if (c == ';')
			c = ':';
		else if ((unsigned char)c < ' ' || c == 0x7f)
			c = '?';
		sink__write(w->sink, &c, 1);
	}
}

static void write_line(struct writer *w, const char *thread, const struct sum *sum)
{
	const struct resolved *r = w->resolved;
	char text[32];
	int n = snprintf(text, sizeof(text), " %" PRIu64 "\n", sum->on + sum->off);

	w->frames.n = 0;
	for (uint32_t s = sum->stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s))
		vec__push(&w->frames, resolved__leaf(r, s));
	write_name(w, thread);
	for (size_t i = w->frames.n; i-- > 0;) {
		const struct frame *f = &r->frames.data[w->frames.data[i]];

		sink__write(w->sink, ";", 1);
		write_name(w, strtab__get(&r->strings, f->name));
	}
	sink__write(w->sink, text, (size_t)n);
}

uint64_t collapsed__write(struct sink *sink, const struct output_source *from)
{
	const struct profile *p = from->profile;
	struct writer w = { .sink = sink, .resolved = p->resolved };
	struct sums sums = { 0 };

	for (size_t t = 0; t < p->threads.n; t++) {
		sums__of(&sums, &p->threads.data[t]);
		for (size_t i = 0; i < sums.list.n; i++)
			write_line(&w, p->threads.data[t].name, &sums.list.data[i]);
	}
	sums__release(&sums);
	vec__release(&w.frames);
	return 0;
}
