// SPDX-License-Identifier: GPL-2.0
/* Lines read "ffffffff81000000 T _stext" or "... t name [module]". */
#include "perfconv/symbol/kallsyms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"

#define FILE_LIMIT ((size_t)256 << 20)

struct expected {
	const char *symbol;
	uint64_t address; /* 0: anywhere */
	bool moved;
};

static void add_line(struct symtab *t, char *line, struct expected *e)
{
	char *rest, *end;
	uint64_t address = strtoull(line, &rest, 16);

	if (!address || rest == line || *rest != ' ' || !rest[1] || !strchr("tTwW", rest[1]) ||
	    rest[2] != ' ')
		return;
	end = rest + 3 + strcspn(rest + 3, "\t ");
	*end = '\0';
	if (e->address && address != e->address && !strcmp(rest + 3, e->symbol))
		e->moved = true;
	symtab__add(t, address, address, rest + 3, 0);
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
