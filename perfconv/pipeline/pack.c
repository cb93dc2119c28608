// SPDX-License-Identifier: GPL-2.0
/*
 * Every place of the store is named first, by symbol and by source line: a
 * conversion with whatever options asks for no more.
 */
#include "perfconv/pipeline/pack.h"

#include <ctype.h>
#include <errno.h>
#include <perf/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/bundle/manifest.h"
#include "perfconv/bundle/tar.h"
#include "perfconv/pipeline/item.h"
#include "perfconv/symbol/inlines.h"
#include "perfconv/symbol/kallsyms.h"

#define BASE_CHARS 60 /* of a file's name that its entry's name tells */

struct pack {
	struct capture *capture;
	struct pack_options options;
	struct pack_counts *counts;
	struct manifest manifest;
	struct scrub scrub; /* to redact */
	VEC(struct item) items;
};

/* --- what is needed ------------------------------------------------------- */

static struct place place_of(const struct store *s, uint32_t location)
{
	struct store_location l = store__get_location(s, location);

	l.place.address -= l.return_address;
	return l.place;
}

static void name_everything(struct capture *c)
{
	struct inline_frame frames[INLINES_MAX];

	for (uint32_t i = 0; i < c->store.locations.n; i++) {
		struct place place = place_of(&c->store, i);

		(void)symbols__find(c->symbols, place);
		(void)symbols__sources(c->symbols, place, frames);
	}
}

struct addresses {
	VEC(uint64_t) list;
};

static void kernel_addresses(const struct capture *c, struct addresses *out)
{
	for (uint32_t i = 0; i < c->store.locations.n; i++) {
		struct place place = place_of(&c->store, i);

		if (dsos__get(&c->machine.dsos, place.dso)->kind != DSO_KERNEL)
			continue;
		vec__push(&out->list, place.address);
		vec__push(&out->list, store__get_location(&c->store, i).place.address);
	}
}

/* --- entries -------------------------------------------------------------- */

static char *entry_name(const struct pack *p, const char *folder, const char *path)
{
	char *name = mem__format("%s/%zu-%.*s", folder, p->items.n, BASE_CHARS, file__base(path));

	for (char *at = strchr(name, '/') + 1; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("._+-", *at))
			*at = '_';
	return name;
}

static struct item *add_item(struct pack *p, char *entry)
{
	struct item *item = vec__add(&p->items);

	item->entry = entry;
	item->fd = -1;
	return item;
}

/* Takes the descriptor over. */
static struct item *add_file(struct pack *p, char *entry, int fd, uint64_t bytes)
{
	struct item *item = add_item(p, entry);

	item->fd = fd;
	item->bytes = bytes;
	return item;
}

/* Stack copies, and in the first file of a capture what its header says. */
static int blank_part(struct pack *p, struct item *item, uint32_t capture, uint32_t part,
		      const char *path, struct errbuf *err)
{
	struct perfdata *data;
	const struct perfdata_text *text;
	int code;

	dumps__private(&p->capture->dumps, capture, part, &item->blank);
	if (part)
		return 0;
	code = perfdata__open(&data, path, err);
	if (code)
		return code;
	for (size_t i = 0; (text = perfdata__private(data, i)); i++)
		vec__push(&item->letters.list,
			  ((struct dump_range){ text->offset, text->offset + text->bytes }));
	perfdata__free(data);
	return 0;
}

/* @number: of a folder's files; @name: NULL: the capture is a file. */
static int add_part(struct pack *p, uint32_t capture, const char *path, uint32_t number,
		    const char *name, struct errbuf *err)
{
	char *whole = name ? mem__format("%s/%s", path, name) : mem__strdup(path);
	struct manifest_part part = { .capture = capture };
	struct item *item;
	uint64_t bytes;
	int fd = file__open(whole, &bytes, err);

	free(whole);
	if (fd < 0)
		return fd;
	part.name = name ? mem__strdup(name) : NULL;
	part.entry = name ? mem__format("capture/%u/%s", capture, name)
			  : mem__format("capture/%u", capture);
	part.path = mem__strdup(path);
	vec__push(&p->manifest.parts, part);
	item = add_file(p, mem__strdup(part.entry), fd, bytes);
	p->counts->capture_bytes += bytes;
	return p->options.redact ? blank_part(p, item, capture, number, path, err) : 0;
}

