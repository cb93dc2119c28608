// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/doctor_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/json.h"
#include "perfconv/cmd/message.h"

#define COLUMNS 80u
#define AREA_COLUMNS 15
#define WORDS_COLUMN 24u  /* area and mark stand before it */
#define COMMAND_COLUMN 2u /* of its later lines: the longest event just fits */
#define PLAIN "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@%+=:,./-_"

static void put(struct sink *out, const char *text)
{
	sink__write(out, text, strlen(text));
}

static void put_spaces(struct sink *out, unsigned int n)
{
	while (n--)
		put(out, " ");
}

/* Names in it are foreign.  Return: text to be freed. */
static char *clean(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = message__text(fmt, ap);
	va_end(ap);
	return text;
}

/* From column @from on, where the cursor stands; ends the line. */
static void put_wrapped(struct sink *out, const char *text, unsigned int from)
{
	unsigned int at = from;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (at > from && at + 1 + n > COLUMNS) {
			put(out, "\n");
			put_spaces(out, from);
			at = from;
		} else if (at > from) {
			put(out, " ");
			at++;
		}
		sink__write(out, text, n);
		at += (unsigned int)n;
		text += n;
		text += strspn(text, " ");
	}
	put(out, "\n");
}

static void put_advice(struct sink *out, const char *label, const char *words)
{
	char *text;

	if (!words)
		return;
	text = clean("%s %s", label, words);
	put_spaces(out, WORDS_COLUMN);
	put_wrapped(out, text, WORDS_COLUMN);
	free(text);
}

/* One remedy often heals several.  Return: the first finding before @i that has the same. */
static const struct finding *with_same_remedy(const struct findings *all, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (all->list.data[k].remedy &&
		    !strcmp(all->list.data[k].remedy, all->list.data[i].remedy))
			return &all->list.data[k];
	return NULL;
}

static void put_remedy(struct sink *out, const struct findings *all, size_t i)
{
	const struct finding *f = &all->list.data[i], *same;

	if (!f->remedy)
		return;
	same = with_same_remedy(all, i);
	if (same) {
		put_advice(out, "remedy: as for", same->area);
		return;
	}
	put_advice(out, "remedy:", f->remedy);
	put_advice(out, "risk:", f->risk);
}

