// SPDX-License-Identifier: GPL-2.0
/*
 * Keys may come in any order, so nothing is taken for granted before the end of the
 * file: stacks are interned by the file's frame numbers, and those are checked last.
 *
 * Invariant: memory grows with the bytes that are there; a thread's weights never
 * add up to more than MAX_NS.
 */
#include "perfconv/profile/profile_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/base/json_reader.h"

#define MAX_NS ((uint64_t)1 << 62)

/* One profile of the file. */
struct read_thread {
	struct profile_thread thread;
	VEC(uint32_t) stacks;
	VEC(uint64_t) weights;
	uint32_t event; /* string id; 0: the only one */
	bool total;	/* sums up all threads */
	bool timed;
};

struct reading {
	struct json_reader json;
	struct profile_file *file;
	VEC(struct read_thread) threads;
	uint32_t largest_frame; /* of those that stacks name */
	bool ours, wall, has_times;
	double seconds;
};

static uint32_t string_id(struct reading *r)
{
	return strtab__intern(&r->file->resolved.strings, json_reader__string(&r->json));
}

static const char *string(struct reading *r)
{
	return strtab__get(&r->file->resolved.strings, string_id(r));
}

/* A key whose value goes to one place. */
struct field {
	const char *key;
	enum { FIELD_TEXT, FIELD_ID, FIELD_U32, FIELD_U64, FIELD_SECONDS } type;
	void *value; /* const char *, uint32_t, uint32_t, uint64_t, double */
};

#define FIELDS(list) (list), sizeof(list) / sizeof(*(list))

static void read_value(struct reading *r, const struct field *f)
{
	switch (f->type) {
	case FIELD_TEXT:
		*(const char **)f->value = string(r);
		break;
	case FIELD_ID:
		*(uint32_t *)f->value = string_id(r);
		break;
	case FIELD_U32:
		*(uint32_t *)f->value = json_reader__u32(&r->json);
		break;
	case FIELD_U64:
		*(uint64_t *)f->value = json_reader__u64(&r->json);
		break;
	case FIELD_SECONDS:
	default:
		*(double *)f->value = json_reader__double(&r->json);
		break;
	}
}

/* Reads the value of @key where it is one of the fields, else skips it. */
static void read_field(struct reading *r, const char *key, const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].key, key)) {
			read_value(r, &fields[i]);
			return;
		}
	json_reader__skip(&r->json);
}

static void read_fields(struct reading *r, const struct field *fields, size_t n)
{
	const char *key;

	json_reader__object(&r->json);
	while ((key = json_reader__key(&r->json)))
		read_field(r, key, fields, n);
}

static enum frame_kind kind_of(const char *name)
{
	static const char *const names[] = {
		[FRAME_PYTHON] = "python", [FRAME_TASK] = "task", [FRAME_NATIVE] = "native",
		[FRAME_KERNEL] = "kernel", [FRAME_NOTE] = "note", [FRAME_THREAD] = "thread",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i], name))
			return (enum frame_kind)i;
	return FRAME_NATIVE;
}

static void read_frame(struct reading *r)
{
	const struct strtab *strings = &r->file->resolved.strings;
	struct frame f = { .kind = FRAME_NATIVE };
	const char *kind = "";
	const struct field fields[] = {
		{ "name", FIELD_ID, &f.name },	   { "file", FIELD_ID, &f.file },
		{ "object", FIELD_ID, &f.object }, { "line", FIELD_U32, &f.line },
		{ "kind", FIELD_TEXT, &kind },	   { "firstLine", FIELD_U32, &f.first_line },
	};

	read_fields(r, FIELDS(fields));
	f.kind = kind_of(kind);
	if (f.line == f.first_line)
		f.line = 0; /* where no line is known, the first one stands for it */
	f.named = f.kind != FRAME_NATIVE || *strtab__get(strings, f.name) != '[';
	vec__push(&r->file->resolved.frames, f);
}

static void read_shared(struct reading *r)
{
	struct json_reader *j = &r->json;
	const char *key;

	json_reader__object(j);
	while ((key = json_reader__key(j))) {
		if (strcmp(key, "frames")) {
			json_reader__skip(j);
			continue;
		}
		json_reader__array(j);
		while (json_reader__more(j))
			read_frame(r);
	}
}

/* Root first, as frame numbers; the empty stack is a gap. */
static uint32_t read_stack(struct reading *r)
{
	uint32_t stack = RESOLVE_NO_STACK;

	json_reader__array(&r->json);
	while (json_reader__more(&r->json)) {
		uint32_t frame = json_reader__u32(&r->json);

		if (frame > r->largest_frame)
			r->largest_frame = frame;
		stack = idmap__intern(&r->file->resolved.stacks, (uint64_t)stack + 1, frame);
	}
	return stack;
}

