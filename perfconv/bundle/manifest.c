// SPDX-License-Identifier: GPL-2.0
/*
 * The file may come from anywhere.  What a reader needs has to be there and of
 * its type; names of entries are only compared, never used as paths.
 */
#include "perfconv/bundle/manifest.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/version.h"
#include "perfconv/bundle/limits.h"

#define FORMAT "perfconv bundle"

static const char *const kinds[ANSWER_KINDS] = {
	[ANSWER_IMAGE] = "image",     [ANSWER_DEBUG] = "debug",	    [ANSWER_BESIDE] = "beside",
	[ANSWER_PERFMAP] = "perfmap", [ANSWER_JITDUMP] = "jitdump", [ANSWER_KALLSYMS] = "kallsyms",
};

void manifest__init(struct manifest *m)
{
	memset(m, 0, sizeof(*m));
	m->name = mem__strdup("");
	m->machine = mem__strdup("");
	m->made_by = mem__strdup(PERFCONV_VERSION);
}

void manifest__release(struct manifest *m)
{
	for (size_t i = 0; i < m->parts.n; i++) {
		free(m->parts.data[i].name);
		free(m->parts.data[i].entry);
		free(m->parts.data[i].path);
	}
	for (size_t i = 0; i < m->entries.n; i++)
		free(m->entries.data[i]);
	vec__release(&m->parts);
	vec__release(&m->entries);
	answers__release(&m->answers);
	free(m->name);
	free(m->machine);
	free(m->made_by);
}

/* --- writing -------------------------------------------------------------- */

/* Any bytes, as JSON can hold them. */
static json_t *printable(const char *text)
{
	char *safe = answers__printable(text);
	json_t *value = json_string(safe);

	free(safe);
	return value;
}

static json_t *parts_json(const struct manifest *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->parts.n; i++) {
		const struct manifest_part *p = &m->parts.data[i];
		json_t *part = json_object();

		json_object_set_new(part, "capture", json_integer(p->capture));
		if (p->name)
			json_object_set_new(part, "name", json_string(p->name));
		json_object_set_new(part, "entry", json_string(p->entry));
		json_object_set_new(part, "path", printable(p->path));
		json_array_append_new(list, part);
	}
	return list;
}

static const char *status_of(int code)
{
	if (!code)
		return "found";
	if (code == -ENOENT)
		return "missing";
	return code == -ESTALE ? "other" : "refused";
}

static json_t *answer_json(const struct answer *a, const char *entry)
{
	json_t *object = json_object();

	json_object_set_new(object, "kind", json_string(kinds[a->kind]));
	json_object_set_new(object, "key", json_string(a->key));
	json_object_set_new(object, "status", json_string(status_of(a->code)));
	if (*a->reason)
		json_object_set_new(object, "reason", printable(a->reason));
	if (entry)
		json_object_set_new(object, "entry", json_string(entry));
	if (a->path && *a->path)
		json_object_set_new(object, "from", printable(a->path));
	if (a->kind == ANSWER_JITDUMP || a->kind == ANSWER_PERFMAP) {
		json_object_set_new(object, "inode", json_integer((json_int_t)a->inode));
		json_object_set_new(object, "changedNs", json_integer(a->changed_ns));
		json_object_set_new(object, "recorded", json_boolean(a->recorded));
	}
	return object;
}

char *manifest__text(const struct manifest *m)
{
	json_t *root = json_object(), *answers = json_array();
	char *text;

	for (size_t i = 0; i < m->answers.list.n; i++)
		json_array_append_new(answers,
				      answer_json(&m->answers.list.data[i], m->entries.data[i]));
	json_object_set_new(root, "format", json_string(FORMAT));
	json_object_set_new(root, "version", json_integer(MANIFEST_VERSION));
	json_object_set_new(root, "perfconv", json_string(m->made_by));
	json_object_set_new(root, "name", printable(m->name));
	json_object_set_new(root, "machine", printable(m->machine));
	json_object_set_new(root, "redacted", json_boolean(m->redacted));
	json_object_set_new(root, "inlines", json_boolean(!m->no_inlines));
	json_object_set_new(root, "parts", parts_json(m));
	json_object_set_new(root, "files", answers);
	text = json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	json_decref(root);
	if (!text)
		mem__out();
	return text;
}

/* --- reading -------------------------------------------------------------- */

