// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/speedscope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perfconv/base/json.h"
#include "perfconv/output/times_json.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

struct writer {
	struct json json;
	const struct profile *profile;
	const struct profile *const *others; /* of further events */
	size_t others_n;
	bool has_dumps; /* any of them */
	const struct meta *meta;
	VEC(uint32_t) stack;	/* scratch */
	VEC(uint32_t) shown_id; /* frame id -> index in the file; only what is used is written */
	VEC(uint32_t) shown;
	uint64_t too_deep;
};

static const char *text(const struct writer *w, uint32_t id)
{
	return strtab__get(&w->profile->resolved->strings, id);
}

static const char *kind_name(enum frame_kind kind)
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

/* The identity of a frame in speedscope is its index.  "line" is the current line, of a
 * frame of all lines the hottest one; where the function begins goes by another name. */
static void write_frame(struct writer *w, const struct frame *f)
{
	struct json *j = &w->json;

	json__object(j);
	json__key_string(j, "name", text(w, f->name));
	if (f->file)
		json__key_string(j, "file", text(w, f->file));
	if (f->line || f->hot_line)
		json__key_u64(j, "line", f->line ? f->line : f->hot_line);
	else if (f->first_line && !w->has_dumps)
		json__key_u64(j, "line", f->first_line);
	if (f->first_line)
		json__key_u64(j, "firstLine", f->first_line);
	if (f->object && f->object != f->file)
		json__key_string(j, "object", text(w, f->object));
	json__key_string(j, "kind", kind_name(f->kind));
	json__object_end(j);
}

static void use_frames_of(struct writer *w, uint32_t stack)
{
	const struct resolved *r = w->profile->resolved;

	for (uint32_t s = stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s)) {
		uint32_t frame = resolved__leaf(r, s);

		if (w->shown_id.data[frame] != UINT32_MAX)
			continue;
		w->shown_id.data[frame] = (uint32_t)w->shown.n;
		vec__push(&w->shown, frame);
	}
}

static void use_frames(struct writer *w, const struct profile *p)
{
	w->has_dumps = w->has_dumps || p->has_dumps;
	for (size_t t = 0; t < p->threads.n; t++)
		for (size_t i = 0; i < p->threads.data[t].slices.n; i++)
			use_frames_of(w, p->threads.data[t].slices.data[i].stack);
	for (size_t i = 0; i < p->total.n; i++)
		use_frames_of(w, p->total.data[i].stack);
}

static void write_shared(struct writer *w)
{
	for (size_t i = 0; i < w->profile->resolved->frames.n; i++)
		vec__push(&w->shown_id, UINT32_MAX);
	use_frames(w, w->profile);
	for (size_t i = 0; i < w->others_n; i++)
		use_frames(w, w->others[i]);
	json__key(&w->json, "shared");
	json__object(&w->json);
	json__key(&w->json, "frames");
	json__array(&w->json);
	for (size_t i = 0; i < w->shown.n; i++) {
		json__newline(&w->json);
		write_frame(w, &w->profile->resolved->frames.data[w->shown.data[i]]);
	}
	json__array_end(&w->json);
	json__object_end(&w->json);
}

/* Root first; beyond the depth limit the innermost frames are left out. */
static void write_stack(struct writer *w, uint32_t stack)
{
	const struct resolved *r = w->profile->resolved;
	size_t n;

	w->stack.n = 0;
	for (uint32_t s = stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s))
		vec__push(&w->stack, w->shown_id.data[resolved__leaf(r, s)]);
	n = w->stack.n;
	if (n > SPEEDSCOPE_MAX_DEPTH) {
		w->too_deep++;
		n = SPEEDSCOPE_MAX_DEPTH;
	}
	json__array(&w->json);
	for (size_t i = 0; i < n; i++)
		json__u64(&w->json, w->stack.data[w->stack.n - 1 - i]);
	json__array_end(&w->json);
}

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

static const char *event_name(const struct writer *w, const struct profile *p)
{
	return perfdata__event(w->meta->data, p->event)->name;
}

