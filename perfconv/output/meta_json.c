// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/meta_json.h"

#include <time.h>

#include "perfconv/output/report_json.h"
#include "perfconv/output/times_json.h"

static void write_endings(struct json *j, const uint64_t *endings, uint64_t stitched)
{
	json__key(j, "stacks");
	json__object(j);
	json__key_u64(j, "complete", endings[STACK_COMPLETE]);
	json__key_u64(j, "truncated", endings[STACK_TRUNCATED]);
	json__key_u64(j, "lost", endings[STACK_LOST]);
	json__key_u64(j, "asCaptured", endings[STACK_CHAIN]);
	if (stitched)
		json__key_u64(j, "stitched", stitched);
	json__object_end(j);
}

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

void meta_json__write_thread(struct json *j, const struct output_source *from,
			     const struct profile *p, const struct profile_thread *t)
{
	json__key(j, "perfconv");
	json__object(j);
	if (from->others_n)
		json__key_string(j, "event", output_source__event(from, p));
	json__key_u64(j, "pid", t->pid);
	json__key_u64(j, "tid", t->tid);
	json__key_string(j, "comm", t->comm);
	json__key_u64(j, "samples", t->samples);
	if (p->timed)
		json__key_double(j, "onCpuSeconds", seconds(t->weight));
	if (p->exact)
		times_json__write(j, t);
	write_endings(j, t->endings, t->stitched);
	json__object_end(j);
}

static void write_known(struct json *j, const char *key, const char *value)
{
	if (*value)
		json__key_string(j, key, value);
}

static void write_host(struct json *j, const struct perfdata_info *info)
{
	json__key(j, "host");
	json__object(j);
	write_known(j, "name", info->hostname);
	write_known(j, "kernel", info->os_release);
	write_known(j, "arch", info->arch);
	write_known(j, "cpu", info->cpu_description);
	if (info->cpus_online)
		json__key_u64(j, "cpus", info->cpus_online);
	if (info->memory_kib)
		json__key_u64(j, "memoryKiB", info->memory_kib);
	json__object_end(j);
}

static void write_events(struct json *j, const struct perfdata *data)
{
	json__key(j, "events");
	json__array(j);
	for (size_t i = 0; i < perfdata__events(data); i++) {
		const struct perfdata_event *e = perfdata__event(data, i);

		json__object(j);
		json__key_string(j, "name", e->name);
		json__key_u64(j, e->freq ? "frequencyHz" : "period", e->period_or_freq);
		if (e->stack_user_bytes)
			json__key_u64(j, "stackDumpBytes", e->stack_user_bytes);
		json__object_end(j);
	}
	json__array_end(j);
}

static const char *clock_name(int32_t clockid)
{
	switch (clockid) {
	case CLOCK_REALTIME:
		return "CLOCK_REALTIME";
	case CLOCK_MONOTONIC:
		return "CLOCK_MONOTONIC";
	case CLOCK_MONOTONIC_RAW:
		return "CLOCK_MONOTONIC_RAW";
	case CLOCK_BOOTTIME:
		return "CLOCK_BOOTTIME";
	case CLOCK_TAI:
		return "CLOCK_TAI";
	default:
		return "perf";
	}
}

/* When the capture began, if the header ties its clock to the wall's. */
static void write_time(struct json *j, const struct output_source *from)
{
	char stamp[32];
	struct tm tm;
	uint64_t start_ns = output_source__start_ns(from);
	time_t when = (time_t)(start_ns / 1000000000u);

	json__key_string(j, "clock", clock_name(perfdata__info(from->meta->data)->clockid));
	if (start_ns && gmtime_r(&when, &tm) &&
	    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm))
		json__key_string(j, "startTime", stamp);
	if (from->profile->timed)
		json__key_double(j, "durationSeconds", seconds(from->profile->duration));
}

static void write_perf(struct json *j, const struct perfdata_info *info)
{
	write_known(j, "perfVersion", info->perf_version);
	json__key(j, "perfCommand");
	json__array(j);
	for (size_t i = 0; i < info->cmdline_n; i++)
		json__string(j, info->cmdline[i]);
	json__array_end(j);
}

