// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/report_waits.h"

#include <stdio.h>
#include <string.h>

#include "perfconv/cmd/message.h"

#define SHOWN_REASONS 3u
#define SHOWN_COLUMNS 37u /* left of 80 beside the thread and its CPU time */
#define SMALL_SHARE 0.01  /* of a thread's time: not worth a word beside larger ones */

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static void warn_of_view(const struct capture *c)
{
	if (!c->exact && c->options.view == VIEW_WALL)
		message__warning("no event tells when threads were switched, so only time on a CPU "
				 "is shown; record with --switch-events -e sched:sched_switch");
	if (c->profile->ends_guessed)
		message__warning("no event tells when threads came back to a CPU, so their samples "
				 "have to; record with --switch-events for exact times");
	if (*c->threads_trouble.text)
		message__warning("%s", c->threads_trouble.text);
	if (c->threads_file && c->threads_file->bad_entries)
		message__warning("%s.threads.json: %llu entries make no sense and were left out",
				 c->options.path, (unsigned long long)c->threads_file->bad_entries);
}

/* Off-CPU time of all threads that no kernel chain gives a reason for. */
static void warn_of_reasons(const struct profile *p)
{
	uint64_t off = 0, unknown = 0;

	for (size_t i = 0; i < p->threads.n; i++) {
		off += p->threads.data[i].times.off;
		unknown += p->threads.data[i].times.reasons[REASON_NONE];
	}
	if (share(unknown, off) > SMALL_SHARE)
		message__warning("the reason of %.1f %% of the waiting time is not known, shown as "
				 "%s; record with -e sched:sched_switch/call-graph=fp/, as root",
				 100 * share(unknown, off), reason__name(REASON_NONE));
}

static void warn_of_merging(const struct profile *p)
{
	if (p->bucket_ns)
		message__warning("to keep the file small, what one thread did several times within "
				 "%g ms is shown as once (%llu fewer pieces; sums are exact); "
				 "--from, --to and --max-samples show more",
				 (double)p->bucket_ns / 1e6, (unsigned long long)p->merged);
}

void report_waits__warnings(const struct capture *c)
{
	warn_of_view(c);
	if (c->profile->waits)
		warn_of_reasons(c->profile);
	warn_of_merging(c->profile);
}

void report_waits__quality(const struct profile *p)
{
	uint64_t stacks[WAIT_STACKS] = { 0 }, off = 0, full;

	for (size_t i = 0; i < p->threads.n; i++) {
		off += p->threads.data[i].times.off;
		for (size_t k = 0; k < WAIT_STACKS; k++)
			stacks[k] += p->threads.data[i].times.stacks[k];
	}
	full = stacks[WAIT_EQUAL] + stacks[WAIT_SNAPSHOT] + stacks[WAIT_CHAIN];
	if (p->waits && off)
		message__line(
			"  off-CPU time with stack %.1f %%  shortened %.1f %%  reason only %.1f %%",
			100 * share(full, off),
			100 * share(stacks[WAIT_CUT] + stacks[WAIT_OUTER], off),
			100 * share(stacks[WAIT_NONE], off));
}

static enum reason largest(const struct profile_thread *t, const bool *told)
{
	enum reason best = REASON_NONE;

	for (size_t i = 1; i < REASONS; i++)
		if (!told[i] && (told[best] || t->times.reasons[i] > t->times.reasons[best]))
			best = (enum reason)i;
	return best;
}

void report_waits__format(const struct profile *p, const struct profile_thread *t, char *out,
			  size_t size)
{
	bool told[REASONS] = { false };
	size_t used = 0;

	snprintf(out, size, "-");
	for (size_t n = 0; n < SHOWN_REASONS; n++) {
		enum reason reason = largest(t, told);
		double part = share(t->times.reasons[reason], p->duration);
		const char *name = reason__name(reason) + 1; /* without the brackets */
		char text[64];
		int length = snprintf(text, sizeof(text), "%s%.*s %.1f %%", n ? "  " : "",
				      (int)strlen(name) - 1, name, 100 * part);

		if (part < SMALL_SHARE || used + (size_t)length > SHOWN_COLUMNS)
			break;
		told[reason] = true;
		snprintf(out + used, size - used, "%s", text);
		used += (size_t)length;
	}
}
