// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "perfconv/base/json.h"
#include "perfconv/cmd/info_report.h"
#include "perfconv/machine/codemap.h"
#include "perfconv/pipeline/quality.h"

static void json_header(struct json *j, const struct capture *c, const char *path)
{
	const struct perfdata_info *info = perfdata__info(c->data);

	json__key_string(j, "file", path);
	json__key(j, "files");
	json__array(j);
	for (size_t i = 0; i < perfdata__files(c->data); i++)
		json__string(j, capture__file(c, i));
	json__array_end(j);
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
	json__key(j, "features");
	json__array(j);
	for (unsigned int i = 0; i < PERFDATA_FEATURES; i++) {
		char name[PERFDATA_FEATURE_NAME];

		if (perfdata__feature(c->data, i, name))
			json__string(j, name);
	}
	json__array_end(j);
	json__key(j, "timeSpanNs");
	json__array(j);
	json__u64(j, c->first_ns);
	json__u64(j, c->last_ns);
	json__array_end(j);
}

static void json_loss(struct json *j, struct capture_loss loss)
{
	json__key_u64(j, "lost", loss.lost);
	json__key_u64(j, "lostRecounted", loss.recounted);
	json__key_u64(j, "throttled", loss.throttled);
}

static void json_modes(struct json *j, const struct capture *c)
{
	struct info_mode mode;

	json__key(j, "cpuModes");
	json__object(j);
	for (unsigned int i = 0; (mode = info_report__mode(c, i)).key; i++)
		json__key_u64(j, mode.key, mode.samples);
	json__object_end(j);
	json__key_u64(j, "compatSamples", c->compat);
	json__key_u64(j, "compatNotUnwound", c->compat_lost);
}

static void json_events(struct json *j, const struct capture *c)
{
	json__key(j, "events");
	json__array(j);
	for (size_t i = 0; i < perfdata__events(c->data); i++) {
		const struct perfdata_event *e = perfdata__event(c->data, i);

		json__object(j);
		json__key_string(j, "name", e->name);
		json__key_u64(j, "samples", info_report__samples(c, i));
		json__key_u64(j, e->freq ? "frequencyHz" : "period", e->period_or_freq);
		json__key_u64(j, "stackDumpBytes", e->stack_user_bytes);
		json_loss(j, info_report__event_loss(c, i));
		json__object_end(j);
	}
	json__array_end(j);
}

static void json_endings(struct json *j, const struct capture *c, uint32_t thread)
{
	struct info_endings endings = info_report__endings(c, thread);

	json__key(j, "stacks");
	json__object(j);
	json__key_u64(j, "complete", endings.n[STACK_COMPLETE]);
	json__key_u64(j, "truncated", endings.n[STACK_TRUNCATED]);
	json__key_u64(j, "lost", endings.n[STACK_LOST]);
	json__key_u64(j, "asCaptured", endings.n[STACK_CHAIN]);
	json__object_end(j);
}

