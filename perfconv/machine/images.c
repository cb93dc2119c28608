// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/images.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/machine/debuginfod.h"
#include "perfconv/machine/elf_file.h"

#define MAX_SEGMENTS 1024u

void images__init(struct images *im, const char *capture_path, const char *side_dir)
{
	const char *base = file__base(capture_path);

	memset(im, 0, sizeof(*im));
	im->capture_dir = base == capture_path
				  ? mem__strdup(".")
				  : mem__format("%.*s", (int)(base - capture_path), capture_path);
	im->side_dir = side_dir ? mem__strdup(side_dir) : NULL;
}

static void image__free(struct image *image)
{
	if (!image)
		return;
	elf_end(image->debug);
	elf_end(image->elf);
	vec__release(&image->segments);
	free(image->path);
	free(image);
}

void images__release(struct images *im)
{
	for (size_t i = 0; i < im->list.n; i++)
		image__free(im->list.data[i]);
	vec__release(&im->list);
	vec__release(&im->tried);
	free(im->side_dir);
	free(im->capture_dir);
}

static char *in_folder(const char *folder, const char *recorded)
{
	char *path = folder ? mem__format("%s/%s", folder, file__base(recorded)) : NULL;

	if (path && access(path, R_OK)) {
		free(path);
		path = NULL;
	}
	return path;
}

static char *find_beside(const struct images *im, const struct origin *origin, const char *recorded)
{
	char *path = in_folder(im->side_dir, recorded);

	if (!path)
		path = in_folder(im->capture_dir, recorded);
	if (!path && !access(recorded, R_OK))
		path = mem__strdup(recorded);
	if (!path && origin)
		path = living__path(&im->living, origin, recorded);
	return path;
}

/* A path that a bundle gives, or NULL. */
static char *given_path(const struct images *im, enum answer_kind kind, const char *key)
{
	const struct answer *a = answers__find(im->answers, kind, key);

	return a && !a->code ? mem__strdup(a->path) : NULL;
}

static void keep_answer(const struct images *im, enum answer_kind kind, const char *key, int code,
			const char *path)
{
	struct answer *a = im->answers ? answers__add(im->answers, kind, key) : NULL;

	if (!a)
		return;
	a->code = code;
	a->path = code ? NULL : mem__strdup(path);
}

bool images__are_given(const struct images *im)
{
	return im->answers && im->answers->given;
}

char *images__find_beside(const struct images *im, const struct origin *origin,
			  const char *recorded)
{
	const char *key = file__base(recorded);
	char *path;

	if (images__are_given(im))
		return given_path(im, ANSWER_BESIDE, key);
	path = find_beside(im, origin, recorded);
	keep_answer(im, ANSWER_BESIDE, key, path ? 0 : -ENOENT, path);
	return path;
}

char *images__kallsyms(const struct images *im, const char **why)
{
	const struct answer *a;

	*why = "the capture is of another kernel than this one; convert where it was recorded to "
	       "name its functions";
	if (!images__are_given(im))
		return im->local_kernel ? mem__strdup("/proc/kallsyms") : NULL;
	a = answers__find(im->answers, ANSWER_KALLSYMS, "");
	if (a && a->code)
		*why = a->reason;
	return a && !a->code ? mem__strdup(a->path) : NULL;
}

/* Where this process's own vdso ends; 0 if it has none. */
static uintptr_t own_vdso_end(uintptr_t start)
{
	uintptr_t from, to, end = 0;
	char line[512];
	FILE *f = fopen("/proc/self/maps", "re");

	while (f && !end && fgets(line, sizeof(line), f))
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) == 2 && from == start)
			end = to;
	if (f)
		fclose(f);
	return end;
}