static void read_reasons(struct reading *r, struct profile_times *times)
{
	const char *key;

	json_reader__object(&r->json);
	while ((key = json_reader__key(&r->json))) {
		enum reason reason = reason__by_name(key);
		uint64_t ns = json_reader__u64(&r->json);

		if (reason < REASONS)
			times->reasons[reason] = ns;
	}
}

static void read_wait_stacks(struct reading *r, uint64_t *stacks)
{
	const struct field fields[] = {
		{ "equalRegisters", FIELD_U64, &stacks[WAIT_EQUAL] },
		{ "snapshot", FIELD_U64, &stacks[WAIT_SNAPSHOT] },
		{ "cut", FIELD_U64, &stacks[WAIT_CUT] },
		{ "callchain", FIELD_U64, &stacks[WAIT_CHAIN] },
		{ "outer", FIELD_U64, &stacks[WAIT_OUTER] },
		{ "none", FIELD_U64, &stacks[WAIT_NONE] },
	};

	read_fields(r, FIELDS(fields));
}

static void read_times(struct reading *r, struct profile_times *times)
{
	const struct field fields[] = {
		{ "offCpuNs", FIELD_U64, &times->off },
		{ "unknownNs", FIELD_U64, &times->unknown },
		{ "absentNs", FIELD_U64, &times->absent },
		{ "onCpuWithoutStackNs", FIELD_U64, &times->unsampled },
		{ "switchingNs", FIELD_U64, &times->switching },
		{ "schedstatRunNs", FIELD_U64, &times->schedstat_run },
		{ "schedstatQueueNs", FIELD_U64, &times->schedstat_queue },
		{ "schedstatOnCpuNs", FIELD_U64, &times->schedstat_on_cpu },
	};
	const char *key;

	r->has_times = true;
	json_reader__object(&r->json);
	while ((key = json_reader__key(&r->json))) {
		if (!strcmp(key, "schedstatRunNs"))
			times->has_schedstat = true;
		if (!strcmp(key, "reasonsNs"))
			read_reasons(r, times);
		else if (!strcmp(key, "waitStacksNs"))
			read_wait_stacks(r, times->stacks);
		else
			read_field(r, key, FIELDS(fields));
	}
}

static void read_endings(struct reading *r, struct profile_thread *t)
{
	const struct field fields[] = {
		{ "complete", FIELD_U64, &t->endings[STACK_COMPLETE] },
		{ "truncated", FIELD_U64, &t->endings[STACK_TRUNCATED] },
		{ "lost", FIELD_U64, &t->endings[STACK_LOST] },
		{ "asCaptured", FIELD_U64, &t->endings[STACK_CHAIN] },
		{ "stitched", FIELD_U64, &t->stitched },
	};

	read_fields(r, FIELDS(fields));
}

static void read_thread_meta(struct reading *r, struct read_thread *t)
{
	const struct field fields[] = {
		{ "event", FIELD_ID, &t->event },
		{ "pid", FIELD_U32, &t->thread.pid },
		{ "tid", FIELD_U32, &t->thread.tid },
		{ "comm", FIELD_TEXT, &t->thread.comm },
		{ "samples", FIELD_U64, &t->thread.samples },
	};
	const char *key;

	json_reader__object(&r->json);
	while ((key = json_reader__key(&r->json))) {
		t->total = t->total || !strcmp(key, "threads");
		if (!strcmp(key, "times"))
			read_times(r, &t->thread.times);
		else if (!strcmp(key, "stacks"))
			read_endings(r, &t->thread);
		else
			read_field(r, key, FIELDS(fields));
	}
}

static void read_samples(struct reading *r, struct read_thread *t)
{
	json_reader__array(&r->json);
	t->stacks.n = 0;
	while (json_reader__more(&r->json))
		vec__push(&t->stacks, read_stack(r));
}

static void read_weights(struct reading *r, struct read_thread *t)
{
	uint64_t sum = 0;

	json_reader__array(&r->json);
	t->weights.n = 0;
	while (json_reader__more(&r->json)) {
		uint64_t weight = json_reader__u64(&r->json);

		if (weight > MAX_NS - sum) {
			json_reader__stop(&r->json, "has weights that add up to centuries");
			return;
		}
		sum += weight;
		vec__push(&t->weights, weight);
	}
}

static void read_thread(struct reading *r, struct read_thread *t)
{
	struct json_reader *j = &r->json;
	const char *key;

	t->thread.comm = t->thread.full = "";
	json_reader__object(j);
	while ((key = json_reader__key(j))) {
		if (!strcmp(key, "name"))
			t->thread.full = string(r);
		else if (!strcmp(key, "unit"))
			t->timed = !strcmp(json_reader__string(j), "nanoseconds");
		else if (!strcmp(key, "perfconv"))
			read_thread_meta(r, t);
		else if (!strcmp(key, "samples"))
			read_samples(r, t);
		else if (!strcmp(key, "weights"))
			read_weights(r, t);
		else
			json_reader__skip(j);
	}
	if (t->stacks.n != t->weights.n)
		json_reader__stop(j, "has a profile with more samples than weights, or fewer");
}

