// SPDX-License-Identifier: GPL-2.0
/* Lines read "ffffffff81000000 T _stext" or "... t name [module]". */
#include "perfconv/symbol/kallsyms.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"

#define FILE_LIMIT ((size_t)256 << 20)

struct expected {
	const char *symbol;
	uint64_t address; /* 0: anywhere */
	bool moved;
};

/* A function's line.  Return: its name, up to the next space, tab or line's end; or NULL. */
static char *parse(char *line, uint64_t *address)
{
	char *rest;

	*address = strtoull(line, &rest, 16);
	if (!*address || rest == line || *rest != ' ' || !rest[1] || !strchr("tTwW", rest[1]) ||
	    rest[2] != ' ')
		return NULL;
	return rest + 3;
}

static void add_line(struct symtab *t, char *line, struct expected *e)
{
	uint64_t address;
	char *name = parse(line, &address);

	if (!name)
		return;
	name[strcspn(name, "\t ")] = '\0';
	if (e->address && address != e->address && !strcmp(name, e->symbol))
		e->moved = true;
	symtab__add(t, address, address, name, 0);
}

int kallsyms__read(struct symtab *t, const char *path, const char *symbol, uint64_t address,
		   struct errbuf *err)
{
	struct expected e = { symbol, address, false };
	char *text, *line, *next;
	size_t n;
	int code = file__read(path, FILE_LIMIT, &text, &n, err);

	if (code)
		return code;
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		add_line(t, line, &e);
	}
	free(text);
	if (!t->list.n)
		return errbuf__set(err, -ENODATA,
				   "%s: hides the kernel's addresses; run as root or set "
				   "kernel.kptr_restrict=0 to name kernel functions",
				   path);
	if (e.moved) {
		symtab__release(t);
		return errbuf__set(err, -ESTALE,
				   "%s: is of another boot, so kernel functions have no names; "
				   "convert before the next reboot",
				   path);
	}
	return 0;
}

struct line {
	uint64_t address;
	char *text; /* with its '\n' */
	bool wanted;
};

struct lines {
	VEC(struct line) list;
};

static int by_address(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->text < y->text ? -1 : x->text > y->text;
}

static void read_lines(struct lines *lines, char *text, const char *symbol)
{
	size_t length = strlen(symbol);

	for (char *at = text, *next; *at; at = next) {
		struct line line = { .text = at };
		const char *name = parse(at, &line.address);

		next = strchr(at, '\n');
		next = next ? next + 1 : at + strlen(at);
		line.wanted = name && length && !strncmp(name, symbol, length) &&
			      strchr("\t \n", name[length]);
		if (name && next[-1] == '\n')
			vec__push(&lines->list, line);
	}
	if (lines->list.n)
		qsort(lines->list.data, lines->list.n, sizeof(*lines->list.data), by_address);
}

/* All lines with the address of the one at @at, which is the last or the first of them. */
static void want(struct lines *lines, size_t at)
{
	uint64_t address = lines->list.data[at].address;

	for (size_t i = at; i < lines->list.n && lines->list.data[i].address == address; i++)
		lines->list.data[i].wanted = true;
	for (size_t i = at; i-- > 0 && lines->list.data[i].address == address;)
		lines->list.data[i].wanted = true;
}

int kallsyms__excerpt(const char *path, const char *symbol, const uint64_t *addresses, size_t n,
		      char **text, size_t *bytes)
{
	struct lines lines = { 0 };
	VEC(char) out = { 0 };
	char *all;
	int code = file__read(path, FILE_LIMIT, &all, bytes, NULL);

	if (code)
		return code;
	read_lines(&lines, all, symbol);
	for (size_t i = 0; i < n; i++) {
		size_t upto = vec__upto(&lines.list, address, addresses[i]);

		if (upto)
			want(&lines, upto - 1);
		if (upto < lines.list.n)
			want(&lines, upto);
	}
	for (size_t i = 0; i < lines.list.n; i++) {
		const char *line = lines.list.data[i].text;
		size_t length = strcspn(line, "\n") + 1;

		if (!lines.list.data[i].wanted)
			continue;
		vec__reserve(&out, out.n + length);
		memcpy(out.data + out.n, line, length);
		out.n += length;
	}
	vec__reserve(&out, out.n + 1);
	vec__release(&lines.list);
	free(all);
	*text = out.data;
	*bytes = out.n;
	return 0;
}
