// SPDX-License-Identifier: GPL-2.0
#include "perfconv/doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/doctor/probe.h"
#include "perfconv/doctor/run.h"

#define TRIAL_LIMIT_S 20u
#define PERF_OLDEST_MAJOR 5u /* --control fifo: of perf-pyrecord */
#define PERF_OLDEST_MINOR 10u

#define RISK_SUDO "perf then runs as root"
#define RISK_PARANOID "every user may then sample the kernel, and so learn its addresses"

void doctor__ask(struct answers *a, const char *machine, pid_t pid)
{
	struct recording whole = { .machine = machine, .switches = true, .kernel = true };
	struct recorded_event clock = { EVENT_CPU_CLOCK, NULL, 99, 0 };
	struct recorded_event cycles = { EVENT_CYCLES, NULL, 99, 0 };
	struct recorded_event switches = { EVENT_SWITCHES, NULL, 20, 0 };
	struct recorded_event tracepoint = { EVENT_SCHED_SWITCH, NULL, 0, 0 };
	struct recorded_event dump = { EVENT_CPU_CLOCK, NULL, 2, RECORDING_DUMP_BYTES };

	a->cycles = probe__event(&cycles, false, 0, 0);
	a->clock = probe__event(&clock, false, 0, 0);
	a->kernel = probe__event(&clock, true, 0, 0);
	a->switches = probe__event(&switches, true, 0, 0);
	a->sched_switch = probe__event(&tracepoint, true, 0, 0);
	a->dump = probe__event(&dump, false, recording__registers(&whole), 0);
	a->whole = probe__recording(&whole, 0, &a->too_large);
	a->target = pid ? probe__event(&clock, false, 0, pid) : 0;
}

struct recording doctor__best(const struct doctor *d)
{
	return (struct recording){
		.machine = d->host.name.machine,
		.cycles = !d->host.two_kinds_of_cores && !d->answers.cycles,
		.switches = true,
		.kernel = true,
	};
}

/* perf itself has to be run where it has rights that we have not. */
static bool perf_records(const struct recording *r)
{
	static const char *const rest[] = { "-o", "/dev/null", "--", "true" };
	struct command c = { 0 };
	char *said = NULL;
	int code;

	recording__command(r, &c);
	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++)
		command__add(&c, rest[i]);
	vec__push(&c.words, NULL);
	code = run__capture((const char *const *)c.words.data, TRIAL_LIMIT_S, false, &said, NULL);
	free(said);
	command__release(&c);
	return !code;
}

static bool works(const struct recording *r, void *data)
{
	const struct host *h = data;
	bool too_large;

	if (r->sudo || (h->user && h->perf_capable))
		return perf_records(r);
	return !probe__recording(r, 0, &too_large);
}

void doctor__choose(struct doctor *d)
{
	struct recording best = doctor__best(d);
	struct chooser c = {
		.privileged = !d->host.user && !d->host.own_users,
		.sudo = d->host.user && d->host.sudo,
		.works = works,
		.data = &d->host,
	};

	d->possible = d->host.perf && choose__recording(&c, &best, &d->recording);
	if (d->target && d->target->looked)
		d->recording.frame_pointers = interpreter__keeps_frames(&d->target->interpreter);
}

static void judge_perf(struct doctor *d)
{
	const struct host *h = &d->host;
	unsigned int major = 0, minor = 0, its_major = 0, its_minor = 0;
	struct finding *f;

	findings__add(&d->findings, "kernel", FINDING_OK, "%s %s %s", h->name.sysname,
		      h->name.release, h->name.machine);
	if (!h->perf) {
		f = findings__add(&d->findings, "perf", FINDING_MISSING, "not in PATH");
		finding__remedy(f, NULL,
				"apt-get install linux-perf (Debian, Raspberry Pi OS) or "
				"linux-tools-$(uname -r) (Ubuntu)");
		return;
	}
	if (!h->perf_version || sscanf(h->perf_version, "%u.%u", &its_major, &its_minor) != 2) {
		f = findings__add(&d->findings, "perf", FINDING_MISSING,
				  "%s does not say its version: %s", h->perf,
				  h->perf_trouble ? h->perf_trouble : h->perf_version);
		finding__remedy(f, NULL, "install the perf that belongs to this kernel");
		d->possible = false;
		return;
	}
	(void)sscanf(h->name.release, "%u.%u", &major, &minor);
	if (its_major < PERF_OLDEST_MAJOR ||
	    (its_major == PERF_OLDEST_MAJOR && its_minor < PERF_OLDEST_MINOR)) {
		f = findings__add(&d->findings, "perf", FINDING_MISSING,
				  "%s is too old to be steered while it records: 5.10 is needed",
				  h->perf_version);
		finding__remedy(f, NULL, "install a newer perf; it works with older kernels");
		return;
	}
	findings__add(&d->findings, "perf", FINDING_OK, "%s%s", h->perf_version,
		      its_major < major || (its_major == major && its_minor < minor)
			      ? ", older than the kernel, which does no harm"
			      : "");
}