static void read_profiles(struct reading *r)
{
	json_reader__array(&r->json);
	while (json_reader__more(&r->json)) {
		struct read_thread t = { 0 };

		read_thread(r, &t);
		vec__push(&r->threads, t);
	}
}

/* Of the event that is shown; before that is known, of the first that has one. */
static void read_event(struct reading *r)
{
	uint64_t frequency = 0, period = 0;
	const char *name = "";
	const struct field fields[] = {
		{ "name", FIELD_TEXT, &name },
		{ "frequencyHz", FIELD_U64, &frequency },
		{ "period", FIELD_U64, &period },
	};

	read_fields(r, FIELDS(fields));
	if (frequency)
		period = 1000000000 / frequency;
	if (period > 1 && (!r->file->period_ns || !strcmp(name, r->file->event)))
		r->file->period_ns = period;
}

static void read_meta(struct reading *r)
{
	struct profile_file *f = r->file;
	struct json_reader *j = &r->json;
	const char *key, *view = "";
	const struct field host[] = {
		{ "name", FIELD_TEXT, &f->host },
		{ "kernel", FIELD_TEXT, &f->kernel },
		{ "cpu", FIELD_TEXT, &f->cpu },
	};
	const struct field python[] = { { "version", FIELD_TEXT, &f->python } };
	const struct field merged[] = {
		{ "bucketNs", FIELD_U64, &f->profile->bucket_ns },
		{ "slices", FIELD_U64, &f->profile->merged },
	};
	const struct field fields[] = {
		{ "scenario", FIELD_TEXT, &f->scenario },
		{ "durationSeconds", FIELD_SECONDS, &r->seconds },
		{ "event", FIELD_TEXT, &f->event },
		{ "frames", FIELD_TEXT, &f->frames },
		{ "view", FIELD_TEXT, &view },
		{ "contradictedDumps", FIELD_U64, &f->profile->contradicted },
	};

	r->ours = json_reader__object(j);
	while ((key = json_reader__key(j))) {
		if (!strcmp(key, "host"))
			read_fields(r, FIELDS(host));
		else if (!strcmp(key, "python"))
			read_fields(r, FIELDS(python));
		else if (!strcmp(key, "merged"))
			read_fields(r, FIELDS(merged));
		else if (!strcmp(key, "events")) {
			json_reader__array(j);
			while (json_reader__more(j))
				read_event(r);
		} else
			read_field(r, key, FIELDS(fields));
	}
	r->wall = !strcmp(view, "wall");
}

static void read_top(struct reading *r)
{
	struct json_reader *j = &r->json;
	const char *key;

	json_reader__object(j);
	while ((key = json_reader__key(j))) {
		if (!strcmp(key, "name"))
			r->file->title = string(r);
		else if (!strcmp(key, "perfconv"))
			read_meta(r);
		else if (!strcmp(key, "shared"))
			read_shared(r);
		else if (!strcmp(key, "profiles"))
			read_profiles(r);
		else
			json_reader__skip(j);
	}
}

/* A wait's leaf is its reason; [switching] is on-CPU time. */
static bool is_off(const struct reading *r, uint32_t stack)
{
	const struct resolved *d = &r->file->resolved;
	const struct frame *f;
	enum reason reason;

	if (stack == RESOLVE_NO_STACK || !r->wall)
		return false;
	f = &d->frames.data[resolved__leaf(d, stack)];
	if (f->kind != FRAME_NOTE)
		return false;
	reason = reason__by_name(strtab__get(&d->strings, f->name));
	return reason < REASONS && reason != REASON_SWITCHING;
}

static bool has_python(const struct resolved *d, uint32_t stack)
{
	for (uint32_t s = stack; s != RESOLVE_NO_STACK; s = resolved__parent(d, s))
		if (d->frames.data[resolved__leaf(d, s)].kind == FRAME_PYTHON)
			return true;
	return false;
}

static void take_slices(struct reading *r, struct read_thread *from, struct profile_thread *t)
{
	const struct resolved *d = &r->file->resolved;

	for (size_t i = 0; i < from->stacks.n; i++) {
		struct profile_slice s = { from->weights.data[i], from->stacks.data[i],
					   is_off(r, from->stacks.data[i]) };

		if (!s.weight)
			continue;
		vec__push(&t->slices, s);
		t->end += s.weight;
		if (s.stack == RESOLVE_NO_STACK)
			continue;
		t->weight += s.off ? 0 : s.weight;
		t->python = t->python || has_python(d, s.stack);
	}
}

