// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/info_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"
#include "perfconv/cmd/lines.h"
#include "perfconv/machine/codemap.h"
#include "perfconv/pipeline/quality.h"

uint64_t info_report__samples(const struct capture *c, size_t event)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->counts.n; i++)
		if (c->count_keys.keys[i].b == event)
			n += c->counts.data[i].samples;
	return n;
}

const char *info_report__thread_name(const struct capture *c, uint32_t thread)
{
	const char *name = python__thread_name(c->python, thread);

	return name ? name : machine__comm(&c->machine, thread);
}

struct capture_loss info_report__loss(const struct capture *c, uint32_t thread)
{
	return thread < c->losses.n ? c->losses.data[thread] : (struct capture_loss){ 0 };
}

struct info_endings info_report__endings(const struct capture *c, uint32_t thread)
{
	struct info_endings sum = { 0 };

	for (uint32_t e = 0; e < perfdata__events(c->data); e++) {
		uint32_t at = idmap__find(&c->count_keys, thread, e);

		if (at == IDMAP_NONE || quality__is_part(perfdata__event(c->data, e)))
			continue;
		for (size_t i = 0; i < STACK_ENDINGS; i++)
			sum.n[i] += c->counts.data[at].endings[i];
	}
	return sum;
}

struct capture_loss info_report__event_loss(const struct capture *c, size_t event)
{
	return event < c->event_losses.n ? c->event_losses.data[event] : (struct capture_loss){ 0 };
}

/* In the order of PERF_RECORD_MISC_CPUMODE_UNKNOWN and on. */
struct info_mode info_report__mode(const struct capture *c, unsigned int mode)
{
	static const char *const keys[][2] = {
		{ "unknown", "of unknown mode" },
		{ "kernel", "in the kernel" },
		{ "user", "in user code" },
		{ "hypervisor", "in the hypervisor" },
		{ "guestKernel", "in a guest's kernel" },
		{ "guestUser", "in a guest's user code" },
	};

	if (mode >= sizeof(keys) / sizeof(*keys))
		return (struct info_mode){ 0 };
	return (struct info_mode){ keys[mode][0], keys[mode][1], c->modes[mode] };
}

static void text_header(struct sink *out, const struct capture *c, const char *path)
{
	const struct perfdata_info *info = perfdata__info(c->data);
	uint32_t python = python__version(c->python);
	struct python_files files = python__files(c->python);

	lines__print(out, "%s  %.3f s", path, (double)(c->last_ns - c->first_ns) / 1e9);
	if (perfdata__files(c->data) > 1)
		lines__print(out, "series   %zu files, %s to %s", perfdata__files(c->data),
			     capture__file(c, 0), capture__file(c, perfdata__files(c->data) - 1));
	if (*info->hostname)
		lines__print(out, "host     %s, Linux %s %s, %u CPUs, %s", info->hostname,
			     info->os_release, info->arch, info->cpus_online,
			     info->cpu_description);
	if (*info->perf_version)
		lines__print(out, "perf     %s", info->perf_version);
	if (python)
		lines__print(out, "python   CPython %u.%u.%u, %llu side files, %llu missing",
			     python >> 24, python >> 16 & 255, python >> 8 & 255,
			     (unsigned long long)files.side.read,
			     (unsigned long long)files.side.missing);
}

static void text_generated_code(struct sink *out, const struct capture *c)
{
	struct codemap_counts n = codemap__counts(c->machine.codemap);

	if (n.maps_read + n.dumps_read + n.missing + n.refused + n.stale)
		lines__print(out,
			     "code     %llu perf maps, %llu jitdumps, %llu missing, %llu refused, "
			     "%llu stale",
			     (unsigned long long)n.maps_read, (unsigned long long)n.dumps_read,
			     (unsigned long long)n.missing, (unsigned long long)n.refused,
			     (unsigned long long)n.stale);
}

static void format_loss(char *out, size_t size, struct capture_loss loss)
{
	uint64_t lost = loss.lost > loss.recounted ? loss.lost : loss.recounted;

	if (lost || loss.throttled)
		snprintf(out, size, "  %llu lost, %llu throttled", (unsigned long long)lost,
			 (unsigned long long)loss.throttled);
}

static void text_events(struct sink *out, const struct capture *c)
{
	lines__print(out, "%s", "");
	lines__print(out, "%-36s %10s  %s", "event", "samples", "rate, stack dump");
	for (size_t i = 0; i < perfdata__events(c->data); i++) {
		const struct perfdata_event *e = perfdata__event(c->data, i);
		struct capture_loss loss = info_report__event_loss(c, i);
		char dump[32] = "", lost[80] = "";

		if (e->stack_user_bytes)
			snprintf(dump, sizeof(dump), ", %u bytes", e->stack_user_bytes);
		format_loss(lost, sizeof(lost), loss);
		lines__print(out, "%-36.36s %10llu  %s %llu%s%s%s", e->name,
			     (unsigned long long)info_report__samples(c, i), e->freq ? "" : "every",
			     (unsigned long long)e->period_or_freq, e->freq ? " Hz" : "", dump,
			     lost);
	}
}

/* "-" where no stack was unwound. */
static void format_share(char out[8], uint64_t part, uint64_t of)
{
	if (of)
		snprintf(out, 8, "%5.1f %%", 100 * (double)part / (double)of);
	else
		snprintf(out, 8, "%7s", "-");
}

