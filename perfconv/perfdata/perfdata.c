// SPDX-License-Identifier: GPL-2.0
/*
 * The reader's outside: opening, and the loop that merges the sources by time
 * and decodes.
 *
 *     file(s) -> sources, each in time order -> merged -> struct record
 */
#include "perfconv/perfdata/perfdata.h"

#include <errno.h>
#include <perf/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/perfdata/internal.h"

int perfdata__pread(struct perfdata *p, void *out, size_t n, uint64_t offset, struct errbuf *err)
{
	int code = file__read_at(p->fd, out, n, offset);

	if (code == -ENODATA)
		return errbuf__set(err, code, "%s: ends before %llu, where its contents should",
				   p->path, (unsigned long long)(offset + n));
	if (code)
		return errbuf__set(err, code, "%s: cannot be read at %llu: %s", p->path,
				   (unsigned long long)offset, strerror(-code));
	return 0;
}

/* The words of open() say what is wrong; here is what to do. */
static int open_capture(struct perfdata *p, const char *path, struct errbuf *err)
{
	int fd = file__open(path, &p->file_bytes, err);

	if (fd == -ENOENT)
		return errbuf__set(err, fd,
				   "%s: does not exist; name the capture that perf record wrote",
				   *path ? path : "the capture's name is empty and");
	if (fd == -EACCES)
		return errbuf__set(err, fd,
				   "%s: may not be read by this user; convert as its owner or as "
				   "root",
				   path);
	return fd;
}

static void init_info(struct perfdata *p)
{
	struct perfdata_info *info = &p->info;

	info->hostname = mem__strdup("");
	info->os_release = mem__strdup("");
	info->arch = mem__strdup("");
	info->perf_version = mem__strdup("");
	info->cpu_description = mem__strdup("");
	info->clockid = -1;
}

/* Standard input or a FIFO's end: only what was recorded for a pipe can be read
 * there. */
static int open_pipe(struct perfdata *p, struct errbuf *err)
{
	struct source *s;
	const uint8_t *bytes;
	struct cursor c;
	ptrdiff_t n;
	int code;

	source__init(vec__add(&p->sources), p->fd, true, 0, UINT64_MAX);
	s = &p->sources.data[0];
	n = stream__peek(&s->stream, PIPE_HEADER_BYTES, &bytes);
	if (n < 0)
		return errbuf__set(err, (int)n, "%s: cannot be read: %s", p->path,
				   strerror((int)-n));
	if ((size_t)n < PIPE_HEADER_BYTES)
		return errbuf__set(err, -EINVAL,
				   "%s: ended before a capture began; did perf record -o - start?",
				   p->path);
	code = header__check_magic(p, bytes, err);
	if (code)
		return code;
	cursor__init(&c, bytes + 8, 8, p->swap);
	if (cursor__u64(&c) != PIPE_HEADER_BYTES)
		return errbuf__set(err, -EINVAL,
				   "%s: is a perf.data file sent through a pipe, which cannot be "
				   "read backwards; give the file's name with -i, or use <",
				   p->path);
	p->pipe_mode = true;
	return stream__skip(&s->stream, PIPE_HEADER_BYTES);
}

/* In pipe mode the events come as records, before any that needs them. */
static int read_events(struct perfdata *p, struct errbuf *err)
{
	struct source *s = &p->sources.data[0];

	while (!s->ended) {
		const uint8_t *bytes;
		ptrdiff_t n = stream__peek(&s->stream, sizeof(struct perf_event_header), &bytes);
		struct cursor c;
		int code;

		if (n == (ptrdiff_t)sizeof(struct perf_event_header)) {
			cursor__init(&c, bytes, (size_t)n, p->swap);
			if (cursor__u32(&c) < PERF_RECORD_USER_TYPE_START)
				break;
		}
		code = source__advance(p, s, err);
		if (code)
			return code;
	}
	if (!p->events.n)
		return errbuf__set(err, -EINVAL,
				   "%s: names no events before its records; record it again",
				   p->path);
	return 0;
}