/* A file, or what perf record --threads writes: data, data.0, data.1 ... */
static int add_capture(struct pack *p, uint32_t number, const char *path, struct errbuf *err)
{
	struct stat st;
	int code;

	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return add_part(p, number, path, 0, NULL, err);
	code = add_part(p, number, path, 0, "data", err);
	for (unsigned int i = 0; !code; i++) {
		char *name = mem__format("data.%u", i);

		code = add_part(p, number, path, i + 1, name, err);
		free(name);
	}
	return code == -ENOENT && p->manifest.parts.n ? 0 : code;
}

static int add_captures(struct pack *p, struct errbuf *err)
{
	const struct perfdata *data = p->capture->data;
	int code = 0;

	for (uint32_t i = 0; i < perfdata__files(data) && !code; i++)
		code = add_capture(p, i, perfdata__file(data, i), err);
	return code;
}

/* Return: the entry's name, owned by the manifest; NULL if it cannot be had. */
static char *add_elf(struct pack *p, const char *folder, Elf *elf, const char *path)
{
	struct slim slim;
	struct item *item;

	if (!elf || !slim__init(&slim, elf, !p->options.no_inlines))
		return NULL;
	item = add_item(p, entry_name(p, folder, path));
	item->is_elf = true;
	item->slim = slim;
	item->bytes = slim.n;
	p->counts->elf_bytes += slim.n;
	p->counts->kept_bytes += slim__kept(&slim);
	return mem__strdup(item->entry);
}

static size_t index_of(const struct pack *p, enum answer_kind kind, const char *key)
{
	const struct answer *a = answers__find(&p->manifest.answers, kind, key);

	return a && !a->code ? (size_t)(a - p->manifest.answers.list.data) : SIZE_MAX;
}

static void add_elfs_of(struct pack *p, uint32_t id)
{
	struct capture *c = p->capture;
	const char *key = dsos__key(&c->machine.dsos, id);
	size_t of_image = index_of(p, ANSWER_IMAGE, key), of_debug;
	const struct image *image;

	if (of_image == SIZE_MAX)
		return;
	image = images__get(&c->images, &c->machine.dsos, id);
	p->manifest.entries.data[of_image] = add_elf(p, "elf", image->elf, image->path);
	of_debug = index_of(p, ANSWER_DEBUG, key);
	if (of_debug != SIZE_MAX)
		p->manifest.entries.data[of_debug] = add_elf(p, "debug", image->debug, image->path);
}

/* A name in a capture may lead anywhere: only what is what it should be is packed. */
static bool is_side_file(int fd)
{
	static const char magic[] = "PYFRAMES";
	char first[sizeof(magic) - 1];

	return !file__read_at(fd, first, sizeof(first), 0) && !memcmp(first, magic, sizeof(first));
}

static char *add_side_file(struct pack *p, const struct answer *a)
{
	struct item *item;
	uint64_t bytes;
	int fd = file__open(a->path, &bytes, NULL);

	if (fd < 0)
		return NULL;
	item = add_file(p, entry_name(p, "beside", a->path), fd, is_side_file(fd) ? bytes : 0);
	item->is_side_file = true;
	return mem__strdup(item->entry);
}

/* As it was read; by now its name may lead to something else.  Empty if it was of no use. */
static char *add_threads_file(struct pack *p, const struct answer *a)
{
	const struct threads_file *f = p->capture->threads_file;
	struct item *item = add_item(p, entry_name(p, "beside", a->path));

	item->text = mem__strdup("");
	if (f) {
		free(item->text);
		item->text = mem__alloc(f->bytes, 1);
		memcpy(item->text, f->text, f->bytes);
		item->bytes = f->bytes;
	}
	return mem__strdup(item->entry);
}