static void text_thread(struct sink *out, const struct capture *c, uint32_t t, uint64_t samples)
{
	struct capture_loss loss = info_report__loss(c, t);
	struct info_endings e = info_report__endings(c, t);
	uint64_t unwound = e.n[STACK_COMPLETE] + e.n[STACK_TRUNCATED] + e.n[STACK_LOST];
	char lost[80] = "", shares[3][8];

	for (enum stack_ending i = STACK_COMPLETE; i <= STACK_LOST; i++)
		format_share(shares[i], e.n[i], unwound);
	format_loss(lost, sizeof(lost), loss);
	lines__print(out, "%7u %7u  %-24.24s %8llu  %8s  %8s  %8s%s",
		     machine__process_of(&c->machine, t)->pid, c->machine.threads.data[t].tid,
		     info_report__thread_name(c, t), (unsigned long long)samples,
		     shares[STACK_COMPLETE], shares[STACK_TRUNCATED], shares[STACK_LOST], lost);
}

static void text_threads(struct sink *out, const struct capture *c)
{
	lines__print(out, "%s", "");
	lines__print(out, "%7s %7s  %-24s %8s  %8s %9s  %8s", "pid", "tid", "thread", "samples",
		     "complete", "truncated", "lost");
	for (uint32_t t = 0; t < c->machine.threads.n; t++) {
		uint64_t samples = 0;

		for (uint32_t e = 0; e < perfdata__events(c->data); e++) {
			uint32_t at = idmap__find(&c->count_keys, t, e);

			samples += at == IDMAP_NONE ? 0 : c->counts.data[at].samples;
		}
		if (samples || info_report__loss(c, t).lost || info_report__loss(c, t).throttled)
			text_thread(out, c, t, samples);
	}
}

/* Where samples come from, if that is not only here. */
static void text_modes(struct sink *out, const struct capture *c)
{
	struct info_mode mode;

	for (unsigned int i = 3; (mode = info_report__mode(c, i)).text; i++)
		if (mode.samples)
			lines__print(out, "samples %s: %llu, which have no names", mode.text,
				     (unsigned long long)mode.samples);
	if (c->compat)
		lines__print(out,
			     "samples of 32-bit tasks: %llu; stacks that cannot be unwound: %llu",
			     (unsigned long long)c->compat, (unsigned long long)c->compat_lost);
}

static void text_records(struct sink *out, const struct perfdata_stats *stats)
{
	lines__print(out, "%s", "");
	lines__print(out, "%-20s %10s", "record", "count");
	for (uint32_t i = 0; i < PERFDATA_TYPES; i++) {
		char number[16];

		if (!stats->records[i])
			continue;
		snprintf(number, sizeof(number), "type %u", i);
		lines__print(out, "%-20s %10llu",
			     record__type_name(i) ? record__type_name(i) : number,
			     (unsigned long long)stats->records[i]);
	}
}

static void text_quality(struct sink *out, const struct capture *c)
{
	const struct perfdata_stats *s = perfdata__stats(c->data);
	struct quality q = quality__count(c);

	lines__print(out, "%s", "");
	lines__print(out, "stacks: complete %llu (stitched %llu), truncated %llu, lost %llu",
		     (unsigned long long)q.complete, (unsigned long long)q.stitched,
		     (unsigned long long)q.truncated, (unsigned long long)q.lost);
	if (q.chains.processes)
		lines__print(out, "processes without frame pointers: %llu; record with %s",
			     (unsigned long long)q.chains.processes, CHAINS_REMEDY);
	if (c->leaf_callers)
		lines__print(out, "callers of leaf functions taken from the link register: %llu",
			     (unsigned long long)c->leaf_callers);
	lines__print(out, "places without a name: %llu of %llu",
		     (unsigned long long)q.unresolved_places, (unsigned long long)q.places);
	lines__print(out, "events lost while recording: %llu; samples doubled: %llu",
		     (unsigned long long)s->lost, (unsigned long long)c->doubled);
	lines__print(out, "damaged records: %llu; of unknown type: %llu; out of order: %llu",
		     (unsigned long long)s->bad_records, (unsigned long long)s->unknown_types,
		     (unsigned long long)s->unordered);
	lines__print(out, "samples of no event: %llu; damaged header features: %llu",
		     (unsigned long long)s->unknown_ids, (unsigned long long)s->bad_features);
	if (s->unfinished)
		lines__print(out, "%s", "perf did not finish it (killed?)");
	if (s->cut)
		lines__print(out, "%s cannot be read on from offset 0x%llx", s->cut_path,
			     (unsigned long long)s->cut_offset);
}

static void text_texts(struct sink *out, const struct capture *c)
{
	if (c->texts.n)
		lines__print(out, "%s", "");
	for (size_t i = 0; i < c->texts.n; i++) {
		const struct capture_text *t = &c->texts.data[i];
		const struct thread *thread = &c->machine.threads.data[t->thread];

		lines__print(out, "%7u %7u %14.6f  %s: %s",
			     machine__process_of(&c->machine, t->thread)->pid, thread->tid,
			     t->time_ns == RECORD_NO_TIME ? 0 : (double)t->time_ns / 1e9,
			     perfdata__event(c->data, t->event)->name, t->text);
	}
}

void info_report__text(struct sink *out, const struct capture *c, const char *path)
{
	text_header(out, c, path);
	text_generated_code(out, c);
	text_events(out, c);
	text_threads(out, c);
	text_records(out, perfdata__stats(c->data));
	text_quality(out, c);
	text_modes(out, c);
	text_texts(out, c);
}
