// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/info_report.h"

#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/json.h"
#include "perfconv/base/mem.h"

/* Tracepoints of the scheduler are taken where the kernel switches: no time is theirs. */
static bool is_clocked(const struct perfdata_event *e)
{
	return e->type != PERF_TYPE_TRACEPOINT;
}

struct info_quality info_report__quality(const struct capture *c)
{
	struct info_quality q = { 0 };

	for (size_t i = 0; i < c->counts.n; i++) {
		const struct perfdata_event *e = perfdata__event(c->data, c->count_keys.keys[i].b);

		if (!is_clocked(e) || !(e->sample_type & PERF_SAMPLE_STACK_USER))
			continue;
		for (size_t k = 0; k < STACK_CHAIN; k++)
			q.stacks[k] += c->counts.data[i].endings[k];
	}
	for (size_t i = 0; i < c->store.locations.n; i++) {
		struct store_location l = store__get_location(&c->store, (uint32_t)i);
		struct python_frame py;

		l.place.address -= l.return_address;
		q.unresolved_frames += !python__frame(c->python, l.place, &py) &&
				       !symbols__find(c->symbols, l.place);
	}
	q.places = c->store.locations.n;
	return q;
}

static uint64_t samples_of_event(const struct capture *c, size_t event)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->counts.n; i++)
		if (c->count_keys.keys[i].b == event)
			n += c->counts.data[i].samples;
	return n;
}

static const char *thread_name(const struct capture *c, uint32_t thread)
{
	const char *name = python__thread_name(c->python, thread);

	return name ? name : machine__comm(&c->machine, thread);
}

