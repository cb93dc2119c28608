// SPDX-License-Identifier: GPL-2.0
#include "perfconv/perfdata/tracing_format.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/perfdata/limits.h"

/* The value behind "key:" in a line, up to the next ';'. */
static bool read_number(const char *line, const char *key, uint32_t *value)
{
	const char *at = strstr(line, key);
	unsigned long v;
	char *end;

	if (!at || !isdigit((unsigned char)at[strlen(key)]))
		return false;
	errno = 0;
	v = strtoul(at + strlen(key), &end, 10);
	if (errno || *end != ';' || v > UINT16_MAX) /* no payload is longer */
		return false;
	*value = (uint32_t)v;
	return true;
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* "field:char prev_comm[16];": the last word of the declaration, without its length. */
static bool read_field_name(const char *line, struct tracing_field *f)
{
	const char *end = strchr(line, ';'), *start;

	if (!end)
		return false;
	if (end > line && end[-1] == ']')
		while (end > line && *end != '[')
			end--;
	while (end > line && !is_name_char(end[-1]))
		end--;
	start = end;
	while (start > line && is_name_char(start[-1]))
		start--;
	f->name = start;
	f->name_chars = (uint32_t)(end - start);
	return end > start;
}

/* @line ends at its zero byte. */
static bool read_field(struct tracing_format *f, const char *line)
{
	struct tracing_field field = { 0 };
	uint32_t is_signed;

	if (f->fields.n == PERFDATA_MAX_FIELDS || !read_field_name(line, &field) ||
	    !read_number(line, "offset:", &field.offset) ||
	    !read_number(line, "size:", &field.size) || !read_number(line, "signed:", &is_signed))
		return false;
	field.is_signed = is_signed;
	vec__push(&f->fields, field);
	if (field.offset + field.size > f->bytes)
		f->bytes = field.offset + field.size;
	return true;
}

static bool read_line(struct tracing_format *f, const char *line)
{
	while (*line == ' ' || *line == '\t')
		line++;
	if (!strncmp(line, "name: ", 6) && !f->name)
		f->name = mem__strdup(line + 6);
	else if (!strncmp(line, "ID: ", 4) && isdigit((unsigned char)line[4]))
		f->id = strtoull(line + 4, NULL, 10);
	else if (!strncmp(line, "field", 5))
		return strchr(line, ':') && read_field(f, strchr(line, ':') + 1);
	return true;
}

/* Lines are ended in place while they are read, so that no search leaves them. */
static bool read_lines(struct tracing_format *f)
{
	bool fine = true;

	for (char *line = f->text; line && *line && fine;) {
		char *next = strchr(line, '\n');

		if (!strncmp(line, "print fmt:", 10))
			break;
		if (next)
			*next = '\0';
		fine = read_line(f, line);
		if (next)
			*next++ = '\n';
		line = next;
	}
	return fine && f->name && *f->name;
}

bool tracing_format__init(struct tracing_format *f, const char *system, const uint8_t *text,
			  size_t n)
{
	memset(f, 0, sizeof(*f));
	f->text = mem__alloc(n + 1, 1);
	memcpy(f->text, text, n);
	f->system = mem__strdup(system);
	if (strlen(f->text) == n && read_lines(f))
		return true;
	tracing_format__release(f);
	return false;
}

void tracing_format__release(struct tracing_format *f)
{
	free(f->text);
	free(f->system);
	free(f->name);
	vec__release(&f->fields);
	memset(f, 0, sizeof(*f));
}

const struct tracing_field *tracing_format__field(const struct tracing_format *f, const char *name)
{
	for (size_t i = 0; i < f->fields.n; i++) {
		const struct tracing_field *field = &f->fields.data[i];

		if (strlen(name) == field->name_chars &&
		    !memcmp(field->name, name, field->name_chars))
			return field;
	}
	return NULL;
}