static void take_thread(struct reading *r, struct read_thread *from)
{
	struct profile *p = r->file->profile;
	struct profile_thread t = from->thread;

	t.name = mem__strdup(t.full);
	take_slices(r, from, &t);
	p->weight += t.weight;
	p->samples += t.samples;
	p->stitched += t.stitched;
	for (size_t i = 0; i < STACK_ENDINGS; i++)
		p->endings[i] += t.endings[i];
	if (t.end > p->duration)
		p->duration = t.end;
	vec__push(&p->threads, t);
}

/* Of the event that is shown. */
static bool is_wanted(const struct reading *r, const struct read_thread *t)
{
	const char *event = strtab__get(&r->file->resolved.strings, t->event);

	return !t->total && (!*event || !strcmp(event, r->file->event));
}

/* "worker [cpu-clock]" in files of several events is "worker". */
static void shorten_name(struct reading *r, struct read_thread *t)
{
	char *end = mem__format(" [%s]", r->file->event), *name = mem__strdup(t->thread.full);
	size_t n = strlen(name), cut = strlen(end);

	if (t->event && n > cut && !strcmp(name + n - cut, end)) {
		name[n - cut] = '\0';
		t->thread.full = strtab__get(&r->file->resolved.strings,
					     strtab__intern(&r->file->resolved.strings, name));
	}
	free(end);
	free(name);
}

static int finish(struct reading *r, const char *path, struct errbuf *err)
{
	struct profile *p = r->file->profile;

	if (!r->ours)
		return errbuf__set(err, -EINVAL,
				   "%s: is no profile that perfconv wrote; give the capture, or "
				   "what perfconv convert makes of it",
				   path);
	if (r->file->resolved.stacks.n && r->largest_frame >= r->file->resolved.frames.n)
		return errbuf__set(err, -EINVAL,
				   "%s: is damaged: a stack has frame %u, and the file %zu frames; "
				   "convert the capture again",
				   path, r->largest_frame, r->file->resolved.frames.n);
	p->timed = p->waits = r->wall;
	p->exact = r->has_times;
	for (size_t i = 0; i < r->threads.n; i++) {
		if (!is_wanted(r, &r->threads.data[i]))
			continue;
		shorten_name(r, &r->threads.data[i]);
		p->timed = p->timed || r->threads.data[i].timed;
		take_thread(r, &r->threads.data[i]);
	}
	if (r->seconds > 0 && r->seconds < (double)MAX_NS / 1e9)
		p->duration = (uint64_t)(r->seconds * 1e9 + 0.5);
	return 0;
}

static int read_bytes(struct profile_file *f, const char *path, const char *bytes, size_t n,
		      struct errbuf *err)
{
	struct reading r = { .file = f };
	int code;

	json_reader__init(&r.json, bytes, n);
	read_top(&r);
	code = json_reader__end(&r.json, err);
	if (code)
		errbuf__prefix(err, "%s: is damaged, or no profile: it ", path);
	else
		code = finish(&r, path, err);
	for (size_t i = 0; i < r.threads.n; i++) {
		vec__release(&r.threads.data[i].stacks);
		vec__release(&r.threads.data[i].weights);
	}
	vec__release(&r.threads);
	json_reader__release(&r.json);
	return code;
}

bool profile_file__is_one(const char *path)
{
	char first[64] = "";
	int fd = file__open(path, NULL, NULL);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, first, sizeof(first) - 1);
	close(fd);
	return n > 0 && first[strspn(first, " \t\r\n")] == '{';
}

int profile_file__open(struct profile_file **out, const char *path, struct errbuf *err)
{
	struct profile_file *f;
	char *bytes;
	size_t n;
	int code = file__read(path, PROFILE_FILE_MAX_BYTES, &bytes, &n, err);

	if (code)
		return code;
	f = mem__alloc(1, sizeof(*f));
	f->profile = mem__alloc(1, sizeof(*f->profile));
	f->profile->resolved = &f->resolved;
	strtab__intern(&f->resolved.strings, "");
	f->title = f->scenario = f->frames = f->event = f->python = "";
	f->host = f->kernel = f->cpu = "";
	code = read_bytes(f, path, bytes, n, err);
	free(bytes);
	if (code)
		profile_file__free(f);
	else
		*out = f;
	return code;
}

void profile_file__free(struct profile_file *f)
{
	if (!f)
		return;
	profile__free(f->profile);
	strtab__release(&f->resolved.strings);
	vec__release(&f->resolved.frames);
	idmap__release(&f->resolved.stacks);
	idmap__release(&f->resolved.frame_keys);
	free(f);
}