static void write_thread_meta(struct writer *w, const struct profile *p,
			      const struct profile_thread *t)
{
	struct json *j = &w->json;

	json__key(j, "perfconv");
	json__object(j);
	if (w->others_n)
		json__key_string(j, "event", event_name(w, p));
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

/* With several events: "worker [page-faults]". */
static void write_name(struct writer *w, const struct profile *p, const char *name)
{
	char *shown = w->others_n ? mem__format("%s [%s]", name, event_name(w, p))
				  : mem__strdup(name);

	json__key_string(&w->json, "name", shown);
	free(shown);
}

static void write_slices(struct writer *w, const struct profile_slice *slices, size_t n)
{
	struct json *j = &w->json;

	json__key(j, "samples");
	json__array(j);
	for (size_t i = 0; i < n; i++)
		write_stack(w, slices[i].stack);
	json__array_end(j);
	json__key(j, "weights");
	json__array(j);
	for (size_t i = 0; i < n; i++)
		json__u64(j, slices[i].weight);
	json__array_end(j);
}

/* Up to where speedscope's object of a profile says what it is of. */
static void begin_profile(struct writer *w, const struct profile *p, const char *name, uint64_t end)
{
	struct json *j = &w->json;

	json__newline(j);
	json__object(j);
	json__key_string(j, "type", "sampled");
	write_name(w, p, name);
	json__key_string(j, "unit", p->timed ? "nanoseconds" : "none");
	json__key_u64(j, "startValue", 0);
	json__key_u64(j, "endValue", end);
}

static void write_thread(struct writer *w, const struct profile *p, const struct profile_thread *t)
{
	begin_profile(w, p, t->name, t->end);
	write_thread_meta(w, p, t);
	write_slices(w, t->slices.data, t->slices.n);
	json__object_end(&w->json);
}

/* Sums only: for left-heavy and sandwich views. */
static void write_total(struct writer *w, const struct profile *p)
{
	struct json *j = &w->json;
	uint64_t sum = 0;

	if (!p->total.n)
		return;
	for (size_t i = 0; i < p->total.n; i++)
		sum += p->total.data[i].weight;
	begin_profile(w, p, "all threads", sum);
	json__key(j, "perfconv");
	json__object(j);
	if (w->others_n)
		json__key_string(j, "event", event_name(w, p));
	json__key_u64(j, "threads", p->threads.n);
	json__object_end(j);
	write_slices(w, p->total.data, p->total.n);
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
static void write_time(struct json *j, const struct perfdata_info *info, const struct profile *p)
{
	char stamp[32];
	struct tm tm;
	time_t when = (time_t)((info->clock_wall_ns - info->clock_ns + p->start_ns) / 1000000000u);

	json__key_string(j, "clock", clock_name(info->clockid));
	if (info->clock_wall_ns && gmtime_r(&when, &tm) &&
	    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm))
		json__key_string(j, "startTime", stamp);
	if (p->timed)
		json__key_double(j, "durationSeconds", seconds(p->duration));
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
	char version[32];

	if (!m->python_hex)
		return;
	snprintf(version, sizeof(version), "%u.%u.%u", m->python_hex >> 24,
		 m->python_hex >> 16 & 255, m->python_hex >> 8 & 255);
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

static void write_quality(struct writer *w)
{
	const struct perfdata_stats *stats = perfdata__stats(w->meta->data);
	struct json *j = &w->json;

	json__key(j, "quality");
	json__object(j);
	write_endings(j, w->profile->endings, w->profile->stitched);
	json__key_u64(j, "lostEvents", stats->lost);
	json__key_u64(j, "badRecords", stats->bad_records);
	json__key_u64(j, "unknownRecordTypes", stats->unknown_types);
	json__key_u64(j, "unknownEventIds", stats->unknown_ids);
	json__key_u64(j, "outOfOrderRecords", stats->unordered);
	json__key(j, "cut");
	json__bool(j, stats->cut);
	write_side_files(j, &w->meta->side_files);
	json__key_u64(j, "objectFilesMissing", w->meta->files_missing);
	json__key_u64(j, "objectFilesReplaced", w->meta->files_mismatched);
	json__object_end(j);
}

/* What was left out of the timelines for the sake of their size. */
static void write_merged(struct writer *w)
{
	const struct profile *p = w->profile;

	if (!p->bucket_ns)
		return;
	json__key(&w->json, "merged");
	json__object(&w->json);
	json__key_u64(&w->json, "bucketNs", p->bucket_ns);
	json__key_u64(&w->json, "slices", p->merged);
	json__object_end(&w->json);
}

static void write_meta(struct writer *w)
{
	const struct perfdata_info *info = perfdata__info(w->meta->data);
	struct json *j = &w->json;

	json__key(j, "perfconv");
	json__object(j);
	json__key_u64(j, "schema", META_SCHEMA);
	if (w->meta->scenario)
		json__key_string(j, "scenario", w->meta->scenario);
	json__key(j, "values");
	json__object(j);
	for (size_t i = 0; i < w->meta->values_n; i++)
		json__key_string(j, w->meta->values[i].key, w->meta->values[i].value);
	json__object_end(j);
	write_time(j, info, w->profile);
	write_host(j, info);
	write_perf(j, info);
	write_events(j, w->meta->data);
	json__key_string(j, "event", perfdata__event(w->meta->data, w->meta->event)->name);
	json__key_string(j, "frames", w->meta->frames_mode);
	json__key_string(j, "view", w->profile->waits ? "wall" : "cpu");
	if (w->profile->exact)
		json__key_u64(j, "contradictedDumps", w->profile->contradicted);
	write_merged(w);
	write_python(j, w->meta);
	json__key_u64(j, "samples", w->profile->samples);
	write_quality(w);
	json__object_end(j);
}

/* What a person sees first: not the main thread of a program that waits, which is blank. */
static size_t busiest_thread(const struct profile *p)
{
	size_t best = 0;

	for (size_t i = 1; i < p->threads.n; i++)
		if (p->threads.data[i].weight > p->threads.data[best].weight)
			best = i;
	return best;
}

static void write_threads(struct writer *w, const struct profile *p)
{
	for (size_t i = 0; i < p->threads.n; i++)
		if (p == w->profile || p->threads.data[i].samples)
			write_thread(w, p, &p->threads.data[i]);
	write_total(w, p);
}

uint64_t speedscope__write(struct sink *sink, const struct profile *p,
			   const struct profile *const *others, size_t others_n,
			   const struct meta *meta)
{
	struct writer w = { .profile = p, .others = others, .others_n = others_n, .meta = meta };
	struct json *j = &w.json;

	json__init(j, sink);
	json__object(j);
	json__key_string(j, "$schema", SCHEMA);
	json__key_string(j, "name", meta->title);
	json__key_string(j, "exporter", "perfconv");
	json__key_u64(j, "activeProfileIndex", busiest_thread(p));
	json__newline(j);
	write_meta(&w);
	json__newline(j);
	write_shared(&w);
	json__newline(j);
	json__key(j, "profiles");
	json__array(j);
	write_threads(&w, p);
	for (size_t i = 0; i < others_n; i++)
		write_threads(&w, others[i]);
	json__array_end(j);
	json__object_end(j);
	json__newline(j);
	vec__release(&w.stack);
	vec__release(&w.shown_id);
	vec__release(&w.shown);
	return w.too_deep;
}