static void judge_user(struct doctor *d)
{
	const struct host *h = &d->host;

	if (!h->user && !h->own_users)
		findings__add(&d->findings, "user", FINDING_OK, "root");
	else if (h->own_users)
		findings__add(&d->findings, "user", FINDING_NOTE,
			      "uid %u in a user namespace: what it is allowed there does not "
			      "count for perf",
			      (unsigned int)h->user);
	else if (h->perfmon || h->perf_capable)
		findings__add(&d->findings, "user", FINDING_OK, "uid %u, %s with CAP_PERFMON",
			      (unsigned int)h->user, h->perfmon ? "itself" : "its perf perhaps");
	else
		findings__add(&d->findings, "user", FINDING_NOTE,
			      "uid %u without CAP_PERFMON: perf_event_paranoid, which is %ld, "
			      "decides",
			      (unsigned int)h->user, h->paranoid);
}

/*
 * The ways out of a refusal.  The kernel's own setting says EACCES; seccomp and
 * security modules say EPERM or, as containers do, ENOSYS.
 *
 * @paranoid: perf_event_paranoid that would allow it; HOST_UNKNOWN: none does
 */
static void remedy_for_rights(const struct doctor *d, struct finding *f, int code, long paranoid)
{
	const struct host *h = &d->host;
	bool inside = h->own_users || h->own_pids || (h->container && code != -EACCES);

	if (inside)
		finding__remedy(f,
				"the container's programs may then watch every process that they "
				"see",
				"run this outside of the container, or start that with "
				"--cap-add PERFMON and a seccomp profile that allows "
				"perf_event_open");
	else if (!h->user)
		finding__remedy(f, NULL,
				"a security module or seccomp refuses root: look into dmesg");
	else if (paranoid != HOST_UNKNOWN && h->paranoid > paranoid)
		finding__remedy(f, RISK_PARANOID,
				"sudo sysctl kernel.perf_event_paranoid=%ld (until the next boot), "
				"or run this and perf with sudo",
				paranoid);
	else
		finding__remedy(f, RISK_SUDO, "run this and perf with sudo");
}

static void judge_clock(struct doctor *d)
{
	const struct answers *a = &d->answers;
	struct finding *f;

	if (a->clock) {
		f = findings__add(&d->findings, "clock", FINDING_REFUSED,
				  "no event at all can be opened: %s (perf_event_paranoid is %ld)",
				  strerror(-a->clock), d->host.paranoid);
		remedy_for_rights(d, f, a->clock, 1);
	} else if (doctor__best(d).cycles) {
		findings__add(&d->findings, "clock", FINDING_OK, "cycles");
	} else if (d->host.two_kinds_of_cores) {
		findings__add(&d->findings, "clock", FINDING_OK,
			      "cpu-clock, for the cores are of two kinds");
	} else {
		f = findings__add(&d->findings, "clock", FINDING_MISSING,
				  "cycles are not counted here (%s); cpu-clock is used, which "
				  "sees no code that runs with interrupts off",
				  strerror(-a->cycles));
		finding__remedy(f, "the guest sees the counters of the processor",
				"a virtual machine: let its host pass the PMU on; else nothing is "
				"wrong");
	}
}

static void judge_kernel(struct doctor *d)
{
	const struct answers *a = &d->answers;
	struct finding *f;

	if (a->clock)
		return;
	if (!a->kernel) {
		findings__add(&d->findings, "kernel frames", FINDING_OK, "can be sampled");
	} else {
		f = findings__add(&d->findings, "kernel frames", FINDING_REFUSED,
				  "%s (perf_event_paranoid is %ld): no kernel frames, no stacks of "
				  "waits",
				  strerror(-a->kernel), d->host.paranoid);
		remedy_for_rights(d, f, a->kernel, 1);
	}
	if (d->host.kernel_symbols) {
		findings__add(&d->findings, "kernel names", FINDING_OK, "/proc/kallsyms is shown");
		return;
	}
	f = findings__add(&d->findings, "kernel names", FINDING_REFUSED,
			  "/proc/kallsyms hides addresses (kptr_restrict is %ld): kernel frames "
			  "have no names",
			  d->host.kptr_restrict);
	if (d->host.kptr_restrict > 1)
		finding__remedy(f, "root's programs can learn kernel addresses",
				"sudo sysctl kernel.kptr_restrict=1, and run perf with sudo");
	else
		remedy_for_rights(d, f, -EACCES, d->host.kptr_restrict ? HOST_UNKNOWN : 1);
}

