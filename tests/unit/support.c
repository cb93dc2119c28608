// SPDX-License-Identifier: GPL-2.0
#include "tests/unit/support.h"

#include <byteswap.h>
#include <dirent.h>
#include <unistd.h>

#define PATHS 8u

void bytes__raw(struct bytes *b, const void *data, size_t n)
{
	vec__reserve(&b->v, b->v.n + n);
	if (n)
		memcpy(b->v.data + b->v.n, data, n);
	b->v.n += n;
}

void bytes__u16(struct bytes *b, uint16_t v)
{
	v = b->swap ? bswap_16(v) : v;
	bytes__raw(b, &v, sizeof(v));
}

void bytes__u32(struct bytes *b, uint32_t v)
{
	v = b->swap ? bswap_32(v) : v;
	bytes__raw(b, &v, sizeof(v));
}

void bytes__u64(struct bytes *b, uint64_t v)
{
	v = b->swap ? bswap_64(v) : v;
	bytes__raw(b, &v, sizeof(v));
}

void bytes__pad(struct bytes *b, size_t align)
{
	while (b->v.n % align)
		vec__push(&b->v, 0);
}

void bytes__string(struct bytes *b, const char *s, size_t align)
{
	size_t start = b->v.n;

	bytes__raw(b, s, strlen(s) + 1);
	while ((b->v.n - start) % align)
		vec__push(&b->v, 0);
}

void bytes__release(struct bytes *b)
{
	vec__release(&b->v);
}

int scratch__setup(void **state)
{
	const char *base = getenv("TMPDIR");
	char *folder = mem__format("%s/perfconv-unit-XXXXXX", base && *base ? base : "/tmp");

	*state = folder;
	return mkdtemp(folder) ? 0 : -1;
}

static void remove_files(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path = mem__format("%s/%s", folder, entry->d_name);

		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && unlink(path))
			(void)rmdir(path);
		free(path);
	}
	if (dir)
		closedir(dir);
}

int scratch__teardown(void **state)
{
	int code;

	remove_files(*state);
	code = rmdir(*state);
	free(*state);
	return code;
}

const char *scratch__path(const char *folder, const char *name)
{
	static char paths[PATHS][512];
	static size_t next;
	char *path = paths[next++ % PATHS];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

const char *scratch__write(const char *folder, const char *name, const void *data, size_t n)
{
	const char *path = scratch__path(folder, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	if (n)
		assert_int_equal(fwrite(data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	return path;
}

char *scratch__read(const char *path)
{
	struct bytes b = { 0 };
	FILE *f = fopen(path, "re");
	int c;

	if (!f)
		return NULL;
	while ((c = getc(f)) != EOF)
		vec__push(&b.v, (uint8_t)c);
	vec__push(&b.v, 0);
	fclose(f);
	return (char *)b.v.data;
}

size_t scratch__count(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return n;
}

void assert_message(const struct errbuf *err, const char *path)
{
	if (strncmp(err->text, path, strlen(path)) || err->text[strlen(path)] != ':')
		fail_msg("message does not begin with %s: \"%s\"", path, err->text);
	if (strlen(err->text) < strlen(path) + 8 || strchr(err->text, '\n'))
		fail_msg("message is no sentence: \"%s\"", err->text);
}

void assert_contains(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text ? text : "(null)");
}
