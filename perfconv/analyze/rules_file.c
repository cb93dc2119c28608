// SPDX-License-Identifier: GPL-2.0
/*
 * The file of settings:
 *
 *     { "rules": { "busy-wait": { "busy": 60 }, "gc": false },
 *       "groups": { "MyWorker-*": "worker" },
 *       "targets": { "*worker": { "cpu": 5, "asleep": 95 } },
 *       "scenarios": { "rc-*": { "rules": { ... }, "targets": { ... } } } }
 *
 * What it says comes before what is built in, what a scenario says before the rest.
 * A name that means nothing is an error, so that a slip is not taken for a setting.
 */
#include <errno.h>
#include <fnmatch.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/rules.h"
#include "perfconv/base/file.h"

#define FILE_MAX_BYTES ((size_t)1 << 20)

struct reading {
	struct rules *rules;
	const char *path;
	struct errbuf *err;
	/* new ones, in the file's order; they go in front */
	VEC(struct rule_group) groups;
	VEC(struct rule_target) targets;
};

static int set_limit(struct reading *r, enum rule_id id, const char *name, const json_t *value)
{
	const struct rule *rule = rule__get(id);

	for (size_t i = 0; i < RULE_LIMITS && rule->limits[i].name; i++) {
		if (strcmp(rule->limits[i].name, name))
			continue;
		if (!json_is_number(value) || json_number_value(value) < 0)
			break;
		r->rules->limits[id][i] = json_number_value(value);
		return 0;
	}
	return errbuf__set(r->err, -EINVAL,
			   "%s: rule %s has no threshold %s that is a number; perfconv report "
			   "--list-rules shows them",
			   r->path, rule->id, name);
}

static int set_rule(struct reading *r, const char *name, json_t *value)
{
	enum rule_id id = rule__find(name);
	const char *limit;
	json_t *number;

	if (id == RULES)
		return errbuf__set(r->err, -EINVAL,
				   "%s: there is no rule %s; perfconv report --list-rules shows "
				   "those there are",
				   r->path, name);
	if (json_is_boolean(value)) {
		r->rules->off[id] = json_is_false(value);
		return 0;
	}
	if (!json_is_object(value))
		return errbuf__set(r->err, -EINVAL,
				   "%s: rule %s must be true, false or an object of thresholds",
				   r->path, name);
	json_object_foreach(value, limit, number)
	{
		int code = set_limit(r, id, limit, number);

		if (code)
			return code;
	}
	return 0;
}

static int set_group(struct reading *r, const char *pattern, json_t *value)
{
	if (!json_is_string(value))
		return errbuf__set(r->err, -EINVAL, "%s: the group of %s must be a text", r->path,
				   pattern);
	vec__push(&r->groups, ((struct rule_group){ mem__strdup(pattern),
						    mem__strdup(json_string_value(value)) }));
	return 0;
}

static int set_target(struct reading *r, const char *group, json_t *value)
{
	const json_t *cpu = json_object_get(value, "cpu");
	const json_t *asleep = json_object_get(value, "asleep");

	if (!json_is_number(cpu) || !json_is_number(asleep))
		return errbuf__set(r->err, -EINVAL,
				   "%s: the target of %s must have the numbers cpu and asleep, in "
				   "percent",
				   r->path, group);
	vec__push(&r->targets,
		  ((struct rule_target){ mem__strdup("*"), mem__strdup(group),
					 json_number_value(cpu), json_number_value(asleep) }));
	return 0;
}

static int check_keys(struct reading *r, json_t *object, const char *const *known, const char *of)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return errbuf__set(r->err, -EINVAL, "%s: %s must be an object", r->path, of);
	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (known[i] && strcmp(known[i], key))
			i++;
		if (!known[i] || !json_is_object(value))
			return errbuf__set(r->err, -EINVAL,
					   "%s: \"%s\" is no object that belongs into %s; "
					   "docs/rules.md describes the file",
					   r->path, key, of);
	}
	return 0;
}

static int set_rules(struct reading *r, json_t *part)
{
	const char *key;
	json_t *value;

	json_object_foreach(json_object_get(part, "rules"), key, value)
	{
		int code = set_rule(r, key, value);

		if (code)
			return code;
	}
	return 0;
}

static int set_names(struct reading *r, json_t *part)
{
	const char *key;
	json_t *value;
	int code;

	json_object_foreach(json_object_get(part, "groups"), key, value)
	{
		code = set_group(r, key, value);
		if (code)
			return code;
	}
	json_object_foreach(json_object_get(part, "targets"), key, value)
	{
		code = set_target(r, key, value);
		if (code)
			return code;
	}
	return 0;
}

/* A scenario's rules change what the file says of all; its targets stand before those. */
static int set_all(struct reading *r, json_t *root, const char *scenario)
{
	static const char *const part_keys[] = { "rules", "groups", "targets", NULL };
	static const char *const root_keys[] = { "rules", "groups", "targets", "scenarios", NULL };
	const char *pattern;
	json_t *part;
	int code = check_keys(r, root, root_keys, "the file");

	if (!code)
		code = set_rules(r, root);
	if (code)
		return code;
	json_object_foreach(json_object_get(root, "scenarios"), pattern, part)
	{
		code = check_keys(r, part, part_keys, pattern);
		if (!code && !fnmatch(pattern, scenario, 0))
			code = set_rules(r, part);
		if (!code && !fnmatch(pattern, scenario, 0))
			code = set_names(r, part);
		if (code)
			return code;
	}
	return set_names(r, root);
}

static void put_in_front(struct reading *r)
{
	for (size_t i = 0; i < r->rules->groups.n; i++)
		vec__push(&r->groups, r->rules->groups.data[i]);
	for (size_t i = 0; i < r->rules->targets.n; i++)
		vec__push(&r->targets, r->rules->targets.data[i]);
	vec__release(&r->rules->groups);
	vec__release(&r->rules->targets);
	memcpy(&r->rules->groups, &r->groups, sizeof(r->groups));
	memcpy(&r->rules->targets, &r->targets, sizeof(r->targets));
}

int rules__read(struct rules *rules, const char *path, const char *scenario, struct errbuf *err)
{
	struct reading r = { .rules = rules, .path = path, .err = err };
	json_error_t error;
	json_t *root;
	char *bytes;
	size_t n;
	int code = file__read(path, FILE_MAX_BYTES, &bytes, &n, err);

	if (code)
		return code;
	root = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(root))
		code = errbuf__set(err, -EINVAL, "%s: is no JSON object: %s in line %d", path,
				   root ? "something else begins" : error.text,
				   root ? 1 : error.line);
	else
		code = set_all(&r, root, scenario);
	put_in_front(&r);
	if (!rules->path)
		rules->path = mem__strdup(path);
	json_decref(root);
	free(bytes);
	return code;
}

int rules__enter(struct rules *rules, const char *scenario, struct errbuf *err)
{
	struct rules again;
	int code;

	if (!rules->path)
		return 0;
	rules__init(&again);
	code = rules__read(&again, rules->path, scenario, err);
	if (code) {
		rules__release(&again);
		return code;
	}
	memcpy(again.left_out, rules->left_out, sizeof(again.left_out));
	rules__release(rules);
	*rules = again;
	return 0;
}
