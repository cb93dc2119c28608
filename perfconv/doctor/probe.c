// SPDX-License-Identifier: GPL-2.0
#include "perfconv/doctor/probe.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <perf/core.h>
#include <perf/cpumap.h>
#include <perf/evlist.h>
#include <perf/evsel.h>
#include <perf/threadmap.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "perfconv/base/file.h"

/* libperf would tell it on stderr. */
static int say_nothing(enum libperf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static uint64_t tracepoint_id(void)
{
	static const char *const paths[] = {
		"/sys/kernel/tracing/events/sched/sched_switch/id",
		"/sys/kernel/debug/tracing/events/sched/sched_switch/id",
	};
	uint64_t id = 0;

	for (size_t i = 0; !id && i < sizeof(paths) / sizeof(*paths); i++) {
		char *text;
		size_t n;

		if (file__read(paths[i], 64, &text, &n, NULL))
			continue;
		id = strtoull(text, NULL, 10);
		free(text);
	}
	return id;
}

static int set_kind(struct perf_event_attr *attr, enum event_kind kind)
{
	attr->type = PERF_TYPE_SOFTWARE;
	switch (kind) {
	case EVENT_CYCLES:
		attr->type = PERF_TYPE_HARDWARE;
		attr->config = PERF_COUNT_HW_CPU_CYCLES;
		break;
	case EVENT_SWITCHES:
		attr->config = PERF_COUNT_SW_CONTEXT_SWITCHES;
		break;
	case EVENT_SCHED_SWITCH:
		attr->type = PERF_TYPE_TRACEPOINT;
		attr->config = tracepoint_id();
		return attr->config ? 0 : -ENOENT;
	case EVENT_CPU_CLOCK:
	default:
		attr->config = PERF_COUNT_SW_CPU_CLOCK;
		break;
	}
	return 0;
}

/* As perf fills it in, as far as the kernel's answer depends on it. */
static int fill(struct perf_event_attr *attr, const struct recorded_event *e, bool kernel,
		uint64_t registers)
{
	memset(attr, 0, sizeof(*attr));
	attr->size = sizeof(*attr);
	attr->disabled = 1;
	attr->inherit = 1;
	attr->exclude_kernel = !kernel;
	attr->exclude_hv = !kernel;
	attr->read_format = PERF_FORMAT_ID;
	attr->use_clockid = 1;
	attr->clockid = CLOCK_MONOTONIC;
	attr->sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
			    PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN;
	if (e->hertz) {
		attr->freq = 1;
		attr->sample_freq = e->hertz;
	} else {
		attr->sample_period = 1;
	}
	if (e->kind == EVENT_SCHED_SWITCH)
		attr->sample_type |= PERF_SAMPLE_RAW;
	if (e->dump_bytes && registers) {
		attr->sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
		attr->sample_regs_user = registers;
		attr->sample_stack_user = e->dump_bytes;
		attr->exclude_callchain_user = 1;
	}
	return set_kind(attr, e->kind);
}

/* @buffer: 0 where none is wanted. */
static int open_all(struct perf_evlist *list, pid_t pid, size_t buffer, bool *too_large)
{
	struct perf_cpu_map *cpus = perf_cpu_map__new_online_cpus();
	struct perf_thread_map *threads = perf_thread_map__new_array(1, &pid);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int code = cpus && threads ? 0 : -ENOMEM;

	if (!code) {
		perf_evlist__set_maps(list, cpus, threads);
		code = perf_evlist__open(list);
	}
	if (!code && buffer) {
		code = perf_evlist__mmap(list, (int)(buffer / page)) ? -EPERM : 0;
		*too_large = code;
		perf_evlist__munmap(list);
	}
	perf_evlist__close(list);
	perf_cpu_map__put(cpus);
	perf_thread_map__put(threads);
	return code;
}

static int open_events(const struct recorded_event *events, size_t n, bool kernel,
		       uint64_t registers, pid_t pid, size_t buffer, bool *too_large)
{
	struct perf_evlist *list;
	int code;

	libperf_init(say_nothing);
	list = perf_evlist__new();
	code = list ? 0 : -ENOMEM;
	for (size_t i = 0; !code && i < n; i++) {
		struct perf_event_attr attr;
		struct perf_evsel *evsel;

		code = fill(&attr, &events[i], kernel, registers);
		if (code)
			break;
		evsel = perf_evsel__new(&attr);
		if (!evsel)
			code = -ENOMEM;
		else
			perf_evlist__add(list, evsel);
	}
	if (!code)
		code = open_all(list, pid, buffer, too_large);
	perf_evlist__delete(list);
	return code;
}

int probe__event(const struct recorded_event *e, bool kernel, uint64_t registers, pid_t pid)
{
	return open_events(e, 1, kernel, registers, pid, 0, NULL);
}

int probe__recording(const struct recording *r, pid_t pid, bool *too_large)
{
	struct recorded_event events[RECORDING_EVENTS];
	size_t n = recording__events(r, events);

	*too_large = false;
	return open_events(events, n, r->kernel, recording__registers(r), pid,
			   recording__buffer_bytes(r), too_large);
}
