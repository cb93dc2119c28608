// SPDX-License-Identifier: GPL-2.0
/* A strip is cut into bins; in each, the states are stacked by their share of its time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/output/html.h"
#include "perfconv/output/page.h"

#define BINS 240
#define HEIGHT 30

struct strip {
	double ns[PAGE_STATES][BINS];
	double bin_ns;
};

enum page_state page_state__of(enum reason reason)
{
	switch (reason) {
	case REASON_SWITCHING:
		return PAGE_CPU;
	case REASON_PREEMPTED:
	case REASON_RUN_QUEUE:
		return PAGE_QUEUE;
	case REASON_GIL:
		return PAGE_GIL;
	case REASON_LOCK:
		return PAGE_LOCK;
	case REASON_DISK:
	case REASON_PAGE_FAULT:
	case REASON_KERNEL:
		return PAGE_DISK;
	case REASON_POLL:
	case REASON_SOCKET:
	case REASON_PIPE:
	case REASON_TERMINAL:
	case REASON_CHILD:
	case REASON_SIGNAL:
		return PAGE_POLL;
	case REASON_SLEEP:
		return PAGE_SLEEP;
	case REASON_NONE:
	case REASON_STOPPED:
	case REASON_OTHER:
	case REASONS:
	default:
		return PAGE_OTHER;
	}
}

const char *page_state__class(enum page_state state)
{
	static const char *const classes[PAGE_STATES] = {
		[PAGE_CPU] = "cpu",	[PAGE_QUEUE] = "queue", [PAGE_GIL] = "gil",
		[PAGE_LOCK] = "lock",	[PAGE_DISK] = "disk",	[PAGE_POLL] = "poll",
		[PAGE_SLEEP] = "sleep", [PAGE_OTHER] = "other",
	};

	return classes[state];
}

const char *page_state__name(enum page_state state)
{
	static const char *const names[PAGE_STATES] = {
		[PAGE_CPU] = "on a CPU",      [PAGE_QUEUE] = "waits for a CPU",
		[PAGE_GIL] = "GIL",	      [PAGE_LOCK] = "lock",
		[PAGE_DISK] = "disk, memory", [PAGE_POLL] = "socket, poll",
		[PAGE_SLEEP] = "sleep",	      [PAGE_OTHER] = "other wait",
	};

	return names[state];
}

static enum page_state state_of(const struct profile *p, const struct profile_slice *slice)
{
	const struct resolved *r = p->resolved;
	const struct frame *leaf = &r->frames.data[resolved__leaf(r, slice->stack)];

	if (!slice->off)
		return PAGE_CPU;
	return page_state__of(reason__by_name(strtab__get(&r->strings, leaf->name)));
}

static void add(struct strip *s, enum page_state state, double begin, double ns)
{
	while (ns > 0) {
		size_t bin = (size_t)fmin(begin / s->bin_ns, BINS - 1);
		double part;

		/* A bin's end, divided, may still be in the bin. */
		if (bin + 1 < BINS && ((double)bin + 1) * s->bin_ns <= begin)
			bin++;
		part = bin + 1 < BINS ? fmin(ns, ((double)bin + 1) * s->bin_ns - begin) : ns;
		s->ns[state][bin] += part;
		begin += part;
		ns -= part;
	}
}

/* Where in a bin, from the bottom, a state ends: of HEIGHT. */
static double top_of(const struct strip *s, int state, size_t bin)
{
	double sum = 0;

	for (int i = 0; i <= state; i++)
		sum += s->ns[i][bin];
	return round(10 * HEIGHT * fmin(sum / s->bin_ns, 1)) / 10;
}

/* Equal neighbours are one rectangle. */
static void write_state(struct sink *out, const struct strip *s, int state)
{
	bool begun = false;

	for (size_t bin = 0, end; bin < BINS; bin = end) {
		double top = top_of(s, state, bin);
		double bottom = state ? top_of(s, state - 1, bin) : 0;

		for (end = bin + 1; end < BINS; end++)
			if (top_of(s, state, end) != top ||
			    (state ? top_of(s, state - 1, end) : 0) != bottom)
				break;
		if (!(top > bottom))
			continue;
		if (!begun) {
			html__raw(out, "<path class=\"");
			html__raw(out, page_state__class((enum page_state)state));
			html__raw(out, "\" d=\"");
		}
		begun = true;
		html__numbers(out, "M%zu %gh%zuv%gh-%zuz", bin, HEIGHT - top, end - bin,
			      top - bottom, end - bin);
	}
	if (begun)
		html__raw(out, "\"/>");
}

void page_strip__write(struct sink *s, const struct profile *p, const struct profile_thread *t)
{
	struct strip *strip = mem__alloc(1, sizeof(*strip));
	double at = 0;

	strip->bin_ns = fmax((double)p->duration / BINS, 1);
	for (size_t i = 0; i < t->slices.n; i++) {
		const struct profile_slice *slice = &t->slices.data[i];

		if (slice->stack != RESOLVE_NO_STACK)
			add(strip, state_of(p, slice), at, (double)slice->weight);
		at += (double)slice->weight;
	}
	html__numbers(s,
		      "<svg class=\"strip\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
		      "role=\"img\" data-s=\"%.3f\" aria-label=\"timeline\">",
		      BINS, HEIGHT, (double)p->duration / 1e9);
	for (int state = 0; state < PAGE_STATES; state++)
		write_state(s, strip, state);
	html__raw(s, "</svg>\n");
	free(strip);
}