static void json_thread(struct json *j, const struct capture *c, uint32_t thread)
{
	const struct thread *t = &c->machine.threads.data[thread];
	struct capture_loss loss = info_report__loss(c, thread);

	json__newline(j);
	json__object(j);
	json__key_u64(j, "pid", machine__process_of(&c->machine, thread)->pid);
	json__key_u64(j, "tid", t->tid);
	json__key_string(j, "name", info_report__thread_name(c, thread));
	json__key(j, "samples");
	json__object(j);
	for (uint32_t e = 0; e < perfdata__events(c->data); e++) {
		uint32_t at = idmap__find(&c->count_keys, thread, e);

		if (at != IDMAP_NONE)
			json__key_u64(j, perfdata__event(c->data, e)->name,
				      c->counts.data[at].samples);
	}
	json__object_end(j);
	json_endings(j, c, thread);
	json__key_u64(j, "lost", loss.lost);
	json__key_u64(j, "throttled", loss.throttled);
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

static void json_lines(struct json *j, const struct capture *c)
{
	struct lines_counts n = lines__counts(c->lines);

	json__key(j, "pythonLines");
	json__object(j);
	json__key_u64(j, "leaves", n.leaves);
	json__key_u64(j, "leavesGiven", n.given_leaves);
	json__key_u64(j, "callers", n.callers);
	json__key_u64(j, "callersGiven", n.given_callers);
	json__key_u64(j, "agreed", n.by_basis[LINE_AGREED]);
	json__key_u64(j, "interrupted", n.by_basis[LINE_INTERRUPTED]);
	json__key_u64(j, "droppedSamples", n.dropped);
	json__object_end(j);
}

static void json_quality(struct json *j, const struct capture *c)
{
	const struct perfdata_stats *s = perfdata__stats(c->data);
	struct quality q = quality__count(c);

	json__key(j, "quality");
	json__object(j);
	json__key(j, "stacks");
	json__object(j);
	json__key_u64(j, "complete", q.complete);
	json__key_u64(j, "truncated", q.truncated);
	json__key_u64(j, "lost", q.lost);
	json__key_u64(j, "stitched", q.stitched);
	json__object_end(j);
	json__key_u64(j, "processesWithoutFramePointers", q.chains.processes);
	json__key_u64(j, "leafCallersRepaired", c->leaf_callers);
	json__key(j, "stitching");
	json__object(j);
	json__key_u64(j, "unseen", c->stitch.unseen);
	json__key_u64(j, "ambiguous", c->stitch.ambiguous);
	json__key_u64(j, "contradicted", c->stitch.contradicted);
	json__key_u64(j, "evidenceDropped", c->store.evidence.dropped);
	json__object_end(j);
	json_lines(j, c);
	json__key_u64(j, "places", q.places);
	json__key_u64(j, "unresolvedPlaces", q.unresolved_places);
	json__key_u64(j, "lostEvents", s->lost);
	json__key_u64(j, "lostRecords", s->lost_records);
	json__key_u64(j, "lostRecounted", s->lost_recounted);
	json__key_u64(j, "lostSamples", s->lost_samples);
	json__key_u64(j, "doubledSamples", c->doubled);
	json__key_u64(j, "deferredMissing", c->deferred_missing);
	json__key_u64(j, "processesWithoutMaps", c->machine.bare_processes);
	json__key_u64(j, "badRecords", s->bad_records);
	json__key_u64(j, "badFeatures", s->bad_features);
	json__key_u64(j, "unknownRecordTypes", s->unknown_types);
	json__key_u64(j, "unknownEventIds", s->unknown_ids);
	json__key_u64(j, "outOfOrderRecords", s->unordered);
	json__key(j, "cut");
	json__bool(j, s->cut);
	if (s->cut)
		json__key_u64(j, "cutOffset", s->cut_offset);
	json__key(j, "unfinished");
	json__bool(j, s->unfinished);
	json__object_end(j);
}

static void json_generated_code(struct json *j, const struct capture *c)
{
	struct codemap_counts n = codemap__counts(c->machine.codemap);

	json__key(j, "generatedCode");
	json__object(j);
	json__key_u64(j, "perfMaps", n.maps_read);
	json__key_u64(j, "jitdumps", n.dumps_read);
	json__key_u64(j, "missing", n.missing);
	json__key_u64(j, "refused", n.refused);
	json__key_u64(j, "stale", n.stale);
	json__key_u64(j, "untimed", n.untimed);
	json__key_u64(j, "cut", n.cut);
	json__key_u64(j, "badEntries", n.bad);
	json__key_u64(j, "droppedEntries", n.dropped);
	json__object_end(j);
}

static void json_texts(struct json *j, const struct capture *c)
{
	json__key(j, "eventTexts");
	json__array(j);
	for (size_t i = 0; i < c->texts.n; i++) {
		const struct capture_text *t = &c->texts.data[i];

		json__newline(j);
		json__object(j);
		json__key_u64(j, "timeNs", t->time_ns == RECORD_NO_TIME ? 0 : t->time_ns);
		json__key_u64(j, "pid", machine__process_of(&c->machine, t->thread)->pid);
		json__key_u64(j, "tid", c->machine.threads.data[t->thread].tid);
		json__key_string(j, "event", perfdata__event(c->data, t->event)->name);
		json__key_string(j, "text", t->text);
		json__object_end(j);
	}
	json__array_end(j);
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
	json_modes(&j, c);
	json_records(&j, perfdata__stats(c->data));
	json_quality(&j, c);
	json_generated_code(&j, c);
	if (c->texts.n)
		json_texts(&j, c);
	json__object_end(&j);
	json__newline(&j);
}
