// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Takes @value over. */
static void add(struct facts *f, const char *label, char *value)
{
	if (*value)
		vec__push(&f->list, ((struct fact){ label, value }));
	else
		free(value);
}

static void add_text(struct facts *f, const char *label, const char *value)
{
	if (value)
		add(f, label, mem__strdup(value));
}

static void add_number(struct facts *f, const char *label, uint64_t value)
{
	add(f, label, mem__format("%llu", (unsigned long long)value));
}

static void add_time(struct facts *f, const struct output_source *from)
{
	const struct profile *p = from->profile;
	uint64_t start_ns = output_source__start_ns(from);
	time_t when = (time_t)(start_ns / 1000000000u);
	char stamp[32];
	struct tm tm;

	if (start_ns && gmtime_r(&when, &tm) &&
	    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm))
		add_text(f, "start", stamp);
	if (p->timed)
		add(f, "duration", mem__format("%.3f s", (double)p->duration / 1e9));
}

static void add_perf(struct facts *f, const struct perfdata_info *info)
{
	char *line = mem__strdup("");

	for (size_t i = 0; i < info->cmdline_n; i++) {
		char *longer = mem__format("%s%s%s", line, i ? " " : "", info->cmdline[i]);

		free(line);
		line = longer;
	}
	add(f, "perf command", line);
	add_text(f, "perf version", info->perf_version);
}

static void add_host(struct facts *f, const struct perfdata_info *info)
{
	add_text(f, "host", info->hostname);
	add_text(f, "kernel", info->os_release);
	add_text(f, "architecture", info->arch);
	add_text(f, "cpu", info->cpu_description);
	if (info->cpus_online)
		add_number(f, "cpus", info->cpus_online);
}

static void add_quality(struct facts *f, const struct output_source *from)
{
	const struct profile *p = from->profile;

	add_number(f, "samples", p->samples);
	add_number(f, "complete stacks", p->endings[STACK_COMPLETE]);
	add_number(f, "stacks cut", p->endings[STACK_TRUNCATED]);
	add_number(f, "stacks lost", p->endings[STACK_LOST]);
	add_number(f, "stacks as captured", p->endings[STACK_CHAIN]);
	add_number(f, "lost events", perfdata__stats(from->meta->data)->lost);
}

void facts__of(struct facts *f, const struct output_source *from)
{
	const struct meta *m = from->meta;
	char version[META_PYTHON_CHARS];

	add_text(f, "title", m->title);
	add_text(f, "scenario", m->scenario);
	for (size_t i = 0; i < m->values_n; i++)
		add_text(f, m->values[i].key, m->values[i].value);
	add_time(f, from);
	add_text(f, "event", output_source__event(from, from->profile));
	add_text(f, "view", from->profile->waits ? "wall" : "cpu");
	add_text(f, "frames", m->frames_mode);
	if (meta__python(m, version))
		add_text(f, "python", version);
	add_host(f, perfdata__info(m->data));
	add_perf(f, perfdata__info(m->data));
	add_quality(f, from);
}

void facts__release(struct facts *f)
{
	for (size_t i = 0; i < f->list.n; i++)
		free(f->list.data[i].value);
	vec__release(&f->list);
}
