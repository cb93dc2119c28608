// SPDX-License-Identifier: GPL-2.0
/*
 * The file may come from anywhere.  jansson bounds the depth, we the bytes and
 * counts; a field of another type than agreed reads as absent, an entry without
 * numbers is left out and counted.
 */
#include "perfconv/sidefile/threads_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"

#define VERSION 1

static bool number(const json_t *object, const char *key, uint64_t *out)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static bool small_number(const json_t *object, const char *key, uint32_t *out)
{
	uint64_t value;

	if (!number(object, key, &value) || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

static void read_schedstat(struct threads_entry *e, const json_t *list)
{
	json_int_t values[3];

	if (json_array_size(list) < 3)
		return;
	for (size_t i = 0; i < 3; i++) {
		const json_t *value = json_array_get(list, i);

		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return;
		values[i] = json_integer_value(value);
	}
	e->run_ns = (uint64_t)values[0];
	e->queue_ns = (uint64_t)values[1];
	e->slices = (uint64_t)values[2];
	e->has_schedstat = true;
}

/* "NUMBER ARG ARG ARG ARG ARG ARG SP IP", all but the first hexadecimal; or "running",
 * or "-1 SP IP" outside of a system call. */
static void read_syscall(struct threads_entry *e, const char *line)
{
	uint64_t values[9];
	size_t n = 0;
	char *end;

	for (; n < 9; n++) {
		values[n] = strtoull(line, &end, n ? 16 : 10);
		if (end == line)
			break;
		line = end;
	}
	if (n == 9)
		e->argument = values[1];
	if (n == 9 || n == 3) {
		e->sp = values[n - 2];
		e->ip = values[n - 1];
	}
}

/* "do_sys_poll+0x4c/0x60" or the bare name. */
static void read_stack(struct threads_file *f, struct threads_entry *e, const json_t *list)
{
	e->first = (uint32_t)f->functions.n;
	for (size_t i = 0; i < json_array_size(list) && i < THREADS_FILE_MAX_FUNCTIONS; i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (!name)
			continue;
		vec__push(&f->functions, name);
		e->functions++;
	}
}

static void read_thread(struct threads_file *f, const json_t *thread, uint64_t time_ns, bool at_end)
{
	struct threads_entry e = { .time_ns = time_ns, .at_end = at_end };

	if (!small_number(thread, "pid", &e.pid) || !small_number(thread, "tid", &e.tid)) {
		f->bad_entries++;
		return;
	}
	number(thread, "time_ns", &e.time_ns); /* its own, where it has one */
	e.state = *text(thread, "state");
	e.wchan = text(thread, "wchan");
	read_schedstat(&e, json_object_get(thread, "schedstat"));
	read_syscall(&e, text(thread, "syscall"));
	read_stack(f, &e, json_object_get(thread, "stack"));
	vec__push(&f->entries, e);
}

static void read_machine(struct threads_file *f, const json_t *machine, uint64_t time_ns)
{
	struct machine_look look = { .time_ns = time_ns };

	if (!json_is_object(machine) || f->machine.n == THREADS_FILE_MAX_LOOKS)
		return;
	look.has_throttled = number(machine, "throttled_periods", &look.throttled_periods) &&
			     number(machine, "throttled_us", &look.throttled_us);
	look.has_swap = number(machine, "swapped_in_pages", &look.swapped_in) &&
			number(machine, "swapped_out_pages", &look.swapped_out);
	number(machine, "mhz", &look.mhz);
	number(machine, "max_mhz", &look.max_mhz);
	vec__push(&f->machine, look);
}

static void read_snapshot(struct threads_file *f, const json_t *snapshot)
{
	const json_t *threads = json_object_get(snapshot, "threads");
	bool at_end = !strcmp(text(snapshot, "when"), "end");
	uint64_t time_ns;

	if (!number(snapshot, "time_ns", &time_ns)) {
		f->bad_entries++;
		return;
	}
	read_machine(f, json_object_get(snapshot, "machine"), time_ns);
	for (size_t i = 0; i < json_array_size(threads); i++) {
		if (f->entries.n == THREADS_FILE_MAX_ENTRIES) {
			f->bad_entries += json_array_size(threads) - i;
			return;
		}
		read_thread(f, json_array_get(threads, i), time_ns, at_end);
	}
}

static void read_usage(struct threads_file *f, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i), *cpu = json_object_get(o, "cpu_percent");
		struct usage_look look = { .cpu_percent = json_number_value(cpu) };

		if (i >= THREADS_FILE_MAX_LOOKS || !number(o, "time_ns", &look.time_ns) ||
		    !number(o, "memory_bytes", &look.memory_bytes) || !json_is_number(cpu) ||
		    !usage_look__is_possible(look.cpu_percent, look.memory_bytes))
			f->bad_entries++;
		else
			vec__push(&f->usage, look);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct usage_look *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static int by_tid_and_time(const void *a, const void *b)
{
	const struct threads_entry *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static int parse(struct threads_file *f, const char *path, struct errbuf *err)
{
	const json_t *snapshots;
	json_error_t error;
	uint64_t version = 0;

	f->document = json_loadb(f->text, f->bytes, 0, &error);
	if (!f->document)
		return errbuf__set(err, -EINVAL, "%s: is no JSON: %s in line %d", path, error.text,
				   error.line);
	snapshots = json_object_get(f->document, "snapshots");
	if (!number(f->document, "version", &version) || version != VERSION ||
	    !json_is_array(snapshots))
		return errbuf__set(err, -EINVAL,
				   "%s: is no file of thread snapshots of version %d; convert with "
				   "the perfconv that came with the recorder",
				   path, VERSION);
	f->scenario = text(f->document, "scenario");
	for (size_t i = 0; i < json_array_size(snapshots); i++)
		read_snapshot(f, json_array_get(snapshots, i));
	if (f->entries.n)
		qsort(f->entries.data, f->entries.n, sizeof(*f->entries.data), by_tid_and_time);
	read_usage(f, json_object_get(f->document, "usage"));
	if (f->usage.n)
		qsort(f->usage.data, f->usage.n, sizeof(*f->usage.data), by_time);
	return 0;
}

int threads_file__open(struct threads_file **out, const char *path, struct errbuf *err)
{
	struct threads_file *f = mem__alloc(1, sizeof(*f));
	int code = file__read(path, THREADS_FILE_MAX_BYTES, &f->text, &f->bytes, err);

	if (!code)
		code = parse(f, path, err);
	if (code)
		threads_file__free(f);
	else
		*out = f;
	return code;
}

void threads_file__free(struct threads_file *f)
{
	if (!f)
		return;
	json_decref(f->document);
	free(f->text);
	vec__release(&f->entries);
	vec__release(&f->functions);
	vec__release(&f->machine);
	vec__release(&f->usage);
	free(f);
}

const struct threads_entry *threads_file__find(const struct threads_file *f, uint32_t tid)
{
	size_t first = tid ? vec__upto(&f->entries, tid, tid - 1) : 0;

	return first < f->entries.n && f->entries.data[first].tid == tid ? &f->entries.data[first]
									 : NULL;
}
