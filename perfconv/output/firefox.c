// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/firefox.h"

#include <stdlib.h>

#include "perfconv/output/facts.h"
#include "perfconv/output/firefox_tables.h"
#include "perfconv/output/meta_json.h"

#define PROCESSED_VERSION 60u /* of the format */
#define GECKO_VERSION 30u     /* of the format it is made from in Firefox; says nothing here */
#define MARKER_INTERVAL 1u    /* it has a start and an end */
#define NS_PER_MS 1e6

struct writer {
	struct json json;
	const struct output_source *from;
	const struct profile *profile;
	struct firefox_tables tables;
};

static double ms(uint64_t ns)
{
	return (double)ns / NS_PER_MS;
}

static void key_bool(struct json *j, const char *key, bool value)
{
	json__key(j, key);
	json__bool(j, value);
}

/* Between two samples of a thread, on average. */
static double interval_ms(const struct writer *w)
{
	const struct perfdata_event *e = perfdata__event(w->from->meta->data, w->profile->event);

	if (!w->profile->timed || !e->period_or_freq)
		return 1;
	return e->freq ? 1e3 / (double)e->period_or_freq : ms(e->period_or_freq);
}

static void write_marker_schema(struct json *j)
{
	json__key(j, "markerSchema");
	json__array(j);
	json__object(j);
	json__key_string(j, "name", "offcpu");
	json__key_string(j, "tooltipLabel", "off the CPU: {marker.data.reason}");
	json__key_string(j, "tableLabel", "{marker.data.reason}");
	json__key_string(j, "chartLabel", "{marker.data.reason}");
	json__key(j, "display");
	json__array(j);
	json__string(j, "marker-chart");
	json__string(j, "marker-table");
	json__array_end(j);
	json__key(j, "fields");
	json__array(j);
	json__object(j);
	json__key_string(j, "key", "reason");
	json__key_string(j, "label", "Reason");
	json__key_string(j, "format", "string");
	json__object_end(j);
	json__array_end(j);
	json__object_end(j);
	json__array_end(j);
}

static void write_units(struct json *j)
{
	json__key(j, "sampleUnits");
	json__object(j);
	json__key_string(j, "time", "ms");
	json__key_string(j, "eventDelay", "ms");
	json__key_string(j, "threadCPUDelta", "ns");
	json__object_end(j);
}

/* What the profiler shows under "more info". */
static void write_facts(struct writer *w)
{
	struct json *j = &w->json;
	struct facts facts = { 0 };

	facts__of(&facts, w->from);
	json__key(j, "extra");
	json__array(j);
	json__object(j);
	json__key_string(j, "label", "Recording");
	json__key(j, "entries");
	json__array(j);
	for (size_t i = 0; i < facts.list.n; i++) {
		json__newline(j);
		json__object(j);
		json__key_string(j, "label", facts.list.data[i].label);
		json__key_string(j, "format", "string");
		json__key_string(j, "value", facts.list.data[i].value);
		json__object_end(j);
	}
	json__array_end(j);
	json__object_end(j);
	json__array_end(j);
	facts__release(&facts);
}

static void write_machine(struct json *j, const struct perfdata_info *info)
{
	json__key_string(j, "platform", "Linux");
	json__key_string(j, "oscpu", info->os_release);
	json__key_string(j, "abi", info->arch);
	json__key_string(j, "CPUName", info->cpu_description);
	if (info->cpus_online)
		json__key_u64(j, "logicalCPUs", info->cpus_online);
}

static void write_meta(struct writer *w)
{
	struct json *j = &w->json;

	json__key(j, "meta");
	json__object(j);
	json__key_u64(j, "preprocessedProfileVersion", PROCESSED_VERSION);
	json__key_u64(j, "version", GECKO_VERSION);
	json__key_double(j, "interval", interval_ms(w));
	json__key_double(j, "startTime", ms(output_source__start_ns(w->from)));
	json__key_u64(j, "processType", 0);
	json__key_u64(j, "stackwalk", 1);
	key_bool(j, "debug", false);
	json__key_string(j, "product", w->from->meta->title);
	json__key_string(j, "importedFrom", "perfconv");
	key_bool(j, "symbolicated", true);
	key_bool(j, "usesOnlyOneStackType", true);
	key_bool(j, "sourceCodeIsNotOnSearchfox", true);
	key_bool(j, "keepProfileThreadOrder", true);
	if (w->profile->threads.n) {
		json__key(j, "initialSelectedThreads");
		json__array(j);
		json__u64(j, output_source__busiest(w->from));
		json__array_end(j);
	}
	write_machine(j, perfdata__info(w->from->meta->data));
	write_units(j);
	firefox_tables__write_categories(j);
	write_marker_schema(j);
	write_facts(w);
	json__newline(j);
	meta_json__write(j, w->from);
	json__object_end(j);
}

static void write_stack_number(struct writer *w, uint32_t stack)
{
	if (stack == RESOLVE_NO_STACK)
		json__null(&w->json);
	else
		json__u64(&w->json, w->tables.stack_number[stack]);
}

static bool is_on_cpu(const struct profile_slice *slice)
{
	return slice->stack != RESOLVE_NO_STACK && !slice->off;
}

/* What the thread used between the sample before and this one, for the graph of its use. */
static void write_cpu_use(struct writer *w, const struct profile_thread *t)
{
	struct json *j = &w->json;

	json__key(j, "threadCPUDelta");
	json__array(j);
	for (size_t i = 0; i < t->slices.n; i++)
		json__u64(j, i && is_on_cpu(&t->slices.data[i - 1]) ? t->slices.data[i - 1].weight
								    : 0);
	json__array_end(j);
}