static void write_python(struct json *j, const struct meta *m)
{
	char version[META_PYTHON_CHARS];

	if (!meta__python(m, version))
		return;
	json__key(j, "python");
	json__object(j);
	json__key_string(j, "implementation", "CPython");
	json__key_string(j, "version", version);
	json__object_end(j);
}

static void write_side_files(struct json *j, const struct python_files *f)
{
	json__key(j, "sideFiles");
	json__object(j);
	json__key_u64(j, "read", f->side.read);
	json__key_u64(j, "missing", f->side.missing);
	json__key_u64(j, "broken", f->side.broken);
	json__key_u64(j, "arenasMissing", f->arenas_missing);
	json__key_u64(j, "droppedRecords", f->side.dropped);
	json__key_u64(j, "badRecords", f->side.bad_records);
	json__key_u64(j, "unknownRecords", f->side.unknown_records);
	json__object_end(j);
}

/* Of captures with stack copies of Python. */
static void write_lines(struct json *j, const struct lines_counts *n)
{
	if (!n->leaves && !n->callers)
		return;
	json__key(j, "pythonLines");
	json__object(j);
	json__key_u64(j, "leaves", n->leaves);
	json__key_u64(j, "leavesGiven", n->given_leaves);
	json__key_u64(j, "callers", n->callers);
	json__key_u64(j, "callersGiven", n->given_callers);
	json__key_u64(j, "agreed", n->by_basis[LINE_AGREED]);
	json__key_u64(j, "droppedSamples", n->dropped);
	json__object_end(j);
}

static void write_quality(struct json *j, const struct output_source *from)
{
	const struct perfdata_stats *stats = perfdata__stats(from->meta->data);
	const struct profile *p = from->profile;
	const struct meta *m = from->meta;

	json__key(j, "quality");
	json__object(j);
	write_endings(j, p->endings, p->stitched);
	json__key_u64(j, "lostEvents", stats->lost);
	json__key_u64(j, "badRecords", stats->bad_records);
	json__key_u64(j, "unknownRecordTypes", stats->unknown_types);
	json__key_u64(j, "unknownEventIds", stats->unknown_ids);
	json__key_u64(j, "outOfOrderRecords", stats->unordered);
	json__key(j, "cut");
	json__bool(j, stats->cut);
	write_side_files(j, &m->side_files);
	write_lines(j, &m->lines);
	json__key_u64(j, "objectFilesMissing", m->files_missing);
	json__key_u64(j, "objectFilesReplaced", m->files_mismatched);
	json__object_end(j);
}

/* What was left out of the timelines for the sake of their size. */
static void write_merged(struct json *j, const struct profile *p)
{
	if (!p->bucket_ns)
		return;
	json__key(j, "merged");
	json__object(j);
	json__key_u64(j, "bucketNs", p->bucket_ns);
	json__key_u64(j, "slices", p->merged);
	json__object_end(j);
}

void meta_json__write(struct json *j, const struct output_source *from)
{
	const struct perfdata_info *info = perfdata__info(from->meta->data);
	const struct profile *p = from->profile;
	const struct meta *m = from->meta;

	json__key(j, "perfconv");
	json__object(j);
	json__key_u64(j, "schema", META_SCHEMA);
	if (m->scenario)
		json__key_string(j, "scenario", m->scenario);
	json__key(j, "values");
	json__object(j);
	for (size_t i = 0; i < m->values_n; i++)
		json__key_string(j, m->values[i].key, m->values[i].value);
	json__object_end(j);
	write_time(j, from);
	write_host(j, info);
	write_perf(j, info);
	write_events(j, m->data);
	json__key_string(j, "event", perfdata__event(m->data, m->event)->name);
	json__key_string(j, "frames", m->frames_mode);
	json__key_string(j, "view", p->waits ? "wall" : "cpu");
	if (p->exact)
		json__key_u64(j, "contradictedDumps", p->contradicted);
	write_merged(j, p);
	write_python(j, m);
	json__key_u64(j, "samples", p->samples);
	write_quality(j, from);
	if (m->report)
		report_json__embed(j, m->report);
	json__object_end(j);
}
