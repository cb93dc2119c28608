// SPDX-License-Identifier: GPL-2.0
#include "perfconv/perfdata/series.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"
#include "perfconv/perfdata/internal.h"

#define STAMP_DIGITS 14u /* perf appends the date, the time and hundredths of a second */

void series_paths__release(struct series_paths *p)
{
	for (size_t i = 0; i < p->list.n; i++)
		free(p->list.data[i]);
	vec__release(&p->list);
}

static bool is_stamped(const char *name, const char *stem)
{
	size_t n = strlen(stem), digits = 0;

	if (strncmp(name, stem, n) || name[n] != '.')
		return false;
	while (isdigit((unsigned char)name[n + 1 + digits]))
		digits++;
	return digits >= STAMP_DIGITS && !name[n + 1 + digits];
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void series_paths__find(struct series_paths *p, const char *stem)
{
	const char *base = file__base(stem);
	int folder_n = (int)(base - stem);
	char *folder = folder_n ? mem__format("%.*s", folder_n, stem) : mem__strdup(".");
	DIR *dir = *base ? opendir(folder) : NULL;
	struct dirent *entry;

	while (dir && p->list.n <= PERFDATA_MAX_PARTS && (entry = readdir(dir)))
		if (is_stamped(entry->d_name, base))
			vec__push(&p->list, mem__format("%.*s%s", folder_n, stem, entry->d_name));
	if (dir)
		closedir(dir);
	free(folder);
	if (p->list.n)
		qsort(p->list.data, p->list.n, sizeof(*p->list.data), by_name);
}

struct timed_path {
	uint64_t first_ns;
	size_t given; /* as which */
	char *path;
};

static int by_time(const void *a, const void *b)
{
	const struct timed_path *x = a, *y = b;

	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return x->given < y->given ? -1 : 1;
}

/* As the header states, or the first record; 0: neither has one. */
static uint64_t first_time(struct perfdata *p)
{
	uint64_t first_ns = p->info.first_sample_ns;
	struct record rec;

	while (!first_ns && perfdata__next(p, &rec, NULL) > 0)
		first_ns = rec.time_ns == RECORD_NO_TIME ? 0 : rec.time_ns;
	return first_ns;
}

int series_paths__sort(struct series_paths *p, struct errbuf *err)
{
	struct timed_path *timed = mem__alloc(p->list.n, sizeof(*timed));
	bool all_stated = true;
	int code = 0;

	for (size_t i = 0; i < p->list.n && !code; i++) {
		struct perfdata *part;

		code = perfdata__open(&part, p->list.data[i], err);
		if (code)
			break;
		timed[i] = (struct timed_path){ first_time(part), i, p->list.data[i] };
		all_stated = all_stated && timed[i].first_ns;
		perfdata__free(part);
	}
	if (!code && all_stated) {
		qsort(timed, p->list.n, sizeof(*timed), by_time);
		for (size_t i = 0; i < p->list.n; i++)
			p->list.data[i] = timed[i].path;
	}
	free(timed);
	return code;
}

static bool is_same_event(const struct perfdata_event *a, const struct perfdata_event *b,
			  bool names)
{
	return a->type == b->type && a->config == b->config && a->sample_type == b->sample_type &&
	       a->period_or_freq == b->period_or_freq && a->freq == b->freq &&
	       a->read_format == b->read_format && a->branch_sample_type == b->branch_sample_type &&
	       a->regs_user_mask == b->regs_user_mask && a->regs_intr_mask == b->regs_intr_mask &&
	       a->stack_user_bytes == b->stack_user_bytes && (!names || !strcmp(a->name, b->name));
}

/* A part that perf did not finish has no names of events. */
static uint32_t map_event(struct perfdata *whole, const struct perfdata *part, uint32_t i)
{
	const struct perfdata_event *e = &part->events.data[i];
	bool names = !part->stats.unfinished;
	struct perfdata_event copy = *e;

	if (i < whole->events.n && is_same_event(&whole->events.data[i], e, names))
		return i;
	for (uint32_t k = 0; k < whole->events.n; k++)
		if (is_same_event(&whole->events.data[k], e, names))
			return k;
	copy.name = mem__strdup(e->name);
	vec__push(&whole->events, copy);
	return (uint32_t)whole->events.n - 1;
}

static void take_build_ids(struct perfdata *whole, const struct perfdata *part)
{
	for (size_t i = 0; i < part->build_ids.n; i++) {
		struct perfdata_build_id b = part->build_ids.data[i];

		b.path = mem__strdup(b.path);
		vec__push(&whole->build_ids, b);
	}
}

static bool differ(const char *a, const char *b)
{
	return *a && *b && strcmp(a, b);
}

static int check_kinship(const struct perfdata *whole, const struct perfdata *part,
			 struct errbuf *err)
{
	const struct perfdata_info *a = &whole->info, *b = &part->info;

	if (!differ(a->hostname, b->hostname) && !differ(a->arch, b->arch) &&
	    !differ(a->os_release, b->os_release) &&
	    whole->events.data[0].clockid == part->events.data[0].clockid)
		return 0;
	return errbuf__set(err, -EINVAL,
			   "%s: is of another machine or clock than %s, so they are no series; "
			   "convert them one by one",
			   part->path, whole->path);
}

int series__add(struct perfdata *whole, const char *path, struct errbuf *err)
{
	struct series_part *added;
	struct perfdata *part;
	int code = perfdata__open(&part, path, err);

	if (code)
		return code;
	code = check_kinship(whole, part, err);
	if (!code && whole->series.parts.n == PERFDATA_MAX_PARTS)
		code = errbuf__set(err, -EFBIG,
				   "%s: is one file too many; a series may have %u, convert fewer "
				   "at once",
				   path, PERFDATA_MAX_PARTS);
	if (!code) {
		added = vec__add(&whole->series.parts);
		added->path = mem__strdup(path);
		for (uint32_t i = 0; i < part->events.n; i++) {
			uint32_t event = map_event(whole, part, i);

			vec__push(&added->events, event);
		}
		take_build_ids(whole, part);
		if (whole->events.n > PERFDATA_MAX_EVENTS)
			code = errbuf__set(err, -EFBIG,
					   "%s: the series up to here has more than %u events; "
					   "convert fewer files at once",
					   path, PERFDATA_MAX_EVENTS);
		if (part->info.last_sample_ns > whole->info.last_sample_ns)
			whole->info.last_sample_ns = part->info.last_sample_ns;
	}
	perfdata__free(part);
	return code;
}

static void add_stats(struct perfdata *whole, const struct perfdata *part, const char *path)
{
	struct perfdata_stats *to = &whole->stats;
	const struct perfdata_stats *from = &part->stats;

	for (size_t i = 0; i < PERFDATA_TYPES; i++)
		to->records[i] += from->records[i];
	if (!to->bad_records && from->bad_records) {
		to->bad_offset = from->bad_offset;
		to->bad_path = path;
	}
	if (!to->cut && from->cut) {
		to->cut = true;
		to->cut_offset = from->cut_offset;
		to->cut_path = path;
	}
	to->unknown_types += from->unknown_types;
	to->bad_records += from->bad_records;
	to->lost += from->lost;
	to->lost_records += from->lost_records;
	to->lost_recounted += from->lost_recounted;
	to->lost_samples += from->lost_samples;
	to->unordered += from->unordered;
	to->unreadable += from->unreadable;
	to->bad_features += from->bad_features;
	to->unknown_ids += from->unknown_ids;
	to->unfinished = to->unfinished || from->unfinished;
}

static int open_next(struct series *s, struct errbuf *err)
{
	return perfdata__open(&s->open, s->parts.data[s->next++].path, err);
}

/* Events that a part states only behind its first records (pipes) are not the whole's. */
static bool map_record(struct perfdata *whole, const struct series_part *part, struct record *rec)
{
	if (rec->event != RECORD_NO_EVENT && rec->event >= part->events.n) {
		whole->stats.unknown_ids++;
		return false;
	}
	if (rec->event != RECORD_NO_EVENT)
		rec->event = part->events.data[rec->event];
	return true;
}

int series__next(struct perfdata *whole, struct record *rec, struct errbuf *err)
{
	struct series *s = &whole->series;

	for (;;) {
		int code = 0;

		if (!s->open && s->next == s->parts.n)
			return 0;
		if (!s->open)
			code = open_next(s, err);
		if (!code)
			code = perfdata__next(s->open, rec, err);
		if (code < 0)
			return code;
		if (code && map_record(whole, &s->parts.data[s->next - 1], rec))
			return 1;
		if (code)
			continue;
		add_stats(whole, s->open, s->parts.data[s->next - 1].path);
		perfdata__free(s->open);
		s->open = NULL;
	}
}

void series__release(struct series *s)
{
	for (size_t i = 0; i < s->parts.n; i++) {
		free(s->parts.data[i].path);
		vec__release(&s->parts.data[i].events);
	}
	vec__release(&s->parts);
	perfdata__free(s->open);
}