static void write_samples(struct writer *w, const struct profile_thread *t)
{
	struct json *j = &w->json;
	uint64_t at = 0;

	json__key(j, "samples");
	json__object(j);
	json__key_u64(j, "length", t->slices.n);
	json__key_string(j, "weightType", w->profile->timed ? "tracing-ms" : "samples");
	json__key(j, "stack");
	json__array(j);
	for (size_t i = 0; i < t->slices.n; i++)
		write_stack_number(w, t->slices.data[i].stack);
	json__array_end(j);
	json__key(j, "time");
	json__array(j);
	for (size_t i = 0; i < t->slices.n; at += t->slices.data[i++].weight)
		json__double(j, ms(at));
	json__array_end(j);
	json__key(j, "weight");
	json__array(j);
	for (size_t i = 0; i < t->slices.n; i++) {
		if (w->profile->timed)
			json__double(j, ms(t->slices.data[i].weight));
		else
			json__u64(j, t->slices.data[i].weight);
	}
	json__array_end(j);
	if (w->profile->timed)
		write_cpu_use(w, t);
	json__object_end(j);
}

/* The leaf of a wait's stack is its reason. */
static const char *reason_of(const struct writer *w, const struct profile_slice *slice)
{
	const struct resolved *r = w->profile->resolved;

	return strtab__get(&r->strings, r->frames.data[resolved__leaf(r, slice->stack)].name);
}

/* What of the markers a column has. */
enum marker_column {
	MARKER_DATA,
	MARKER_NAME,
	MARKER_START,
	MARKER_END,
	MARKER_PHASE,
	MARKER_CATEGORY,
	MARKER_COLUMNS,
};

static void write_marker_data(struct writer *w, const struct profile_slice *slice)
{
	struct json *j = &w->json;

	json__object(j);
	json__key_string(j, "type", "offcpu");
	json__key_string(j, "reason", reason_of(w, slice));
	json__key(j, "cause");
	json__object(j);
	json__key(j, "stack");
	write_stack_number(w, slice->stack);
	json__object_end(j);
	json__object_end(j);
}

static void write_marker(struct writer *w, enum marker_column column,
			 const struct profile_slice *slice, uint64_t at)
{
	struct json *j = &w->json;

	switch (column) {
	case MARKER_DATA:
		write_marker_data(w, slice);
		break;
	case MARKER_NAME:
		json__u64(j, firefox_tables__string(&w->tables, reason_of(w, slice)));
		break;
	case MARKER_START:
		json__double(j, ms(at));
		break;
	case MARKER_END:
		json__double(j, ms(at + slice->weight));
		break;
	case MARKER_PHASE:
		json__u64(j, MARKER_INTERVAL);
		break;
	case MARKER_CATEGORY:
	case MARKER_COLUMNS:
	default:
		json__u64(j, firefox_tables__waiting());
		break;
	}
}

static bool is_wait(const struct profile_slice *slice)
{
	return slice->off && slice->stack != RESOLVE_NO_STACK;
}

static void write_markers(struct writer *w, const struct profile_thread *t)
{
	static const char *const keys[MARKER_COLUMNS] = {
		[MARKER_DATA] = "data",	  [MARKER_NAME] = "name",   [MARKER_START] = "startTime",
		[MARKER_END] = "endTime", [MARKER_PHASE] = "phase", [MARKER_CATEGORY] = "category",
	};
	struct json *j = &w->json;
	size_t n = 0;

	for (size_t i = 0; i < t->slices.n; i++)
		n += is_wait(&t->slices.data[i]);
	json__key(j, "markers");
	json__object(j);
	json__key_u64(j, "length", n);
	for (size_t c = 0; c < MARKER_COLUMNS; c++) {
		uint64_t at = 0;

		json__key(j, keys[c]);
		json__array(j);
		for (size_t i = 0; i < t->slices.n; at += t->slices.data[i++].weight)
			if (is_wait(&t->slices.data[i]))
				write_marker(w, (enum marker_column)c, &t->slices.data[i], at);
		json__array_end(j);
	}
	json__object_end(j);
}

static void write_thread(struct writer *w, const struct profile_thread *t)
{
	struct json *j = &w->json;
	char *pid = mem__format("%u", t->pid);

	json__newline(j);
	json__object(j);
	json__key_string(j, "name", t->name);
	key_bool(j, "isMainThread", t->tid == t->pid);
	json__key_string(j, "processType", "default");
	json__key_string(j, "processName", profile__process_name(w->profile, t));
	json__key_string(j, "pid", pid);
	json__key_u64(j, "tid", t->tid);
	json__key_u64(j, "processStartupTime", 0);
	json__key(j, "processShutdownTime");
	json__null(j);
	json__key_u64(j, "registerTime", 0);
	json__key(j, "unregisterTime");
	json__null(j);
	json__key(j, "pausedRanges");
	json__array(j);
	json__array_end(j);
	key_bool(j, "showMarkersInTimeline", false);
	write_samples(w, t);
	write_markers(w, t);
	meta_json__write_thread(j, w->from, w->profile, t);
	json__object_end(j);
	free(pid);
}

uint64_t firefox__write(struct sink *sink, const struct output_source *from)
{
	struct writer w = { .from = from, .profile = from->profile };
	struct json *j = &w.json;

	json__init(j, sink);
	firefox_tables__init(&w.tables, from);
	json__object(j);
	write_meta(&w);
	json__newline(j);
	firefox_tables__write_libs(&w.tables, j);
	json__newline(j);
	json__key(j, "threads");
	json__array(j);
	for (size_t i = 0; i < w.profile->threads.n; i++)
		write_thread(&w, &w.profile->threads.data[i]);
	json__array_end(j);
	json__newline(j);
	firefox_tables__write(&w.tables, j);
	json__object_end(j);
	json__newline(j);
	firefox_tables__release(&w.tables);
	return 0;
}
