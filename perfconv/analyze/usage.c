// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/usage.h"

#include "perfconv/analyze/state.h"

/* Looks from before and after, a monitor's or of other parts of the capture, are kept out. */
void usage__report(struct analysis *a)
{
	const struct threads_file *f = a->from.threads;
	uint64_t longest = a->duration + (a->from.to_end ? USAGE_LAST_LOOK_NS : 0);

	for (size_t i = 0; f && i < f->usage.n; i++) {
		const struct usage_look *u = &f->usage.data[i];

		if (u->time_ns >= a->begin_ns && u->time_ns - a->begin_ns <= longest)
			vec__push(&a->report->usage,
				  ((struct report_usage){ u->time_ns - a->begin_ns, u->cpu_percent,
							  u->memory_bytes }));
	}
}

static double megabytes(const struct report_usage *u)
{
	return (double)u->memory_bytes / 1e6;
}

/* From the look before it, or from the begin of the capture. */
static double length(const struct report *r, size_t i)
{
	uint64_t from = i ? r->usage.data[i - 1].time_ns : 0;

	return (double)(r->usage.data[i].time_ns - from) / 1e9;
}

static double mean_cpu(const struct report *r, size_t from, size_t to)
{
	double sum = 0, all = 0;

	for (size_t i = from; i < to; i++) {
		sum += r->usage.data[i].cpu_percent * length(r, i);
		all += length(r, i);
	}
	return all > 0 ? sum / all : r->usage.data[from].cpu_percent;
}

static void sum_memory(const struct report *r, struct usage_figures *f)
{
	double sum = 0;

	for (size_t i = 0; i < r->usage.n; i++) {
		double value = megabytes(&r->usage.data[i]);

		sum += value;
		f->most = value > f->most ? value : f->most;
	}
	f->mean = sum / (double)r->usage.n;
}

bool usage__sum(const struct report *r, struct usage_summary *out)
{
	size_t n = r->usage.n;
	const struct report_usage *first = r->usage.data, *last;

	if (n < 2)
		return false;
	last = first + n - 1;
	*out = (struct usage_summary){
		.cpu_percent = { .first = first->cpu_percent,
				 .last = last->cpu_percent,
				 .mean = mean_cpu(r, 0, n) },
		.memory_mb = { .first = megabytes(first), .last = megabytes(last) },
		.seconds = (double)(last->time_ns - first->time_ns) / 1e9,
		.parts = n < USAGE_PARTS ? n : USAGE_PARTS,
	};
	for (size_t i = 0; i < n; i++)
		if (r->usage.data[i].cpu_percent > out->cpu_percent.most)
			out->cpu_percent.most = r->usage.data[i].cpu_percent;
	sum_memory(r, &out->memory_mb);
	if (out->seconds > 0)
		out->growth_mb_a_minute =
			60 * (out->memory_mb.last - out->memory_mb.first) / out->seconds;
	for (size_t i = 0; i < out->parts; i++)
		out->part_percent[i] = mean_cpu(r, n * i / out->parts, n * (i + 1) / out->parts);
	return true;
}