/* A line of text; foreign names cannot steer the terminal. */
static void line(struct sink *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void line(struct sink *out, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	sink__write(out, text, strlen(text));
	sink__write(out, "\n", 1);
	free(text);
}

static void text_header(struct sink *out, const struct capture *c, const char *path)
{
	const struct perfdata_info *info = perfdata__info(c->data);
	uint32_t python = python__version(c->python);
	size_t missing, files = python__side_files(c->python, &missing);

	line(out, "%s  %.3f s", path, (double)(c->last_ns - c->first_ns) / 1e9);
	if (*info->hostname)
		line(out, "host     %s, Linux %s %s, %u CPUs, %s", info->hostname, info->os_release,
		     info->arch, info->cpus_online, info->cpu_description);
	if (*info->perf_version)
		line(out, "perf     %s", info->perf_version);
	if (python)
		line(out, "python   CPython %u.%u.%u, %zu side files, %zu missing", python >> 24,
		     python >> 16 & 255, python >> 8 & 255, files, missing);
}

static void text_events(struct sink *out, const struct capture *c)
{
	line(out, "%s", "");
	line(out, "%-36s %10s  %s", "event", "samples", "rate, stack dump");
	for (size_t i = 0; i < perfdata__events(c->data); i++) {
		const struct perfdata_event *e = perfdata__event(c->data, i);
		char dump[32] = "";

		if (e->stack_user_bytes)
			snprintf(dump, sizeof(dump), ", %u bytes", e->stack_user_bytes);
		line(out, "%-36.36s %10llu  %s %llu%s%s", e->name,
		     (unsigned long long)samples_of_event(c, i), e->freq ? "" : "every",
		     (unsigned long long)e->period_or_freq, e->freq ? " Hz" : "", dump);
	}
}

static void text_threads(struct sink *out, const struct capture *c)
{
	line(out, "%s", "");
	line(out, "%7s %7s  %-32s %10s", "pid", "tid", "thread", "samples");
	for (uint32_t t = 0; t < c->machine.threads.n; t++) {
		uint64_t samples = 0;

		for (uint32_t e = 0; e < perfdata__events(c->data); e++) {
			uint32_t at = idmap__find(&c->count_keys, t, e);

			samples += at == IDMAP_NONE ? 0 : c->counts.data[at].samples;
		}
		if (samples)
			line(out, "%7u %7u  %-32.32s %10llu",
			     machine__process_of(&c->machine, t)->pid,
			     c->machine.threads.data[t].tid, thread_name(c, t),
			     (unsigned long long)samples);
	}
}

static void text_records(struct sink *out, const struct perfdata_stats *stats)
{
	line(out, "%s", "");
	line(out, "%-20s %10s", "record", "count");
	for (uint32_t i = 0; i < PERFDATA_TYPES; i++) {
		char number[16];

		if (!stats->records[i])
			continue;
		snprintf(number, sizeof(number), "type %u", i);
		line(out, "%-20s %10llu", record__type_name(i) ? record__type_name(i) : number,
		     (unsigned long long)stats->records[i]);
	}
}

static void text_quality(struct sink *out, const struct capture *c)
{
	const struct perfdata_stats *s = perfdata__stats(c->data);
	struct info_quality q = info_report__quality(c);

	line(out, "%s", "");
	line(out, "stack dumps: complete %llu, truncated %llu, lost %llu",
	     (unsigned long long)q.stacks[STACK_COMPLETE],
	     (unsigned long long)q.stacks[STACK_TRUNCATED],
	     (unsigned long long)q.stacks[STACK_LOST]);
	line(out, "places without a name: %llu of %llu", (unsigned long long)q.unresolved_frames,
	     (unsigned long long)q.places);
	line(out, "events lost while recording: %llu; samples doubled: %llu",
	     (unsigned long long)s->lost, (unsigned long long)c->doubled);
	line(out, "damaged records: %llu; of unknown type: %llu; out of order: %llu",
	     (unsigned long long)s->bad_records, (unsigned long long)s->unknown_types,
	     (unsigned long long)s->unordered);
	if (s->cut)
		line(out, "cannot be read on from offset 0x%llx",
		     (unsigned long long)s->cut_offset);
}

void info_report__text(struct sink *out, const struct capture *c, const char *path)
{
	text_header(out, c, path);
	text_events(out, c);
	text_threads(out, c);
	text_records(out, perfdata__stats(c->data));
	text_quality(out, c);
}

static void json_header(struct json *j, const struct capture *c, const char *path)
{
	const struct perfdata_info *info = perfdata__info(c->data);

	json__key_string(j, "file", path);
	json__key_string(j, "hostname", info->hostname);
	json__key_string(j, "kernel", info->os_release);
	json__key_string(j, "arch", info->arch);
	json__key_string(j, "cpu", info->cpu_description);
	json__key_u64(j, "cpus", info->cpus_online);
	json__key_string(j, "perfVersion", info->perf_version);
	json__key(j, "perfCommand");
	json__array(j);
	for (size_t i = 0; i < info->cmdline_n; i++)
		json__string(j, info->cmdline[i]);
	json__array_end(j);
	json__key(j, "timeSpanNs");
	json__array(j);
	json__u64(j, c->first_ns);
	json__u64(j, c->last_ns);
	json__array_end(j);
}

static void json_events(struct json *j, const struct capture *c)
{
	json__key(j, "events");
	json__array(j);
	for (size_t i = 0; i < perfdata__events(c->data); i++) {
		const struct perfdata_event *e = perfdata__event(c->data, i);

		json__object(j);
		json__key_string(j, "name", e->name);
		json__key_u64(j, "samples", samples_of_event(c, i));
		json__key_u64(j, e->freq ? "frequencyHz" : "period", e->period_or_freq);
		json__key_u64(j, "stackDumpBytes", e->stack_user_bytes);
		json__object_end(j);
	}
	json__array_end(j);
}

static void json_thread(struct json *j, const struct capture *c, uint32_t thread)
{
	const struct thread *t = &c->machine.threads.data[thread];

	json__newline(j);
	json__object(j);
	json__key_u64(j, "pid", machine__process_of(&c->machine, thread)->pid);
	json__key_u64(j, "tid", t->tid);
	json__key_string(j, "name", thread_name(c, thread));
	json__key(j, "samples");
	json__object(j);
	for (uint32_t e = 0; e < perfdata__events(c->data); e++) {
		uint32_t at = idmap__find(&c->count_keys, thread, e);

		if (at != IDMAP_NONE)
			json__key_u64(j, perfdata__event(c->data, e)->name,
				      c->counts.data[at].samples);
	}
	json__object_end(j);
	json__object_end(j);
}

static void json_records(struct json *j, const struct perfdata_stats *stats)
{
	json__key(j, "records");
	json__object(j);
	for (uint32_t i = 0; i < PERFDATA_TYPES; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%u", i);
		if (stats->records[i])
			json__key_u64(j, record__type_name(i) ? record__type_name(i) : number,
				      stats->records[i]);
	}
	json__object_end(j);
}

static void json_quality(struct json *j, const struct capture *c)
{
	const struct perfdata_stats *s = perfdata__stats(c->data);
	struct info_quality q = info_report__quality(c);

	json__key(j, "quality");
	json__object(j);
	json__key(j, "stacks");
	json__object(j);
	json__key_u64(j, "complete", q.stacks[STACK_COMPLETE]);
	json__key_u64(j, "truncated", q.stacks[STACK_TRUNCATED]);
	json__key_u64(j, "lost", q.stacks[STACK_LOST]);
	json__object_end(j);
	json__key_u64(j, "places", q.places);
	json__key_u64(j, "unresolvedPlaces", q.unresolved_frames);
	json__key_u64(j, "lostEvents", s->lost);
	json__key_u64(j, "doubledSamples", c->doubled);
	json__key_u64(j, "badRecords", s->bad_records);
	json__key_u64(j, "badFeatures", s->bad_features);
	json__key_u64(j, "unknownRecordTypes", s->unknown_types);
	json__key_u64(j, "unknownEventIds", s->unknown_ids);
	json__key_u64(j, "outOfOrderRecords", s->unordered);
	json__key(j, "cut");
	json__bool(j, s->cut);
	json__object_end(j);
}

void info_report__json(struct sink *out, const struct capture *c, const char *path)
{
	struct json j;

	json__init(&j, out);
	json__object(&j);
	json_header(&j, c, path);
	json_events(&j, c);
	json__key(&j, "threads");
	json__array(&j);
	for (uint32_t t = 0; t < c->machine.threads.n; t++)
		json_thread(&j, c, t);
	json__array_end(&j);
	json_records(&j, perfdata__stats(c->data));
	json_quality(&j, c);
	json__object_end(&j);
	json__newline(&j);
}