static char *add_beside(struct pack *p, const struct answer *a)
{
	return strstr(file__base(a->path), ".threads.json") ? add_threads_file(p, a)
							    : add_side_file(p, a);
}

static char *add_code_file(struct pack *p, struct answer *a)
{
	int fd = a->fd;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	a->fd = -1;
	return mem__strdup(
		add_file(p, entry_name(p, "code", a->path), fd, (uint64_t)st.st_size)->entry);
}

/* The answer to the question for the kernel's symbols. */
static void add_kernel(struct pack *p)
{
	struct capture *c = p->capture;
	const char *unnamed = symbols__kernel_unnamed(c->symbols);
	struct addresses wanted = { 0 };
	struct item *item;
	struct answer *a;
	char *text;
	size_t n;

	kernel_addresses(c, &wanted);
	if (wanted.list.n) {
		a = answers__add(&p->manifest.answers, ANSWER_KALLSYMS, "");
		vec__push(&p->manifest.entries, NULL);
		if (unnamed || kallsyms__excerpt("/proc/kallsyms", c->images.kernel_symbol,
						 wanted.list.data, wanted.list.n, &text, &n)) {
			a->code = -EPERM;
			free(a->reason);
			a->reason = mem__strdup(unnamed ? unnamed : "/proc/kallsyms: is gone");
		} else {
			item = add_item(p, mem__strdup("kallsyms"));
			item->text = text;
			item->bytes = n;
			p->manifest.entries.data[p->manifest.entries.n - 1] =
				mem__strdup(item->entry);
		}
	}
	vec__release(&wanted.list);
}

static void add_answers(struct pack *p)
{
	struct answers *answers = &p->manifest.answers;

	for (size_t i = 0; i < answers->list.n; i++)
		vec__push(&p->manifest.entries, NULL);
	for (uint32_t id = 0; id < p->capture->machine.dsos.list.n; id++)
		add_elfs_of(p, id);
	for (size_t i = 0; i < answers->list.n; i++) {
		struct answer *a = &answers->list.data[i];

		if (a->kind == ANSWER_BESIDE && !a->code)
			p->manifest.entries.data[i] = add_beside(p, a);
		else if ((a->kind == ANSWER_PERFMAP || a->kind == ANSWER_JITDUMP) && !a->code)
			p->manifest.entries.data[i] = add_code_file(p, a);
	}
	add_kernel(p);
	for (size_t i = 0; i < answers->list.n; i++) {
		struct answer *a = &answers->list.data[i];

		if (!a->code && !p->manifest.entries.data[i])
			a->code = -ENOENT; /* it went meanwhile */
		p->counts->packed[a->kind] += !a->code;
		p->counts->missing += a->code == -ENOENT && a->kind == ANSWER_IMAGE;
		p->counts->refused += a->code && a->code != -ENOENT;
	}
}

/* As the capture's bytes are: the letters x are as many as there, not as %XX has. */
static void scrub_key(struct scrub *s, char **key)
{
	char *plain = answers__plain(*key);

	scrub__text(s, plain);
	free(*key);
	*key = answers__printable(plain);
	free(plain);
}

/* The manifest names files as the capture does, so it is redacted alike. */
static void scrub_manifest(struct pack *p)
{
	struct manifest *m = &p->manifest;

	scrub__text(&p->scrub, m->name);
	for (size_t i = 0; i < m->parts.n; i++)
		scrub__text(&p->scrub, m->parts.data[i].path);
	for (size_t i = 0; i < m->answers.list.n; i++) {
		struct answer *a = &m->answers.list.data[i];

		scrub_key(&p->scrub, &a->key);
		scrub__text(&p->scrub, a->reason);
		if (a->path)
			scrub__text(&p->scrub, a->path);
	}
}

