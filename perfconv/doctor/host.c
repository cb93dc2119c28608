// SPDX-License-Identifier: GPL-2.0
#include "perfconv/doctor/host.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"
#include "perfconv/doctor/run.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif

#define SMALL_FILE ((size_t)1 << 16)
#define PERF_LIMIT_S 10u
/* Inodes of the machine's own namespaces: include/linux/proc_ns.h. */
#define FIRST_USERS 0xEFFFFFFDu
#define FIRST_PIDS 0xEFFFFFFCu

char *host__find_program(const char *name)
{
	const char *at = getenv("PATH");

	for (; at && *at; at += strcspn(at, ":"), at += *at == ':') {
		char *path = mem__format("%.*s/%s", (int)strcspn(at, ":"), at, name);
		struct stat st;

		if (!stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK))
			return path;
		free(path);
	}
	return NULL;
}

static long read_setting(const char *name)
{
	char *path = mem__format("/proc/sys/kernel/%s", name), *text = NULL;
	long value = HOST_UNKNOWN;
	size_t n;

	if (!file__read(path, SMALL_FILE, &text, &n, NULL))
		value = strtol(text, NULL, 10);
	free(text);
	free(path);
	return value;
}

static bool has_perfmon(void)
{
	const char *line;
	uint64_t bits = 0;
	char *text;
	size_t n;

	if (file__read("/proc/self/status", SMALL_FILE, &text, &n, NULL))
		return false;
	line = strstr(text, "\nCapEff:");
	if (line)
		bits = strtoull(line + 8, NULL, 16);
	free(text);
	return bits >> CAP_PERFMON & 1 || bits >> CAP_SYS_ADMIN & 1;
}

static bool below(const char *namespace, ino_t first)
{
	struct stat st;

	return !stat(namespace, &st) && st.st_ino != first;
}

/* Runtimes leave a file or a variable; the older way of cgroups shows their name. */
static const char *container_mark(void)
{
	static const char *const words[] = { "docker", "kubepods", "libpod", "lxc", "containerd" };
	const char *found = NULL;
	char *text;
	size_t n;

	if (!access("/.dockerenv", F_OK))
		return "/.dockerenv";
	if (!access("/run/.containerenv", F_OK))
		return "/run/.containerenv";
	if (getenv("container"))
		return "$container";
	if (file__read("/proc/self/cgroup", SMALL_FILE, &text, &n, NULL))
		return NULL;
	for (size_t i = 0; !found && i < sizeof(words) / sizeof(*words); i++)
		if (strstr(text, words[i]))
			found = words[i];
	free(text);
	return found;
}

/* Hidden addresses are shown as zeros; which symbol comes first differs. */
static bool shows_kernel_symbols(void)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	uint64_t address = 0;
	bool found = false;
	char name[256];

	for (unsigned int i = 0; symbols && !found && i < 1000; i++)
		if (fscanf(symbols, "%" SCNx64 " %*c %255s%*[^\n]", &address, name) < 1)
			break;
		else
			found = address;
	if (symbols)
		fclose(symbols);
	return found;
}

static void look_at_perf(struct host *h)
{
	const char *argv[] = { "perf", "--version", NULL };
	struct errbuf err = { "" };
	char *said = NULL, version[64];

	h->perf = host__find_program("perf");
	if (!h->perf)
		return;
	h->perf_capable = getxattr(h->perf, "security.capability", NULL, 0) > 0;
	argv[0] = h->perf;
	if (run__capture(argv, PERF_LIMIT_S, true, &said, &err) < 0)
		h->perf_trouble = mem__strdup(err.text);
	else if (sscanf(said, "perf version %63s", version) == 1)
		h->perf_version = mem__strdup(version);
	else
		h->perf_trouble = mem__format("%.*s", (int)strcspn(said, "\n"), said);
	free(said);
}

static void look_at_tracefs(struct host *h)
{
	static const char *const folders[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	struct stat inside, outside;

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		char *id = mem__format("%s/events/sched/sched_switch/id", folders[i]);

		if (!stat(folders[i], &inside) &&
		    (i || (!stat("/sys/kernel", &outside) && inside.st_dev != outside.st_dev)))
			h->tracefs = true;
		if (!access(id, R_OK))
			h->tracefs_readable = true;
		free(id);
	}
}

void host__look(struct host *h)
{
	char *sudo = host__find_program("sudo");

	*h = (struct host){ .sudo = sudo, .user = geteuid(), .perfmon = has_perfmon() };
	free(sudo);
	uname(&h->name);
	look_at_perf(h);
	look_at_tracefs(h);
	h->paranoid = read_setting("perf_event_paranoid");
	h->kptr_restrict = read_setting("kptr_restrict");
	h->mlock_kib = read_setting("perf_event_mlock_kb");
	h->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	h->two_kinds_of_cores = !access("/sys/bus/event_source/devices/cpu_core", F_OK);
	h->kernel_symbols = shows_kernel_symbols();
	h->own_users = below("/proc/self/ns/user", FIRST_USERS);
	h->own_pids = below("/proc/self/ns/pid", FIRST_PIDS);
	h->container = container_mark();
}

void host__release(struct host *h)
{
	free(h->perf);
	free(h->perf_version);
	free(h->perf_trouble);
}