static void put_finding(struct sink *out, const struct findings *all, size_t i, bool colour)
{
	const struct finding *f = &all->list.data[i];
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[33m", "\033[31m" };
	char *left = mem__format("%-*s", AREA_COLUMNS, f->area);
	char *mark = mem__format("%-*s", (int)WORDS_COLUMN - AREA_COLUMNS,
				 finding_state__name(f->state));
	char *words = clean("%s", f->words);

	put(out, left);
	if (colour)
		put(out, colours[f->state]);
	put(out, mark);
	if (colour)
		put(out, "\033[0m");
	put_wrapped(out, words, WORDS_COLUMN);
	put_remedy(out, all, i);
	free(left);
	free(mark);
	free(words);
}

char *doctor_report__quote(const char *word)
{
	VEC(char) out = { 0 };

	if (*word && word[strspn(word, PLAIN)] == '\0')
		return mem__strdup(word);
	vec__push(&out, '\'');
	for (; *word; word++) {
		if (*word != '\'') {
			vec__push(&out, *word);
			continue;
		}
		for (const char *quoted = "'\\''"; *quoted; quoted++)
			vec__push(&out, *quoted);
	}
	vec__push(&out, '\'');
	vec__push(&out, '\0');
	return out.data;
}

/* Options of one event stand in one line where they fit. */
static void put_command(struct sink *out, const struct command *c)
{
	unsigned int at = 0;

	put(out, "\n");
	for (size_t i = 0; i < c->words.n; i++) {
		char *word = doctor_report__quote(c->words.data[i]);
		unsigned int n = (unsigned int)strlen(word);
		bool value = i + 1 < c->words.n && *word == '-' && *c->words.data[i + 1] != '-';
		size_t next = value ? strlen(c->words.data[i + 1]) + 1 : 0;

		if (at && *word == '-' && at + 1 + n + next + 2 > COLUMNS) {
			put(out, " \\\n");
			put_spaces(out, COMMAND_COLUMN);
			at = COMMAND_COLUMN;
		} else if (i) {
			put(out, " ");
			at++;
		}
		put(out, word);
		at += n;
		free(word);
	}
	put(out, "\n");
}

static void put_advised(struct sink *out, const struct doctor *d)
{
	bool frames = d->recording.frame_pointers;
	char *line = mem__format("%-*s", (int)WORDS_COLUMN, "use");

	put(out, "\n");
	put(out, line);
	free(line);
	if (!d->possible) {
		put_wrapped(out, "nothing: no profile can be made here; see the remedies above",
			    WORDS_COLUMN);
		return;
	}
	put_wrapped(out,
		    frames ? "frame pointers (fp): captures twenty times smaller than with stack "
			     "copies"
			   : "stack copies (dwarf): whole stacks without frame pointers, some MB a "
			     "second",
		    WORDS_COLUMN);
	put_command(out, &d->command);
	put(out, "\n");
	put_wrapped(out,
		    "scripts/perf-pyrecord records so, with what all threads do at the start "
		    "and the end.",
		    0);
}

void doctor_report__text(struct sink *out, const struct doctor *d, bool colour)
{
	for (size_t i = 0; i < d->findings.list.n; i++)
		put_finding(out, &d->findings, i, colour);
	put_advised(out, d);
}

static void json_text(struct json *j, const char *key, const char *value)
{
	if (value)
		json__key_string(j, key, value);
}

static void json_findings(struct json *j, const struct doctor *d)
{
	json__key(j, "findings");
	json__array(j);
	for (size_t i = 0; i < d->findings.list.n; i++) {
		const struct finding *f = &d->findings.list.data[i];

		json__newline(j);
		json__object(j);
		json__key_string(j, "area", f->area);
		json__key_string(j, "state", finding_state__name(f->state));
		json__key_string(j, "words", f->words);
		json_text(j, "remedy", f->remedy);
		json_text(j, "risk", f->risk);
		json__object_end(j);
	}
	json__array_end(j);
}

static void json_python(struct json *j, const struct target *t)
{
	static const char *const debug[] = { "none", "inside", "separate" };
	static const char *const pyframes[] = { "unknown", "absent", "installed", "loaded",
						"active" };

	json__key(j, "python");
	json__object(j);
	json__key_string(j, "implementation", t->implementation);
	json_text(j, "version", *t->interpreter.version ? t->interpreter.version : NULL);
	json_text(j, "file", t->file);
	json__key_string(j, "pyframes", pyframes[t->pyframes]);
	json_text(j, "pyframesVersion", *t->pyframes_version ? t->pyframes_version : NULL);
	if (t->looked) {
		json__key(j, "framePointers");
		json__bool(j, interpreter__keeps_frames(&t->interpreter));
		json__key_u64(j, "functionsLookedAt", t->interpreter.functions);
		json__key_u64(j, "functionsKeeping", t->interpreter.keeping);
		json__key_string(j, "debugInfo", debug[t->interpreter.debug]);
	}
	json__object_end(j);
}

void doctor_report__json(struct sink *out, const struct doctor *d)
{
	struct json j;

	json__init(&j, out);
	json__object(&j);
	json__key_u64(&j, "schema", 1);
	json__key(&j, "canProfile");
	json__bool(&j, d->possible);
	if (d->possible) {
		json__key_string(&j, "mode", d->recording.frame_pointers ? "fp" : "dwarf");
		json__key(&j, "command");
		json__array(&j);
		for (size_t i = 0; i < d->command.words.n; i++)
			json__string(&j, d->command.words.data[i]);
		json__array_end(&j);
	}
	json__key_string(&j, "kernel", d->host.name.release);
	json__key_string(&j, "machine", d->host.name.machine);
	json_text(&j, "perfVersion", d->host.perf_version);
	if (d->target && d->target->implementation)
		json_python(&j, d->target);
	json_findings(&j, d);
	json__object_end(&j);
	json__newline(&j);
}