static void judge_switches(struct doctor *d)
{
	const struct answers *a = &d->answers;
	const struct host *h = &d->host;
	struct finding *f;

	if (a->clock)
		return;
	if (!a->switches)
		findings__add(&d->findings, "switches", FINDING_OK, "context-switches");
	else
		remedy_for_rights(
			d,
			findings__add(&d->findings, "switches", FINDING_REFUSED,
				      "context-switches: %s; waits have their length from "
				      "--switch-events",
				      strerror(-a->switches)),
			a->switches, 1);
	if (!a->sched_switch) {
		findings__add(&d->findings, "tracepoint", FINDING_OK, "sched:sched_switch");
		return;
	}
	if (!h->tracefs) {
		f = findings__add(&d->findings, "tracepoint", FINDING_MISSING,
				  "tracefs is not mounted, so sched:sched_switch is not known: "
				  "waits have no reasons");
		finding__remedy(f, NULL, "sudo mount -t tracefs nodev /sys/kernel/tracing");
		return;
	}
	f = findings__add(&d->findings, "tracepoint", FINDING_REFUSED,
			  "sched:sched_switch: %s: waits have no reasons",
			  h->tracefs_readable ? strerror(-a->sched_switch)
					      : "tracefs may not be read");
	remedy_for_rights(d, f, -EACCES, HOST_UNKNOWN);
}

static void judge_sizes(struct doctor *d)
{
	const struct answers *a = &d->answers;
	struct recording whole = doctor__best(d);
	struct finding *f;

	if (a->clock)
		return;
	if (!recording__registers(&whole)) {
		f = findings__add(&d->findings, "stack copies", FINDING_MISSING,
				  "the registers of %s are not known here", whole.machine);
		finding__remedy(f, NULL, "record with frame pointers: perf-pyrecord --mode fp");
	} else if (a->dump) {
		f = findings__add(&d->findings, "stack copies", FINDING_MISSING,
				  "this kernel makes none: %s", strerror(-a->dump));
		finding__remedy(f, NULL, "record with frame pointers: perf-pyrecord --mode fp");
	} else {
		findings__add(&d->findings, "stack copies", FINDING_OK,
			      "up to %u bytes, with all registers", RECORDING_DUMP_BYTES);
	}
	if (!a->whole) {
		findings__add(&d->findings, "buffers", FINDING_OK, "%zu MiB for each of %ld CPUs",
			      recording__buffer_bytes(&whole) >> 20, d->host.cpus);
	} else if (a->too_large || d->recording.small_buffer) {
		f = findings__add(&d->findings, "buffers", FINDING_REFUSED,
				  "%zu MiB a CPU is more than this user may lock "
				  "(perf_event_mlock_kb is %ld): a burst may be lost",
				  recording__buffer_bytes(&whole) >> 20, d->host.mlock_kib);
		finding__remedy(f, "every user may then lock so much memory for each CPU",
				"sudo sysctl kernel.perf_event_mlock_kb=65536 (until the next "
				"boot), or run perf with sudo");
	}
}

static void judge_container(struct doctor *d)
{
	const struct host *h = &d->host;

	if (h->own_pids)
		findings__add(&d->findings, "container", FINDING_NOTE,
			      "a pid namespace: processes outside of it cannot be recorded, and "
			      "pids in a capture are those of in here");
	else if (h->own_users)
		findings__add(&d->findings, "container", FINDING_NOTE,
			      "a user namespace: its root has no right to sample the kernel");
	else if (h->container)
		findings__add(&d->findings, "container", FINDING_OK,
			      "%s says so, but processes and users are the machine's: nothing is "
			      "hidden",
			      h->container);
	else
		findings__add(&d->findings, "container", FINDING_OK, "none");
}

/* How it would be typed, with what is recorded at its end. */
static void make_command(struct doctor *d)
{
	char pid[16];

	recording__command(&d->recording, &d->command);
	if (!d->target || !d->target->pid)
		return;
	snprintf(pid, sizeof(pid), "%d", (int)d->target->pid);
	command__add(&d->command, "-p");
	command__add(&d->command, pid);
}

void doctor__judge(struct doctor *d)
{
	judge_perf(d);
	judge_user(d);
	judge_clock(d);
	judge_kernel(d);
	judge_switches(d);
	judge_sizes(d);
	judge_container(d);
	if (d->target)
		doctor__judge_target(d);
	if (d->possible)
		make_command(d);
}

void doctor__release(struct doctor *d)
{
	host__release(&d->host);
	findings__release(&d->findings);
	command__release(&d->command);
}