static int check_redactable(const struct pack *p, struct errbuf *err)
{
	const struct perfdata_stats *stats = perfdata__stats(p->capture->data);

	if (!p->options.redact)
		return 0;
	if (stats->bad_records || stats->cut)
		return errbuf__set(err, -ENOTSUP,
				   "%s: has parts that cannot be read, in which --redact cannot "
				   "tell what is private (perfconv info has details); bundle it "
				   "without, or record it again",
				   p->capture->options.path);
	if (!(stats->records[PERF_RECORD_COMPRESSED] + stats->records[PERF_RECORD_COMPRESSED + 2]))
		return 0;
	return errbuf__set(err, -ENOTSUP,
			   "%s: was compressed by perf record -z, which --redact cannot rewrite; "
			   "decompress it first with perf inject -i %s -o OUT",
			   p->capture->options.path, p->capture->options.path);
}

/* --- writing -------------------------------------------------------------- */

static int write_items(struct pack *p, struct tar_writer *w, struct errbuf *err)
{
	char *manifest = manifest__text(&p->manifest);
	int code = 0;

	if (strlen(manifest) > BUNDLE_MAX_MANIFEST || p->manifest.entries.n > BUNDLE_MAX_ENTRIES) {
		free(manifest);
		return errbuf__set(err, -EFBIG,
				   "%s: needs more files than a bundle may name, %zu; convert it "
				   "where it was recorded",
				   p->capture->options.path, p->manifest.entries.n);
	}
	tar_writer__begin(w, MANIFEST_ENTRY, strlen(manifest));
	tar_writer__add(w, manifest, strlen(manifest));
	tar_writer__end(w);
	free(manifest);
	for (size_t i = 0; i < p->items.n && !code; i++)
		code = item__write(&p->items.data[i], w, p->options.redact ? &p->scrub : NULL, err);
	return code;
}

static int write_bundle(struct pack *p, const char *output, struct errbuf *err)
{
	struct tar_writer *w;
	struct sink *sink;
	int code = sink__open(&sink, output, err);

	if (code)
		return code;
	sink__keep_private(sink); /* stack copies hold what programs keep to themselves */
	w = tar_writer__new(sink);
	code = write_items(p, w, err);
	tar_writer__free(w);
	p->counts->bytes = sink__bytes(sink);
	if (!code)
		return sink__commit(sink, err);
	sink__abort(sink);
	return code;
}

static void set_about(struct pack *p)
{
	struct utsname here;

	free(p->manifest.name);
	p->manifest.name = mem__strdup(file__base(p->capture->options.path));
	p->manifest.no_inlines = p->options.no_inlines;
	p->manifest.redacted = p->options.redact;
	if (uname(&here))
		return;
	free(p->manifest.machine);
	p->manifest.machine = mem__strdup(here.machine);
}

static void release(struct pack *p)
{
	for (size_t i = 0; i < p->items.n; i++)
		item__release(&p->items.data[i]);
	vec__release(&p->items);
	scrub__release(&p->scrub);
	manifest__release(&p->manifest);
}

int capture__pack(struct capture *c, const char *output, const struct pack_options *options,
		  struct pack_counts *counts, struct errbuf *err)
{
	struct pack p = { .capture = c, .options = *options, .counts = counts };
	int code;

	memset(counts, 0, sizeof(*counts));
	manifest__init(&p.manifest);
	set_about(&p);
	name_everything(c);
	p.manifest.answers = c->answers;
	memset(&c->answers, 0, sizeof(c->answers));
	code = check_redactable(&p, err);
	if (!code)
		code = add_captures(&p, err);
	if (!code) {
		add_answers(&p);
		if (p.options.redact)
			scrub_manifest(&p);
		code = write_bundle(&p, output, err);
	}
	release(&p);
	return code;
}