static int bad(const char *path, struct errbuf *err, const char *what)
{
	return errbuf__set(err, -EINVAL,
			   "%s: its manifest %s, so it is no bundle that can be used; bundle the "
			   "capture again",
			   path, what);
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void set_text(char **slot, const json_t *object, const char *key)
{
	const char *text = text_of(object, key);

	if (!text)
		return;
	free(*slot);
	*slot = answers__plain(text);
}

static uint64_t number_of(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* What perf record --threads writes. */
static bool is_data_name(const char *name)
{
	size_t digits;

	if (!strcmp(name, "data"))
		return true;
	if (strncmp(name, "data.", 5))
		return false;
	digits = strspn(name + 5, "0123456789");
	return digits && digits <= 5 && !name[5 + digits];
}

static bool read_part(struct manifest *m, const json_t *part)
{
	const char *name = text_of(part, "name"), *entry = text_of(part, "entry");
	uint64_t capture = number_of(part, "capture");
	struct manifest_part *p;

	if (!entry || (name && !is_data_name(name)))
		return false;
	if (!m->parts.n ? capture != 0 : capture != m->captures - 1 && capture != m->captures)
		return false;
	/* A capture is one file, or the named files of a folder. */
	if (capture + 1 == m->captures && (!name || !m->parts.data[m->parts.n - 1].name))
		return false;
	p = vec__add(&m->parts);
	p->capture = (uint32_t)capture;
	p->name = name ? mem__strdup(name) : NULL;
	p->entry = mem__strdup(entry);
	p->path = mem__strdup("");
	set_text(&p->path, part, "path");
	m->captures = p->capture + 1;
	return true;
}

static int code_of(const char *status)
{
	if (!strcmp(status, "found"))
		return 0;
	if (!strcmp(status, "missing"))
		return -ENOENT;
	return strcmp(status, "other") ? -EPERM : -ESTALE;
}

static bool read_answer(struct manifest *m, const json_t *object)
{
	const char *kind = text_of(object, "kind"), *key = text_of(object, "key"),
		   *status = text_of(object, "status"), *entry = text_of(object, "entry");
	struct answer *a;
	unsigned int i = 0;
	char *bytes;

	while (i < ANSWER_KINDS && (!kind || strcmp(kind, kinds[i])))
		i++;
	if (i == ANSWER_KINDS || !key || !status || (!code_of(status) && !entry))
		return false;
	bytes = answers__plain(key);
	a = answers__add(&m->answers, (enum answer_kind)i, bytes);
	free(bytes);
	if (!a)
		return false;
	vec__push(&m->entries, entry && !code_of(status) ? mem__strdup(entry) : NULL);
	a->code = code_of(status);
	set_text(&a->reason, object, "reason");
	a->inode = number_of(object, "inode");
	a->changed_ns = (int64_t)number_of(object, "changedNs");
	a->recorded = json_is_true(json_object_get(object, "recorded"));
	return true;
}

static int read_lists(struct manifest *m, const json_t *root, const char *path, struct errbuf *err)
{
	const json_t *parts = json_object_get(root, "parts"),
		     *files = json_object_get(root, "files");

	if (json_array_size(parts) > BUNDLE_MAX_ENTRIES ||
	    json_array_size(files) > BUNDLE_MAX_ENTRIES)
		return bad(path, err, "lists too many files");
	for (size_t i = 0; i < json_array_size(parts); i++)
		if (!read_part(m, json_array_get(parts, i)))
			return bad(path, err, "describes a part of the capture that cannot be");
	if (!m->parts.n)
		return bad(path, err, "names no capture");
	for (size_t i = 0; i < json_array_size(files); i++)
		if (!read_answer(m, json_array_get(files, i)))
			return bad(path, err, "describes a file twice, or one that cannot be");
	return 0;
}

int manifest__read(struct manifest *m, const char *text, size_t n, const char *path,
		   struct errbuf *err)
{
	json_t *root = json_loadb(text, n, 0, NULL);
	const char *format = text_of(root, "format");
	int code = 0;

	if (!root || !format || strcmp(format, FORMAT) != 0)
		code = bad(path, err, "is not one of perfconv's");
	else if (number_of(root, "version") != MANIFEST_VERSION)
		code = errbuf__set(err, -ENOTSUP,
				   "%s: is a bundle of another version than %d; use the perfconv "
				   "that made it, or a newer one",
				   path, MANIFEST_VERSION);
	if (!code) {
		set_text(&m->name, root, "name");
		set_text(&m->machine, root, "machine");
		set_text(&m->made_by, root, "perfconv");
		m->redacted = json_is_true(json_object_get(root, "redacted"));
		m->no_inlines = json_is_false(json_object_get(root, "inlines"));
		m->answers.given = true;
		code = read_lists(m, root, path, err);
	}
	json_decref(root);
	return code;
}
