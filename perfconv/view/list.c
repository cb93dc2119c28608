// SPDX-License-Identifier: GPL-2.0
#include "perfconv/view/list.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/base/json.h"
#include "perfconv/base/json_reader.h"
#include "perfconv/base/mem.h"

#define MAX_BYTES ((size_t)1 << 30) /* of a file that is looked into */
#define MAX_TEXT 4096u		    /* of a string that is shown */

struct listed_thread {
	char *name;
	double on_cpu_s;
};

/* What is gathered of a file while it is read. */
struct listed {
	struct json *json;
	VEC(struct listed_thread) threads;
	size_t threads_n; /* all there are */
};

bool list__is_packed(const char *path)
{
	unsigned char magic[2] = { 0 };
	int fd = file__open(path, NULL, NULL);

	if (fd < 0)
		return false;
	if (file__read_at(fd, magic, sizeof(magic), 0))
		magic[0] = 0;
	close(fd);
	return magic[0] == 0x1f && magic[1] == 0x8b;
}

static void copy_string(struct json_reader *r, struct json *j)
{
	const char *text = json_reader__string(r);

	if (strlen(text) <= MAX_TEXT)
		json__string(j, text);
	else
		json__string(j, "...");
}

/* Numbers, strings and what holds them; a reader that has stopped yields nothing. */
static void copy_value(struct json_reader *r, struct json *j)
{
	const char *key;

	switch (json_reader__peek(r)) {
	case JSON_OBJECT:
		json_reader__object(r);
		json__object(j);
		while ((key = json_reader__key(r))) {
			json__key(j, key);
			copy_value(r, j);
		}
		json__object_end(j);
		break;
	case JSON_ARRAY:
		json_reader__array(r);
		json__array(j);
		while (json_reader__more(r))
			copy_value(r, j);
		json__array_end(j);
		break;
	case JSON_STRING:
		copy_string(r, j);
		break;
	case JSON_NUMBER:
		json__double(j, json_reader__double(r));
		break;
	case JSON_BOOL:
	case JSON_NULL:
	case JSON_NOTHING:
	default:
		json_reader__skip(r);
		json__null(j);
		break;
	}
}

/* What the page shows of the run's metadata. */
static bool is_shown(const char *key)
{
	static const char *const keys[] = { "scenario", "values",  "startTime", "durationSeconds",
					    "host",	"event",   "view",	"frames",
					    "python",	"samples", "quality" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

static void read_run(struct json_reader *r, struct json *j)
{
	bool has_report = false;
	const char *key;

	json__key(j, "run");
	json__object(j);
	json_reader__object(r);
	while ((key = json_reader__key(r))) {
		has_report = has_report || !strcmp(key, "report");
		if (is_shown(key)) {
			json__key(j, key);
			copy_value(r, j);
		} else {
			json_reader__skip(r);
		}
	}
	json__object_end(j);
	json__key(j, "report");
	json__bool(j, has_report);
}

static void read_thread_meta(struct json_reader *r, struct listed_thread *t, bool *is_thread)
{
	const char *key;

	json_reader__object(r);
	while ((key = json_reader__key(r))) {
		if (!strcmp(key, "onCpuSeconds")) {
			t->on_cpu_s = json_reader__double(r);
		} else {
			*is_thread = *is_thread || !strcmp(key, "tid");
			json_reader__skip(r);
		}
	}
}

static void read_profile(struct json_reader *r, struct listed *l)
{
	struct listed_thread t = { 0 };
	bool is_thread = false;
	const char *key;

	json_reader__object(r);
	while ((key = json_reader__key(r))) {
		if (!strcmp(key, "name")) {
			free(t.name);
			t.name = mem__strdup(json_reader__string(r));
		} else if (!strcmp(key, "perfconv")) {
			read_thread_meta(r, &t, &is_thread);
		} else {
			json_reader__skip(r);
		}
	}
	l->threads_n += is_thread;
	if (is_thread && t.name)
		vec__push(&l->threads, t);
	else
		free(t.name);
}

static int busiest_first(const void *a, const void *b)
{
	const struct listed_thread *x = a, *y = b;

	return x->on_cpu_s > y->on_cpu_s ? -1 : x->on_cpu_s < y->on_cpu_s;
}

static void write_threads(struct listed *l)
{
	struct json *j = l->json;

	if (l->threads.n)
		qsort(l->threads.data, l->threads.n, sizeof(*l->threads.data), busiest_first);
	json__key_u64(j, "threads", l->threads_n);
	json__key(j, "busiest");
	json__array(j);
	for (size_t i = 0; i < l->threads.n && i < LIST_THREADS; i++) {
		json__object(j);
		json__key_string(j, "name", l->threads.data[i].name);
		json__key_double(j, "onCpuSeconds", l->threads.data[i].on_cpu_s);
		json__object_end(j);
	}
	json__array_end(j);
}

static void read_file(struct json_reader *r, struct listed *l)
{
	const char *key;

	json_reader__object(r);
	while ((key = json_reader__key(r))) {
		if (!strcmp(key, "name")) {
			json__key(l->json, "title");
			copy_string(r, l->json);
		} else if (!strcmp(key, "perfconv")) {
			read_run(r, l->json);
		} else if (!strcmp(key, "profiles")) {
			json_reader__array(r);
			while (json_reader__more(r))
				read_profile(r, l);
		} else {
			json_reader__skip(r);
		}
	}
}

static void write_content(struct json *j, const char *path)
{
	struct listed l = { .json = j };
	struct json_reader r;
	char *bytes;
	size_t n;

	if (list__is_packed(path) || file__read(path, MAX_BYTES, &bytes, &n, NULL))
		return;
	json_reader__init(&r, bytes, n);
	read_file(&r, &l);
	write_threads(&l);
	for (size_t i = 0; i < l.threads.n; i++)
		free(l.threads.data[i].name);
	vec__release(&l.threads);
	json_reader__release(&r);
	free(bytes);
}

void list__write(struct sink *sink, const char *const *paths, size_t n)
{
	struct json j;

	json__init(&j, sink);
	json__array(&j);
	for (size_t i = 0; i < n; i++) {
		json__newline(&j);
		json__object(&j);
		json__key_string(&j, "file", file__base(paths[i]));
		write_content(&j, paths[i]);
		json__object_end(&j);
	}
	json__array_end(&j);
	json__newline(&j);
}