/* perf record --threads: a folder with "data" and, for each thread, "data.N".
 */
static int add_data_files(struct perfdata *p, const char *folder, struct errbuf *err)
{
	for (unsigned int i = 0; i < PERFDATA_MAX_DATA_FILES; i++) {
		char *path = mem__format("%s/data.%u", folder, i);
		uint64_t bytes;
		int fd = file__open(path, &bytes, err);

		free(path);
		if (fd == -ENOENT)
			return 0;
		if (fd < 0)
			return fd;
		source__init(vec__add(&p->sources), fd, false, 0, bytes);
	}
	return 0;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int open_file(struct perfdata *p, const char *path, struct errbuf *err)
{
	bool folder = is_folder(path);
	char *data = folder ? mem__format("%s/data", path) : mem__strdup(path);
	int code;

	p->fd = open_capture(p, data, err);
	free(data);
	if (p->fd == -ENOENT && folder)
		return errbuf__set(err, -EINVAL,
				   "%s: is a folder without the file \"data\" that perf record "
				   "--threads writes; give a capture",
				   path);
	if (p->fd < 0)
		return p->fd;
	init_info(p);
	code = header__read(p, err);
	if (!code && folder)
		code = add_data_files(p, path, err);
	if (!code && !p->pipe_mode)
		features__read(p);
	return code;
}

static int open_standard_input(struct perfdata *p, struct errbuf *err)
{
	struct stat st;

	if (!fstat(STDIN_FILENO, &st) && S_ISREG(st.st_mode))
		return open_file(p, "/proc/self/fd/0", err);
	p->fd = dup(STDIN_FILENO);
	if (p->fd < 0)
		return errbuf__set(err, -errno, "standard input: %s", strerror(errno));
	init_info(p);
	return open_pipe(p, err);
}

static int open_one(struct perfdata **out, const char *path, struct errbuf *err)
{
	struct perfdata *p = mem__alloc(1, sizeof(*p));
	bool standard = !strcmp(path, "-");
	int code;

	p->fd = -1;
	p->path = mem__strdup(standard ? "standard input" : path);
	code = standard ? open_standard_input(p, err) : open_file(p, path, err);
	if (!code && p->pipe_mode)
		code = read_events(p, err);
	if (code) {
		perfdata__free(p);
		return code;
	}
	if (p->events.data[0].use_clockid && p->info.clockid < 0)
		p->info.clockid = p->events.data[0].clockid;
	*out = p;
	return 0;
}

static int open_in_order(struct perfdata **out, const struct series_paths *paths,
			 struct errbuf *err)
{
	struct perfdata *p;
	int code = open_one(&p, paths->list.data[0], err);

	if (code)
		return code;
	for (size_t i = 1; i < paths->list.n && !code; i++)
		code = series__add(p, paths->list.data[i], err);
	if (code)
		perfdata__free(p);
	else
		*out = p;
	return code;
}

int perfdata__open(struct perfdata **out, const char *path, struct errbuf *err)
{
	struct series_paths paths = { 0 };
	int code;

	if (access(path, F_OK) && strcmp(path, "-"))
		series_paths__find(&paths, path);
	if (paths.list.n)
		code = open_in_order(out, &paths, err);
	else
		code = open_one(out, path, err);
	series_paths__release(&paths);
	return code;
}

int perfdata__open_series(struct perfdata **out, const char *const *paths, size_t n,
			  struct errbuf *err)
{
	struct series_paths sorted = { 0 };
	int code = 0;

	if (n == 1)
		return perfdata__open(out, paths[0], err);
	for (size_t i = 0; i < n && !code; i++) {
		vec__push(&sorted.list, mem__strdup(paths[i]));
		if (!strcmp(paths[i], "-"))
			code = errbuf__set(err, -EINVAL,
					   "standard input cannot be one of several captures; "
					   "give them by their names");
	}
	if (!code)
		code = series_paths__sort(&sorted, err);
	if (!code)
		code = open_in_order(out, &sorted, err);
	series_paths__release(&sorted);
	return code;
}

size_t perfdata__files(const struct perfdata *p)
{
	return 1 + p->series.parts.n;
}

const char *perfdata__file(const struct perfdata *p, size_t i)
{
	return i ? p->series.parts.data[i - 1].path : p->path;
}

void perfdata__free(struct perfdata *p)
{
	if (!p)
		return;
	series__release(&p->series);
	for (size_t i = 0; i < p->events.n; i++)
		free(p->events.data[i].name);
	for (size_t i = 0; i < p->build_ids.n; i++)
		free(p->build_ids.data[i].path);
	for (size_t i = 0; i < p->info.cmdline_n; i++)
		free(p->info.cmdline[i]);
	if (!p->sources.n && p->fd >= 0)
		close(p->fd);
	for (size_t i = 0; i < p->sources.n; i++)
		source__release(&p->sources.data[i]);
	free(p->info.cmdline);
	free(p->info.hostname);
	free(p->info.os_release);
	free(p->info.arch);
	free(p->info.perf_version);
	free(p->info.cpu_description);
	tracing__free(p->tracing);
	vec__release(&p->sources);
	vec__release(&p->events);
	vec__release(&p->build_ids);
	vec__release(&p->private);
	vec__release(&p->id_event);
	idmap__release(&p->ids);
	free(p->path);
	free(p);
}

const struct perfdata_info *perfdata__info(const struct perfdata *p)
{
	return &p->info;
}

const struct perfdata_stats *perfdata__stats(const struct perfdata *p)
{
	return &p->stats;
}

size_t perfdata__events(const struct perfdata *p)
{
	return p->events.n;
}

const struct perfdata_event *perfdata__event(const struct perfdata *p, size_t i)
{
	return &p->events.data[i];
}

const struct perfdata_text *perfdata__private(const struct perfdata *p, size_t i)
{
	return i < p->private.n ? &p->private.data[i] : NULL;
}

void perfdata__source(const struct perfdata *p, uint32_t *file, uint32_t *part)
{
	const struct perfdata *of = p->ended && p->series.open ? p->series.open : p;

	*file = of == p ? 0 : (uint32_t)p->series.next;
	*part = of->given ? (uint32_t)(of->given - of->sources.data) : 0;
}

struct tracing *perfdata__tracing(const struct perfdata *p)
{
	return p->tracing;
}

size_t perfdata__build_ids(const struct perfdata *p)
{
	return p->build_ids.n;
}

const struct perfdata_build_id *perfdata__build_id(const struct perfdata *p, size_t i)
{
	return &p->build_ids.data[i];
}

/* The source whose next record is the oldest; NULL at the end of all. */
static int oldest_source(struct perfdata *p, struct source **out, struct errbuf *err)
{
	*out = NULL;
	for (size_t i = 0; i < p->sources.n; i++) {
		struct source *s = &p->sources.data[i];
		int code = s->front ? 0 : source__next(p, s, err);

		if (code)
			return code;
		if (s->front && (!*out || s->front->time_ns < (*out)->front->time_ns))
			*out = s;
	}
	return 0;
}

static int end_reading(struct perfdata *p, int code)
{
	p->stats.unordered = p->stats.unreadable = 0;
	for (size_t i = 0; i < p->sources.n; i++) {
		p->stats.unordered += order__unordered(p->sources.data[i].order);
		p->stats.unreadable += order__unreadable(p->sources.data[i].order);
	}
	return code;
}

int perfdata__next(struct perfdata *p, struct record *rec, struct errbuf *err)
{
	if (p->ended)
		return series__next(p, rec, err);
	if (p->given)
		p->given->front = NULL; /* its bytes were borrowed until now */
	for (;;) {
		int code = oldest_source(p, &p->given, err);

		if (code)
			return end_reading(p, code);
		if (!p->given) {
			p->ended = true;
			end_reading(p, 0);
			return series__next(p, rec, err);
		}
		if (decode__record(p, p->given->front, rec) == 1)
			return 1;
		p->given->front = NULL;
	}
}