/* The vdso is no file: a copy of our own in memory serves for a capture of this kernel. */
static int open_own_vdso(void)
{
	uintptr_t start = getauxval(AT_SYSINFO_EHDR), end = start ? own_vdso_end(start) : 0;
	int fd = end ? memfd_create("vdso", MFD_CLOEXEC) : -1;

	if (fd >= 0 && write(fd, (const void *)start, end - start) != (ssize_t)(end - start)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int open_file(const struct images *im, const struct dso *dso, char **path)
{
	if (dso->kind == DSO_VDSO) {
		*path = mem__strdup(dso->path);
		return im->local_kernel ? open_own_vdso() : -1;
	}
	if (dso->kind != DSO_ELF && dso->kind != DSO_TRAMPOLINE)
		return -1;
	*path = dso->kind == DSO_TRAMPOLINE ? find_beside(im, &dso->origin, dso->path)
					    : mem__strdup(dso->path);
	if (im->search.root && dso->kind == DSO_ELF)
		return file__open_in_root(im->search.root, dso->path, 0);
	return *path ? file__open(*path, NULL, NULL) : -1;
}

static bool read_segments(struct image *image)
{
	size_t n;

	if (elf_kind(image->elf) != ELF_K_ELF || elf_getphdrnum(image->elf, &n) || n > MAX_SEGMENTS)
		return false;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(image->elf, (int)i, &ph) && ph.p_type == PT_LOAD)
			vec__push(&image->segments, ((struct segment){ ph.p_offset, ph.p_vaddr,
								       ph.p_filesz, ph.p_memsz }));
	}
	return image->segments.n > 0;
}

static bool build_id_agrees(const struct image *image, const struct dso *dso)
{
	const uint8_t *id;
	size_t n;

	/* What lies where a file was deleted has to prove that it is the same. */
	if (!dso->build_id_bytes)
		return !dso->deleted || dso->kind != DSO_ELF;
	return !elf_file__build_id(image->elf, &id, &n) ||
	       (n == dso->build_id_bytes && !memcmp(id, dso->build_id, n));
}

/* Takes both over.  Return: NULL if it is no ELF file to run code from. */
static struct image *image__new(int fd, char *path)
{
	struct image *image = mem__alloc(1, sizeof(*image));

	image->path = path;
	image->elf = elf_file__map(fd);
	if (image->elf && read_segments(image))
		return image;
	image__free(image);
	return NULL;
}

/* A file that was replaced or is gone may still lie in perf's build-id cache. */
static struct image *open_cached(const struct dso *dso)
{
	struct image *image;
	const uint8_t *id;
	size_t n;
	char *path;
	int fd = debugfile__cached(dso->build_id, dso->build_id_bytes,
				   dso->kind == DSO_VDSO ? "vdso" : "elf", &path);

	if (fd < 0)
		return NULL;
	image = image__new(fd, path);
	if (image && !(elf_file__build_id(image->elf, &id, &n) && build_id_agrees(image, dso))) {
		image__free(image);
		image = NULL;
	}
	return image;
}

/* From the root of the process that mapped it, with some proof that it is the file. */
static struct image *open_living(const struct images *im, const struct dso *dso)
{
	bool proven = false;
	int fd = dso->kind == DSO_ELF && !dso->deleted
			 ? living__open(&im->living, &dso->origin, dso->path, &proven)
			 : -1;
	struct image *image = fd < 0 ? NULL
				     : image__new(fd, mem__format("/proc/%" PRIu32 "/root%s",
								  dso->origin.pid, dso->path));

	if (!image || (build_id_agrees(image, dso) && (proven || dso->build_id_bytes)))
		return image;
	image__free(image);
	return NULL;
}

/* From a server. */
static struct image *open_served(const struct images *im, const struct dso *dso)
{
	int fd = debuginfod__executable(im->search.debuginfod, dso->build_id, dso->build_id_bytes);
	struct image *image = fd < 0 ? NULL : image__new(fd, mem__strdup(dso->path));

	if (!image || build_id_agrees(image, dso))
		return image;
	image__free(image);
	return NULL;
}

