// SPDX-License-Identifier: GPL-2.0
/* What is to be known of the Python before it is recorded. */
#include <stdio.h>
#include <string.h>

#include "perfconv/doctor/doctor.h"

#define SMALL_STACK ((uint64_t)1 << 20) /* 1,000 calls of 500 bytes, and C code at their end */

static void judge_access(struct doctor *d)
{
	const struct target *t = d->target;
	struct finding *f;

	if (!t->pid)
		return;
	if (t->tracer)
		finding__remedy(
			findings__add(&d->findings, "tracer", FINDING_NOTE,
				      "%s (pid %d) traces it: what it stops looks like waits",
				      t->tracer_comm, (int)t->tracer),
			NULL, "end that first");
	if (t->other_files)
		findings__add(&d->findings, "its root", FINDING_NOTE,
			      "process %d runs in a container, where it is pid %d: convert while "
			      "it lives, so that its files can be read",
			      (int)t->pid, (int)t->inner_pid);
	if (t->readable && !d->answers.target)
		return;
	f = findings__add(&d->findings, "process", FINDING_REFUSED,
			  "%d (%s, of uid %u) may not be watched: %s", (int)t->pid, t->comm,
			  (unsigned int)t->user,
			  t->readable ? strerror(-d->answers.target) : "its maps may not be read");
	if (d->host.user)
		finding__remedy(f, "perf then runs as root, or sees every process of that user",
				"run this and perf with sudo, or as that user");
	else
		finding__remedy(f, NULL, "a security module protects it: record another one");
	d->possible = d->possible && d->recording.sudo;
}

static void judge_frames(struct doctor *d)
{
	const struct interpreter *i = &d->target->interpreter;

	if (i->functions < INTERPRETER_LEAST_FUNCTIONS)
		findings__add(&d->findings, "frames", FINDING_NOTE,
			      "whether it keeps frame pointers cannot be seen: stacks are copied");
	else if (interpreter__keeps_frames(i))
		findings__add(&d->findings, "frames", FINDING_OK,
			      "frame pointers kept (by %u of %u functions)", i->keeping,
			      i->functions);
	else
		findings__add(&d->findings, "frames", FINDING_NOTE,
			      "no frame pointers (set by %u of %u functions): stacks are copied",
			      i->keeping, i->functions);
	if (i->debug != DEBUG_NONE)
		findings__add(&d->findings, "debug info", FINDING_OK, "%s",
			      i->debug == DEBUG_INSIDE ? "in the file" : "in a file of its own");
	else
		finding__remedy(findings__add(&d->findings, "debug info", FINDING_MISSING,
					      "none%s: lines and inlined functions of the "
					      "interpreter's C code are not shown; Python's are",
					      i->symbols ? "" : ", and only exported names"),
				NULL,
				"install its debug package (Debian: python3-dbg), or do without");
}

static void judge_absent(struct doctor *d)
{
	const struct target *t = d->target;
	bool unknown = t->pyframes == PYFRAMES_UNKNOWN;
	struct finding *f = findings__add(
		&d->findings, "pyframes", FINDING_MISSING, "%s: Python functions have no names",
		unknown ? "not found where its packages are" : "not installed");

	finding__remedy(f,
			"it hooks the evaluator: a call costs 12 to 50 ns more while it is active",
			"its Python -m pip install <this repository>/pyframes, then start the "
			"program with PYFRAMES=1");
}

static void judge_pyframes(struct doctor *d)
{
	const struct target *t = d->target;
	const char *version = *t->pyframes_version ? t->pyframes_version : "of unknown version";
	struct finding *f;

	switch (t->pyframes) {
	case PYFRAMES_ACTIVE:
		findings__add(&d->findings, "pyframes", FINDING_OK, "%s, active", version);
		break;
	case PYFRAMES_LOADED:
		f = findings__add(&d->findings, "pyframes", FINDING_MISSING, "%s, dormant",
				  version);
		finding__remedy(f, "what already runs is named from its next call on",
				"python -m pyframes attach %d", (int)t->pid);
		break;
	case PYFRAMES_INSTALLED:
		if (!t->pid) {
			findings__add(&d->findings, "pyframes", FINDING_OK,
				      "%s installed; PYFRAMES=1 starts it", version);
			break;
		}
		f = findings__add(&d->findings, "pyframes", FINDING_MISSING,
				  "%s installed, but not in this process (PYFRAMES is %s)", version,
				  t->asked_to_start ? t->asked_to_start : "not set");
		finding__remedy(f,
				"injecting stops it for up to some seconds, and hangs it if a "
				"stopped thread holds the loader's or malloc's lock",
				"start it with PYFRAMES=1, or PYFRAMES=agent to attach later; "
				"python -m pyframes attach --inject %d where it cannot be "
				"started again",
				(int)t->pid);
		break;
	case PYFRAMES_UNKNOWN:
	case PYFRAMES_ABSENT:
	default:
		judge_absent(d);
	}
}

static void judge_threads(struct doctor *d)
{
	const struct target *t = d->target;
	uint64_t small = t->smallest_stack;
	char threads[64] = "";

	if (t->pid)
		snprintf(threads, sizeof(threads), "%u threads, ", t->threads);
	if (!small || small >= SMALL_STACK) {
		findings__add(&d->findings, "stacks", FINDING_OK, "%smain %llu KiB%s%llu KiB",
			      threads, (unsigned long long)t->main_stack >> 10,
			      small ? ", smallest other " : ", others as the system's default: ",
			      (unsigned long long)(small ? small : t->main_stack) >> 10);
		return;
	}
	finding__remedy(
		findings__add(&d->findings, "stacks", FINDING_NOTE,
			      "%s%s has %llu KiB: pyframes takes up to 500 bytes more of it "
			      "for each Python call",
			      threads, *t->smallest_comm ? t->smallest_comm : "a thread",
			      (unsigned long long)small >> 10),
		"more memory for each thread",
		"threading.stack_size(1 << 20), or a recursion limit below 500");
}

static void judge_python(struct doctor *d)
{
	const struct target *t = d->target;
	const char *version = *t->interpreter.version ? t->interpreter.version
						      : "of unknown version";

	if (target__is_supported(t) || (t->implementation && !*t->interpreter.version)) {
		findings__add(&d->findings, "python", FINDING_OK, "%s %s, %s", t->implementation,
			      version, t->file);
		return;
	}
	finding__remedy(
		findings__add(&d->findings, "python", FINDING_MISSING,
			      "%s %s is not known to pyframes: its Python functions have no "
			      "names",
			      t->implementation, version),
		NULL, "use CPython 3.9 to 3.13; C functions are shown in any case");
}

void doctor__judge_target(struct doctor *d)
{
	const struct target *t = d->target;

	judge_access(d);
	if (!t->readable)
		return;
	if (!t->implementation) {
		findings__add(&d->findings, "python", FINDING_NOTE,
			      "process %d (%s) has no Python: its C functions are shown",
			      (int)t->pid, t->comm);
		return;
	}
	judge_python(d);
	if (t->looked)
		judge_frames(d);
	if (target__is_supported(t) || !*t->interpreter.version)
		judge_pyframes(d);
	judge_threads(d);
	for (size_t i = 0; i < t->hooks.n; i++)
		findings__add(&d->findings, "evaluator", FINDING_NOTE,
			      "%s: pyframes calls it after its own; whichever comes last must do "
			      "the same",
			      t->hooks.data[i]);
}
