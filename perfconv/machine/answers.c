// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/answers.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void answers__release(struct answers *a)
{
	for (size_t i = 0; i < a->list.n; i++) {
		struct answer *answer = &a->list.data[i];

		if (answer->fd >= 0)
			close(answer->fd);
		free(answer->key);
		free(answer->reason);
		free(answer->path);
	}
	vec__release(&a->list);
	strtab__release(&a->questions);
}

char *answers__printable(const char *text)
{
	char *out = mem__alloc(3 * strlen(text) + 1, 1), *at = out;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p > 0x20 && *p < 0x7f && *p != '%')
			*at++ = (char)*p;
		else if (*p == ' ')
			*at++ = ' ';
		else
			at += sprintf(at, "%%%02X", *p);
	return out;
}

char *answers__plain(const char *text)
{
	char *out = mem__strdup(text), *to = out;

	for (const char *p = text; *p; p++)
		if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]) &&
		    strncmp(p + 1, "00", 2) != 0) {
			char digits[] = { p[1], p[2], '\0' };

			*to++ = (char)strtoul(digits, NULL, 16);
			p += 2;
		} else {
			*to++ = *p;
		}
	*to = '\0';
	return out;
}

static char *question(enum answer_kind kind, const char *key)
{
	char *printable = answers__printable(key), *text = mem__format("%u %s", kind, printable);

	free(printable);
	return text;
}

struct answer *answers__add(struct answers *a, enum answer_kind kind, const char *key)
{
	char *text = question(kind, key);
	size_t before = a->list.n;
	uint32_t id = strtab__intern(&a->questions, text);
	struct answer *answer = NULL;

	if (id == before) {
		answer = vec__add(&a->list);
		answer->kind = kind;
		answer->key = answers__printable(key);
		answer->reason = mem__strdup("");
		answer->fd = -1;
	}
	free(text);
	return answer;
}

const struct answer *answers__find(const struct answers *a, enum answer_kind kind, const char *key)
{
	char *text = question(kind, key);
	uint32_t id = strtab__find(&a->questions, text);

	free(text);
	return id == IDMAP_NONE ? NULL : &a->list.data[id];
}

char *answers__process_key(uint32_t pid, uint64_t pid_namespace, const char *recorded)
{
	return mem__format("%" PRIu32 " in %" PRIu64 "%s%s", pid, pid_namespace,
			   *recorded ? " " : "", recorded);
}
