// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/output.h"

#include <stdio.h>
#include <string.h>

#include "perfconv/output/collapsed.h"
#include "perfconv/output/firefox.h"
#include "perfconv/output/pprof.h"
#include "perfconv/output/speedscope.h"

static const struct output_format formats[] = {
	{ .name = "speedscope",
	  .suffix = ".speedscope.json",
	  .look = "perfconv view FILE, or drop it on https://www.speedscope.app",
	  .write = speedscope__write },
	{ .name = "firefox",
	  .suffix = ".firefox.json",
	  .look = "open it on https://profiler.firefox.com, where it stays in your browser",
	  .one_event = true,
	  .lines = true,
	  .write = firefox__write },
	{ .name = "pprof",
	  .suffix = ".pb",
	  .look = "go tool pprof -http : FILE",
	  .lines = true,
	  .hits = true,
	  .gzip = true,
	  .sums = true,
	  .write = pprof__write },
	{ .name = "collapsed",
	  .suffix = ".collapsed",
	  .look = "inferno-flamegraph --countname ns FILE >FILE.svg, or flamegraph.pl",
	  .one_event = true,
	  .sums = true,
	  .write = collapsed__write },
};

const struct output_format *output_format__find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

const char *output_source__event(const struct output_source *from, const struct profile *p)
{
	return perfdata__event(from->meta->data, p->event)->name;
}

uint64_t output_source__start_ns(const struct output_source *from)
{
	const struct perfdata_info *info = perfdata__info(from->meta->data);

	return info->clock_wall_ns ? info->clock_wall_ns - info->clock_ns + from->profile->start_ns
				   : 0;
}

void output_source__build_id(const struct output_source *from, uint32_t path, char *text)
{
	const struct dsos *dsos = from->meta->dsos;
	const char *wanted = strtab__get(&from->profile->resolved->strings, path);

	*text = '\0';
	for (size_t i = 0; dsos && i < dsos->list.n && !*text; i++) {
		const struct dso *dso = &dsos->list.data[i];

		if (!dso->path || strcmp(dso->path, wanted))
			continue;
		for (size_t k = 0; k < dso->build_id_bytes; k++)
			snprintf(text + 2 * k, 3, "%02x", dso->build_id[k]);
	}
}

size_t output_source__busiest(const struct output_source *from)
{
	const struct profile *p = from->profile;
	size_t best = 0;

	for (size_t i = 1; i < p->threads.n; i++)
		if (p->threads.data[i].weight > p->threads.data[best].weight)
			best = i;
	return best;
}

const char *frame_kind__name(enum frame_kind kind)
{
	switch (kind) {
	case FRAME_PYTHON:
		return "python";
	case FRAME_TASK:
		return "task";
	case FRAME_KERNEL:
		return "kernel";
	case FRAME_NOTE:
		return "note";
	case FRAME_THREAD:
		return "thread";
	case FRAME_NATIVE:
	default:
		return "native";
	}
}