/* What has the recorded path here is another container's file, unless its build-id agrees. */
static bool may_be_ours(const struct images *im, const struct dso *dso)
{
	return dso->kind != DSO_ELF || dso->build_id_bytes || im->search.root ||
	       !living__is_foreign(&im->living, &dso->origin);
}

/* Return: 0 with *@out set; -ENOENT; -ESTALE if what is there has another build-id. */
static int search_image(struct image **out, const struct images *im, const struct dso *dso)
{
	char *path = NULL;
	int fd = may_be_ours(im, dso) ? open_file(im, dso, &path) : -1;
	struct image *image = image__new(fd, path), *other;

	if (image && build_id_agrees(image, dso)) {
		*out = image;
		return 0;
	}
	other = im->search.root ? NULL : open_living(im, dso);
	if (!other)
		other = open_cached(dso);
	if (!other)
		other = open_served(im, dso);
	*out = other;
	if (!other && image) {
		image__free(image);
		return -ESTALE;
	}
	image__free(image);
	return other ? 0 : -ENOENT;
}

/* As search_image(). */
static int take_given_image(struct image **out, const struct images *im, const char *key)
{
	const struct answer *a = answers__find(im->answers, ANSWER_IMAGE, key);

	if (!a || a->code)
		return a ? a->code : -ENOENT;
	*out = image__new(file__open(a->path, NULL, NULL), mem__strdup(a->path));
	return *out ? 0 : -ENOENT;
}

static bool has_file(const struct dso *dso)
{
	return dso->kind == DSO_ELF || dso->kind == DSO_TRAMPOLINE || dso->kind == DSO_VDSO;
}

static struct image *open_image(struct images *im, const struct dsos *dsos, uint32_t id)
{
	const struct dso *dso = dsos__get(dsos, id);
	const char *key = dsos__key(dsos, id);
	struct image *image = NULL;
	int code;

	if (!has_file(dso))
		return NULL;
	if (images__are_given(im)) {
		code = take_given_image(&image, im, key);
	} else {
		code = search_image(&image, im, dso);
		keep_answer(im, ANSWER_IMAGE, key, code, image ? image->path : NULL);
	}
	if (code == -ESTALE)
		im->mismatched++;
	else if (code && dso->kind != DSO_VDSO)
		im->missing++;
	return image;
}

const struct image *images__get(struct images *im, const struct dsos *dsos, uint32_t id)
{
	while (im->list.n <= id) {
		vec__push(&im->list, NULL);
		vec__push(&im->tried, false);
	}
	if (!im->tried.data[id]) {
		im->tried.data[id] = true;
		im->list.data[id] = open_image(im, dsos, id);
	}
	return im->list.data[id];
}

static Elf *open_debug(const struct images *im, const struct image *image, const char *key)
{
	char *path;
	Elf *debug;

	if (!images__are_given(im)) {
		debug = debugfile__open(&im->search, image->path, image->elf);
		keep_answer(im, ANSWER_DEBUG, key, debug ? 0 : -ENOENT, "");
		return debug;
	}
	path = given_path(im, ANSWER_DEBUG, key);
	debug = path ? elf_file__map(file__open(path, NULL, NULL)) : NULL;
	free(path);
	if (debug && elf_kind(debug) != ELF_K_ELF) {
		elf_end(debug);
		debug = NULL;
	}
	return debug;
}

Elf *images__debug(struct images *im, const struct dsos *dsos, uint32_t id)
{
	struct image *image = images__get(im, dsos, id) ? im->list.data[id] : NULL;

	if (!image)
		return NULL;
	if (!image->debug_tried) {
		image->debug_tried = true;
		image->debug = open_debug(im, image, dsos__key(dsos, id));
	}
	return image->debug;
}

bool image__address(const struct image *image, uint64_t offset, uint64_t *address)
{
	for (size_t i = 0; i < image->segments.n; i++) {
		const struct segment *s = &image->segments.data[i];

		if (offset >= s->offset && offset - s->offset < s->file_bytes) {
			*address = offset - s->offset + s->vaddr;
			return true;
		}
	}
	return false;
}
