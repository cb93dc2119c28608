// SPDX-License-Identifier: GPL-2.0
/* An interpreter that is asked, in a run of its own, without the user's settings (-I). */
#include "perfconv/doctor/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"
#include "perfconv/base/json_reader.h"
#include "perfconv/doctor/run.h"

#define ANSWER_LIMIT_S 10u
#define NOT_RUN 127 /* exit status, as a shell has it */

/* What it has mapped tells where the interpreter is, without any knowledge of how it
 * was built. */
static const char question[] =
	"import json, os, platform, re, resource, sys, threading\n"
	"answer = {'implementation': platform.python_implementation(),\n"
	"          'version': platform.python_version(),\n"
	"          'file': os.path.realpath('/proc/self/exe'), 'pyframes': None,\n"
	"          'mainStack': max(0, resource.getrlimit(resource.RLIMIT_STACK)[0]),\n"
	"          'threadStack': threading.stack_size()}\n"
	"with open('/proc/self/maps') as maps:\n"
	"    found = re.search(r'\\s(/\\S*/libpython3[^/\\s]*)$', maps.read(), re.M)\n"
	"    answer['file'] = found.group(1) if found else answer['file']\n"
	"for folder in sys.path:\n"
	"    try:\n"
	"        with open(os.path.join(folder, 'pyframes', '__init__.py')) as init:\n"
	"            version = re.search(r'^__version__ = \"(.*?)\"', init.read(), re.M)\n"
	"        answer['pyframes'] = version.group(1) if version else ''\n"
	"        break\n"
	"    except OSError:\n"
	"        pass\n"
	"print(json.dumps(answer))\n";

static void read_implementation(struct target *t, const char *name)
{
	snprintf(t->named, sizeof(t->named), "%s", name);
	t->implementation = t->named;
}

static int read_answer(struct target *t, const char *text, struct errbuf *err)
{
	struct json_reader r;
	const char *key;
	int code;

	json_reader__init(&r, text, strlen(text));
	json_reader__object(&r);
	t->pyframes = PYFRAMES_ABSENT;
	while ((key = json_reader__key(&r)))
		if (!strcmp(key, "implementation")) {
			read_implementation(t, json_reader__string(&r));
		} else if (!strcmp(key, "version")) {
			snprintf(t->interpreter.version, sizeof(t->interpreter.version), "%s",
				 json_reader__string(&r));
		} else if (!strcmp(key, "file")) {
			free(t->file);
			t->file = mem__strdup(json_reader__string(&r));
		} else if (!strcmp(key, "mainStack")) {
			t->main_stack = json_reader__u64(&r);
		} else if (!strcmp(key, "threadStack")) {
			t->smallest_stack = json_reader__u64(&r);
		} else if (!strcmp(key, "pyframes") && json_reader__peek(&r) == JSON_STRING) {
			t->pyframes = PYFRAMES_INSTALLED;
			snprintf(t->pyframes_version, sizeof(t->pyframes_version), "%s",
				 json_reader__string(&r));
		} else {
			json_reader__skip(&r);
		}
	code = json_reader__end(&r, err);
	json_reader__release(&r);
	return code;
}

int target__of_executable(struct target *t, const char *executable, struct errbuf *err)
{
	const char *const argv[] = { executable, "-I", "-c", question, NULL };
	char version[sizeof(t->interpreter.version)], *said;
	int code = run__capture(argv, ANSWER_LIMIT_S, false, &said, err);

	*t = (struct target){ .readable = true };
	if (code < 0)
		return code;
	if (code == NOT_RUN) {
		free(said);
		return errbuf__set(err, -ENOEXEC,
				   "%s cannot be run: name a Python with --python EXE", executable);
	}
	if (code || read_answer(t, said, err)) {
		free(said);
		target__release(t);
		return errbuf__set(err, -EINVAL,
				   "%s does not answer as a Python 3 does: name one with "
				   "--python EXE",
				   executable);
	}
	free(said);
	memcpy(version, t->interpreter.version, sizeof(version));
	t->looked = !interpreter__read(&t->interpreter, file__open(t->file, NULL, NULL), t->file);
	memcpy(t->interpreter.version, version, sizeof(version));
	return 0;
}

bool target__is_supported(const struct target *t)
{
	unsigned int major, minor;

	return t->implementation && !strcmp(t->implementation, "CPython") &&
	       sscanf(t->interpreter.version, "%u.%u", &major, &minor) == 2 && major == 3 &&
	       minor >= 9 && minor <= 13;
}

void target__release(struct target *t)
{
	free(t->file);
	free(t->asked_to_start);
	vec__release(&t->hooks);
	t->file = t->asked_to_start = NULL;
}
